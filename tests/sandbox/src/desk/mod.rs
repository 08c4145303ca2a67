//! The desk that all requests pass: world, clock, faults, log and disk under one lock.
//!
//! - `aged`: answers that are older than the world
//! - `exchange`: one request to the OpenAPI or to a cluster
//! - `kibana`: one request to a Kibana
//! - `late`: requests whose effect is still to come
//! - `metadata`: one request to the instance metadata
//! - `log`: all requests so far
//! - `reply`: answers as the gateway and the clusters write them

mod aged;
mod exchange;
mod kibana;
mod late;
mod log;
mod metadata;
mod reply;

pub(crate) use exchange::{Caller, Outcome};
pub(crate) use log::Log;
pub(crate) use reply::Reply;

use crate::clock::{Clock, wall_ms};
use crate::fault::{self, Effect, Fault};
use crate::persist::Shelf;
use crate::verify::Nonces;
use crate::{Error, Options, World, WorldFile, route};
use late::Late;
use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};

/// A new world's identity, of the random keys that the standard library hashes with.
fn new_id() -> String {
    let random = || RandomState::new().hash_one(wall_ms());
    format!("{:016x}{:016x}", random(), random())
}

/// Everything behind the lock.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) clock: Clock,
    /// The world before each of the last changes, kept while answers of its past are ordered.
    copies: VecDeque<Box<World>>,
    log: Log,
    nonces: Nonces,
    /// Requests whose effect is still to come.
    late: Late,
    shelf: Option<Shelf>,
    lazy: bool,
    dirty: bool,
    closed: bool,
}

impl Desk {
    /// Opens the world of the options: the one on disk, else a new one.
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let (shelf, stored, log) = match &options.dir {
            None => (None, None, Vec::new()),
            Some(dir) => {
                let (shelf, world, log) = Shelf::open(dir)?;
                (Some(shelf), world, log)
            }
        };
        let mut world = if let Some(world) = stored {
            world
        } else {
            let file = options.world.clone().unwrap_or_default();
            World::from_file(&file, wall_ms()).map_err(Error::World)?
        };
        let is_new = world.id.is_empty();
        if is_new {
            world.id = new_id();
        }
        let mut desk = Self {
            clock: Clock::new(world.now_ms, options.speed),
            world,
            copies: VecDeque::new(),
            log: Log::of(log)?,
            nonces: Nonces::default(),
            late: Late::default(),
            shelf,
            lazy: options.lazy,
            dirty: is_new,
            closed: false,
        };
        desk.flush()?;
        Ok(desk)
    }

    /// A desk over a world in memory, which goes on at its own time.
    pub(crate) fn of_world(world: World, speed: Option<f64>) -> Self {
        Self {
            clock: Clock::new(world.now_ms, speed),
            world,
            copies: VecDeque::new(),
            log: Log::default(),
            nonces: Nonces::default(),
            late: Late::default(),
            shelf: None,
            lazy: true,
            dirty: false,
            closed: false,
        }
    }

    /// Sets the world's time to the clock's and lets everything catch up.
    pub(crate) fn catch_up(&mut self) {
        let now_ms = self.world.now_ms.max(self.clock.now_ms());
        while let Some(due) = self.late.due(now_ms) {
            self.settle_at(self.world.now_ms.max(due.at_ms));
            self.arrive(due);
        }
        self.settle_at(now_ms);
    }

    fn settle_at(&mut self, now_ms: u64) {
        self.world.now_ms = now_ms;
        self.world.request.wall_ms = wall_ms();
        route::settle(&mut self.world);
    }

    /// Moves the clock forward; refused while it runs by itself at a speed.
    pub(crate) fn move_clock(&mut self, to_ms: u64) -> bool {
        if self.clock.speed().is_some_and(|speed| speed > 0.0) {
            return false;
        }
        self.clock.move_to(to_ms);
        self.catch_up();
        self.dirty = true;
        true
    }

    /// All requests so far.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Takes an order for a fault and gives its number.
    pub(crate) fn order(&mut self, fault: Fault) -> Result<u64, Error> {
        let id = self.world.faults.order(fault);
        self.changed()?;
        Ok(id)
    }

    /// Clears one order or all, and lets end what was stuck.
    pub(crate) fn clear_faults(&mut self, id: Option<u64>) -> Result<usize, Error> {
        let stuck =
            self.world.faults.orders().iter().any(|order| {
                order.fault.effect == Effect::Stuck && id.is_none_or(|id| order.id == id)
            });
        let count = self.world.faults.clear(id);
        if !self.world.faults.wants_copies() {
            self.copies.clear();
        }
        if stuck {
            let mut value = serde_json::to_value(&self.world).map_err(Error::Write)?;
            fault::unstick(&mut value, self.world.now_ms);
            self.world = serde_json::from_value(value).map_err(Error::Write)?;
        }
        self.changed()?;
        Ok(count)
    }

    /// Makes the world anew from its file; its time goes on.
    pub(crate) fn reset(&mut self) -> Result<(), Error> {
        let file: WorldFile = self.world.file.clone();
        self.world = World::from_file(&file, self.clock.now_ms()).map_err(Error::World)?;
        self.world.id = new_id();
        self.copies.clear();
        self.late = Late::default();
        self.log = Log::default();
        if let Some(shelf) = &mut self.shelf {
            shelf.forget_log()?;
        }
        self.changed()
    }

    /// Notes a change: on disk at once, or soon when lazy.
    pub(crate) fn changed(&mut self) -> Result<(), Error> {
        self.dirty = true;
        if self.lazy { Ok(()) } else { self.flush() }
    }

    /// Writes the world to disk if it changed since the last time.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        if let Some(shelf) = &mut self.shelf
            && self.dirty
            && !self.closed
        {
            shelf.save(&self.world)?;
        }
        self.dirty = false;
        Ok(())
    }

    /// Writes the world a last time and lets go of the directory.
    pub(crate) fn close(&mut self) -> Result<(), Error> {
        if self.closed {
            return Ok(());
        }
        self.catch_up();
        self.dirty = true;
        let written = self.flush();
        self.closed = true;
        if let Some(shelf) = &self.shelf {
            shelf.release();
        }
        written
    }

    /// Nothing is answered after closing.
    pub(crate) fn closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests;
