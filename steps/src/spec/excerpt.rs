//! What is wrong with a spec, shown where it stands.
//!
//! A line that may hold a secret is shown without its value: the error of a person
//! who wrote a password into the file must not carry the password further.

use std::fmt;
use std::ops::Range;

/// Everything wrong with one spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecErrors {
    /// What the text was called.
    pub name: String,
    /// In the order of the text; never empty.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
}

/// One thing wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters of the excerpt it covers, at least 1.
    pub width: usize,
    /// Where it begins in the excerpt, in characters from 1.
    pub marker: usize,
    /// The line itself, or the part of it around the place, without what may be a secret.
    pub excerpt: String,
    /// What is wrong, in one sentence fragment.
    pub message: String,
    /// What helps.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place of the text, in bytes.
    pub(super) fn at(text: &str, span: Range<usize>, message: &str, help: Option<String>) -> Self {
        Self::shown(text, span, message, help, false)
    }

    /// The same, for a value that nobody may see.
    pub(super) fn hidden(
        text: &str,
        span: Range<usize>,
        message: &str,
        help: Option<String>,
    ) -> Self {
        Self::shown(text, span, message, help, true)
    }

    fn shown(
        text: &str,
        span: Range<usize>,
        message: &str,
        help: Option<String>,
        hide: bool,
    ) -> Self {
        let start = (0..=span.start.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let whole = rest.lines().next().unwrap_or_default();
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let line_end = line_start + whole.len();
        let covered = text.get(start..span.end.min(line_end)).unwrap_or_default();
        let width = covered.chars().count().max(1);
        let secret = hide || may_hold_a_secret(before.get(..line_start).unwrap_or_default(), whole);
        let (excerpt, width) =
            if secret { (without_value(whole), 1) } else { (whole.to_owned(), width) };
        let (excerpt, marker) = part(&excerpt, column);
        let width = width.min((excerpt.chars().count() + 1).saturating_sub(marker)).max(1);
        let line = before.matches('\n').count() + 1;
        Self { line, column, width, marker, excerpt, message: short(message), help }
    }
}

/// The part of a line around a column, and where the column is in it.
fn part(line: &str, column: usize) -> (String, usize) {
    let length = line.chars().count();
    if length <= MOST_COLUMNS {
        return (line.to_owned(), column);
    }
    let from = column.saturating_sub(MOST_COLUMNS / 2).min(length - MOST_COLUMNS);
    let part: String = line.chars().skip(from).take(MOST_COLUMNS).collect();
    let (before, shift) = if from > 0 { ("…", 1) } else { ("", 0) };
    let behind = if from + MOST_COLUMNS < length { "…" } else { "" };
    (format!("{before}{part}{behind}"), (column - from.min(column - 1)) + shift)
}

/// A message that repeats a key or a value of any length.
fn short(message: &str) -> String {
    if message.chars().count() <= MOST_MESSAGE {
        return message.to_owned();
    }
    let begin: String = message.chars().take(MOST_MESSAGE).collect();
    format!("{begin}…")
}

/// Columns of a line that are shown.
const MOST_COLUMNS: usize = 160;
/// Characters of a message that are shown.
const MOST_MESSAGE: usize = 400;

/// Words of keys whose values are secrets, and of tables that hold such keys.
const SECRET_WORDS: [&str; 6] = ["password", "secret", "token", "credential", "access", "key"];

/// How the headers begin that may be shown.
const TABLES: [&str; 11] = [
    "leader",
    "follower",
    "credentials",
    "network",
    "load_balancer",
    "private_link",
    "leader_address",
    "replication",
    "verify",
    "prerequisites",
    "tags",
];

/// Could this line carry a secret: by its own words, its table's, or those of the key it goes on from?
fn may_hold_a_secret(before: &str, line: &str) -> bool {
    let secret = |text: &str| {
        let text = text.to_lowercase();
        SECRET_WORDS.iter().any(|word| text.contains(word))
    };
    // Somebody's `user:password@host`.
    if secret(line) || line.contains('@') {
        return true;
    }
    let mut own_key = starts_an_entry(line);
    for earlier in before.lines().rev() {
        let is_header = earlier.trim_start().starts_with('[');
        if !own_key && starts_an_entry(earlier) {
            own_key = true;
            if secret(earlier) {
                return true;
            }
        }
        if is_header {
            return secret(earlier);
        }
    }
    false
}

/// Does the line begin with `key =` or `[table]`? Otherwise it goes on with an earlier one.
fn starts_an_entry(line: &str) -> bool {
    let line = line.trim_start();
    let key = line.split('=').next().unwrap_or_default().trim_end();
    line.starts_with('[')
        || (line.contains('=')
            && !key.is_empty()
            && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
}

/// `password = "x"` becomes `password = …`; a line without a key says nothing at all, a table's header everything.
fn without_value(line: &str) -> String {
    let header = line.trim_start().trim_start_matches('[');
    let known = TABLES.iter().any(|table| header.starts_with(table));
    if header.len() < line.len() && known && !line.contains(['=', '"', '\'']) {
        return line.to_owned();
    }
    match line.split_once('=') {
        Some((key, _)) if starts_an_entry(line) => format!("{key}= …"),
        _ => "…".to_owned(),
    }
}

impl fmt::Display for SpecErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{}:{problem}", self.name)?;
        }
        if self.more > 0 {
            write!(f, "\n\n{}: and {} more like these", self.name, self.more)?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, width, marker, excerpt, message, help } = self;
        writeln!(f, "{line}:{column}: {message}")?;
        let gutter = line.to_string().len();
        // Tabs stay tabs, so that the marker stands below what it marks.
        let indent: String =
            excerpt.chars().take(marker - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "  {line} | {excerpt}")?;
        write!(f, "  {:gutter$} | {indent}{}", "", "^".repeat(*width))?;
        if let Some(help) = help {
            write!(f, "\n  {:gutter$} = help: {help}", "")?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, what: &str) -> Problem {
        let start = text.find(what).unwrap();
        Problem::at(text, start..start + what.len(), "wrong", Some("mend it".into()))
    }

    #[test]
    fn points_at_the_place() {
        let problem = at("link = \"a\"\nzones = [\"ä\", \"Z\"]\n", "\"Z\"");
        assert_eq!((problem.line, problem.column, problem.width), (2, 15, 3));
        let errors = SpecErrors { name: "s.toml".into(), problems: vec![problem], more: 0 };
        assert_eq!(
            errors.to_string(),
            "s.toml:2:15: wrong\n  2 | zones = [\"ä\", \"Z\"]\n    |               ^^^\n    = help: mend it"
        );
    }

    #[test]
    fn hides_what_may_be_a_secret() {
        for text in [
            "password = 'hunter2'",
            "leader.access.password = 'hunter2'",
            "[credentials]\npasword = 'hunter2'",
            "[leader.access]\nurl = 'hunter2'",
            "x = { password = 'hunter2' }",
            "password = '''\nhunter2'''",
            "url = 'https://elastic:hunter2@host'",
            "hunter2 @",
        ] {
            let problem = at(text, "hunter2");
            assert!(!problem.excerpt.contains("hunter2"), "{problem}");
        }
        assert!(at("[network]\nbandwidth_mbps = 0", "0").excerpt.contains('0'));
        assert!(at("[replication]\npatterns = [\n  \"-a\",\n]", "\"-a\"").excerpt.contains("-a"));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("zones = [{}\"Z\"{}]", "\"x\", ".repeat(1000), ", \"y\"".repeat(1000));
        let problem = at(&text, "\"Z\"");
        assert!(problem.excerpt.chars().count() <= MOST_COLUMNS + 2, "{problem}");
        let shown = problem.to_string();
        let lines: Vec<&str> = shown.lines().collect();
        let place = lines[2].find('^').unwrap();
        let marked: String = lines[1].chars().skip(place).take(3).collect();
        assert_eq!((marked.as_str(), problem.width), ("\"Z\"", 3), "{problem}");
        let whole = "x".repeat(1 << 20);
        let problem = Problem::at(&whole, 0..whole.len(), &whole, None);
        assert!(problem.to_string().len() < 2000, "{}", problem.to_string().len());
    }

    #[test]
    fn a_place_outside_the_text_is_the_end() {
        let problem = Problem::at("a\n", 99..120, "wrong", None);
        assert_eq!((problem.line, problem.column, problem.width), (2, 1, 1));
    }
}
