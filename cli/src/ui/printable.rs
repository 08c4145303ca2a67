//! The one place that makes foreign text printable: for terminal, pipe, log and page.
//!
//! What a cloud, a cluster or somebody's file says may hold escape sequences of a terminal,
//! controls of the C1 block, or marks that turn the direction of text and let a line read as
//! something else. Each of these characters is written out (`\u{1b}`), so that it is seen and does
//! nothing. JSON stays the same data: there they become `\u001b`, as every reader of JSON expects.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

/// Does a character do something instead of being seen? Line ends and tabs are not meant.
fn acts(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        _ => {
            c.is_control()
                || matches!(c,
                    // Marks, embeddings, overrides and isolates of direction.
                    '\u{61c}' | '\u{200e}' | '\u{200f}'
                    | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                    // Line ends that not everybody takes for one.
                    | '\u{2028}' | '\u{2029}'
                    // Annotations and tags, which nobody sees.
                    | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        }
    }
}

/// A text of several lines in which nothing acts.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for c in text.replace("\r\n", "\n").chars() {
        if acts(c) {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
    }
    Cow::Owned(clean)
}

/// The same in one line.
pub fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// JSON in which nothing acts, and which means the same: outside of its texts it is ASCII.
pub fn json(text: String) -> String {
    if !text.chars().any(acts) {
        return text;
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a string cannot fail.
                let _ = write!(clean, "\\u{unit:04x}");
            }
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Takes whole lines, one a write, and lets each be one line: nobody forges a second one.
#[derive(Debug)]
pub struct Lines<W>(pub W);

impl<W: io::Write> io::Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = printable(line).replace('\n', "\\n");
        self.0.write_all(line.as_bytes())?;
        self.0.write_all(b"\n")?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of every kind.
    const HOSTILE: &str = "a\u{1b}[31mb\u{1b}]0;t\u{7}\u{9b}2J\0\u{7f}\u{61c}\u{200f}\u{202e}c\
                           \u{2066}d\u{2069}\u{2028}\u{e0041}";

    #[test]
    fn what_acts_is_written_out_and_the_rest_stays() {
        let clean = printable(HOSTILE);
        assert!(!clean.chars().any(acts), "{clean:?}");
        assert!(clean.starts_with("a\\u{1b}[31mb\\u{1b}]0;t\\u{7}\\u{9b}2J\\u{0}\\u{7f}"));
        assert!(clean.contains("\\u{202e}c\\u{2066}d"), "{clean}");
        let plain = "日志 größe 👩‍🔧\n\tin lines";
        assert!(matches!(printable(plain), Cow::Borrowed(same) if same == plain));
        assert_eq!(printable("a\r\nb\rc"), "a\nb\\u{d}c");
        assert_eq!(one_line("a\nb\tc\u{1b}"), "a b c\\u{1b}");
    }

    #[test]
    fn json_means_the_same_and_nothing_of_it_acts() {
        let value = serde_json::json!({"said": HOSTILE, HOSTILE: [HOSTILE]});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let clean = json(text);
            assert!(!clean.chars().any(acts), "{clean:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).unwrap(), value);
        }
    }

    #[test]
    fn a_log_has_one_line_an_event() {
        use std::io::Write as _;
        let mut log = Lines(Vec::new());
        log.write_all("it said: no\n2026 INFO all is well\u{9b}\n".as_bytes()).unwrap();
        let text = String::from_utf8(log.0).unwrap();
        assert_eq!(text, "it said: no\\n2026 INFO all is well\\u{9b}\n");
    }
}
