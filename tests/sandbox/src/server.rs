//! The sockets: one loopback port for the OpenAPI, one for each cluster, one for each Kibana.

use crate::desk::{Caller, Desk, Outcome, Reply};
use crate::wire::Http;
use crate::{Error, World, WorldFile, clock, control, doorkeeper, oidc, peer, sts};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A world that changed is on disk at latest after this time.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// Bytes of a body that the gateway of the OpenAPI takes.
const OPENAPI_BODY: usize = 8 << 20;
/// Bytes of a body that a node takes: `http.max_content_length` is 100 MB unless set.
const CLUSTER_BODY: usize = 100 << 20;

/// How a sandbox starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The directory of the world; without one it is in memory only.
    pub dir: Option<PathBuf>,
    /// What a new world is made from; the default one when left out. A world that is
    /// in `dir` already goes on as it is.
    pub world: Option<WorldFile>,
    /// Times faster than real time; 0 stands still. Left out, the clock runs as real time
    /// does. Left out or 0, it can be moved forward by `POST /sandbox/clock`.
    pub speed: Option<f64>,
    /// Writes the world at latest every 200 ms, instead of before each answer.
    pub lazy: bool,
}

/// Where a running sandbox answers, and with which keys: one line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Addresses {
    /// Base URL of the OpenAPI of all products.
    pub openapi: String,
    /// Base URL of the leader's cluster.
    pub leader: String,
    /// Base URL of the follower's cluster.
    pub follower: String,
    /// Base URL of each cluster, by instance id.
    pub instances: BTreeMap<String, String>,
    /// Base URL of each cluster's Kibana, by instance id.
    #[serde(default)]
    pub kibana: BTreeMap<String, String>,
    /// What the sandbox's own calls have to say: `Authorization: Bearer …`.
    #[serde(default)]
    pub control_token: String,
    /// Key of the account.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// A superuser of the leader.
    pub elastic_user: String,
    /// Its password.
    pub elastic_password: String,
    /// Speed of the clock, if it has one.
    pub speed: Option<f64>,
    /// The process that runs the sandbox.
    pub pid: u32,
    /// Base URL of the metadata of an ECS instance.
    #[serde(default)]
    pub metadata: String,
    /// An address that answers with temporary keys, as `ALIBABA_CLOUD_CREDENTIALS_URI` names one.
    #[serde(default)]
    pub credentials_uri: String,
    /// A role that may be assumed.
    #[serde(default)]
    pub role_arn: String,
    /// The identity provider whose tokens may assume it; `POST /sandbox/oidc` gives one out.
    #[serde(default)]
    pub oidc_provider_arn: String,
}

/// A running sandbox; it stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    addresses: Addresses,
    desk: Arc<Mutex<Desk>>,
    tasks: Vec<JoinHandle<()>>,
}

/// What every connection needs.
#[derive(Clone, Debug)]
struct House {
    desk: Arc<Mutex<Desk>>,
    /// What the sandbox's own calls have to say.
    token: Arc<str>,
}

/// What answers behind a port.
#[derive(Clone, Debug)]
enum Port {
    OpenApi,
    Cluster(Arc<str>),
    Kibana(Arc<str>),
    Metadata,
}

impl Sandbox {
    /// Starts a sandbox on free loopback ports, inside the runtime of the caller.
    ///
    /// # Errors
    /// [`Error`]: the world cannot be read or made, or there is no port.
    pub async fn start(options: Options) -> Result<Self, Error> {
        Self::open(Desk::open(&options)?).await
    }

    /// Starts a sandbox over a copy of a world, in memory: the same things at the same
    /// time, with an empty log.
    ///
    /// # Errors
    /// [`Error`]: there is no port.
    pub async fn of_world(world: World, speed: Option<f64>) -> Result<Self, Error> {
        Self::open(Desk::of_world(world, speed)).await
    }

    /// A copy of the world as it is now.
    pub fn world(&self) -> World {
        let mut desk = lock(&self.desk);
        desk.catch_up();
        desk.world.clone()
    }

    /// How many requests it has answered so far.
    pub fn requests(&self) -> u64 {
        lock(&self.desk).log().next_seq() - 1
    }

    async fn open(desk: Desk) -> Result<Self, Error> {
        let speed = desk.clock.speed();
        let file = desk.world.file.clone();
        let account = desk.world.file.account.clone();
        let desk = Arc::new(Mutex::new(desk));
        let control_token = doorkeeper::token().map_err(Error::Listen)?;
        let house = House { desk: Arc::clone(&desk), token: control_token.as_str().into() };
        let mut tasks = Vec::new();
        let openapi = listen(&house, Port::OpenApi, &mut tasks).await?;
        let metadata = listen(&house, Port::Metadata, &mut tasks).await?;
        let (role_arn, oidc_provider_arn) = {
            let world = &lock(&desk).world;
            (sts::role_arn(world, "escrr"), oidc::provider_arn(world))
        };
        let (mut instances, mut kibana) = (BTreeMap::new(), BTreeMap::new());
        for id in file.instances.keys() {
            let url = listen(&house, Port::Cluster(id.as_str().into()), &mut tasks).await?;
            instances.insert(id.clone(), url);
            let url = listen(&house, Port::Kibana(id.as_str().into()), &mut tasks).await?;
            kibana.insert(id.clone(), url);
        }
        tasks.push(tokio::spawn(keep_flushing(Arc::clone(&desk))));
        let of = |id: &str| instances.get(id).cloned().unwrap_or_default();
        let users = file.instances.get(&file.leader).map(|i| &i.users);
        let addresses = Addresses {
            openapi,
            leader: of(&file.leader),
            follower: of(&file.follower),
            instances: instances.clone(),
            kibana,
            control_token,
            access_key_id: account.access_key_id,
            access_key_secret: account.access_key_secret,
            elastic_user: "elastic".into(),
            elastic_password: users.and_then(|u| u.get("elastic")).cloned().unwrap_or_default(),
            speed,
            pid: std::process::id(),
            credentials_uri: format!("{metadata}/credentials"),
            metadata,
            role_arn,
            oidc_provider_arn,
        };
        Ok(Self { addresses, desk, tasks })
    }

    /// Where it answers.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Stops; the world is on disk afterwards. Dropping does the same.
    pub async fn stop(mut self) {
        self.end();
        for task in self.tasks.drain(..) {
            // A task that was aborted ends with an error that says so.
            task.await.ok();
        }
    }

    fn end(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if let Err(error) = lock(&self.desk).close() {
            tracing::error!(%error, "the world could not be written");
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.end();
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    // One handler that panicked is a bug, and no reason to stop answering all others.
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep_flushing(desk: Arc<Mutex<Desk>>) {
    loop {
        clock::pause(FLUSH_EVERY).await;
        if let Err(error) = lock(&desk).flush() {
            tracing::error!(%error, "the world could not be written");
        }
    }
}

async fn listen(
    house: &House,
    port: Port,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<String, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
    let address = listener.local_addr().map_err(Error::Listen)?;
    tasks.push(tokio::spawn(accept(house.clone(), port, listener, address)));
    Ok(format!("http://{address}"))
}

async fn accept(house: House, port: Port, listener: TcpListener, own: SocketAddr) {
    // Connections end with the task: dropping the set aborts them.
    let mut connections = JoinSet::new();
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(house.clone(), port.clone(), stream, Peer { from, own }));
    }
}

async fn serve(house: House, port: Port, stream: TcpStream, peer: Peer) {
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request| answer(house.clone(), port.clone(), peer, request));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Ends with an error when a fault cut it, or when the caller went away.
    connection.await.ok();
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection closed on order")]
struct Closed;

async fn answer(
    house: House,
    port: Port,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Closed> {
    let openapi = matches!(port, Port::OpenApi);
    let http = match read(request, if openapi { OPENAPI_BODY } else { CLUSTER_BODY }).await? {
        Read::Whole(http) => http,
        Read::TooLong(http) => return Ok(write(Reply::too_large(&http, openapi))),
    };
    if let Err(refused) = let_in(&port, &http, &house.token) {
        return Ok(write(refused));
    }
    let (outcome, hold) = {
        let mut desk = lock(&house.desk);
        if desk.closed() {
            return Err(Closed);
        }
        let outcome = match &port {
            Port::OpenApi if http.path.starts_with(doorkeeper::CONTROL) => {
                Outcome::from(control::handle(&mut desk, &http))
            }
            Port::OpenApi => desk.openapi(&http, &peer),
            Port::Metadata => desk.metadata(&http, &peer),
            Port::Cluster(instance) => desk.elastic(instance, &http, &peer),
            Port::Kibana(instance) => desk.kibana(instance, &http, &peer),
        };
        let hold = desk.clock.hold(outcome.delay_ms);
        (outcome, hold)
    };
    if !hold.is_zero() {
        clock::pause(hold).await;
    }
    outcome.reply.map(write).ok_or(Closed)
}

/// Refuses what may not even be looked at.
fn let_in(port: &Port, http: &Http, token: &str) -> Result<(), Reply> {
    doorkeeper::refuse_strangers(http)?;
    match port {
        Port::OpenApi if http.path.starts_with(doorkeeper::CONTROL) => {
            doorkeeper::check_control(http, token)
        }
        Port::OpenApi | Port::Cluster(_) | Port::Kibana(_) | Port::Metadata => Ok(()),
    }
}

/// A request, with its body or without one that is too long.
enum Read {
    Whole(Http),
    TooLong(Http),
}

async fn read(request: Request<Incoming>, limit: usize) -> Result<Read, Closed> {
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let body = if announced.is_some_and(|length: usize| length > limit) {
        // What is too long by its own word need not come first.
        None
    } else {
        match Limited::new(body, limit).collect().await {
            Ok(body) => Some(body.to_bytes().to_vec()),
            Err(error) if error.is::<LengthLimitError>() => None,
            // The caller went away in the middle of it.
            Err(_) => return Err(Closed),
        }
    };
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    let target = parts.uri.path_and_query().map_or("/", |t| t.as_str());
    let http = |body| Http::new(parts.method.as_str(), target, headers, body);
    Ok(match body {
        Some(body) => Read::Whole(http(body)),
        None => Read::TooLong(http(Vec::new())),
    })
}

fn write(reply: Reply) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(reply.body))).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written");
        let mut response = Response::new(Full::default());
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// Both ends of a connection.
#[derive(Clone, Copy, Debug)]
struct Peer {
    from: SocketAddr,
    own: SocketAddr,
}

impl Caller for Peer {
    fn process(&self) -> Option<u32> {
        peer::process_of(self.from, self.own)
    }

    fn kill(&self, pid: u32) {
        peer::kill(pid);
    }
}

#[cfg(test)]
mod tests;
