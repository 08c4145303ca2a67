//! Faults to order: what shall go wrong, at which request, how often.

mod codes;
mod garble;
mod rows;
mod storm;

use crate::Refusal;
pub(crate) use garble::garble;
pub(crate) use rows::{emptied, shortened};
use serde::{Deserialize, Serialize};
use serde_json::Value;
pub use storm::{Memory, Storm};

/// Seconds that a stuck operation takes: more than 30 years.
pub(crate) const STUCK_SECONDS: f64 = 1.0e9;
/// A moment at least this far away belongs to a stuck operation.
const STUCK_MS: u64 = 500_000_000_000;

/// One order. A matcher that is left out matches everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `Cbn`, …, `Elasticsearch`, `Es` for a cluster's REST API on whatever way, or `Kibana`
    /// for what comes by one; any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The action; for a cluster the name by [`crate::ledger::es_action`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only requests that change something, or only such that do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutating: Option<bool>,
    /// From the n-th matching request on, counted from 1. With it `times` is 1 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// How often; until cleared when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Strikes with this chance, 0 to 1, by a generator that repeats from run to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
    /// What happens.
    pub effect: Effect,
}

/// What happens to a request that was hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Refused, not applied.
    Refuse {
        /// HTTP status; absent: the one that goes with the code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Vendor code; for a cluster the exception's type.
        code: String,
        /// Text for people; empty: the one that goes with the code.
        #[serde(default)]
        message: String,
    },
    /// HTTP status 500: the service failed in the middle of the request.
    Fail {
        /// After it had taken effect?
        applied: bool,
    },
    /// Applied, and one place of the answer is missing, null or of another kind; the number
    /// decides, with the request's own, which.
    Garbled(u64),
    /// Much at once, by a seed.
    Storm(Storm),
    /// `Throttling.User` (400); a cluster answers 429.
    Throttle,
    /// The same with the gateway's hint to try again after so many milliseconds
    /// (`x-acs-retry-after`); a cluster gives none.
    ThrottleMs(u64),
    /// All is as if the credentials had run out: `InvalidSecurityToken.Expired` (400).
    ExpireCredentials,
    /// Applied, and answered that many milliseconds of the world's time later. Without a
    /// speed nobody waits for real, so the answer comes at once and the clock stays.
    DelayMs(u64),
    /// Applied, and the connection closed without an answer.
    Lost,
    /// Not applied, and the connection closed without an answer.
    Cut,
    /// The connection closed without an answer, and applied that many milliseconds of the
    /// world's time later. A sandbox that stops before forgets it.
    LateMs(u64),
    /// A read is answered from the world as it was before the last change. The copy is
    /// kept from the first change after the order on.
    Stale,
    /// A list is answered without any row.
    Empty,
    /// A list is answered without its last row.
    Partial,
    /// A read is answered from the world as it was that many milliseconds of the world's time
    /// ago. Copies are kept from the first change after the order on.
    LagMs(u64),
    /// Applied, but what it starts does not end until the order is cleared.
    Stuck,
    /// The calling process is stopped with SIGKILL at this request.
    Kill {
        /// Before or after it is applied.
        when: When,
    },
}

/// On which side of applying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The request is not applied.
    Before,
    /// The request is applied and not answered.
    After,
}

/// The orders in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    orders: Vec<Order>,
    next: u64,
    random: u64,
}

/// One order with its counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Number to clear it by.
    pub id: u64,
    /// What was ordered.
    pub fault: Fault,
    /// Requests that matched so far.
    pub matched: u32,
    /// Requests that were hit so far.
    pub hit: u32,
    /// What a storm remembers.
    #[serde(default, skip_serializing_if = "Memory::is_empty")]
    pub storm: Memory,
}

impl Default for State {
    fn default() -> Self {
        Self { orders: Vec::new(), next: 1, random: 0x5eed_0f5a_4db0 }
    }
}

/// What a matcher looks at.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Product name.
    pub product: &'a str,
    /// Action name.
    pub action: &'a str,
    /// Would it change the world?
    pub mutating: bool,
    /// The action at the cluster that it is carried to, if it is.
    pub carries: Option<&'a str>,
    /// Does it prove to be sent by somebody with a key or a password of this world?
    pub signed: bool,
}

impl Fault {
    fn matches(&self, seen: Seen<'_>) -> bool {
        let at_cluster = seen.carries.is_some();
        self.product.as_ref().is_none_or(|p| {
            p.eq_ignore_ascii_case(seen.product) || (at_cluster && p.eq_ignore_ascii_case("Es"))
        }) && self
            .action
            .as_ref()
            .is_none_or(|a| a == seen.action || Some(a.as_str()) == seen.carries)
            && self.mutating.is_none_or(|m| m == seen.mutating)
    }

    /// Whoever is not known is never stopped: it may be a browser.
    fn may_strike(&self, seen: Seen<'_>) -> bool {
        seen.signed || !matches!(self.effect, Effect::Kill { .. })
    }

    fn limit(&self) -> u32 {
        self.times.unwrap_or(if self.nth.is_some() { 1 } else { u32::MAX })
    }
}

impl Order {
    /// What a request that is due meets: the order's effect, or what its storm decides.
    fn strike(&mut self, seen: Seen<'_>) -> Option<Effect> {
        if let Effect::Storm(storm) = &self.fault.effect {
            return self.storm.strike(storm, seen);
        }
        Some(self.fault.effect.clone())
    }
}

/// The refusal that an order names: what it leaves out goes with its code.
pub(crate) fn refusal(status: Option<u16>, code: String, message: String) -> Refusal {
    let (usual, text) = codes::usual(&code);
    let message = if message.is_empty() { text.to_owned() } else { message };
    Refusal { status: status.unwrap_or(usual), code, message }
}

impl State {
    /// Takes an order and gives its number.
    pub fn order(&mut self, fault: Fault) -> u64 {
        let id = self.next;
        self.next += 1;
        self.orders.push(Order { id, fault, matched: 0, hit: 0, storm: Memory::default() });
        id
    }

    /// All orders with their counts.
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Clears one order, or all; gives how many there were.
    pub fn clear(&mut self, id: Option<u64>) -> usize {
        let before = self.orders.len();
        self.orders.retain(|o| id.is_some_and(|id| o.id != id));
        before - self.orders.len()
    }

    /// Is a stale read ordered? Then copies have to be kept.
    pub fn wants_copies(&self) -> bool {
        let ages = |effect: &Effect| {
            matches!(effect, Effect::Stale | Effect::LagMs(_))
                || matches!(effect, Effect::Storm(storm) if storm.stale)
        };
        self.orders.iter().any(|o| ages(&o.fault.effect) && o.hit < o.fault.limit())
    }

    /// Counts a request with all orders; the first one that strikes is given.
    pub fn meet(&mut self, seen: Seen<'_>) -> Option<Effect> {
        let mut struck = None;
        let mut random = self.random;
        for order in
            self.orders.iter_mut().filter(|o| o.fault.matches(seen) && o.fault.may_strike(seen))
        {
            order.matched += 1;
            let due = order.fault.nth.is_none_or(|n| order.matched >= n)
                && order.hit < order.fault.limit()
                && struck.is_none();
            if due && order.fault.chance.is_none_or(|chance| roll(&mut random) < chance) {
                struck = order.strike(seen);
                order.hit += u32::from(struck.is_some());
            }
        }
        self.random = random;
        struck
    }
}

/// A number in 0..1; splitmix64.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
fn roll(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Lets stuck operations end: every moment in `value` that lies decades ahead becomes now.
///
/// It works on the stored form of the world so that no product has to know of it.
pub(crate) fn unstick(value: &mut Value, now_ms: u64) {
    match value {
        Value::Number(number) => {
            let far = (now_ms + STUCK_MS)..(now_ms + 4 * STUCK_MS);
            if number.as_u64().is_some_and(|n| far.contains(&n)) {
                *value = now_ms.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| unstick(item, now_ms)),
        Value::Object(members) => members.values_mut().for_each(|item| unstick(item, now_ms)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(json: Value) -> Fault {
        serde_json::from_value(json).unwrap()
    }

    fn seen<'a>(product: &'a str, action: &'a str, mutating: bool) -> Seen<'a> {
        Seen { product, action, mutating, carries: None, signed: true }
    }

    #[test]
    fn the_nth_match_is_hit_once() {
        let mut state = State::default();
        state.order(fault(json!({"product": "cbn", "nth": 2, "effect": "throttle"})));
        assert_eq!(state.meet(seen("Cbn", "CreateCen", true)), None);
        assert_eq!(state.meet(seen("Vpc", "CreateVSwitch", true)), None);
        assert_eq!(state.meet(seen("Cbn", "DescribeCens", false)), Some(Effect::Throttle));
        assert_eq!(state.meet(seen("Cbn", "DescribeCens", false)), None);
    }

    #[test]
    fn a_fault_of_a_cluster_strikes_on_every_way() {
        let invoke = Seen { carries: Some("PutFollow"), ..seen("Elasticsearch", "Invoke", true) };
        for (order, hit) in [
            (json!({"product": "Es", "action": "PutFollow", "effect": "lost"}), true),
            (json!({"product": "Elasticsearch", "action": "Invoke", "effect": "lost"}), true),
            (json!({"product": "Es", "action": "Unfollow", "effect": "lost"}), false),
            (json!({"product": "Cbn", "effect": "lost"}), false),
        ] {
            let mut state = State::default();
            state.order(fault(order.clone()));
            assert_eq!(state.meet(invoke).is_some(), hit, "{order}");
        }
    }

    #[test]
    fn times_bound_it_and_clearing_ends_it() {
        let mut state = State::default();
        let id = state.order(fault(json!({"times": 2, "effect": "lost"})));
        state.order(fault(json!({"mutating": false, "effect": "cut"})));
        assert_eq!(state.meet(seen("Vpc", "A", true)), Some(Effect::Lost));
        assert_eq!(state.meet(seen("Vpc", "B", false)), Some(Effect::Lost));
        assert_eq!(state.meet(seen("Vpc", "B", false)), Some(Effect::Cut));
        assert_eq!(state.clear(Some(id)), 1);
        assert_eq!(state.clear(None), 1);
        assert_eq!(state.meet(seen("Vpc", "B", false)), None);
    }

    #[test]
    fn chance_repeats_from_run_to_run() {
        let run = || {
            let mut state = State::default();
            state.order(fault(json!({"chance": 0.3, "effect": "throttle"})));
            (0..200).map(|_| state.meet(seen("Nlb", "X", true)).is_some()).collect::<Vec<_>>()
        };
        let hits = run().iter().filter(|hit| **hit).count();
        assert!((30..90).contains(&hits), "{hits}");
        assert_eq!(run(), run());
    }

    #[test]
    fn a_misspelt_order_is_refused() {
        let bad = serde_json::from_value::<Fault>(json!({"acton": "X", "effect": "lost"}));
        assert!(bad.is_err());
    }

    #[test]
    fn stuck_moments_become_now_and_others_stay() {
        let now = 1_790_000_000_000_u64;
        let mut value = json!({"a": now + 1_000_000_000_000, "b": [now + 60_000, 7]});
        unstick(&mut value, now);
        assert_eq!(value, json!({"a": now, "b": [now + 60_000, 7]}));
    }
}
