//! A string that must not be shown.

use std::fmt;

/// Holds a password, an access key secret or a session token.
///
/// It has no `Display` and no `Serialize`, so it can neither be printed nor journaled, and
/// its `Debug` shows nothing of it. Only [`Secret::reveal`] gives the text away: search for
/// that word to see every use.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Gives the text away, to a signer or a header.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Says whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn shows_nothing_in_debug() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(…) Secret(…)");
        assert_eq!(secret.reveal(), "hunter2");
        assert!(Secret::default().is_empty() && !secret.is_empty());
    }
}
