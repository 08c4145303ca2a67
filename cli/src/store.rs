//! Opening the store: for one writer at a time, and for readers beside it.

use crate::clock::{pause, real_ms};
use crate::codes;
use crate::error::CommandError;
use crate::settings::Home;
use escrr_engine::EngineError;
use escrr_engine::store::{
    Committer, Dying, Holder, Home as HomeStore, Moment, Reading, StoreError,
};
use std::time::Duration;

/// What a reader says it does: writers wait for it, for it is done at once.
const READING: &str = "reading";
/// A reader is done long before this.
const READER_LIMIT: Duration = Duration::from_secs(2);
/// Between two tries to get past a reader.
const READER_PAUSE: Duration = Duration::from_millis(20);

/// Between two looks at what another process writes.
pub const SECOND: Duration = Duration::from_secs(1);

/// Opens the store for writing.
///
/// # Errors
/// Another process writes, the store cannot be read or written, or a newer version wrote it.
pub async fn write(home: &Home, doing: &str, links: &[String]) -> Result<Committer, CommandError> {
    Ok(Committer::start(open(home, doing, links).await?)?)
}

/// Opens the store for writing in a process that kills itself at a moment.
///
/// # Errors
/// As [`write`].
pub async fn write_until(
    moment: Moment,
    home: &Home,
    doing: &str,
    links: &[String],
) -> Result<Committer, CommandError> {
    let store = open(home, doing, links).await?;
    Ok(Committer::start(Dying::new(store, moment, Box::new(kill_self)))?)
}

/// SIGKILL: nothing is tidied up, as when the power goes for this process alone.
fn kill_self() {
    let me = rustix::process::getpid();
    // Where the system refuses, the store stops all the same and the command ends with that.
    rustix::process::kill_process(me, rustix::process::Signal::KILL).ok();
}

async fn open(home: &Home, doing: &str, links: &[String]) -> Result<HomeStore, CommandError> {
    let mut waited = Duration::ZERO;
    let holder = holder(doing, links);
    loop {
        match HomeStore::open(home.path(), &holder) {
            Ok(store) => return Ok(store),
            Err(StoreError::InUse { holder, .. })
                if waited < READER_LIMIT && leaves_soon(&holder) =>
            {
                pause(READER_PAUSE).await;
                waited += READER_PAUSE;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A reader leaves at once, and so does a part of this process that is done with the store.
/// Who holds it without a name has taken it this moment and not said it yet.
fn leaves_soon(holder: &Holder) -> bool {
    holder.doing == READING || holder.pid == std::process::id() || holder.pid == 0
}

/// Opens the store for reading; a writer is not disturbed.
///
/// # Errors
/// The store cannot be read, or a newer version wrote it.
pub fn read(home: &Home) -> Result<Reading, CommandError> {
    Ok(Reading::open(home.path(), &holder(READING, &[]))?)
}

/// The process that writes while we read.
pub fn writer(reading: &Reading) -> Option<&Holder> {
    match reading {
        Reading::Mirror(mirror) => Some(&mirror.holder).filter(|holder| !leaves_soon(holder)),
        Reading::Store(_) | Reading::Nothing => None,
    }
}

fn holder(doing: &str, links: &[String]) -> Holder {
    Holder {
        pid: std::process::id(),
        doing: doing.to_owned(),
        links: links.to_vec(),
        since_ms: real_ms(),
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let said = error.to_string();
        match error {
            StoreError::InUse { holder, .. } => in_use(&said, &holder),
            StoreError::Damaged { path, .. } => Self::new(codes::STORE_DAMAGED, said)
                .meaning("nothing was changed; what is there cannot be trusted as it is")
                .hint(format!(
                    "keep a copy of it before anything else: cp -a {0} {0}.kept",
                    path.display()
                ))
                .hint("the journals stand in the folder `mirror` beside it, one line an entry"),
            StoreError::Newer { .. } => Self::new(codes::STORE_NEWER, said)
                .meaning("a newer version of escrr wrote it; nothing was read or changed")
                .hint("use that version, or another home: --home DIR"),
            StoreError::Full { path } => Self::new(codes::STORE_FULL, said)
                .meaning("what was acknowledged before is safe; nothing else was begun")
                .hint(format!("make room on the disk that {} is on, then go on", path.display()))
                .next_command("escrr resume"),
            StoreError::Io { .. } => Self::new(codes::STORE_IO, said)
                .hint("the home has to be a directory that you may write to")
                .hint("name another one with --home DIR or ESCRR_HOME"),
            StoreError::Conflict { .. } | StoreError::Fenced => Self::new(codes::STORE_LOST, said)
                .meaning("another process has gone on with it; this one stopped")
                .next_command("escrr status"),
            StoreError::TooLarge { .. } | StoreError::Stopped(_) => {
                Self::new(codes::STORE_LOST, said).next_command("escrr resume")
            }
        }
    }
}

fn in_use(said: &str, holder: &Holder) -> CommandError {
    let links = match holder.links.as_slice() {
        [] => String::new(),
        links => format!(" for {}", links.join(", ")),
    };
    CommandError::new(codes::STORE_IN_USE, format!("{said} (`{}`{links})", holder.doing))
        .meaning("one process at a time carries sagas on")
        .hint("`escrr status` shows how far it is")
        .hint(format!("wait for its end, or stop it: kill -INT {} saves and ends it", holder.pid))
}

impl From<EngineError> for CommandError {
    fn from(error: EngineError) -> Self {
        let said = error.to_string();
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Fold { .. } => Self::new(codes::JOURNAL, said)
                .meaning("the journal cannot have been written by this version"),
            EngineError::Node { .. } => {
                Self::new(codes::NOT_DECIDABLE, said).next_command("escrr status")
            }
            EngineError::Edition { .. } => Self::new(codes::EDITION, said)
                .meaning("its journal may speak of nodes that have changed since")
                .hint(
                    "carry it on with the version of escrr that began it: `escrr events` names it",
                ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use escrr_engine::store::Lock;

    fn locked(home: &std::path::Path, pid: u32, doing: &str) -> Lock {
        let links = vec!["a".to_owned()];
        let holder = Holder { pid, doing: doing.into(), links, since_ms: 1 };
        Lock::take(home, &holder).unwrap()
    }

    #[tokio::test]
    async fn a_writer_is_named_at_once_and_a_reader_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        let lock = locked(dir.path(), 42, "run");
        let error = write(&home, "resume", &[]).await.unwrap_err();
        assert_eq!(error.exit(), Exit::InUse);
        assert!(error.said.contains("process 42 (`run` for a)"), "{error}");
        drop(lock);
        let lock = locked(dir.path(), 42, READING);
        let (opened, ()) = tokio::join!(write(&home, "run", &[]), async move { drop(lock) });
        assert!(opened.is_ok());
    }

    #[tokio::test]
    async fn what_cannot_be_opened_ends_with_its_own_code() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("store");
        std::fs::create_dir_all(&store).unwrap();
        std::fs::write(store.join("meta"), "format = 99\n").unwrap();
        let home = Home::at(dir.path());
        let newer = read(&home).unwrap_err();
        assert_eq!((newer.code, newer.exit()), (codes::STORE_NEWER, Exit::StoreDamaged));
        assert_eq!(write(&home, "run", &[]).await.unwrap_err().code, codes::STORE_NEWER);
        std::fs::write(store.join("meta"), "mince").unwrap();
        assert_eq!(read(&home).unwrap_err().code, codes::STORE_DAMAGED);
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let unwritable = write(&Home::at(file.join("home")), "run", &[]).await.unwrap_err();
        assert_eq!((unwritable.code, unwritable.exit()), (codes::STORE_IO, Exit::Failed));
        assert!(unwritable.hints.concat().contains("--home"));
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let error = CommandError::from(StoreError::Full { path: "/home/x".into() });
        assert_eq!(error.exit(), Exit::Failed);
        assert!(error.hints[0].contains("make room") && error.next_command.is_some());
    }
}
