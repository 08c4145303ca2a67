//! What the system lets a process have: too little is said before something breaks.

use crate::codes;
use crate::error::CommandError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that a command needs at least: its store, its connections, its own machinery.
const LEAST_FILES: u64 = 64;
/// Open files that are asked for where the system gives them.
const WANTED_FILES: u64 = 1024;
/// Bytes of addresses that a command needs at least: stacks and maps are reserved, not used.
const LEAST_ADDRESSES: u64 = 512 * 1024 * 1024;

/// Takes what is allowed, and refuses to begin with too little.
///
/// # Errors
/// A limit is too low for anything to work.
pub(crate) fn check() -> Result<(), CommandError> {
    let files = getrlimit(Resource::Nofile);
    if files.current.is_some_and(|now| now < WANTED_FILES) {
        let most = files.maximum.map_or(WANTED_FILES, |most| most.min(WANTED_FILES));
        // Where it is refused, what there is has to do, or is refused below.
        setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..files }).ok();
    }
    let files = getrlimit(Resource::Nofile).current;
    enough(files, LEAST_FILES, "open files", "ulimit -n 1024")?;
    enough(
        getrlimit(Resource::As).current,
        LEAST_ADDRESSES,
        "bytes of memory",
        "ulimit -v unlimited",
    )
}

fn enough(now: Option<u64>, least: u64, what: &str, command: &str) -> Result<(), CommandError> {
    match now {
        Some(now) if now < least => {
            let said = format!("this process may have {now} {what}, and needs {least}");
            Err(CommandError::new(codes::LIMITS, said)
                .meaning("nothing was done")
                .hint(format!("raise the limit: {command}")))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_named_with_what_raises_it() {
        assert!(enough(None, 64, "open files", "ulimit").is_ok());
        assert!(enough(Some(64), 64, "open files", "ulimit").is_ok());
        let error = enough(Some(6), 64, "open files", "ulimit -n 1024").unwrap_err();
        assert_eq!(error.said, "this process may have 6 open files, and needs 64");
        assert!(error.hints[0].contains("ulimit -n 1024"));
    }
}
