//! The project's files, and what can be said of Rust text without parsing it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// One text file of the project.
#[derive(Clone)]
pub(crate) struct File {
    /// From the project's root, with `/`.
    pub(crate) path: String,
    /// As it is on disk.
    pub(crate) text: String,
    /// Rust only: the text with blanks for comments and literals, line by line as long as it was.
    pub(crate) code: String,
    /// Is the whole file there for tests only?
    pub(crate) for_tests: bool,
}

/// The project's root.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// The project's text files: what git tracks or would track, else everything but builds.
pub(crate) fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let root = root();
        let paths = git(&["ls-files", "--cached", "--others", "--exclude-standard"])
            .unwrap_or_else(|| walk(&root, ""));
        let read = |path: String| {
            let text = fs::read_to_string(root.join(&path)).ok()?;
            let code = if is_rust(&path) { mask(&text) } else { String::new() };
            Some(File { path, text, code, for_tests: false })
        };
        let mut files: Vec<File> = paths.into_iter().filter_map(read).collect();
        let modules: Vec<String> = files.iter().flat_map(test_modules).collect();
        for file in &mut files {
            file.for_tests = is_test_path(&file.path)
                || modules.iter().any(|module| {
                    let rest = file.path.strip_prefix(module.as_str());
                    rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
                });
        }
        files
    })
}

/// The project's Rust files.
pub(crate) fn rust() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|f| is_rust(&f.path))
}

/// What git tracks, or what is on disk where there is no git.
pub(crate) fn tracked() -> Vec<String> {
    git(&["ls-files", "--cached"]).unwrap_or_else(|| walk(&root(), ""))
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e == "rs")
}

fn git(args: &[&str]) -> Option<Vec<String>> {
    let asked = Command::new("git").args(args).current_dir(root()).output().ok()?;
    let listed = String::from_utf8(asked.stdout).ok()?;
    let paths: Vec<String> = listed.lines().map(str::to_owned).collect();
    (asked.status.success() && !paths.is_empty()).then_some(paths)
}

fn walk(folder: &Path, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if name == "target" || name == ".git" {
            continue;
        }
        if entry.path().is_dir() {
            found.extend(walk(&entry.path(), &format!("{path}/")));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Blanks for everything that is not code; lines stay where they are.
pub(crate) fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let end = comment(&chars, at).or_else(|| literal(&chars, at)).unwrap_or(at);
        if end == at {
            out.push(*c);
            at += 1;
            continue;
        }
        let blank = |c: &char| if *c == '\n' { '\n' } else { ' ' };
        out.extend(chars.get(at..end).unwrap_or_default().iter().map(blank));
        at = end;
    }
    out
}

fn starts(chars: &[char], at: usize, with: &str) -> bool {
    with.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c))
}

/// Where a comment that begins here ends.
fn comment(chars: &[char], at: usize) -> Option<usize> {
    if starts(chars, at, "//") {
        let length = chars.iter().skip(at).position(|c| *c == '\n');
        return Some(length.map_or(chars.len(), |l| at + l));
    }
    if !starts(chars, at, "/*") {
        return None;
    }
    let (mut depth, mut end) = (0_usize, at);
    while end < chars.len() {
        if starts(chars, end, "/*") {
            (depth, end) = (depth + 1, end + 2);
        } else if starts(chars, end, "*/") {
            (depth, end) = (depth - 1, end + 2);
            if depth == 0 {
                break;
            }
        } else {
            end += 1;
        }
    }
    Some(end.min(chars.len()))
}

/// Where a string or a character that begins here ends.
fn literal(chars: &[char], at: usize) -> Option<usize> {
    let c = *chars.get(at)?;
    let in_word = at > 0 && chars.get(at - 1).is_some_and(|p| p.is_alphanumeric() || *p == '_');
    if c == 'r' && !in_word {
        return raw_string(chars, at);
    }
    if (c == 'b' || c == 'c') && !in_word && chars.get(at + 1) == Some(&'r') {
        return raw_string(chars, at + 1);
    }
    if c == '"' {
        return Some(quoted(chars, at, '"'));
    }
    // `'a'` and `'\n'` are characters, `'a` is a lifetime.
    let is_char = chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'');
    (c == '\'' && is_char).then(|| quoted(chars, at, '\''))
}

fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars.iter().skip(at + 1).take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return None;
    }
    let close: String = std::iter::once('"').chain("#".repeat(hashes).chars()).collect();
    let body = at + 2 + hashes;
    let end = (body..chars.len()).find(|i| starts(chars, *i, &close));
    Some(end.map_or(chars.len(), |e| e + close.chars().count()))
}

fn quoted(chars: &[char], at: usize, close: char) -> usize {
    let mut end = at + 1;
    while let Some(c) = chars.get(end) {
        match c {
            '\\' => end += 2,
            c if *c == close => return end + 1,
            _ => end += 1,
        }
    }
    chars.len()
}

/// The number of the line, from 1, that a byte stands in.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or_default().matches('\n').count() + 1
}

/// Every place where a word stands by itself, as a line number.
pub(crate) fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let found = code.match_indices(word).filter(|(at, _)| {
        let before = code.get(..*at).and_then(|t| t.chars().next_back());
        let after = code.get(at + word.len()..).and_then(|t| t.chars().next());
        let open_start = word.starts_with(part) && before.is_some_and(part);
        let open_end = word.ends_with(part) && after.is_some_and(part);
        !open_start && !open_end
    });
    found.map(|(at, _)| line_of(code, at)).collect()
}

/// The line of the brace that closes the first one at or after a byte; none before a `;`.
fn body_end(code: &str, from: usize) -> Option<usize> {
    let (mut round, mut depth) = (0_i32, 0_i32);
    for (i, c) in code.get(from..)?.char_indices() {
        match c {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            ';' if round == 0 && depth == 0 => return None,
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(line_of(code, from + i));
                }
            }
            _ => {}
        }
    }
    None
}

/// Functions with a body: name, first and last line.
pub(crate) fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let before = code.get(..at).and_then(|t| t.chars().next_back());
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = code.get(at + 3..).unwrap_or_default().trim_start();
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if let (false, Some(end)) = (name.is_empty(), body_end(code, at)) {
            found.push((name, line_of(code, at), end));
        }
    }
    found
}

/// Lines of the items that stand under an attribute, as first and last line.
fn items_under(code: &str, attribute: &str) -> Vec<(usize, usize)> {
    let marks = code.match_indices(attribute);
    let item = |at: usize| Some((line_of(code, at), body_end(code, at + attribute.len())?));
    marks.filter_map(|(at, _)| item(at)).collect()
}

/// Is a line inside an item that stands under one of these attributes?
pub(crate) fn is_under(file: &File, line: usize, attributes: &[&str]) -> bool {
    let mut items = attributes.iter().flat_map(|a| items_under(&file.code, a));
    items.any(|(first, last)| (first..=last).contains(&line))
}

/// Is this line of the file there for tests only?
pub(crate) fn is_test_line(file: &File, line: usize) -> bool {
    file.for_tests || is_under(file, line, &["#[cfg(test)]"])
}

/// The modules in files of their own that a file declares for tests only, as paths without end.
pub(crate) fn test_modules(file: &File) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let stem = name.trim_end_matches(".rs");
    let folder = match stem {
        "mod" | "lib" | "main" => folder.to_owned(),
        _ => format!("{folder}/{stem}"),
    };
    let after = file.code.split("#[cfg(test)]").skip(1);
    let declared = after.filter_map(|rest| {
        let item = rest.split([';', '{']).next().unwrap_or_default();
        let ends = rest.get(item.len()..)?.starts_with(';');
        let words: Vec<&str> = item.split_whitespace().collect();
        let at = words.iter().position(|w| *w == "mod").filter(|_| ends)?;
        Some(format!("{folder}/{}", words.get(at + 1)?))
    });
    declared.collect()
}

/// Does a path alone say that the file is there for tests? Under `tests/` everything is, but
/// the library, the binary and the sandbox.
pub(crate) fn is_test_path(path: &str) -> bool {
    let code = ["tests/src/", "tests/bin/", "tests/sandbox/src/"];
    let (first, rest) = path.split_once('/').unwrap_or_default();
    (first == "tests" || rest.starts_with("tests/")) && !code.iter().any(|c| path.starts_with(c))
}

/// What a file imports, one whole path each, with its line.
pub(crate) fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = code.get(..at).and_then(|t| t.chars().next_back());
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let tree = code.get(at + 4..).and_then(|t| t.split(';').next()).unwrap_or_default();
        let flat: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        expand("", &flat, &mut |path| found.push((line_of(code, at), path)));
    }
    found
}

fn expand(prefix: &str, tree: &str, tell: &mut impl FnMut(String)) {
    let Some((head, rest)) = tree.split_once('{') else {
        return tell(format!("{prefix}{}", tree.trim()));
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let prefix = format!("{prefix}{}", head.trim());
    let (mut depth, mut begin) = (0_i32, 0);
    for (i, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = inner.get(begin..i).unwrap_or_default().trim();
                if !part.is_empty() {
                    expand(&prefix, part, tell);
                }
                begin = i + 1;
            }
            _ => {}
        }
    }
}
