//! Where the account's credentials come from, and how they stay valid.
//!
//! - `chain`: the sources of the vendor's own tools, in their order, found in an environment
//! - `config_file`: the profiles of the vendor's command line, `~/.aliyun/config.json`
//! - `ini_file`: the profiles of the vendor's libraries, `~/.alibabacloud/credentials`
//! - `source`: one source, and asking it once
//! - `web`, `external`: asking over HTTP (instance metadata, a URI, OIDC) and by a command
//! - `provider`: what was answered, kept until shortly before it runs out
//!
//! A [`Source`] says where; a [`Provider`] asks it, once for all who wait, and again before
//! what it answered runs out. A [`Cloud`](super::Cloud) asks its provider at every attempt.

mod chain;
mod config_file;
mod external;
mod held;
mod ini_file;
mod provider;
mod source;
mod web;

pub use chain::{Link, Links, Passed, Resolved, Surroundings, chain, resolve};
pub use held::Held;
pub use provider::Provider;
pub use source::{Means, OidcRole, RoleSession, Source, StsAt};
