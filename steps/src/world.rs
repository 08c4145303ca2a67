//! What every step is given: the spec and the clients made from it.

use crate::access::{ClusterAccess, Names, access};
use crate::again::Again;
use crate::aliyun::{Cloud, Tags};
use crate::elastic::{Cluster, ShardSeq};
use crate::marks::{TAG_LINK, TAG_NODE, TAG_SAGA};
use crate::nodes::prerequisites::InstanceFacts;
use crate::own::KnownSagas;
use crate::reserved::Reserved;
use crate::rules::Problem;
use crate::side::Which;
use crate::spec::Spec;
use escrr_engine::{Fault, NodeId, SagaId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// How the leader's domain may be resolved from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// By the system's resolver, then by Cloud Assistant.
    System,
    /// Not from here at all, for the cloud is a pretend one: by Cloud Assistant only.
    Remote,
}

/// The spec and the clients; one for each saga.
#[derive(Debug)]
pub struct World {
    /// What is wanted.
    pub spec: Spec,
    /// The cloud account.
    pub cloud: Cloud,
    /// The leader cluster's access.
    pub leader: ClusterAccess,
    /// The follower cluster's access.
    pub follower: ClusterAccess,
    /// How names are resolved.
    pub resolution: Resolution,
    /// How reads from the clusters are repeated.
    pub again: Again,
    /// What this process remembers between two looks.
    pub memory: Memory,
    /// The sagas of this home; one of them works at a time.
    pub known_sagas: KnownSagas,
}

/// What a process remembers between two looks; without it the same is found out again.
#[derive(Debug, Default)]
pub struct Memory {
    /// Checkpoints of the leader's indices at the beginning of a verification.
    barriers: Mutex<BTreeMap<SagaId, BTreeMap<String, Vec<ShardSeq>>>>,
    /// The command that resolves the leader's domain.
    invocations: Mutex<BTreeMap<SagaId, String>>,
    /// The clients of the two clusters, which know which way in answers.
    clusters: Mutex<BTreeMap<Which, Cluster>>,
    /// What links of the same home have chosen.
    reserved: Reserved,
    /// What the prerequisites found when they were last looked at, by gate.
    problems: Mutex<BTreeMap<NodeId, Vec<Problem>>>,
    /// Copies that earlier rollbacks released, by name, with their UUIDs.
    released: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

impl Memory {
    /// The leader's checkpoints when this process first asked for this saga.
    pub(crate) fn barrier(
        &self,
        saga: SagaId,
        now: impl FnOnce() -> BTreeMap<String, Vec<ShardSeq>>,
    ) -> BTreeMap<String, Vec<ShardSeq>> {
        let mut all = self.barriers.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(saga).or_insert_with(now).clone()
    }

    /// Takes part in what the links of one home know of each other.
    pub fn share(&mut self, reserved: &Reserved) {
        self.reserved = reserved.clone();
    }

    /// What links of the same home have chosen.
    pub(crate) fn reserved(&self) -> &Reserved {
        &self.reserved
    }

    /// What the prerequisites found when they were last looked at, by gate.
    pub fn problems(&self) -> Vec<Problem> {
        let all = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().flatten().cloned().collect()
    }

    /// Remembers what a gate found; nothing takes the place of what it found before.
    pub(crate) fn remember_problems(&self, gate: NodeId, found: Vec<Problem>) {
        let mut all = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(gate, found);
    }

    /// Remembers a copy that an earlier rollback of this home released.
    pub fn remember_released(&self, index: &str, uuid: &str) {
        let mut all = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(index.to_owned()).or_default().insert(uuid.to_owned());
    }

    /// Is it a copy that an earlier rollback of this home released?
    pub(crate) fn is_released(&self, index: &str, uuid: &str) -> bool {
        let all = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(index).is_some_and(|uuids| uuids.contains(uuid))
    }

    /// The command that this process started for this saga.
    pub(crate) fn invocation(&self, saga: SagaId) -> Option<String> {
        self.invocations.lock().unwrap_or_else(PoisonError::into_inner).get(&saga).cloned()
    }

    /// Remembers the command.
    pub(crate) fn remember_invocation(&self, saga: SagaId, invocation: &str) {
        let mut all = self.invocations.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(saga, invocation.to_owned());
    }
}

impl World {
    /// The client of the cluster on one side: one for the whole process, so that the way in is
    /// found out once.
    pub fn cluster(&self, which: Which, facts: &InstanceFacts) -> Result<Cluster, Fault> {
        let mut clusters = self.memory.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = clusters.get(&which) {
            return Ok(cluster.clone());
        }
        let settings = match which {
            Which::Leader => &self.leader,
            Which::Follower => &self.follower,
        };
        let names = match self.resolution {
            Resolution::System => Names::Real,
            Resolution::Remote => Names::Pretend,
        };
        let access = access(which, settings, facts, (&self.cloud, names));
        let cluster = Cluster::redacting(access, self.cloud.redactor().clone())?;
        let cluster = cluster.asking(self.again.clone());
        clusters.insert(which, cluster.clone());
        Ok(cluster)
    }

    /// The tags of what `node` makes.
    pub fn tags(&self, saga: SagaId, node: NodeId) -> Tags {
        let mut tags = self.spec.tags.clone();
        tags.insert(TAG_LINK.to_owned(), self.spec.link.clone());
        tags.insert(TAG_SAGA.to_owned(), saga.to_string());
        tags.insert(TAG_NODE.to_owned(), node.to_string());
        tags
    }

    /// The tags that everything carries which `node` of this link ever made.
    pub fn marks(&self, node: NodeId) -> Tags {
        Tags::from([
            (TAG_LINK.to_owned(), self.spec.link.clone()),
            (TAG_NODE.to_owned(), node.to_string()),
        ])
    }

    /// The tag that everything carries which was ever made for this link.
    pub fn link_mark(&self) -> Tags {
        Tags::from([(TAG_LINK.to_owned(), self.spec.link.clone())])
    }

    /// The name of what is made for this link.
    pub fn name(&self) -> String {
        format!("escrr-{}", self.spec.link)
    }
}
