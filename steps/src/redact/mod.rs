//! Takes secrets out of what the other side said, before a report is made of it.
//!
//! A service that refuses a request may repeat it: a session token in a message, the header of a
//! login in a reason. One [`Redactor`] goes with all clients of a command and learns every secret
//! that any of them is given, so that what the cloud repeats of a cluster's password is found as
//! well. A secret is found as it is, percent-encoded once or more often, escaped as in JSON or
//! XML, and in base64 at any place of a longer text.

mod pattern;

use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use escrr_engine::{Fault, Report};
use pattern::Pattern;
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// What stands where a secret stood.
pub const MARK: &str = "[redacted]";
/// A report says no more than this of what came back; the rest helps nobody.
const MOST_CHARACTERS: usize = 16 * 1024;
/// What is looked through of a text: a secret that is cut at this place is behind the other limit.
const MOST_SEARCHED: usize = 4 * MOST_CHARACTERS;
/// Members of a good answer that hold what went wrong.
const TROUBLE: [&str; 5] = ["error", "exception", "failure", "reason", "caused_by"];

/// Knows every secret in play; a clone shares what it knows.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Vec<Pattern>>>);

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(…)")
    }
}

impl Redactor {
    /// Learns a secret.
    pub fn learn(&self, secret: &Secret) {
        self.add(pattern::of(secret.reveal()));
    }

    /// Learns a password, and the header that is made of it and its user.
    pub fn learn_login(&self, user: &str, password: &Secret) {
        let pair = STANDARD.encode(format!("{user}:{}", password.reveal()));
        self.add(Pattern::base64(pair.trim_end_matches('=')).into_iter().collect());
        self.learn(password);
    }

    /// Learns an API key, `id:key` or both in base64.
    pub fn learn_api_key(&self, key: &Secret) {
        self.learn(key);
        let decoded = STANDARD_NO_PAD.decode(key.reveal().trim_end_matches('='));
        let decoded = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.unwrap_or_else(|| key.reveal().to_owned());
        if let Some((id, secret)) = pair.split_once(':') {
            self.learn_login(id, &Secret::new(secret));
        }
    }

    fn add(&self, patterns: Vec<Pattern>) {
        let known = |all: &[Pattern]| patterns.iter().all(|pattern| all.contains(pattern));
        if known(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for pattern in patterns {
            if !all.contains(&pattern) {
                all.push(pattern);
            }
        }
        // Of two that begin at one place the longer one hides more.
        all.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
    }

    /// A text without the secrets, and not endless.
    pub fn text(&self, text: &str) -> String {
        let letters: Vec<char> = text.chars().take(MOST_SEARCHED).collect();
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut clean = Vec::with_capacity(letters.len());
        let mut at = 0;
        while let Some(letter) = letters.get(at) {
            let found = all.iter().find_map(|pattern| pattern.find(&letters, at));
            if let Some(place) = found {
                clean.truncate(clean.len().saturating_sub(at.saturating_sub(place.start)));
                clean.extend(MARK.chars());
                at = place.end.max(at + 1);
            } else {
                clean.push(*letter);
                at += 1;
            }
        }
        if clean.len() > MOST_CHARACTERS {
            clean.truncate(MOST_CHARACTERS);
            clean.extend("… (cut)".chars());
        }
        clean.into_iter().collect()
    }

    /// A report without the secrets.
    pub fn report(&self, report: Report) -> Report {
        let clean = |text: Option<String>| text.map(|text| self.text(&text));
        Report {
            tried: self.text(&report.tried),
            code: clean(report.code),
            said: self.text(&report.said),
            request_id: clean(report.request_id),
            meaning: clean(report.meaning),
            help: clean(report.help),
        }
    }

    /// A fault without the secrets.
    pub fn fault(&self, fault: Fault) -> Fault {
        fault.map_report(|report| self.report(report))
    }

    /// An answer's body without the secrets: all of it when it is a refusal, else what it says of
    /// trouble. What a document holds stays as it is: it is compared, and never shown.
    pub(crate) fn answer(&self, value: &mut Value, refused: bool) {
        match value {
            Value::String(text) if refused => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.answer(item, refused)),
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    let trouble = TROUBLE.iter().any(|word| name.contains(word));
                    if name != "_source" || refused {
                        self.answer(member, refused || trouble);
                    }
                }
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
