//! Secrets stand in the spec by reference only.

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The sentence that a plain secret in the spec is refused with; it never repeats the value.
const REFUSAL: &str = "a secret stands in the spec only by reference: env:NAME, file:PATH or \
                           cmd:COMMAND";

/// Where a secret is kept. Nothing here reads it: that is the command line's own business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `file:PATH`: the content of a file, without its last line end.
    File(PathBuf),
    /// `cmd:COMMAND`: what a shell command prints, without its last line end.
    Command(String),
}

/// The text is no reference to a secret; the text itself is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{REFUSAL}")]
pub struct NotAReference;

impl FromStr for SecretRef {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        let (kind, rest) = text.split_once(':').ok_or(NotAReference)?;
        if rest.trim().is_empty() || rest.contains(['\n', '\r', '\0']) {
            return Err(NotAReference);
        }
        match kind {
            "env" if is_variable(rest) => Ok(Self::Env(rest.to_owned())),
            "file" => Ok(Self::File(Path::new(rest).to_owned())),
            "cmd" => Ok(Self::Command(rest.to_owned())),
            _ => Err(NotAReference),
        }
    }
}

/// Is it a name an environment variable can have?
fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Command(command) => write!(f, "cmd:{command}"),
        }
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Quiet)?;
        text.and_then(|text| text.parse().ok()).ok_or_else(|| D::Error::custom(REFUSAL))
    }
}

/// An access key id: no secret by itself, so it may stand in the spec as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyId {
    /// The id itself, for example `LTAI5t…`.
    Plain(String),
    /// Where the id is kept.
    Reference(SecretRef),
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(id) => f.write_str(id),
            Self::Reference(reference) => reference.fmt(f),
        }
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const REFUSED: &str = "an access key id is 16 to 64 letters and digits, or a reference: \
                               env:NAME, file:PATH or cmd:COMMAND";
        let text = deserializer.deserialize_any(Quiet)?.ok_or_else(|| D::Error::custom(REFUSED))?;
        if let Ok(reference) = text.parse() {
            return Ok(Self::Reference(reference));
        }
        let fits = (16..=64).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if fits { Ok(Self::Plain(text)) } else { Err(D::Error::custom(REFUSED)) }
    }
}

/// Takes any value and keeps the text only: the library's own "invalid type" would repeat the value.
struct Quiet;

impl<'de> Visitor<'de> for Quiet {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to a secret")
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_i128<E>(self, _: i128) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_u128<E>(self, _: u128) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_kinds_and_writes_them_back() {
        for text in ["env:ES_PASSWORD", "file:/run/secrets/es", "cmd:pass show es | head -1"] {
            let reference: SecretRef = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
            assert_eq!(serde_json::to_value(&reference).unwrap(), text);
        }
    }

    #[test]
    fn refuses_everything_else_without_repeating_it() {
        for text in ["hunter2", "env:A B", "env:1A", "vault:hunter2", "cmd:a\nb", ""] {
            let error = text.parse::<SecretRef>().unwrap_err();
            assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
        }
        for text in ["env:", "file: ", "cmd:"] {
            assert!(text.parse::<SecretRef>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_not_repeated() {
        for json in ["48151623", "-48151623", "4815.1623", "[48151623]", "{\"a\":48151623}"] {
            let error = serde_json::from_str::<SecretRef>(json).unwrap_err().to_string();
            assert!(!error.contains("4815"), "{error}");
            assert!(error.contains("only by reference"), "{error}");
        }
    }

    #[test]
    fn a_key_id_may_stand_plain_but_must_look_like_one() {
        let read = |text: &str| serde_json::from_value::<KeyId>(text.into());
        assert!(matches!(read("LTAI5tExampleExample"), Ok(KeyId::Plain(_))));
        assert!(matches!(read("env:ID"), Ok(KeyId::Reference(SecretRef::Env(_)))));
        assert!(!read("not a key").unwrap_err().to_string().contains("not a key"));
    }
}
