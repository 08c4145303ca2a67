//! What a source answered, kept until shortly before it runs out.

use super::held::Held;
use super::source::{Asking, Means, Source, cannot};
use crate::aliyun::Credentials;
use escrr_engine::{Class, Fault};
use std::sync::Arc;
use tokio::sync::Mutex;

/// After a renewal that failed while the old credentials are good, the next try comes after this.
const NEXT_TRY_MS: u64 = 60_000;

/// Credentials that stay valid as long as their source answers; a clone shares them.
#[derive(Clone, Debug)]
pub struct Provider(Arc<Shared>);

#[derive(Debug)]
enum Shared {
    /// Nothing to ask.
    Fixed(Credentials),
    /// Asked when need be. Whoever waits for the lock waits for the one answer.
    Asked(Box<Asking>, Mutex<State>),
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// From this moment on the source is asked anew.
    due_ms: u64,
}

impl Provider {
    /// Credentials that nothing renews.
    pub fn fixed(credentials: Credentials) -> Self {
        Self(Arc::new(Shared::Fixed(credentials)))
    }

    /// A provider over a source; nothing is asked yet.
    ///
    /// # Errors
    /// An address that the source needs cannot be used.
    pub fn new(source: Source, means: Means) -> Result<Self, Fault> {
        let asking = Box::new(Asking::new(source, means)?);
        Ok(Self(Arc::new(Shared::Asked(asking, Mutex::new(State::default())))))
    }

    /// May there be others when these have run out?
    pub fn renews(&self) -> bool {
        match &*self.0 {
            Shared::Fixed(_) => false,
            Shared::Asked(asking, _) => asking.renews(),
        }
    }

    /// Credentials that are good now.
    ///
    /// # Errors
    /// None can be had: blocked, so that a saga is parked, or transient when the source did
    /// not answer at all.
    pub async fn held(&self) -> Result<Held, Fault> {
        let (asking, state) = match &*self.0 {
            Shared::Fixed(credentials) => return Ok(Held::endless(credentials.clone())),
            Shared::Asked(asking, state) => (asking, state),
        };
        let mut state = state.lock().await;
        let now_ms = asking.now_ms();
        let kept = state.held.clone().filter(|held| held.is_good(now_ms));
        if let Some(held) = &kept
            && now_ms < state.due_ms
        {
            return Ok(held.clone());
        }
        match state.renew(asking).await {
            Ok(held) if held.is_good(now_ms) => Ok(held),
            Ok(_) => Err(cannot("use the credentials", "they have run out")),
            Err(fault) => match kept {
                Some(held) => {
                    tracing::warn!(%fault, "credentials are not renewed; the old ones still hold");
                    state.due_ms = now_ms.saturating_add(NEXT_TRY_MS);
                    Ok(held)
                }
                None => Err(parks(fault)),
            },
        }
    }

    /// Credentials that are good now, without their end.
    pub(in crate::aliyun) async fn credentials(&self) -> Result<Credentials, Fault> {
        self.held().await.map(|held| held.credentials)
    }

    /// Other credentials than `used`, which the cloud no longer takes; none where the source
    /// has no others.
    pub(in crate::aliyun) async fn instead_of(
        &self,
        used: &Credentials,
    ) -> Result<Option<Credentials>, Fault> {
        let Shared::Asked(asking, state) = &*self.0 else { return Ok(None) };
        if !asking.renews() {
            return Ok(None);
        }
        let mut state = state.lock().await;
        let other = |held: &Held| held.credentials.access_key_id != used.access_key_id;
        if let Some(held) = state.held.clone().filter(other) {
            // Somebody else renewed them in the meantime.
            return Ok(Some(held.credentials));
        }
        let held = state.renew(asking).await.map_err(parks)?;
        Ok(Some(held).filter(other).map(|held| held.credentials))
    }
}

impl State {
    async fn renew(&mut self, asking: &Asking) -> Result<Held, Fault> {
        let held = asking.ask().await?;
        let now_ms = asking.now_ms();
        let (margin_ms, longest_ms) = asking.pace();
        let life_ms = held.expires_ms.map_or(u64::MAX, |end| end.saturating_sub(now_ms));
        // A short session would be due as soon as it was had.
        let margin_ms = margin_ms.min(life_ms / 3);
        self.due_ms = now_ms.saturating_add((life_ms - margin_ms).min(longest_ms));
        self.held = Some(held.clone());
        Ok(held)
    }
}

/// A refusal of whoever hands credentials out is a person's to settle; silence may pass.
fn parks(fault: Fault) -> Fault {
    match fault {
        Fault::Refused { report, .. } | Fault::Bug(report) => Fault::Blocked {
            class: Class::Permission,
            report: match report.help {
                Some(_) => report,
                None => report.help("Renew the credentials, then resume."),
            },
        },
        Fault::Unknown(report) => Fault::transient(report),
        Fault::Transient { .. } | Fault::Busy(_) | Fault::Blocked { .. } => fault,
    }
}

#[cfg(test)]
mod tests;
