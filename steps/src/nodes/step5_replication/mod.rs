//! Step 5 of the document: cross-cluster replication.

mod auto_follow;
mod copies;
mod existing_indices;
mod forecast;
mod release;
mod remote_cluster;
mod wanted;

pub use auto_follow::AutoFollow;
pub use copies::{Fate, IndexFate};
pub use existing_indices::{ExistingIndices, Followed, Followers, Pair};
pub use forecast::{Forecast, Past, forecast};
pub use remote_cluster::{Remote, RemoteCluster};

pub(crate) use wanted::{Choice, choose, follower_name, matches};
