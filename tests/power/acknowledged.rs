//! What a process had promised at a moment of its record: whatever it had said on stdout, and
//! whatever it had announced to itself and then sent.

use crate::env::{Env, Output, bare, output};
use crate::record::Act;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// How many entries of each link are promised.
pub(crate) type Promised = BTreeMap<String, usize>;

/// The journals as they are in the end: by link, a line an entry.
#[derive(Clone, Debug)]
pub(crate) struct Journals(pub(crate) BTreeMap<String, Vec<String>>);

impl Journals {
    /// The journals of these links.
    pub(crate) fn of(env: &Env, links: &[&str]) -> Self {
        let read =
            |link: &&str| ((*link).to_owned(), lines(&events(env.home.path(), link).exits(0)));
        Self(links.iter().map(read).collect())
    }

    /// What was promised when so many of these acts had been done.
    pub(crate) fn promised(&self, promises: &[Promise], acts: usize) -> Promised {
        let mut so_far: Promised = self.0.keys().map(|link| (link.clone(), 0)).collect();
        for promise in promises.iter().filter(|promise| promise.act < acts) {
            let known = so_far.entry(promise.link.clone()).or_insert(0);
            *known = promise.seq.max(*known);
        }
        so_far
    }

    /// Every promise in a record.
    pub(crate) fn promises(&self, acts: &[Act]) -> Vec<Promise> {
        let mut promises = Vec::new();
        let tokens = self.tokens();
        let mut said: Vec<u8> = Vec::new();
        for (act, one) in acts.iter().enumerate() {
            if let Act::Say { data } = one {
                said.extend(data);
                while let Some(end) = said.iter().position(|byte| *byte == b'\n') {
                    let entry: Value = serde_json::from_slice(&said[..end]).unwrap();
                    said.drain(..=end);
                    if let (Some(link), Some(seq)) = (entry["link"].as_str(), entry["seq"].as_u64())
                    {
                        let (link, seq) = (link.to_owned(), usize::try_from(seq).unwrap());
                        promises.push(Promise { act, link, seq });
                    }
                }
            }
            if let Some((link, seq)) = sent(one).and_then(token).and_then(|t| tokens.get(&t)) {
                promises.push(Promise { act, link: link.clone(), seq: *seq });
            }
        }
        promises
    }

    /// The tokens of all intents, with the link and the number of the entry.
    pub(crate) fn tokens(&self) -> BTreeMap<String, (String, usize)> {
        let mut found = BTreeMap::new();
        for (link, lines) in &self.0 {
            for (seq, line) in (1..).zip(lines) {
                let entry: Value = serde_json::from_str(line).unwrap();
                if let Some(token) = entry["token"].as_str() {
                    found.insert(token.to_owned(), (link.clone(), seq));
                }
            }
        }
        found
    }
}

/// An entry, and with it all before it, that was promised by an act.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    pub(crate) act: usize,
    pub(crate) link: String,
    pub(crate) seq: usize,
}

/// The token that a request carries, as the product writes tokens.
pub(crate) fn token(request: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(request);
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_hexdigit).count();
    let mut all = text
        .match_indices("escrr-")
        .map(|(at, mark)| &text[at..at + mark.len() + 32.min(digits(&text[at + mark.len()..]))]);
    all.find(|token| token.len() == 38).map(str::to_owned)
}

/// The bytes of a request, if the act is one.
pub(crate) fn sent(act: &Act) -> Option<&[u8]> {
    if let Act::Send { data } = act { Some(data) } else { None }
}

/// Asks the real binary for the journal of a link.
pub(crate) fn events(home: &Path, link: &str) -> Output {
    output(bare(home).args(["events", link, "--output", "ndjson"]))
}

/// The lines of entries, without the first one, which names the format.
pub(crate) fn lines(said: &Output) -> Vec<String> {
    said.stdout.lines().skip(1).map(str::to_owned).collect()
}
