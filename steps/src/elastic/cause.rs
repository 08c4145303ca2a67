//! Why a remote cluster does not connect: what Elasticsearch says, and what it means.
//!
//! The texts are those of Elasticsearch 7.10 to 8.x; the innermost cause decides.

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// What it means.
    pub(crate) meaning: &'static str,
    /// What to do.
    pub(crate) next: &'static str,
    /// Where the reason lies.
    pub(crate) lies: Lies,
}

/// Where the reason of a text lies: only what is wrong there explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lies {
    /// Anywhere between the alias and the leader's port.
    OnTheWay,
    /// In the versions: the two clusters spoke.
    InVersions,
    /// In the addresses that the load balancer leads to: another cluster spoke.
    BehindTheBalancer,
    /// In the clusters themselves: they spoke, and one refused.
    InTheClusters,
}

struct Row {
    /// One of these, in small letters, is in the text.
    texts: &'static [&'static str],
    meaning: &'static str,
    next: &'static str,
    lies: Lies,
}

/// The first row that fits counts: what is more telling stands first.
const TABLE: &[Row] = &[
    Row {
        texts: &["unexpected remote cluster name"],
        meaning: "the load balancer now leads to another cluster than at the first connection",
        next: "let the server group hold this leader's addresses only, then make the alias anew",
        lies: Lies::BehindTheBalancer,
    },
    Row {
        texts: &["from unsupported version", "minimal compatible version"],
        meaning: "the two versions do not speak with each other",
        next: "upgrade the leader to the last minor version of its major one, or the follower",
        lies: Lies::InVersions,
    },
    Row {
        texts: &["[remote_cluster_client] role"],
        meaning: "the node that was asked may not connect to other clusters",
        next: "give master, data and coordinating nodes the role remote_cluster_client",
        lies: Lies::InTheClusters,
    },
    Row {
        texts: &[
            "missing authentication credentials for action [cluster:internal/remote_cluster",
            "requires channel profile to be [_remote_cluster]",
        ],
        meaning: "the alias uses an API key, and port 9300 takes none",
        next: "remove the alias' key from the keystore, or use the port for API keys",
        lies: Lies::InTheClusters,
    },
    Row {
        texts: &["_cross_cluster_access_credentials", "expected api key type of [cross_cluster]"],
        meaning: "the port is the one for API keys, and the alias has none that it takes",
        next: "let proxy_address name port 9300",
        lies: Lies::InTheClusters,
    },
    Row {
        texts: &["has been invalidated"],
        meaning: "the API key of the alias is no longer valid",
        next: "make a new cross-cluster API key and reload the secure settings",
        lies: Lies::InTheClusters,
    },
    Row {
        texts: &[
            "not an ssl/tls record",
            "ssl/tls request received",
            "bad_certificate",
            "pkix path building failed",
            "failed to establish trust",
            "did not trust this server",
            "empty client certificate chain",
        ],
        meaning: "the two clusters do not trust each other's certificates, or one speaks plain",
        next: "ask the vendor's support: both instances need transport certificates that the other trusts",
        lies: Lies::InTheClusters,
    },
    Row {
        texts: &["invalid internal transport message format", "this is not an http port"],
        meaning: "the port speaks HTTP, not Elasticsearch's own protocol",
        next: "let proxy_address and the health check name port 9300",
        lies: Lies::OnTheWay,
    },
    Row {
        texts: &["unknown host", "unknownhost", "name or service not known"],
        meaning: "the follower cannot resolve the endpoint's domain",
        next: "use exactly the domain that the private connection shows; right after its making, wait a minute",
        lies: Lies::OnTheWay,
    },
    Row {
        texts: &["connection refused"],
        meaning: "something answers, but nobody listens: no listener, or no healthy server behind it",
        next: "see the listener and its health in the NLB console",
        lies: Lies::OnTheWay,
    },
    Row {
        texts: &["handshake failed", "handshake_timeout", "did not receive handshake"],
        meaning: "the connection stands, and what answers is no Elasticsearch transport port",
        next: "let proxy_address name port 9300, and see what the server group leads to",
        lies: Lies::OnTheWay,
    },
    Row {
        texts: &["connection reset", "closed by remote", "node_disconnected", "disconnected"],
        meaning: "the connection is closed right away: transport encryption differs, or something on the way drops it",
        next: "compare the transport encryption of both clusters",
        lies: Lies::OnTheWay,
    },
    Row {
        texts: &["connect_timeout", "connect timed out", "connecttimeout"],
        meaning: "packets vanish on the way",
        next: "look at security groups and network ACLs between the endpoint and the load balancer",
        lies: Lies::OnTheWay,
    },
    Row {
        texts: &["connect listener queue is full"],
        meaning: "too many attempts wait for a connection that does not come about",
        next: "wait a minute, then look again",
        lies: Lies::OnTheWay,
    },
    Row {
        texts: &["no seed node left", "unable to open any proxy connections", "node_not_connected"],
        meaning: "several attempts failed, and the cluster does not say why",
        next: "look again in a minute: `escrr doctor` makes it try and say more",
        lies: Lies::OnTheWay,
    },
];

/// Is a text about a connection that does not come about?
pub(crate) fn is_known(said: &str) -> bool {
    let said = said.to_lowercase();
    TABLE.iter().any(|row| row.texts.iter().any(|text| said.contains(text)))
}

/// What a text of Elasticsearch means.
pub(crate) fn of(said: &str) -> Cause {
    let said = said.to_lowercase();
    let fits = |row: &&Row| row.texts.iter().any(|text| said.contains(text));
    TABLE.iter().find(fits).map_or(
        Cause {
            meaning: "this reason is not known to escrr",
            next: "search for it in Elasticsearch's documentation of remote clusters",
            lies: Lies::OnTheWay,
        },
        |row| Cause { meaning: row.meaning, next: row.next, lies: row.lies },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text as Elasticsearch writes it, for each row in order.
    const SAID: &[&str] = &[
        "handshake failed. unexpected remote cluster name [b]",
        "Received message from unsupported version: [7.10.0] minimal compatible version is: [7.17.0]",
        "this node does not have the [remote_cluster_client] role",
        "missing authentication credentials for action [cluster:internal/remote_cluster/handshake]",
        "authentication expected API key type of [cross_cluster]",
        "API key [x] has been invalidated",
        "PKIX path building failed: unable to find valid certification path",
        "invalid internal transport message format, got (48,54,54,50)",
        "unknown host [ep-1.epsrv-1.cn-hangzhou.privatelink.aliyuncs.com]",
        "Connection refused: /10.2.1.5:9300",
        "[][10.2.1.5:9300] handshake_timeout[30s]",
        "Connection reset by peer",
        "[][10.2.1.5:9300] connect_timeout[30s]",
        "connect listener queue is full",
        "unable to open any proxy connections to cluster [a] at address [b]",
    ];

    #[test]
    fn every_text_is_known_by_its_own_row() {
        assert_eq!(SAID.len(), TABLE.len());
        for (said, row) in SAID.iter().zip(TABLE) {
            assert_eq!(of(said).meaning, row.meaning, "{said}");
        }
        assert!(of("it rains").meaning.contains("not known"));
    }
}
