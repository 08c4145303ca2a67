//! A bench: the sandbox over real HTTP, and an engine with the real catalog over it.

#![expect(clippy::indexing_slicing, reason = "a member that JSON lacks reads as null")]

use crate::jump::{Jump, Jumping};
use crate::tape::{Cut, Tape};
use escrr_engine::clock::{Clock, VirtualClock};
use escrr_engine::lane::Lanes;
use escrr_engine::store::{Committer, MemoryStore};
use escrr_engine::{
    Beginning, Direction, Ending, Engine, Event, Interrupt, News, Progress, SagaId,
};
use escrr_sandbox::{Addresses, LogLine, Options, Sandbox, WorldFile};
use escrr_steps::aliyun::{Cloud, Config, Credentials, Endpoints, Manner};
use escrr_steps::catalog::catalog;
use escrr_steps::elastic::Login;
use escrr_steps::secret::Secret;
use escrr_steps::spec::{Spec, defaults};
use escrr_steps::{Again, ClusterAccess, Resolution, Way, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Anything that goes wrong on a bench fails the test.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The sandbox and an engine over it, with a store in memory.
pub struct Bench {
    /// The pretend cloud.
    pub sandbox: Arc<Sandbox>,
    /// What is to be set up.
    pub spec: Spec,
    /// The saga.
    pub saga: SagaId,
    /// The disk.
    pub store: MemoryStore,
    /// What the engine said, newest last.
    pub said: Option<mpsc::UnboundedReceiver<Progress>>,
    /// The way into both clusters.
    pub way: Way,
    /// What is kept of every commit, if anything is.
    pub tape: Option<Tape>,
    /// What goes wrong with the process's clock, if anything does.
    pub jump: Option<Jump>,
    /// Sagas that the home knows besides the one at work.
    pub known: escrr_steps::KnownSagas,
    client: reqwest::Client,
}

impl Bench {
    /// The document's own example.
    pub async fn new() -> Result<Self, Error> {
        Self::with(WorldFile::default(), defaults::sandbox()?).await
    }

    /// Any world and any spec.
    pub async fn with(world: WorldFile, spec: Spec) -> Result<Self, Error> {
        // Time stands still but for the jumps: how busy this machine is changes nothing.
        let options = Options { dir: None, world: Some(world), speed: Some(0.0), lazy: true };
        let sandbox = Sandbox::start(options).await?;
        Ok(Self::over(sandbox, spec, MemoryStore::default()))
    }

    /// A new process in the world, and over the disk, that another one left behind.
    pub async fn after(cut: &Cut) -> Result<Self, Error> {
        let sandbox = Sandbox::of_world(cut.world.clone(), Some(0.0)).await?;
        Ok(Self::over(sandbox, defaults::sandbox()?, cut.store()?))
    }

    /// A world that others have filled, and an empty disk.
    pub async fn among_others(world: escrr_sandbox::World) -> Result<Self, Error> {
        let sandbox = Sandbox::of_world(world, Some(0.0)).await?;
        let mut bench = Self::over(sandbox, defaults::sandbox()?, MemoryStore::default());
        bench.begin_another();
        Ok(bench)
    }

    fn over(sandbox: Sandbox, spec: Spec, store: MemoryStore) -> Self {
        let (sandbox, saga) = (Arc::new(sandbox), SagaId::new(1_700_000_000_000, [5; 10]));
        let client = client();
        let way = Way::Direct;
        let known = escrr_steps::KnownSagas::new();
        Self { sandbox, spec, saga, store, said: None, way, tape: None, jump: None, known, client }
    }

    /// The same link once more, by a saga of the same home.
    pub fn begin_another(&mut self) {
        self.known.insert(self.saga.to_string());
        self.saga = SagaId::new(1_800_000_000_000, [6; 10]);
    }

    /// Lets time pass while no process runs.
    pub async fn pass(&self, ms: u64) -> Result<(), Error> {
        let now_ms = self.get("clock").await?["now_ms"].as_u64().unwrap_or(0);
        self.post("clock", &json!({"to_ms": now_ms + ms})).await.map(drop)
    }

    /// Somebody else makes a call and waits until it is done.
    pub async fn meddle(&self, product: &str, action: &str, params: Value) -> Result<Value, Error> {
        let order = json!({"product": product, "action": action, "params": params});
        let answer = self.post("change", &order).await?;
        if let Some(error) = answer.get("error") {
            return Err(format!("{product} {action}: {error}").into());
        }
        self.pass(600_000).await?;
        Ok(answer)
    }

    /// Somebody else sends a request to the follower's cluster.
    pub async fn meddle_with_follower(
        &self,
        method: reqwest::Method,
        path: &str,
        body: &Value,
    ) -> Result<(), Error> {
        let at = self.addresses();
        let request = self
            .client
            .request(method, format!("{}{path}", at.follower))
            .basic_auth(&at.elastic_user, Some(&at.elastic_password));
        let request = if body.is_null() { request } else { request.json(body) };
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Somebody asks one of the clusters, `leader` or `follower`; an error is an answer too.
    pub async fn ask(
        &self,
        side: &str,
        method: reqwest::Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, Error> {
        let at = self.addresses();
        let url = if side == "leader" { &at.leader } else { &at.follower };
        let request = self
            .client
            .request(method, format!("{url}{path}"))
            .basic_auth(&at.elastic_user, Some(&at.elastic_password));
        let request = if body.is_null() { request } else { request.json(body) };
        Ok(request.send().await?.json().await?)
    }

    /// Begins the rollback without driving it, and journals what a person said with it.
    pub async fn begin_rollback(&mut self, more: Vec<Event>) -> Result<(), Error> {
        let engine = self.engine().await?;
        let (saga, _) = engine.load(self.saga).await?;
        if saga.direction == Direction::Forward {
            engine
                .say(
                    self.saga,
                    Event::RollbackBegun {
                        by: "bench".into(),
                        actor: escrr_engine::Actor::default(),
                    },
                )
                .await?;
        }
        for event in more {
            engine.say(self.saga, event).await?;
        }
        Ok(())
    }

    /// The sandbox's addresses.
    pub fn addresses(&self) -> &Addresses {
        self.sandbox.addresses()
    }

    /// The clients and the spec.
    pub fn world(&self) -> Result<World, Error> {
        let at = self.addresses();
        let endpoints = Endpoints { all: Some(at.openapi.clone()), product: BTreeMap::new() };
        let credentials = Credentials {
            access_key_id: at.access_key_id.clone(),
            access_key_secret: Secret::new(at.access_key_secret.clone()),
            security_token: None,
        };
        let login = Login::Basic {
            username: at.elastic_user.clone(),
            password: Secret::new(at.elastic_password.clone()),
        };
        let access = |instance: &str| ClusterAccess {
            way: Some(self.way),
            url: at.instances.get(instance).cloned(),
            kibana_url: at.kibana.get(instance).cloned(),
            login: Some(login.clone()),
            ..ClusterAccess::default()
        };
        let manner = Manner { again: Some(Again::at_once()), ..Manner::default() };
        Ok(World {
            cloud: Cloud::with(Config { credentials, endpoints }, manner)?,
            leader: access(&self.spec.leader.instance),
            follower: access(&self.spec.follower.instance),
            spec: self.spec.clone(),
            resolution: Resolution::Remote,
            again: Again::at_once(),
            memory: escrr_steps::Memory::default(),
            known_sagas: self.known.clone(),
        })
    }

    /// The engine of a new process over the same disk and the same cloud.
    pub async fn engine(&mut self) -> Result<Engine<World>, Error> {
        let now_ms = self.get("clock").await?["now_ms"].as_u64().unwrap_or(0);
        let url = format!("{}/sandbox/clock", self.addresses().openapi);
        let client = self.client.clone();
        let token = self.addresses().control_token.clone();
        let clock = VirtualClock::with(
            now_ms,
            Box::new(move |to_ms| {
                let (client, url, token) = (client.clone(), url.clone(), token.clone());
                Box::pin(async move {
                    let request = client.post(url).bearer_auth(token);
                    let answer = request.json(&json!({"to_ms": to_ms})).send().await;
                    let told: Option<Value> = match answer {
                        Ok(answer) => answer.json().await.ok(),
                        Err(_) => None,
                    };
                    told.and_then(|v| v["now_ms"].as_u64()).unwrap_or(to_ms)
                })
            }),
        );
        let (progress, said) = mpsc::unbounded_channel();
        self.said = Some(said);
        Ok(Engine {
            catalog: Arc::new(catalog()?),
            committer: match &self.tape {
                None => Committer::start(self.store.clone())?,
                Some(tape) => Committer::start(tape.recorder(&self.sandbox, &self.store))?,
            },
            clock: match self.jump {
                None => Arc::new(clock) as Arc<dyn Clock>,
                Some(jump) => Arc::new(Jumping::new(clock, jump)),
            },
            lanes: Arc::new(Lanes::default()),
            progress,
            random: 11.into(),
        })
    }

    /// One process: begins the saga if need be, or resumes it, and drives it.
    pub async fn run(&mut self) -> Result<Ending, Error> {
        let engine = self.ready().await?;
        self.drive(&engine).await
    }

    /// An engine over a saga that may be carried on.
    async fn ready(&mut self) -> Result<Engine<World>, Error> {
        let engine = self.engine().await?;
        match engine.load(self.saga).await {
            Err(_) => {
                let beginning = Beginning {
                    link: &self.spec.link,
                    spec: self.spec.text(),
                    digest: &self.spec.digest(),
                    world: "sandbox",
                    world_id: None,
                    actor: &escrr_engine::Actor::default(),
                };
                engine.begin(self.saga, beginning).await?;
            }
            Ok((saga, _)) if saga.stopped() => {
                engine
                    .say(
                        self.saga,
                        Event::Resumed {
                            by: "bench".into(),
                            actor: escrr_engine::Actor::default(),
                        },
                    )
                    .await?;
            }
            Ok(_) => {}
        }
        Ok(engine)
    }

    /// One process: rolls back, or goes on with a rollback, as the command does.
    pub async fn rollback(&mut self) -> Result<Ending, Error> {
        let engine = self.engine().await?;
        let (saga, _) = engine.load(self.saga).await?;
        let by = "bench".to_owned();
        match saga.direction {
            Direction::Forward => {
                engine.take_stock(self.saga, &self.world()?).await?;
                engine
                    .say(
                        self.saga,
                        Event::RollbackBegun { by, actor: escrr_engine::Actor::default() },
                    )
                    .await?;
            }
            Direction::Backward if saga.stopped() => {
                engine
                    .say(self.saga, Event::Resumed { by, actor: escrr_engine::Actor::default() })
                    .await?;
            }
            Direction::Backward => {}
        }
        self.drive(&engine).await
    }

    /// One process that goes on in the direction that the saga has, and is killed as soon
    /// as a call has come to nothing; true if it was.
    pub async fn killed_at_a_fault(&mut self) -> Result<bool, Error> {
        self.killed_at(|news| matches!(news, News::Retrying { .. })).await
    }

    /// One process that goes on in the direction that the saga has, and is killed as soon as it
    /// says something of this kind; true if it was.
    pub async fn killed_at(&mut self, moment: impl Fn(&News) -> bool) -> Result<bool, Error> {
        let engine = self.ready().await?;
        let mut said = self.said.take().ok_or("nobody listens")?;
        let stumbled = async {
            while let Some(progress) = said.recv().await {
                if moment(&progress.news) {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        // Dropping the drive is the end of its process: its calls under way die with it.
        tokio::select! {
            biased;
            () = stumbled => Ok(true),
            ended = self.drive(&engine) => ended.map(|_| false),
        }
    }

    async fn drive(&self, engine: &Engine<World>) -> Result<Ending, Error> {
        let (_keep, interrupt) = watch::channel(Interrupt::None);
        Ok(engine.drive(self.saga, Arc::new(self.world()?), interrupt).await?)
    }

    /// Asks the sandbox's control.
    pub async fn get(&self, what: &str) -> Result<Value, Error> {
        let url = format!("{}/sandbox/{what}", self.addresses().openapi);
        let request = self.client.get(url).bearer_auth(&self.addresses().control_token);
        Ok(request.send().await?.json().await?)
    }

    /// Orders something of the sandbox's control.
    pub async fn post(&self, what: &str, body: &Value) -> Result<Value, Error> {
        let url = format!("{}/sandbox/{what}", self.addresses().openapi);
        let request = self.client.post(url).bearer_auth(&self.addresses().control_token);
        Ok(request.json(body).send().await?.json().await?)
    }

    /// Takes every ordered fault back.
    pub async fn clear_faults(&self) -> Result<(), Error> {
        let url = format!("{}/sandbox/fault", self.addresses().openapi);
        let request = self.client.delete(url).bearer_auth(&self.addresses().control_token);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Everything that exists.
    pub async fn inventory(&self) -> Result<Value, Error> {
        self.get("inventory").await
    }

    /// Every request that was answered so far.
    pub async fn log(&self) -> Result<Vec<LogLine>, Error> {
        Ok(serde_json::from_value(self.get("log").await?)?)
    }

    /// The mutating calls that took effect so far: product and action.
    pub async fn changes(&self) -> Result<Vec<String>, Error> {
        let log = self.log().await?;
        let took_effect = |line: &&LogLine| line.mutating && line.outcome == "ok";
        Ok(log.iter().filter(took_effect).map(|l| format!("{} {}", l.product, l.action)).collect())
    }
}

fn client() -> reqwest::Client {
    escrr_steps::install_tls();
    reqwest::Client::builder().no_proxy().build().unwrap_or_default()
}
