//! Names of nodes and sagas, and the idempotency tokens made from them.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A node's name: where it belongs, and what it is. Shown as `follower.listener`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// A side or an area: `leader`, `follower`, `network`.
    pub area: &'static str,
    /// What it is: `listener`.
    pub name: &'static str,
}

impl NodeId {
    /// A node's name from its two halves.
    pub const fn new(area: &'static str, name: &'static str) -> Self {
        Self { area, name }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.area, self.name)
    }
}

/// The id of a saga: a UUID of version 7, so that ids sort by the time of their making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SagaId(uuid::Uuid);

impl SagaId {
    /// A new id from the clock and ten random bytes, both handed in.
    pub fn new(now_ms: u64, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid())
    }

    /// Reads an id as it is shown.
    pub fn parse(text: &str) -> Option<Self> {
        uuid::Uuid::try_parse(text).ok().map(Self)
    }

    /// When it was made, in milliseconds since the Unix epoch: the first six bytes say it.
    pub fn begun_ms(self) -> u64 {
        self.as_bytes().iter().take(6).fold(0, |ms, byte| ms << 8 | u64::from(*byte))
    }

    /// The sixteen bytes, in sorting order.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// An id from its sixteen bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for SagaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The idempotency token of one item of a node: the same for all attempts of a generation.
///
/// At most 64 ASCII characters, as every vendor that takes such tokens allows.
pub fn token(saga: SagaId, node: &str, generation: u32, item: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(saga.as_bytes());
    for part in [node, &generation.to_string(), item] {
        hash.update([0]);
        hash.update(part.as_bytes());
    }
    let digest = hex(&hash.finalize());
    format!("escrr-{}", digest.get(..32).unwrap_or(&digest))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| DIGITS.get(usize::from(half)).map_or('0', |d| char::from(*d));
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// Hexadecimal to bytes; what is not hexadecimal ends it.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map_while(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_depends_on_every_part() {
        let saga = SagaId::new(1, [7; 10]);
        let base = token(saga, "network.cen", 1, "");
        assert_eq!(base, token(saga, "network.cen", 1, ""));
        assert!(base.len() <= 64 && base.is_ascii());
        for other in [
            token(SagaId::new(2, [7; 10]), "network.cen", 1, ""),
            token(saga, "network.cem", 1, ""),
            token(saga, "network.cen", 2, ""),
            token(saga, "network.cen", 1, "x"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn ids_sort_by_time_and_read_back() {
        let (early, late) = (SagaId::new(1_000, [9; 10]), SagaId::new(2_000, [0; 10]));
        assert!(early < late);
        assert_eq!(SagaId::parse(&early.to_string()), Some(early));
    }
}
