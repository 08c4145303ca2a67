//! The identity of a home: a random number that its `meta` and every file of its journal name, so
//! that a file of another home is not taken for one of this home.

use crate::id::{hex, unhex};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

/// The identity of a home, given at its first opening; as text 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HomeId([u8; 16]);

impl HomeId {
    /// A new identity. Its bits come from the operating system, by way of the keys that the
    /// standard library gives to its hashes; no decision of a saga depends on them.
    pub(crate) fn fresh() -> Self {
        let half = |number: u64| RandomState::new().hash_one(number);
        let whole = u128::from(half(1)) << 64 | u128::from(half(2));
        Self(whole.to_be_bytes())
    }

    /// The sixteen bytes.
    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// An identity from its sixteen bytes.
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads an identity as it is shown.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = Self(unhex(text).try_into().ok()?);
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for HomeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_its_own_and_reads_back() {
        let (one, two) = (HomeId::fresh(), HomeId::fresh());
        assert_ne!(one, two);
        assert_eq!(HomeId::parse(&one.to_string()), Some(one));
        for wrong in ["", "00", "g".repeat(32).as_str(), &format!("{one}0")] {
            assert_eq!(HomeId::parse(wrong), None, "{wrong}");
        }
    }
}
