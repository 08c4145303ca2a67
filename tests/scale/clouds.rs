//! Pretend clouds, each a process with a few links.

use escrr_engine::SagaId;
use escrr_engine::clock::{Clock, VirtualClock};
use escrr_steps::aliyun::{Cloud, Config, Credentials, Endpoints};
use escrr_steps::elastic::Login;
use escrr_steps::secret::Secret;
use escrr_steps::spec::Spec;
use escrr_steps::{Again, ClusterAccess, Memory, Resolution, Way, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// Links in one pretend cloud.
const LINKS: usize = 4;

/// One link and the saga that sets it up.
pub(crate) struct Link {
    pub(crate) cloud: usize,
    pub(crate) saga: SagaId,
    pub(crate) world: Arc<World>,
}

/// One pretend cloud.
struct Pretend {
    child: Child,
    _folder: TempDir,
    line: Value,
    links: usize,
}

/// All of them.
pub(crate) struct Clouds {
    all: Vec<Pretend>,
    client: reqwest::Client,
}

impl Drop for Pretend {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Pretend {
    fn start(links: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("world.toml");
        std::fs::write(&file, world_file(links)).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_escrr_under_test"))
            .env_clear()
            .env("ESCRR_HOME", folder.path())
            .args(["sandbox", "start", "--world"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line = serde_json::from_str(&line).expect("the sandbox's addresses");
        Self { child, _folder: folder, line, links }
    }

    fn text(&self, key: &str) -> String {
        self.line[key].as_str().unwrap().to_owned()
    }

    fn world(&self, number: usize) -> World {
        let spec = format!(
            "link = \"link-{number}\"\n[leader]\nregion = \"cn-shanghai\"\n\
             instance = \"{}\"\n[follower]\nregion = \"cn-hangzhou\"\ninstance = \"{}\"\n\
             [replication]\npatterns = [\"logs-*\"]\n",
            instance("leader", number % LINKS),
            instance("follower", number % LINKS),
        );
        let spec = Spec::parse(&spec, "link.toml").unwrap();
        let credentials = Credentials {
            access_key_id: self.text("access_key_id"),
            access_key_secret: Secret::new(self.text("access_key_secret")),
            security_token: None,
        };
        let endpoints = Endpoints { all: Some(self.text("openapi")), product: BTreeMap::new() };
        let access = |instance: &str| ClusterAccess {
            way: Some(Way::Direct),
            url: self.line["instances"][instance].as_str().map(str::to_owned),
            login: Some(Login::Basic {
                username: self.text("elastic_user"),
                password: Secret::new(self.text("elastic_password")),
            }),
            ..ClusterAccess::default()
        };
        World {
            cloud: Cloud::new(Config { credentials, endpoints }).unwrap(),
            leader: access(&spec.leader.instance),
            follower: access(&spec.follower.instance),
            spec,
            resolution: Resolution::Remote,
            again: Again::default(),
            memory: Memory::default(),
            known_sagas: escrr_steps::KnownSagas::new(),
        }
    }
}

impl Clouds {
    /// As many clouds as so many links need.
    pub(crate) async fn start(links: usize) -> Self {
        escrr_steps::install_tls();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let sizes = (0..links.div_ceil(LINKS)).map(|cloud| LINKS.min(links - cloud * LINKS));
        let all = sizes.map(Pretend::start).collect();
        tokio::task::yield_now().await;
        Self { all, client }
    }

    /// How many links each has.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = usize> {
        self.all.iter().map(|cloud| cloud.links)
    }

    /// A clock for each: it jumps, and its cloud with it.
    pub(crate) fn clocks(&self) -> Vec<Arc<dyn Clock>> {
        let clock = |cloud: &Pretend| -> Arc<dyn Clock> {
            let url = format!("{}/sandbox/clock", cloud.text("openapi"));
            let (client, token) = (self.client.clone(), cloud.text("control_token"));
            let advance = move |to_ms: u64| -> escrr_engine::erased::BoxFuture<'static, u64> {
                let (client, url, token) = (client.clone(), url.clone(), token.clone());
                Box::pin(async move {
                    let request = client.post(url).bearer_auth(token);
                    let answer = request.json(&json!({ "to_ms": to_ms })).send().await;
                    let told: Value = answer.unwrap().json().await.unwrap();
                    told["now_ms"].as_u64().unwrap_or(to_ms)
                })
            };
            let now_ms = cloud.line["now_ms"].as_u64().unwrap_or(0);
            Arc::new(VirtualClock::with(now_ms, Box::new(advance)))
        };
        self.all.iter().map(clock).collect()
    }

    /// Every link, with clients of its own.
    pub(crate) fn links(&self) -> Vec<Link> {
        let places = self.all.iter().enumerate().flat_map(|(at, c)| (0..c.links).map(move |_| at));
        (0..)
            .zip(places)
            .map(|(number, cloud)| Link {
                cloud,
                saga: crate::saga(number),
                world: Arc::new(self.all[cloud].world(number)),
            })
            .collect()
    }

    /// Everything that exists in each.
    pub(crate) async fn inventories(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for cloud in &self.all {
            let url = format!("{}/sandbox/inventory", cloud.text("openapi"));
            let request = self.client.get(url).bearer_auth(cloud.text("control_token"));
            all.push(request.send().await.unwrap().json().await.unwrap());
        }
        all
    }
}

fn instance(side: &str, number: usize) -> String {
    format!("es-cn-{side}{number:04}")
}

/// A world with so many pairs of clusters, each cluster in a VPC of its own.
fn world_file(links: usize) -> String {
    let mut text = format!(
        "leader = \"{}\"\nfollower = \"{}\"\n",
        instance("leader", 0),
        instance("follower", 0)
    );
    for (region, zones) in [("cn-shanghai", ["f", "g"]), ("cn-hangzhou", ["h", "i"])] {
        let zones = zones.map(|zone| format!("\"{region}-{zone}\"")).join(", ");
        writeln!(text, "[regions.{region}]").unwrap();
        for product in ["transit_router_zones", "nlb_zones", "private_link_zones"] {
            writeln!(text, "{product} = [{zones}]").unwrap();
        }
    }
    for number in 0..links {
        let data = "indices.logs-2026-10 = { documents = 10 }\n";
        for (side, region, zones, block, (version, indices)) in [
            ("leader", "cn-shanghai", ["f", "g"], 10, ("7.10.0", data)),
            ("follower", "cn-hangzhou", ["h", "i"], 11, ("7.16.2", "")),
        ] {
            let (net, name) = (format!("{block}.{number}.0"), instance(side, number));
            let [near, far] = zones.map(|zone| format!("{region}-{zone}"));
            write!(
                text,
                "[vpcs.vpc-{side}{number:04}]\nregion = \"{region}\"\ncidr = \"{net}.0/24\"\n\
                 vswitches.vsw-{side}{number:04}-a = {{ zone = \"{near}\", cidr = \"{net}.0/25\" }}\n\
                 vswitches.vsw-{side}{number:04}-b = {{ zone = \"{far}\", cidr = \"{net}.128/25\" }}\n\
                 [instances.{name}]\nregion = \"{region}\"\nvswitch = \"vsw-{side}{number:04}-a\"\n\
                 version = \"{version}\"\n{indices}[servers.i-{side}{number:04}]\nregion = \"{region}\"\n\
                 vswitch = \"vsw-{side}{number:04}-a\"\n",
            )
            .unwrap();
        }
    }
    text
}
