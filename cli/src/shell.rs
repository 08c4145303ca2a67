//! Words for a shell: what is printed can be pasted.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// A text as one word of a POSIX shell; what no terminal shows, or is no UTF-8, is written in
/// escapes (`$'…'`).
pub fn word(text: impl AsRef<OsStr>) -> String {
    let bytes = text.as_ref().as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.is_empty() && bytes.iter().all(plain) => text.to_owned(),
        Ok(text) if text.chars().all(shows) => format!("'{}'", text.replace('\'', r"'\''")),
        Ok(_) | Err(_) => escaped(bytes),
    }
}

/// A path as a word that means the same in every directory.
pub fn absolute_word(path: &Path) -> String {
    word(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}

/// Letters and digits of every script, and what ASCII prints.
fn shows(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric())
}

fn escaped(bytes: &[u8]) -> String {
    let mut word = String::from("$'");
    word.extend(bytes.iter().map(|byte| match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("\\x{other:02x}"),
    }));
    word + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(word("shanghai-hangzhou"), "shanghai-hangzhou");
        assert_eq!(word("/tmp/a b"), "'/tmp/a b'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word("$(reboot)"), "'$(reboot)'");
        assert_eq!(word(""), "''");
        assert_eq!(word("上海"), "'上海'");
        assert_eq!(word("a\u{1b}[2J\u{202e}"), r"$'a\x1b[2J\xe2\x80\xae'");
        assert_eq!(word(OsStr::from_bytes(b"/tmp/\xff'\\")), r"$'/tmp/\xff\'\\'");
    }

    #[test]
    fn a_shell_reads_what_was_meant() {
        for text in ["a b", "it's", "$HOME `id` \"x\" \\", "; rm -rf /", "*", "~", "#", "!1"] {
            let said = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", word(text))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), text);
        }
    }
}
