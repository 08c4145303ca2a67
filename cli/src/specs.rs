//! Which specs are meant, and reading all of them before anything is begun.

use crate::codes;
use crate::error::CommandError;
use escrr_steps::limited;
use escrr_steps::spec::{Spec, defaults};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// No spec is longer; a name that leads to more leads to something else.
const MOST_BYTES: usize = 1024 * 1024;
/// The spec of a directory, and what `escrr init` writes.
pub const USUAL: &str = "escrr.toml";

/// Reads the named specs, or the usual one, or the sandbox's own.
///
/// # Errors
/// Everything that is wrong with any of them, or two that are for one link.
pub fn load(named: &[PathBuf], sandbox: bool) -> Result<Vec<Spec>, CommandError> {
    if named.is_empty() && sandbox {
        return Ok(vec![defaults::sandbox()?]);
    }
    if named.is_empty() && !Path::new(USUAL).exists() {
        return Err(CommandError::new(codes::SPEC, format!("there is no {USUAL} here"))
            .meaning("no spec was named, and this directory has none")
            .hint("`escrr init` writes one to start from")
            .hint("`escrr run --sandbox` needs none"));
    }
    let usual = [PathBuf::from(USUAL)];
    let paths = if named.is_empty() { usual.as_slice() } else { named };
    let mut specs = Vec::new();
    let mut wrong = Vec::new();
    for path in paths {
        match read(path) {
            Ok(spec) => specs.push(spec),
            Err(error) => wrong.push(error),
        }
    }
    match wrong.len() {
        0 => distinct(&specs).map(|()| specs),
        1 => Err(wrong.remove(0)),
        _ => {
            let all: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            Err(CommandError::new(codes::SPEC, all.join("\n")))
        }
    }
}

fn read(path: &Path) -> Result<Spec, CommandError> {
    let text = limited::read_text(path, MOST_BYTES)
        .map_err(|error| CommandError::file(codes::UNREADABLE, "cannot read", path, &error))?;
    Ok(Spec::parse(&text, &path.display().to_string())?)
}

/// One run carries one saga of a link.
fn distinct(specs: &[Spec]) -> Result<(), CommandError> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for spec in specs {
        if let Some(first) = seen.insert(&spec.link, spec.name()) {
            let said =
                format!("{first} and {} are two runs for one link, {}", spec.name(), spec.link);
            return Err(CommandError::new(codes::SPEC, said)
                .hint("give one of them another name under `link`, or leave it out"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use std::fs;

    fn file(dir: &Path, name: &str, text: &str) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn all_problems_of_all_specs_are_said_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let good = file(dir.path(), "good.toml", defaults::SANDBOX);
        let colour = format!("colour = \"red\"\n{}", defaults::SANDBOX);
        let colour = file(dir.path(), "colour.toml", &colour);
        let same = defaults::SANDBOX.replace("es-cn-follower0001", "es-cn-leader000001");
        let same = file(dir.path(), "same.toml", &same);
        let error = load(&[good, colour.clone(), same, "none.toml".into()], false).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.said.contains(&format!("{}:1:1", colour.display())), "{error}");
        assert!(error.said.contains("es-cn-leader000001"), "{error}");
        assert!(error.said.contains("none.toml"), "{error}");
    }

    #[test]
    fn two_specs_for_one_link_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a.toml", "b.toml"].map(|name| file(dir.path(), name, defaults::SANDBOX));
        let error = load(&paths, true).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.said.contains("a.toml") && error.said.contains("b.toml"), "{error}");
    }

    #[test]
    fn without_a_spec_the_hint_names_init() {
        let error = load(&[], false).unwrap_err();
        assert!(error.hints[0].contains("escrr init"));
        assert_eq!(load(&[], true).unwrap()[0].link, "shanghai-hangzhou");
    }
}
