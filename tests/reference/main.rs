//! The pages under `docs/reference/` and `docs/errors/`, made from the program, so that they cannot say anything
//! else. `UPDATE_DOCS=1 cargo test -p escrr-tests --test reference` writes them.

mod command_line;
mod errors;
mod exit_codes;
mod prerequisites;
mod schemas;
mod steps;

use std::fs;
use std::path::{Path, PathBuf};

/// What stands at the head of every page.
const MADE: &str =
    "<!-- Made from the program by tests/reference; UPDATE_DOCS=1 writes it anew. -->";

/// Compares a page of `docs/reference/` with what the program says, or writes it.
#[track_caller]
pub(crate) fn page(name: &str, body: &str) {
    file(&format!("reference/{name}"), &format!("{MADE}\n\n{}\n", body.trim()));
}

/// Where the project's pages lie.
pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("docs")
}

/// Compares a file below `docs/` with what the program says, or writes it.
#[track_caller]
pub(crate) fn file(name: &str, fresh: &str) {
    let path = docs().join(name);
    let old = fs::read_to_string(&path).unwrap_or_default();
    #[expect(clippy::disallowed_methods, reason = "a switch for who runs the test")]
    if fresh != old && std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        let folder = path.parent().map(fs::create_dir_all);
        let written = fs::write(&path, fresh);
        assert!(written.is_ok(), "{}: {folder:?} {written:?}", path.display());
        return;
    }
    let differs = |(a, b): (&str, &str)| a != b;
    let same = fresh.lines().zip(old.lines()).position(differs);
    let line = same.unwrap_or_else(|| fresh.lines().count().min(old.lines().count()));
    assert!(
        fresh == old,
        "docs/{name}:{}: the program says\n  {}\nand the file\n  {}\n\
         write it anew: UPDATE_DOCS=1 cargo test -p escrr-tests --test reference",
        line + 1,
        fresh.lines().nth(line).unwrap_or("(nothing)"),
        old.lines().nth(line).unwrap_or("(nothing)"),
    );
}

/// A text inside a table's cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
