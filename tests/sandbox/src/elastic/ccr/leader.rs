//! What a follower's cluster asks the leader's before it follows.

use crate::elastic::Wire;
use crate::elastic::failure::{Failure, Outcome};
use crate::elastic::grants::may_not_follow;
use crate::elastic::index::Index;
use crate::elastic::model::State;
use crate::elastic::remote;

/// The follower's cluster and its view of the world while it asks.
pub(crate) struct Asker<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) wire: &'a dyn Wire,
    pub(crate) now_ms: u64,
    pub(crate) me: &'a str,
}

impl Asker<'_> {
    /// The instance behind the alias, reached and licensed; `what` is what is fetched from it.
    pub(crate) fn licensed_peer(&mut self, alias: &str, what: &str) -> Outcome<String> {
        if !self.state.cluster(self.me)?.links.contains_key(alias) {
            return Err(Failure::no_remote(alias));
        }
        let reached = remote::reach(self.state, self.wire, self.now_ms, self.me, alias);
        let peer = reached.map_err(|why| {
            Failure::new(
                400,
                "status_exception",
                format!(
                    "can not fetch {what} as the license state of the remote cluster [{alias}] could not be determined"
                ),
            )
            .because(
                Failure::new(
                    500,
                    "exception",
                    format!("could not determine the license type for cluster [{alias}]"),
                )
                .because(why),
            )
        })?;
        let other = self.state.cluster(&peer)?;
        if other.licensed() {
            return Ok(peer);
        }
        Err(Failure::new(
            400,
            "status_exception",
            format!(
                "can not fetch {what} as the remote cluster [{alias}] is not licensed for [ccr]; the license mode [{}] on cluster [{alias}] does not enable [ccr]",
                other.license.to_uppercase()
            ),
        ))
    }

    /// Refuses a user who may not follow these indices or patterns on the leader's cluster.
    pub(crate) fn may_follow(&self, peer: &str, user: &str, names: &[String]) -> Outcome<()> {
        match may_not_follow(self.state.cluster(peer)?, user, names) {
            Some(why) => Err(Failure::new(403, "security_exception", why)),
            None => Ok(()),
        }
    }

    /// The leader index: there, and one that can be followed.
    pub(crate) fn leader(&mut self, alias: &str, name: &str) -> Outcome<(String, &Index)> {
        let what = format!("remote index [{alias}:{name}] metadata");
        let peer = self.licensed_peer(alias, &what)?;
        let cluster = self.state.cluster(&peer)?;
        if !cluster.indices.contains_key(name)
            && cluster.indices.values().any(|i| i.aliases.contains_key(name))
        {
            return Err(Failure::illegal(format!("cannot follow [{name}], because it is a ALIAS")));
        }
        let index = cluster.index(name)?;
        if !index.soft_deletes() {
            return Err(Failure::illegal(format!(
                "leader index [{name}] does not have soft deletes enabled"
            )));
        }
        Ok((peer, index))
    }
}
