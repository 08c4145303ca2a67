//! What nobody in particular says to a saga.

use escrr_engine::{Actor, Beginning, Event};

pub(crate) fn beginning(actor: &Actor) -> Beginning<'_> {
    Beginning { link: "l", spec: "s", digest: "d", world: "cloud", world_id: None, actor }
}

/// Go back, or go on.
pub(crate) fn said(back: bool) -> Event {
    let (by, actor) = ("test".to_owned(), Actor::default());
    if back { Event::RollbackBegun { by, actor } } else { Event::Resumed { by, actor } }
}
