//! Step 5 of the document: cross-cluster replication.

mod auto_follow;
mod existing_indices;
mod release;
mod remote_cluster;
mod wanted;

pub use auto_follow::AutoFollow;
pub use existing_indices::{ExistingIndices, Followers, Pair};
pub use remote_cluster::RemoteCluster;

pub(crate) use wanted::{Choice, choose, follower_name, matches};
