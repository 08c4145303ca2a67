//! One request: checked, met by faults, applied, logged, saved, answered.

use super::late::{self, Due};
use super::reply::request_id;
use super::{Desk, Reply};
use crate::elastic::{self, Request};
use crate::fault::{Effect, STUCK_SECONDS, Seen, When, emptied, garble, refusal, shortened};
use crate::ledger::{LogLine, es_action, es_mutating};
use crate::route::at_cluster;
use crate::verify::{self, Keys, check, is_anonymous};
use crate::wire::{self, Http};
use crate::{
    Answer, Call, Durations, Error, Refusal, World, actions, idempotency, instances, route,
};

/// The process that sent a request.
pub(crate) trait Caller {
    /// Its id, if it can be found out.
    fn process(&self) -> Option<u32>;
    /// Stops it.
    fn kill(&self, pid: u32);
}

/// What comes of a request.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The answer; none when the connection is closed without one.
    pub(crate) reply: Option<Reply>,
    /// How long the answer is held back, in milliseconds of the world's time.
    pub(crate) delay_ms: u64,
}

impl Outcome {
    /// Nobody answers: no list admits the caller.
    pub(crate) fn closed() -> Self {
        Self { reply: None, delay_ms: 0 }
    }
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self { reply: Some(reply), delay_ms: 0 }
    }
}

/// The product of requests to a cluster, in the log and in faults.
const ES: &str = "Es";
/// Products whose answers are keys.
const HANDS_OUT_KEYS: [&str; 3] = ["Sts", "Metadata", "CredentialsUri"];

/// What the log says of a request before its outcome is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) product: String,
    pub(super) action: String,
    pub(super) region: String,
    pub(super) mutating: bool,
    pub(super) token: Option<String>,
    /// The action at the cluster that the request is carried to, by its Kibana or the OpenAPI.
    pub(super) carries: Option<String>,
    /// Does it prove to be sent by somebody with a key or a password of this world?
    pub(super) signed: bool,
    /// How it was signed.
    pub(super) scheme: Option<&'static str>,
}

impl Entry {
    pub(super) fn new(product: &str, action: &str, region: String) -> Self {
        let (product, action) = (product.to_owned(), action.to_owned());
        Self { product, action, region, ..Self::default() }
    }
}

/// How a request is applied and refused: the OpenAPI and the clusters differ in it.
pub(super) struct Way<'a> {
    /// Applies it; gives the answer and the word for the log.
    pub(super) apply: &'a dyn Fn(&mut World) -> (Reply, String),
    /// Writes a refusal.
    pub(super) refuse: &'a dyn Fn(&Refusal) -> Reply,
    /// What a throttled caller is told.
    pub(super) throttled: Refusal,
    /// What it does when nobody waits for the answer any more.
    pub(super) unheard: &'a dyn Fn() -> late::Effect,
}

impl Desk {
    /// Answers a request to the OpenAPI.
    pub(crate) fn openapi(&mut self, http: &Http, caller: &dyn Caller) -> Outcome {
        self.catch_up();
        let id = request_id(self.log.next_seq(), self.world.now_ms);
        let call = wire::call(http);
        let entry = match &call {
            Ok(call) => self.entry_of(http, call),
            Err(_) => Entry {
                region: http.region(),
                scheme: Some(verify::scheme_of(http)),
                ..Entry::default()
            },
        };
        let checked = call.and_then(|call| self.signer(http, &call).map(|key| (call, key)));
        let call = match checked {
            Ok((call, key)) => {
                self.world.request.access_key_id = key;
                call
            }
            Err(refusal) => {
                self.note(&entry, &refusal.code, None);
                return Reply::openapi(http, &id, &Err(refusal)).into();
            }
        };
        let way = Way {
            apply: &|world| {
                let answer = route::answer(world, &call);
                let word = word_of(&answer, &entry);
                (Reply::openapi(http, &id, &answer), word)
            },
            refuse: &|refusal| Reply::openapi(http, &id, &Err(refusal.clone())),
            throttled: Refusal::bad(
                "Throttling.User",
                "Request was denied due to user flow control.",
            ),
            unheard: &|| {
                let (call, entry) = (call.clone(), entry.clone());
                Box::new(move |world| word_of(&route::answer(world, &call), &entry))
            },
        };
        self.pass(&entry, &way, caller)
    }

    /// The key that signed a request; none signs what is asked in order to get one.
    fn signer(&mut self, http: &Http, call: &Call) -> Result<String, Refusal> {
        if is_anonymous(call) {
            return Ok(String::new());
        }
        let World { file, sts, now_ms, request, .. } = &self.world;
        let keys = Keys { account: &file.account, sessions: sts, now_ms: *now_ms };
        check(http, keys, &mut self.nonces, request.wall_ms)
    }

    fn entry_of(&self, http: &Http, call: &Call) -> Entry {
        let home = call.path.get("InstanceId").and_then(|id| self.world.file.instances.get(id));
        Entry {
            product: call.product.name().to_owned(),
            action: call.action.clone(),
            region: home.map_or_else(|| http.region(), |instance| instance.region.clone()),
            mutating: actions::mutating(call),
            token: idempotency::token(call).map(str::to_owned),
            carries: (call.action == "InvokeEsRequest").then(|| {
                let path = call.get("path").unwrap_or("/").split('?').next().unwrap_or("/");
                es_action(call.get("method").unwrap_or("GET"), path)
            }),
            // Whoever gets as far as the faults has been checked.
            signed: !is_anonymous(call),
            scheme: Some(verify::scheme_of(http)),
        }
    }

    /// Answers a request to the cluster of `instance`.
    pub(crate) fn elastic(&mut self, instance: &str, http: &Http, caller: &dyn Caller) -> Outcome {
        self.catch_up();
        if !instances::is_open(&self.world, instance) {
            return Outcome::closed();
        }
        let home = self.world.file.instances.get(instance);
        let region = home.map(|i| i.region.clone()).unwrap_or_default();
        let request = Request {
            method: http.method.clone(),
            path: http.segments(),
            query: http.query.iter().cloned().collect(),
            headers: http.headers.clone(),
            body: http.body.clone(),
        };
        let entry = Entry {
            mutating: es_mutating(&http.method, &http.path),
            signed: elastic::knows(&self.world.elastic, instance, &request),
            ..Entry::new(ES, &es_action(&http.method, &http.path), region)
        };
        let way = Way {
            apply: &|world| {
                let reply = at_cluster(world, instance, &request);
                let word = reply.word();
                (Reply::elastic(http, reply), word)
            },
            refuse: &|refusal| Reply::elastic_refusal(http, refusal),
            throttled: overloaded(),
            unheard: &|| {
                let (instance, request) = (instance.to_owned(), request.clone());
                Box::new(move |world| at_cluster(world, &instance, &request).word())
            },
        };
        self.pass(&entry, &way, caller)
    }

    /// Meets the faults, applies, logs, saves.
    pub(super) fn pass(&mut self, entry: &Entry, way: &Way<'_>, caller: &dyn Caller) -> Outcome {
        let seen = Seen {
            product: &entry.product,
            action: &entry.action,
            mutating: entry.mutating,
            carries: entry.carries.as_deref(),
            signed: entry.signed,
        };
        let struck = self.world.faults.meet(seen);
        let ordered = struck.is_some();
        let mut delay_ms = 0;
        let mut killed = None;
        let (reply, word) = match struck {
            // A storm has become one of its blows before.
            None | Some(Effect::Storm(_)) => some(self.apply(entry, way)),
            Some(Effect::DelayMs(ms)) => {
                delay_ms = ms;
                some(self.apply(entry, way))
            }
            Some(Effect::Refuse { status, code, message }) => {
                refused(way, &refusal(status, code, message))
            }
            Some(Effect::Fail { applied }) => self.failed(applied, entry, way),
            Some(Effect::Throttle) => refused(way, &way.throttled),
            Some(Effect::ThrottleMs(ms)) => {
                let (reply, word) = refused(way, &way.throttled);
                (reply.map(|reply| hinted(entry, reply, ms)), word)
            }
            Some(Effect::ExpireCredentials) => refused(way, &expired()),
            Some(Effect::Garbled(key)) => some(self.garbled(key, entry, way)),
            Some(Effect::Cut) => (None, "cut".to_owned()),
            Some(Effect::Lost) => {
                self.apply(entry, way);
                (None, "lost".to_owned())
            }
            Some(Effect::LateMs(ms)) => self.hold(entry, way, ms),
            Some(Effect::Stale) => some(self.stale(entry, way)),
            Some(Effect::LagMs(ms)) => some(self.lagging(entry, way, ms)),
            Some(Effect::Empty) => some(self.rewritten(entry, way, emptied)),
            Some(Effect::Partial) => some(self.rewritten(entry, way, shortened)),
            Some(Effect::Stuck) => some(self.stuck(entry, way)),
            Some(Effect::Kill { when }) => {
                if when == When::After {
                    self.apply(entry, way);
                }
                killed = Some(caller.process());
                (None, "killed".to_owned())
            }
        };
        self.note(entry, &word, killed.flatten());
        // Keys that were handed out are on disk soon, though nothing of the world changed.
        self.dirty |= HANDS_OUT_KEYS.contains(&entry.product.as_str());
        let changed = ordered || (entry.mutating && may_have_changed(entry, &word));
        let saved = self.save(changed, killed.is_some());
        match killed {
            Some(Some(pid)) => caller.kill(pid),
            Some(None) => tracing::warn!("the caller to be stopped was not found"),
            None => {}
        }
        if let Err(error) = saved {
            tracing::error!(%error, "the world could not be written");
            let text = error.to_string();
            return (way.refuse)(&Refusal::new(500, "InternalError", text)).into();
        }
        Outcome { reply, delay_ms }
    }

    fn save(&mut self, changed: bool, killed: bool) -> Result<(), Error> {
        if killed {
            // The caller may be this very process: nothing may be left unwritten.
            self.dirty = true;
            return self.flush();
        }
        if changed { self.changed() } else { Ok(()) }
    }

    pub(super) fn apply(&mut self, entry: &Entry, way: &Way<'_>) -> (Reply, String) {
        self.keep_copy(entry);
        (way.apply)(&mut self.world)
    }

    /// The request takes effect later, when nobody waits for it any more.
    fn hold(&mut self, entry: &Entry, way: &Way<'_>, ms: u64) -> (Option<Reply>, String) {
        let at_ms = self.world.now_ms.saturating_add(ms);
        self.late.hold(Due { at_ms, entry: entry.clone(), effect: (way.unheard)() });
        (None, "late".to_owned())
    }

    /// A request that nobody waits for any more takes effect; the log has it a second time.
    pub(super) fn arrive(&mut self, due: Due) {
        self.keep_copy(&due.entry);
        let word = (due.effect)(&mut self.world);
        self.note(&due.entry, &word, None);
        self.dirty = true;
    }

    /// The service breaks down over the request.
    fn failed(&mut self, applied: bool, entry: &Entry, way: &Way<'_>) -> (Option<Reply>, String) {
        if applied {
            self.apply(entry, way);
        }
        refused(way, &failure(entry))
    }

    /// One place of the answer is not as it should be.
    fn garbled(&mut self, key: u64, entry: &Entry, way: &Way<'_>) -> (Reply, String) {
        let (mut reply, word) = self.apply(entry, way);
        let mut random = key.rotate_left(32) ^ self.log.next_seq();
        reply.body = garble(&reply.body, &mut random);
        (reply, word)
    }

    /// What is started now takes decades.
    fn stuck(&mut self, entry: &Entry, way: &Way<'_>) -> (Reply, String) {
        let usual = std::mem::replace(&mut self.world.durations, Durations::all_of(STUCK_SECONDS));
        let answer = self.apply(entry, way);
        self.world.durations = usual;
        answer
    }

    pub(super) fn note(&mut self, entry: &Entry, outcome: &str, pid: Option<u32>) {
        let line = LogLine {
            seq: self.log.next_seq(),
            at_ms: self.world.now_ms,
            product: entry.product.clone(),
            action: entry.action.clone(),
            region: entry.region.clone(),
            mutating: entry.mutating,
            token: entry.token.clone(),
            carries: entry.carries.clone(),
            scheme: entry.scheme.map(str::to_owned),
            outcome: outcome.to_owned(),
            pid,
        };
        if let Err(error) = self.log.push(line, self.shelf.as_mut()) {
            tracing::error!(%error, "the log could not be written");
        }
    }
}

/// What is said of credentials whose time is over.
fn expired() -> Refusal {
    Refusal::bad("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
}

/// A refused call to the OpenAPI has no effect; a cluster may have done a part.
fn may_have_changed(entry: &Entry, word: &str) -> bool {
    word == "ok" || entry.product == ES || entry.carries.is_some()
}

fn some((reply, word): (Reply, String)) -> (Option<Reply>, String) {
    (Some(reply), word)
}

fn refused(way: &Way<'_>, refusal: &Refusal) -> (Option<Reply>, String) {
    (Some((way.refuse)(refusal)), refusal.code.clone())
}

/// A service, or a cluster, that broke down over a request.
fn failure(entry: &Entry) -> Refusal {
    if entry.product == ES {
        return Refusal::new(500, "exception", "the node failed over the request");
    }
    refusal(None, "InternalError".to_owned(), String::new())
}

/// The gateway says when to try again; a cluster does not.
fn hinted(entry: &Entry, mut reply: Reply, ms: u64) -> Reply {
    if entry.product != ES && entry.product != "Kibana" {
        reply.headers.push(("x-acs-retry-after".to_owned(), ms.to_string()));
    }
    reply
}

/// What a cluster says whose queue is full.
pub(super) fn overloaded() -> Refusal {
    Refusal::new(
        429,
        "es_rejected_execution_exception",
        "rejected execution: the queue of the thread pool is full",
    )
}

/// The word for the log: of the cluster's answer where a request was carried to it.
fn word_of(answer: &Answer, entry: &Entry) -> String {
    match answer {
        Ok(value) if entry.carries.is_some() => {
            let result = value.get("Result").unwrap_or(value);
            let status = result.get("error").and(result.get("status"));
            let status = status.and_then(serde_json::Value::as_u64).unwrap_or(200);
            elastic::word(u16::try_from(status).unwrap_or(500), result)
        }
        Ok(_) => "ok".to_owned(),
        Err(refusal) => refusal.code.clone(),
    }
}
