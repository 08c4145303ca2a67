//! One spelling of a secret, and where it stands in a text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::ops::Range;

/// A text this short stands everywhere by chance.
const LEAST: usize = 4;
/// A text shorter than this is a secret only where it is a word of its own.
const LEAST_INSIDE: usize = 6;
/// The same for a part of a base64 text, in its characters.
const LEAST_BASE64: usize = 8;
/// Escapes of escapes are followed so many times.
const MOST_TURNS: usize = 8;

/// One spelling of a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    letters: Vec<char>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As it is.
    Plain,
    /// As it is, but only as a word of its own.
    Word,
    /// Inside a base64 text, all of which is taken.
    Base64,
}

/// Every spelling of a secret that has to be looked for; other escapes are known at the looking.
pub(super) fn of(secret: &str) -> Vec<Pattern> {
    let letters: Vec<char> = secret.chars().collect();
    if letters.len() < LEAST {
        return Vec::new();
    }
    let kind = if letters.len() < LEAST_INSIDE { Kind::Word } else { Kind::Plain };
    let mut all = vec![Pattern { letters, kind }];
    all.extend((0..3).filter_map(|offset| Pattern::base64(&inside_base64(secret, offset))));
    all
}

/// What base64 makes of a text that stands so many bytes behind a multiple of three, without the
/// characters at both ends that depend on what is beside it.
fn inside_base64(text: &str, offset: usize) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(text.as_bytes());
    let encoded = STANDARD_NO_PAD.encode(&bytes);
    let from = (offset * 8).div_ceil(6);
    let to = bytes.len() * 8 / 6;
    encoded.get(from..to).unwrap_or_default().to_owned()
}

impl Pattern {
    /// A part of a base64 text, if it is long enough to be told from others.
    pub(super) fn base64(text: &str) -> Option<Self> {
        let letters: Vec<char> = text.chars().collect();
        (letters.len() >= LEAST_BASE64).then_some(Self { letters, kind: Kind::Base64 })
    }

    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// The place that it covers, if it begins at `at`.
    pub(super) fn find(&self, text: &[char], at: usize) -> Option<Range<usize>> {
        let base64 = self.kind == Kind::Base64;
        let mut ends = vec![at];
        for letter in &self.letters {
            let mut next = Vec::new();
            for end in ends {
                spellings(*letter, base64, text, end, &mut next);
            }
            if next.is_empty() {
                return None;
            }
            next.sort_unstable();
            next.dedup();
            ends = next;
        }
        let end = ends.into_iter().max()?;
        match self.kind {
            Kind::Plain => Some(at..end),
            Kind::Word => {
                let free = |at: Option<&char>| at.is_none_or(|c| !c.is_alphanumeric());
                let before = at.checked_sub(1).and_then(|at| text.get(at));
                (free(before) && free(text.get(end))).then_some(at..end)
            }
            Kind::Base64 => {
                let part = |c: &&char| c.is_ascii_alphanumeric() || "+/=_-%".contains(**c);
                let before = text.get(..at).unwrap_or_default().iter().rev().take_while(part);
                let behind = text.get(end..).unwrap_or_default().iter().take_while(part);
                Some(at - before.count()..end + behind.count())
            }
        }
    }
}

/// Where a letter ends that begins at `at`, in every spelling of it.
fn spellings(letter: char, base64: bool, text: &[char], at: usize, ends: &mut Vec<usize>) {
    let Some(first) = text.get(at) else { return };
    let same = |c: char| c == letter || (base64 && matches!((letter, c), ('+', '-') | ('/', '_')));
    if same(*first) {
        ends.push(at + 1);
    }
    match first {
        '+' if letter == ' ' => ends.push(at + 1),
        '%' => ends.extend(percent_encoded(letter, text, at)),
        '\\' => escaped(letter, text, at, ends),
        '&' => ends.extend(entity(letter, text, at)),
        _ => {}
    }
}

/// `%2F` and, encoded again, `%252F`: the ends after every number of turns that fits.
fn percent_encoded(letter: char, text: &[char], at: usize) -> impl Iterator<Item = usize> {
    (0..MOST_TURNS).filter_map(move |turns| {
        let mut bytes = [0; 4];
        letter.encode_utf8(&mut bytes).bytes().try_fold(at, |at, byte| {
            let digits = at + 1 + 2 * turns;
            let between = text.get(at + 1..digits)?;
            let again = between.chunks(2).all(|pair| pair == ['2', '5']);
            let fits = text.get(at) == Some(&'%') && again;
            (fits && hex(text, digits, 2) == Some(u32::from(byte))).then_some(digits + 2)
        })
    })
}

/// `\"`, `\/`, `\\`, `\u002f`, and the same escaped again.
fn escaped(letter: char, text: &[char], at: usize, ends: &mut Vec<usize>) {
    let slashes = text.get(at..).unwrap_or_default().iter().take_while(|c| **c == '\\').count();
    if letter == '\\' {
        let twice = (1..MOST_TURNS).map(|turn| 1 << turn).take_while(|length| *length <= slashes);
        ends.extend(twice.map(|length| at + length));
    }
    let behind = at + slashes;
    if matches!(letter, '"' | '/' | '\'') && text.get(behind) == Some(&letter) {
        ends.push(behind + 1);
    }
    let mut units = [0; 2];
    let mut place = at;
    for unit in letter.encode_utf16(&mut units) {
        let rest = text.get(place..).unwrap_or_default();
        let slashes = rest.iter().take_while(|c| **c == '\\').count();
        let code = place + slashes + 1;
        let is_code = slashes > 0 && text.get(code - 1) == Some(&'u');
        if !is_code || hex(text, code, 4) != Some(u32::from(*unit)) {
            return;
        }
        place = code + 4;
    }
    ends.push(place);
}

/// `&amp;`, `&#38;`, `&#x26;`.
fn entity(letter: char, text: &[char], at: usize) -> Option<usize> {
    let rest = text.get(at + 1..)?;
    let length = rest.iter().take(10).position(|c| *c == ';')?;
    let name: String = rest.get(..length)?.iter().collect();
    let number = |digits: &str, base| u32::from_str_radix(digits, base).ok();
    let code = match name.as_str() {
        "amp" => Some(u32::from('&')),
        "lt" => Some(u32::from('<')),
        "gt" => Some(u32::from('>')),
        "quot" => Some(u32::from('"')),
        "apos" => Some(u32::from('\'')),
        name => match name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
            Some(digits) => number(digits, 16),
            None => name.strip_prefix('#').and_then(|digits| number(digits, 10)),
        },
    };
    (code == Some(u32::from(letter))).then_some(at + length + 2)
}

/// The number that so many hexadecimal digits stand for.
fn hex(text: &[char], at: usize, digits: usize) -> Option<u32> {
    let text = text.get(at..at + digits)?;
    text.iter().try_fold(0, |number, c| Some(number * 16 + c.to_digit(16)?))
}
