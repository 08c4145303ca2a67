//! The checks, and what one of them finds.

use serde::Serialize;

/// The nine checks, in the order of the document's FAQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Check {
    /// The leader's allow list.
    F1,
    /// The link between the regions and its routes.
    F2,
    /// The listener's ports.
    F3,
    /// The leader's address in the server group.
    F4,
    /// The health check.
    F5,
    /// The endpoint.
    F6,
    /// Versions and control planes.
    F7,
    /// Followers and their lag.
    F8,
    /// The remote cluster.
    F9,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::F1, Self::F2, Self::F3, Self::F4, Self::F5, Self::F6, Self::F7, Self::F8, Self::F9];

    /// `F1`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::F1 => "F1",
            Self::F2 => "F2",
            Self::F3 => "F3",
            Self::F4 => "F4",
            Self::F5 => "F5",
            Self::F6 => "F6",
            Self::F7 => "F7",
            Self::F8 => "F8",
            Self::F9 => "F9",
        }
    }

    /// What holds where nothing is found.
    pub const fn title(self) -> &'static str {
        match self {
            Self::F1 => "the leader's allow list admits the load balancer",
            Self::F2 => "the VPCs reach each other: peer link, bandwidth, routes both ways",
            Self::F3 => "a TCP listener takes the ports of the link",
            Self::F4 => "the server group holds the leader's addresses",
            Self::F5 => "the health check asks the right port, and the leader answers",
            Self::F6 => "the PrivateLink endpoint is connected",
            Self::F7 => "versions and control planes fit",
            Self::F8 => "every follower keeps up",
            Self::F9 => "the remote cluster is connected",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// What is wrong.
    pub problem: String,
    /// Which calls said so, and what they said.
    pub evidence: Vec<String>,
    /// What that means.
    pub meaning: String,
    /// What to do.
    pub next: String,
    /// What `--fix` would do, if there is something safe.
    pub remedy: Option<Remedy>,
}

impl Finding {
    pub(super) fn new(check: Check, problem: impl Into<String>) -> Self {
        Self {
            check,
            problem: problem.into(),
            evidence: Vec::new(),
            meaning: String::new(),
            next: String::new(),
            remedy: None,
        }
    }

    pub(super) fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    pub(super) fn means(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = meaning.into();
        self
    }

    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    pub(super) fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

/// Something safe that mends a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Puts the leader's present addresses into the server group, and takes old ones out.
    SwapAddresses {
        /// The server group.
        group: String,
        /// Addresses to add first.
        add: Vec<String>,
        /// Addresses to take out once the new ones are healthy.
        remove: Vec<String>,
    },
    /// Adds blocks to the link's own group of the leader's allow list.
    Admit {
        /// The blocks.
        blocks: Vec<String>,
    },
    /// Lets followers go on that are paused or dead.
    ResumeFollowers {
        /// Their indices, each with whether it has to be paused before.
        followers: Vec<(String, bool)>,
    },
}

impl Remedy {
    /// What it does, in a sentence.
    pub fn text(&self) -> String {
        match self {
            Self::SwapAddresses { group, add, remove } => {
                let added =
                    (!add.is_empty()).then(|| format!("adds {} to {group}", add.join(", ")));
                let removed = (!remove.is_empty())
                    .then(|| format!("takes {} out of {group}", remove.join(", ")));
                let parts: Vec<String> = [added, removed].into_iter().flatten().collect();
                parts.join(", waits until they are healthy, and then ")
            }
            Self::Admit { blocks } => {
                format!("adds {} to the link's own group of the allow list", blocks.join(", "))
            }
            Self::ResumeFollowers { followers } => {
                let names: Vec<&str> = followers.iter().map(|(index, _)| index.as_str()).collect();
                format!("resumes {}", names.join(", "))
            }
        }
    }
}

/// What the doctor says of a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Causes, innermost first.
    pub findings: Vec<Finding>,
    /// Checks that fail because of a finding, and how.
    pub consequences: Vec<(Check, String)>,
    /// Checks that could not be made, and why.
    pub unlooked: Vec<(Check, String)>,
}
