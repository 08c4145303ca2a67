//! One hop of a connection, and the trail of hops.

/// One hop of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Which hop, for example `listener` or `return.vpc_route`.
    pub name: String,
    /// Does it hold?
    pub ok: bool,
    /// What was looked at.
    pub detail: String,
}

/// What the caller meets where a hop does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The name leads nowhere.
    UnknownHost,
    /// Packets vanish: the connect times out.
    Dropped,
    /// Somebody answers that nobody listens.
    Refused,
    /// Something listens, but does not speak the transport protocol.
    NotTransport,
}

/// The hops so far.
#[derive(Debug, Default)]
pub(super) struct Trail(pub(super) Vec<Hop>);

impl Trail {
    /// Notes a hop; one that does not hold ends the way with its effect.
    pub(super) fn check(
        &mut self,
        name: &str,
        ok: bool,
        detail: impl Into<String>,
        effect: Effect,
    ) -> Result<(), Effect> {
        self.0.push(Hop { name: name.to_owned(), ok, detail: detail.into() });
        if ok { Ok(()) } else { Err(effect) }
    }

    /// The same for something that is needed further on.
    pub(super) fn need<T>(
        &mut self,
        name: &str,
        found: Option<T>,
        detail: impl Into<String>,
        effect: Effect,
    ) -> Result<T, Effect> {
        self.check(name, found.is_some(), detail, effect)?;
        found.ok_or(effect)
    }
}
