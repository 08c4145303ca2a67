//! A sandbox to work in: the one that runs, one whose addresses were named, or one of our own.

use crate::Context;
use crate::args::SandboxChoice;
use crate::clock::{ScaledClock, pause};
use crate::codes;
use crate::error::{CommandError, chain};
use crate::sandbox_control::{Announced, Control, find};
use escrr_engine::{Clock, VirtualClock};
use escrr_sandbox::{Addresses, Error, Options, Sandbox};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// A command that only asks something of a world holds it no longer than this.
const SHORT_USE: Duration = Duration::from_secs(2);
/// Between two tries to get hold of a world.
const USE_PAUSE: Duration = Duration::from_millis(50);

/// Who else is to know of a sandbox that a command starts for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publicity {
    /// Everybody: it is there for a while, and others may want to look into it.
    Announced,
    /// Nobody: it is gone in a moment.
    Silent,
}

/// A sandbox that answers.
#[derive(Debug)]
pub struct Pretend {
    /// Where.
    pub addresses: Addresses,
    /// Its own calls.
    pub control: Control,
    /// Which world it is; none where it does not tell.
    pub world: Option<String>,
    /// The note is taken away before the sandbox stops.
    own: Option<(Option<Announced>, Sandbox)>,
    clock: OneClock,
}

/// The world's clock, the same for all who ask: what one of them waits for, the others see.
#[derive(Default)]
struct OneClock(OnceCell<Arc<dyn Clock>>);

impl fmt::Debug for OneClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneClock")
    }
}

impl Pretend {
    /// The sandbox that is meant, or one in this process on the home's world.
    ///
    /// # Errors
    /// The named one does not answer, or the world cannot be had.
    pub async fn reach(
        choice: Option<&SandboxChoice>,
        publicity: Publicity,
        context: Context<'_>,
    ) -> Result<Self, CommandError> {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(running) = running(choice, context).await? {
                return Ok(running);
            }
            match start(publicity, context).await {
                // Somebody has it who is about to announce it, or to leave.
                Err(StartError::InUse(_)) if waited < SHORT_USE => {
                    pause(USE_PAUSE).await;
                    waited += USE_PAUSE;
                }
                Err(StartError::InUse(error) | StartError::Other(error)) => return Err(error),
                Ok(own) => return Ok(own),
            }
        }
    }

    /// The world's clock: at its speed, or one that need not wait.
    ///
    /// # Errors
    /// The sandbox does not say what time it is.
    pub async fn clock(&self) -> Result<Arc<dyn Clock>, CommandError> {
        self.clock.0.get_or_try_init(|| self.make_clock()).await.cloned()
    }

    async fn make_clock(&self) -> Result<Arc<dyn Clock>, CommandError> {
        let answer = self.control.get("clock").await?;
        let now_ms = answer.get("now_ms").and_then(Value::as_u64).ok_or_else(|| {
            CommandError::new(codes::SANDBOX_CONTROL, "the sandbox does not say what time it is")
        })?;
        if let Some(speed) = answer.get("speed").and_then(Value::as_f64).filter(|s| *s > 0.0) {
            return Ok(Arc::new(ScaledClock::new(now_ms, speed)));
        }
        let control = self.control.clone();
        let advance = move |to_ms: u64| -> escrr_engine::erased::BoxFuture<'static, u64> {
            let control = control.clone();
            Box::pin(async move {
                let moved = control.post("clock", &json!({ "to_ms": to_ms })).await.ok();
                // A sandbox that went away is met by the next call; time goes on until then.
                moved.and_then(|clock| clock.get("now_ms")?.as_u64()).unwrap_or(to_ms)
            })
        };
        Ok(Arc::new(VirtualClock::with(now_ms, Box::new(advance))))
    }

    /// Stops it if it is our own; its world is on disk afterwards.
    pub async fn leave(self) {
        if let Some((note, sandbox)) = self.own {
            drop(note);
            sandbox.stop().await;
        }
    }
}

/// The sandbox that runs or whose addresses were named, if it answers.
async fn running(
    choice: Option<&SandboxChoice>,
    context: Context<'_>,
) -> Result<Option<Pretend>, CommandError> {
    let Some(addresses) = find(choice, &context.settings.home)? else { return Ok(None) };
    let control = Control::new(&addresses)?;
    match control.get("clock").await {
        Ok(_) => {
            let world = world_of(&control).await;
            let clock = OneClock::default();
            Ok(Some(Pretend { addresses, control, world, own: None, clock }))
        }
        // The note may be older than the process that has its number now.
        Err(error) if error.code == codes::NO_SANDBOX && !is_file(choice) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Which world a sandbox holds; one of an earlier version does not tell.
async fn world_of(control: &Control) -> Option<String> {
    control.get("world").await.ok()?.get("id")?.as_str().map(str::to_owned)
}

enum StartError {
    InUse(CommandError),
    Other(CommandError),
}

async fn start(publicity: Publicity, context: Context<'_>) -> Result<Pretend, StartError> {
    let home = &context.settings.home;
    let options = Options { dir: Some(home.world()), ..Options::default() };
    let sandbox = Sandbox::start(options).await.map_err(|error| match &error {
        Error::InUse { .. } => StartError::InUse(explain(&error)),
        Error::NoWorld { .. }
        | Error::World(_)
        | Error::Damaged { .. }
        | Error::Newer { .. }
        | Error::File { .. }
        | Error::Write(_)
        | Error::Listen(_) => StartError::Other(explain(&error)),
    })?;
    let addresses = sandbox.addresses().clone();
    let control = Control::new(&addresses).map_err(StartError::Other)?;
    let note = match publicity {
        Publicity::Announced => Some(Announced::new(home, &addresses).map_err(StartError::Other)?),
        Publicity::Silent => None,
    };
    let world = world_of(&control).await;
    let own = Some((note, sandbox));
    Ok(Pretend { addresses, control, world, own, clock: OneClock::default() })
}

/// Were addresses named? Then no other sandbox will do.
pub const fn is_file(choice: Option<&SandboxChoice>) -> bool {
    matches!(choice, Some(SandboxChoice::File(_)))
}

/// What the sandbox's own errors mean here.
pub fn explain(error: &Error) -> CommandError {
    let said = chain(error);
    match error {
        Error::InUse { .. } => CommandError::new(codes::SANDBOX_RUNS, said)
            .hint("stop it, or name another directory with --home"),
        Error::NoWorld { .. } => CommandError::new(codes::NO_SANDBOX, said)
            .hint("`escrr sandbox start` makes a world and serves it"),
        Error::World(_) => CommandError::new(codes::WORLD_FILE, said),
        Error::Damaged { .. } | Error::Newer { .. } => {
            CommandError::new(codes::SANDBOX_START, said)
                .hint("remove the directory to begin with a new world")
        }
        Error::File { .. } | Error::Write(_) | Error::Listen(_) => {
            CommandError::new(codes::SANDBOX_START, said)
        }
    }
}
