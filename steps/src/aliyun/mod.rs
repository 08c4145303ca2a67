//! Alibaba Cloud's OpenAPI: one account, many regions and products.
//!
//! [`Cloud`] hands out one handle a product and region; a handle has one method for every
//! action that the job needs, and nothing else:
//!
//! ```text
//! cloud.cbn("cn-shanghai").create_cen(&CreateCen { … }).await  ->  Result<String, Fault>
//! ```
//!
//! A method that changes something sends its request once: whether the same call may be made
//! again is what the [`Fault`](escrr_engine::Fault) says, and the engine decides. The exceptions
//! are a wrong local clock and credentials that ran out, which the gateway refuses before
//! anything is done. A method that only looks is repeated a few times when it meets something
//! passing, as the [`Manner`] says ([`Again`](crate::Again)). Before a call is sent it waits only
//! to keep a [`Pace`].
//!
//! | file | what |
//! |---|---|
//! | `action` | the calls that are made, and the permission each needs |
//! | `credential` | where credentials come from, and how they stay valid |
//! | `cloud` | handles, sending one call, paging |
//! | `endpoint` | which host answers for a product in a region |
//! | `sign`, `signer`, `flatten` | the signature schemes, the requests they sign, and their form |
//! | `manner`, `pace` | which scheme, network and authorities; how many calls a second |
//! | `transport` | one HTTP exchange: limits, timeouts, time |
//! | `call`, `answer` | reading, writing, paging; lenient reading of what came back |
//! | `error` | the vendor's codes as faults, a table with reasons |
//! | `cbn` … `sts` | typed calls, one file a product |

mod action;
mod answer;
mod call;
pub mod cbn;
mod cloud;
pub mod credential;
pub mod ecs;
pub mod elasticsearch;
mod endpoint;
mod error;
mod flatten;
mod manner;
pub mod nlb;
mod pace;
pub mod privatelink;
mod sign;
mod signer;
pub mod sts;
mod tagging;
mod transport;
mod types;
pub mod vpc;

pub use action::{Action, LINKED_SERVICES};
pub use cloud::{Cloud, Config, Credentials};
pub use endpoint::{Endpoints, Network, Product};
pub use error::{Meaning, dry_run_passed, is_gone, meaning};
pub use manner::Manner;
pub use pace::Pace;
pub use sign::Signature;
pub use tagging::{LIST_TAGS, TagKind};
pub use types::{Tags, ZoneMapping};
