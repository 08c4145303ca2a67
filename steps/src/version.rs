//! Versions of Elasticsearch, and which pairs can replicate.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A version; a missing patch number is unknown, not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Major.
    pub major: u16,
    /// Minor.
    pub minor: u16,
    /// Patch, if known.
    pub patch: Option<u16>,
}

impl Version {
    /// Reads the number at the beginning: `7.10.0_with_X-Pack`, `7.16_with_X-Pack`, `8.13.4`.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut parts = text.get(..end)?.split('.').map(str::parse::<u16>);
        let major = parts.next()?.ok()?;
        let minor = parts.next()?.ok()?;
        let patch = parts.next().and_then(Result::ok);
        Some(Self { major, minor, patch })
    }

    fn key(self) -> (u16, u16, u16) {
        (self.major, self.minor, self.patch.unwrap_or(0))
    }

    /// Is it this version or a later one? An unknown patch number counts as zero.
    pub fn at_least(self, major: u16, minor: u16) -> bool {
        (self.major, self.minor) >= (major, minor)
    }

    /// Can a follower of this version replicate from `leader`? Says why not.
    ///
    /// The follower must not be older, and the two must speak the same wire format: the
    /// same major version, or the last minor of the major version before.
    pub fn can_follow(self, leader: Self) -> Result<(), String> {
        let both_known = self.patch.is_some() && leader.patch.is_some();
        let older = if both_known {
            self.key() < leader.key()
        } else {
            (self.major, self.minor) < (leader.major, leader.minor)
        };
        if older {
            return Err(format!("the follower ({self}) is older than the leader ({leader})"));
        }
        let last_minor = match leader.major {
            7 => 17,
            8 => 18,
            _ => 0,
        };
        let wire = self.major == leader.major
            || (self.major == leader.major + 1 && last_minor > 0 && leader.minor >= last_minor);
        if wire {
            return Ok(());
        }
        Err(format!(
            "a follower of version {self} does not understand a leader of version {leader}: \
             the leader must be {}.{last_minor} or later, or of the same major version",
            leader.major
        ))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn the_forms_of_the_control_plane_are_read() {
        assert_eq!(v("7.10.0_with_X-Pack"), Version { major: 7, minor: 10, patch: Some(0) });
        assert_eq!(v("7.16_with_X-Pack"), Version { major: 7, minor: 16, patch: None });
        assert_eq!(v("8.13.4").to_string(), "8.13.4");
        for bad in ["", "x", "7", "7.", "with_X-Pack"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn who_can_follow_whom() {
        let pairs = [
            ("7.10.0", "7.10.0", true),
            ("7.10.0", "7.16.2", true),
            ("7.16.2", "7.10.0", false),
            ("7.16.2", "8.9.1", false),
            ("7.17.5", "8.9.1", true),
            ("8.9.1", "8.9.1", true),
            ("8.9.1", "7.17.5", false),
            ("7.10", "7.10.2", true),
        ];
        for (leader, follower, fits) in pairs {
            assert_eq!(v(follower).can_follow(v(leader)).is_ok(), fits, "{leader} to {follower}");
        }
    }
}
