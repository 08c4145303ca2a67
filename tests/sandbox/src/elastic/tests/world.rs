//! Two clusters, a wire between them, and short ways to ask.

use crate::elastic::{Reply, Request, State, Unreachable, Wire, handle, seed, tick};
use crate::world_file::{IndexFile, InstanceFile};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One hour.
pub(super) const HOUR_MS: u64 = 3_600_000;

/// The network: which address leads where.
pub(super) struct Net {
    pub(super) routes: BTreeMap<String, String>,
    pub(super) cut: Option<Unreachable>,
}

impl Wire for Net {
    fn connect(&self, _from: &str, address: &str) -> Result<String, Unreachable> {
        if let Some(why) = &self.cut {
            return Err(why.clone());
        }
        self.routes.get(address).cloned().ok_or_else(|| Unreachable {
            kind: "illegal_argument_exception".into(),
            reason: format!("unknown host [{address}]"),
        })
    }
    fn duration_ms(&self, name: &str) -> u64 {
        match name {
            "Es.Connect" => 2000,
            "Es.Restore" => 10_000,
            "Es.AutoFollow" => 1500,
            "Es.Replicate" => 400,
            _ => 0,
        }
    }
}

/// `leader` and `follower`, and the moment.
pub(super) struct World {
    pub(super) state: State,
    pub(super) net: Net,
    pub(super) now_ms: u64,
    pub(super) user: String,
}

pub(super) fn instance(version: &str, license: &str) -> InstanceFile {
    let index = |documents, shards| IndexFile { shards, documents, ..IndexFile::default() };
    InstanceFile {
        allow_list: vec!["127.0.0.1".into()],
        region: "cn-shanghai".into(),
        vswitch: "vsw-1".into(),
        version: version.into(),
        arch_type: "public".into(),
        category: "x-pack".into(),
        status: "active".into(),
        license: license.into(),
        plugins: vec!["analysis-ik".into()],
        users: BTreeMap::from([
            ("elastic".into(), "secret".into()),
            ("reader".into(), "secret".into()),
        ]),
        grants: BTreeMap::new(),
        kibana_http_auth: true,
        indices: BTreeMap::from([
            ("logs-1".into(), index(20, Some(2))),
            ("logs-2".into(), index(0, None)),
            (
                "bare".into(),
                IndexFile { documents: 1, no_soft_deletes: true, ..IndexFile::default() },
            ),
            (".kibana_1".into(), IndexFile { documents: 1, hidden: true, ..IndexFile::default() }),
        ]),
    }
}

impl World {
    /// Versions of leader and follower.
    pub(super) fn new(leader: &str, follower: &str) -> Self {
        Self::licensed((leader, "platinum"), (follower, "platinum"))
    }

    pub(super) fn licensed(leader: (&str, &str), follower: (&str, &str)) -> Self {
        let now_ms = 1_000_000;
        let mut state = State::default();
        seed(&mut state, "leader", &instance(leader.0, leader.1), now_ms);
        let mut file = instance(follower.0, follower.1);
        file.indices.clear();
        seed(&mut state, "follower", &file, now_ms);
        let routes = BTreeMap::from([
            ("ep:9300".to_owned(), "leader".to_owned()),
            ("back:9300".to_owned(), "follower".to_owned()),
        ]);
        Self { state, net: Net { routes, cut: None }, now_ms, user: "elastic".into() }
    }

    /// A world whose follower is connected as `up`.
    pub(super) fn connected(leader: &str, follower: &str) -> Self {
        let mut world = Self::new(leader, follower);
        world.connect();
        world
    }

    pub(super) fn connect(&mut self) {
        self.ok("follower", "PUT /_cluster/settings", remote("up", "ep:9300"));
        self.pass(2000);
    }

    /// Lets time pass in one go.
    pub(super) fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        tick(&mut self.state, &self.net, self.now_ms);
    }

    pub(super) fn cut(&mut self) {
        self.net.cut = Some(Unreachable {
            kind: "connect_transport_exception".into(),
            reason: "[][10.2.1.7:9300] connect_timeout[30s]".into(),
        });
    }

    pub(super) fn mend(&mut self) {
        self.net.cut = None;
    }

    /// `GET /path?query` with a body that may be null or a plain string.
    pub(super) fn ask(&mut self, at: &str, line: &str, body: Value) -> Reply {
        tick(&mut self.state, &self.net, self.now_ms);
        let (method, uri) = line.split_once(' ').unwrap();
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let body = match body {
            Value::Null => Vec::new(),
            Value::String(text) => text.into_bytes(),
            body @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                body.to_string().into_bytes()
            }
        };
        let token = STANDARD.encode(format!("{}:secret", self.user));
        let request = Request {
            method: method.into(),
            path: path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
            query: query
                .split('&')
                .filter(|p| !p.is_empty())
                .map(|p| p.split_once('=').unwrap_or((p, "")))
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect(),
            headers: BTreeMap::from([("authorization".into(), format!("Basic {token}"))]),
            body,
        };
        handle(&mut self.state, &self.net, self.now_ms, at, &request)
    }

    /// A request that must succeed; gives its body.
    pub(super) fn ok(&mut self, at: &str, line: &str, body: Value) -> Value {
        let reply = self.ask(at, line, body);
        assert!(reply.status < 300, "{line}: {} {}", reply.status, reply.body);
        reply.body
    }

    pub(super) fn get(&mut self, at: &str, path: &str) -> Value {
        self.ok(at, &format!("GET {path}"), Value::Null)
    }

    /// A request that must be refused with that status and type; gives the error.
    pub(super) fn refused(&mut self, at: &str, line: &str, body: Value, how: (u16, &str)) -> Value {
        let reply = self.ask(at, line, body);
        assert_eq!(reply.status, how.0, "{line}: {}", reply.body);
        assert_eq!(reply.body["status"], how.0, "{line}");
        assert_eq!(reply.body["error"]["type"], how.1, "{line}: {}", reply.body);
        assert_eq!(reply.body["error"]["root_cause"][0]["type"], how.1);
        reply.body["error"].clone()
    }

    pub(super) fn follow(&mut self, name: &str, leader: &str) {
        let body = json!({"remote_cluster": "up", "leader_index": leader});
        let reply = self.ok("follower", &format!("PUT /{name}/_ccr/follow"), body);
        assert_eq!(
            reply,
            json!({"follow_index_created": true, "follow_index_shards_acked": false, "index_following_started": false})
        );
        self.pass(10_000);
    }

    pub(super) fn status(&mut self, name: &str) -> String {
        let info = self.get("follower", &format!("/{name}/_ccr/info"));
        info["follower_indices"][0]["status"].as_str().unwrap_or("none").to_owned()
    }

    /// The stats of one shard of a follower.
    pub(super) fn shard(&mut self, name: &str, shard: usize) -> Value {
        let stats = self.get("follower", &format!("/{name}/_ccr/stats"));
        stats["indices"][0]["shards"][shard].clone()
    }

    pub(super) fn count(&mut self, at: &str, name: &str) -> u64 {
        self.get(at, &format!("/{name}/_count"))["count"].as_u64().unwrap()
    }

    pub(super) fn is_connected(&mut self) -> bool {
        self.get("follower", "/_remote/info")["up"]["connected"] == true
    }
}

/// The body that adds a remote in proxy mode.
pub(super) fn remote(alias: &str, address: &str) -> Value {
    json!({"persistent": {"cluster": {"remote": {alias: {
        "mode": "proxy", "proxy_address": address, "skip_unavailable": false,
    }}}}})
}
