//! A bench: the sandbox over real HTTP, and an engine with the real catalog over it.

#![expect(clippy::indexing_slicing, reason = "a member that JSON lacks reads as null")]

use escrr_engine::clock::{Clock, VirtualClock};
use escrr_engine::lane::Lanes;
use escrr_engine::store::{Committer, MemoryStore};
use escrr_engine::{Beginning, Ending, Engine, Event, Interrupt, Progress, SagaId};
use escrr_sandbox::{Addresses, Options, Sandbox, WorldFile};
use escrr_steps::aliyun::{Cloud, Config, Credentials, Endpoints};
use escrr_steps::catalog::catalog;
use escrr_steps::secret::Secret;
use escrr_steps::spec::{Spec, defaults};
use escrr_steps::{ClusterAccess, Resolution, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Anything that goes wrong on a bench fails the test.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The sandbox and an engine over it, with a store in memory.
pub struct Bench {
    /// The pretend cloud.
    pub sandbox: Sandbox,
    /// What is to be set up.
    pub spec: Spec,
    /// The saga.
    pub saga: SagaId,
    /// The disk.
    pub store: MemoryStore,
    /// What the engine said, newest last.
    pub said: Option<mpsc::UnboundedReceiver<Progress>>,
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
        let saga = SagaId::new(1_700_000_000_000, [5; 10]);
        Ok(Self { sandbox, spec, saga, store: MemoryStore::default(), said: None })
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
        let access = |instance: &str| ClusterAccess {
            url: at.instances.get(instance).cloned(),
            username: at.elastic_user.clone(),
            password: Some(Secret::new(at.elastic_password.clone())),
            ca_file: None,
        };
        Ok(World {
            cloud: Cloud::new(Config { credentials, endpoints })?,
            leader: access(&self.spec.leader.instance),
            follower: access(&self.spec.follower.instance),
            spec: self.spec.clone(),
            resolution: Resolution::Remote,
            memory: escrr_steps::Memory::default(),
        })
    }

    /// The engine of a new process over the same disk and the same cloud.
    pub async fn engine(&mut self) -> Result<Engine<World>, Error> {
        let now_ms = self.get("clock").await?["now_ms"].as_u64().unwrap_or(0);
        let url = format!("{}/sandbox/clock", self.addresses().openapi);
        let client = client();
        let clock = VirtualClock::with(
            now_ms,
            Box::new(move |to_ms| {
                let (client, url) = (client.clone(), url.clone());
                Box::pin(async move {
                    let answer = client.post(url).json(&json!({"to_ms": to_ms})).send().await;
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
            committer: Committer::start(self.store.clone())?,
            clock: Arc::new(clock) as Arc<dyn Clock>,
            lanes: Arc::new(Lanes::default()),
            progress,
            random: 11.into(),
        })
    }

    /// One process: begins the saga if need be, or resumes it, and drives it.
    pub async fn run(&mut self) -> Result<Ending, Error> {
        let engine = self.engine().await?;
        match engine.load(self.saga).await {
            Err(_) => {
                let beginning = Beginning {
                    link: &self.spec.link,
                    spec: self.spec.text(),
                    digest: &self.spec.digest(),
                    world: "sandbox",
                };
                engine.begin(self.saga, beginning).await?;
            }
            Ok((saga, _)) if saga.stopped() => {
                engine.say(self.saga, Event::Resumed { by: "bench".into() }).await?;
            }
            Ok(_) => {}
        }
        self.drive(engine).await
    }

    /// One process: rolls back.
    pub async fn rollback(&mut self) -> Result<Ending, Error> {
        let engine = self.engine().await?;
        engine.say(self.saga, Event::RollbackBegun { by: "bench".into() }).await?;
        self.drive(engine).await
    }

    async fn drive(&self, engine: Engine<World>) -> Result<Ending, Error> {
        let (_keep, interrupt) = watch::channel(Interrupt::None);
        Ok(engine.drive(self.saga, Arc::new(self.world()?), interrupt).await?)
    }

    /// Asks the sandbox's control.
    pub async fn get(&self, what: &str) -> Result<Value, Error> {
        let url = format!("{}/sandbox/{what}", self.addresses().openapi);
        Ok(client().get(url).send().await?.json().await?)
    }

    /// Orders something of the sandbox's control.
    pub async fn post(&self, what: &str, body: &Value) -> Result<Value, Error> {
        let url = format!("{}/sandbox/{what}", self.addresses().openapi);
        Ok(client().post(url).json(body).send().await?.json().await?)
    }

    /// Takes every ordered fault back.
    pub async fn clear_faults(&self) -> Result<(), Error> {
        let url = format!("{}/sandbox/fault", self.addresses().openapi);
        client().delete(url).send().await?;
        Ok(())
    }

    /// Everything that exists.
    pub async fn inventory(&self) -> Result<Value, Error> {
        self.get("inventory").await
    }

    /// The mutating calls that took effect so far: product and action.
    pub async fn changes(&self) -> Result<Vec<String>, Error> {
        let log = self.get("log").await?;
        let rows = log.as_array().cloned().unwrap_or_default();
        Ok(rows
            .iter()
            .filter(|r| r["mutating"] == json!(true) && r["outcome"] == json!("ok"))
            .map(|r| {
                format!(
                    "{} {}",
                    r["product"].as_str().unwrap_or(""),
                    r["action"].as_str().unwrap_or("")
                )
            })
            .collect())
    }
}

fn client() -> reqwest::Client {
    escrr_steps::install_tls();
    reqwest::Client::builder().no_proxy().build().unwrap_or_default()
}
