//! The scanner itself: a rule that sees nothing forbids nothing.

use crate::source::{
    File, functions, imports, is_test_line, is_test_path, lines_with, mask, test_modules,
};

#[test]
fn comments_and_literals_are_blank_and_lines_stay() {
    let text =
        "a // dbg!\n/* b /* c */ d */ e\n\"f\\\" g\" 'h' 'i: 'j\nr#\"k \" l\"# m b\"n\" '\\'' o";
    let masked = mask(text);
    assert_eq!(masked.lines().count(), text.lines().count());
    assert_eq!(masked.chars().count(), text.chars().count());
    let words: Vec<&str> = masked.split_whitespace().collect();
    assert_eq!(words, ["a", "e", "'i:", "'j", "m", "b", "o"]);
}

#[test]
fn functions_are_measured_by_their_braces() {
    let text = "trait T {\n fn none(&self) -> [u8; 4];\n}\nfn one() {\n let x = \"}\";\n if x {\n }\n}\n\
                type F = fn (u8);\n";
    assert_eq!(functions(&mask(text)), [("one".to_owned(), 4, 8)]);
}

#[test]
fn imports_are_told_one_by_one() {
    let text = "use a::b;\nuse crate::{c, d::{e, f as g}};\npub use super::h::*;\nlet reuse = 1;";
    let told: Vec<(usize, String)> = imports(&mask(text));
    let paths: Vec<&str> = told.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(paths, ["a::b", "crate::c", "crate::d::e", "crate::d::f as g", "super::h::*"]);
    assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 2, 2, 3]);
}

#[test]
fn words_stand_by_themselves() {
    assert_eq!(lines_with("sled::open\nunsledded\nmod sled;", "sled"), [1, 3]);
    assert_eq!(lines_with("a.unwrap()\nb.unwrap_or(c)", ".unwrap("), [1]);
    assert_eq!(lines_with("eprintln!()\nprintln!()", "println!"), [2]);
}

#[test]
fn code_for_tests_is_known_by_its_place() {
    for path in ["engine/tests/laws.rs", "tests/tidy/main.rs", "tests/sandbox/tests/a.rs"] {
        assert!(is_test_path(path), "{path}");
    }
    for path in ["engine/src/a.rs", "tests/src/bench.rs", "tests/sandbox/src/lib.rs", "README.md"] {
        assert!(!is_test_path(path), "{path}");
    }
}

#[test]
fn code_for_tests_is_known_by_its_mark() {
    let text = "fn a() {}\n#[cfg(test)]\npub(crate) mod stage;\nmod way;\n#[cfg(test)]\n\
                mod tests {\n fn b() {}\n}\n#[cfg(test)]\nuse c;\nfn d() {}\n";
    let path = "steps/src/net/mod.rs".to_owned();
    let file = File { path, text: text.into(), code: mask(text), for_tests: false };
    assert_eq!(test_modules(&file), ["steps/src/net/stage"]);
    let lines: Vec<usize> = (1..=11).filter(|line| is_test_line(&file, *line)).collect();
    assert_eq!(lines, [5, 6, 7, 8]);
}
