//! The chain as clusters see it, in the words of Elasticsearch.

use super::chain::run;
use super::hop::{Effect, Trail};
use crate::World;
use crate::elastic::{Unreachable, Wire};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What is known of the way from an instance to an address.
type Known = BTreeMap<(String, String), Result<String, Unreachable>>;

/// The network between the clusters of a world at one moment; each way is computed once.
#[derive(Debug)]
pub struct Paths<'a> {
    world: &'a World,
    known: RefCell<Known>,
}

impl<'a> Paths<'a> {
    /// The network as it is now.
    pub fn of(world: &'a World) -> Self {
        Self { world, known: RefCell::default() }
    }

    fn compute(&self, from: &str, address: &str) -> Result<String, Unreachable> {
        let outcome = run(self.world, from, address, &mut Trail::default());
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let port = address.rsplit_once(':').map_or("", |(_, port)| port);
        // A cluster names the peer by the address that it resolved.
        let peer = outcome.address.map_or_else(|| address.to_owned(), |ip| format!("{ip}:{port}"));
        outcome.reached.map_err(|effect| match effect {
            Effect::UnknownHost => Unreachable {
                kind: "illegal_argument_exception".to_owned(),
                reason: format!("unknown host [{host}]"),
            },
            Effect::Dropped => transport(format!("[][{peer}] connect_timeout[30s]")),
            Effect::Refused => {
                transport(format!("[][{peer}] connect_exception: Connection refused: /{peer}"))
            }
            // The first bytes of an HTTP answer, "HTTP", where a transport header should be.
            Effect::NotTransport => transport(format!(
                "[][{peer}] handshake failed: invalid internal transport message format, \
                 got (48,54,54,50)"
            )),
        })
    }
}

impl Wire for Paths<'_> {
    fn connect(&self, from: &str, address: &str) -> Result<String, Unreachable> {
        let way = (from.to_owned(), address.to_owned());
        if let Some(known) = self.known.borrow().get(&way) {
            return known.clone();
        }
        let found = self.compute(from, address);
        self.known.borrow_mut().insert(way, found.clone());
        found
    }

    fn duration_ms(&self, name: &str) -> u64 {
        self.world.durations.ms(name)
    }
}

fn transport(reason: String) -> Unreachable {
    Unreachable { kind: "connect_transport_exception".to_owned(), reason }
}
