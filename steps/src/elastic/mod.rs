//! Elasticsearch itself: one cluster, over whatever way there is to it.
//!
//! [`Cluster`] has one method for every call that the job makes; each goes through
//! [`Cluster::send`], and that over a `Route`: the cluster's own address, its Kibana, or a call
//! of the OpenAPI that carries requests. Callers do not know which.
//! As with the OpenAPI, a method sends once and never waits: the
//! [`Fault`](escrr_engine::Fault) says what may follow.
//!
//! | file | what |
//! |---|---|
//! | `route` | the ways in: what each sends, what its answers mean, which one is used |
//! | `login` | users, passwords, API keys |
//! | `client` | configuration, sending, reading answers leniently |
//! | `cluster` | version, license, privileges, remote connections, health |
//! | `settings` | the settings of remote clusters |
//! | `ccr`, `ccr_stats` | followers, auto-follow patterns, their state |
//! | `index`, `shard`, `document` | indices, their shards and their documents |
//! | `lease` | for whom a leader keeps its history |
//! | `error` | status and error type as faults |

pub(crate) mod cause;
mod ccr;
mod ccr_stats;
mod client;
mod cluster;
mod document;
mod error;
mod index;
mod lease;
mod login;
mod route;
mod settings;
mod shard;

pub use ccr::{AutoFollow, Follow, FollowerInfo, Forget, PutAutoFollow, Unfollowed};
pub use ccr_stats::{AutoFollowError, CcrStats, FollowerStats, ShardStats};
pub use client::{Access, Cluster, Entrance, Gate};
pub use cluster::{
    Feature, Health, Info, License, Nudge, Privileges, RemoteInfo, WantedPrivileges,
};
pub use document::{DocKey, Document, Written};
pub use error::not_found;
pub use index::Index;
pub(crate) use index::backed_stream;
pub use lease::{Lease, ShardLeases};
pub use login::Login;
pub use reqwest::Method;
pub use route::{Carried, Relay};
pub use settings::{RemoteProxy, RemoteSettings};
pub use shard::ShardSeq;
