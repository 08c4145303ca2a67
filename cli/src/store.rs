//! Opening the store: for one writer at a time, and for readers beside it.

use crate::Context;
use crate::clock::{pause, real_ms};
use crate::codes;
use crate::error::CommandError;
use crate::settings::Home;
use escrr_engine::EngineError;
use escrr_engine::store::{
    Committer, Dying, Holder, Home as Held, Lock, Moment, Notice, ProcessPlace, Reading, StoreError,
};
use std::time::Duration;

/// Who looks whether somebody holds the store has it for a moment, and so does a part of this
/// process that is done with it: a writer tries so many times,
const TRIES: u32 = 25;
/// with a pause between two.
const PAUSE: Duration = Duration::from_millis(20);

/// Between two looks at what another process writes.
pub const SECOND: Duration = Duration::from_secs(1);

/// Opens the store for writing; what was met and dealt with is said.
///
/// # Errors
/// Another process writes, the store cannot be read or written, or a newer version wrote it.
pub async fn write(
    context: Context<'_>,
    doing: &str,
    links: &[String],
) -> Result<Committer, CommandError> {
    Ok(Committer::start(hold(context, doing, links).await?)?)
}

/// Opens the store for writing in a process that kills itself at a moment.
///
/// # Errors
/// As [`write()`].
pub async fn write_until(
    moment: Moment,
    context: Context<'_>,
    doing: &str,
    links: &[String],
) -> Result<Committer, CommandError> {
    let store = hold(context, doing, links).await?;
    Ok(Committer::start(Dying::new(store, moment, Box::new(kill_self)))?)
}

/// SIGKILL: nothing is tidied up, as when the power goes for this process alone.
fn kill_self() {
    let me = rustix::process::getpid();
    // Where the system refuses, the store stops all the same and the command ends with that.
    rustix::process::kill_process(me, rustix::process::Signal::KILL).ok();
}

/// Takes the home for this process and opens its store; what was met and dealt with is said.
///
/// # Errors
/// As for [`write()`].
pub async fn hold(
    context: Context<'_>,
    doing: &str,
    links: &[String],
) -> Result<Held, CommandError> {
    let holder = holder(doing, links);
    let path = context.settings.home.path();
    let store = patiently(|| Held::open(path, &holder)).await?;
    say(store.notices(), context);
    Ok(store)
}

/// Takes the home for this process, without opening its store.
///
/// # Errors
/// Another process has it.
pub async fn lock(context: Context<'_>, doing: &str) -> Result<Lock, CommandError> {
    let holder = holder(doing, &[]);
    Ok(patiently(|| Lock::take(context.settings.home.path(), &holder)).await?)
}

/// Says what was met and dealt with.
pub fn say(notices: &[Notice], context: Context<'_>) {
    for notice in notices {
        context.ui.warning(&told(notice));
    }
}

/// Tries again while somebody looks, or has the home and leaves soon.
async fn patiently<T>(mut take: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut tries = 0;
    loop {
        match take() {
            Err(StoreError::InUse { holder, .. }) if tries < TRIES && leaves_soon(&holder) => {
                pause(PAUSE).await;
                tries += 1;
            }
            Err(StoreError::LookedAt { .. }) if tries < TRIES => {
                pause(PAUSE).await;
                tries += 1;
            }
            taken => return taken,
        }
    }
}

/// A part of this process leaves soon, and so does who has the lock and has not said yet who it
/// is: then the name of an earlier holder stands there, who is gone.
fn leaves_soon(holder: &Holder) -> bool {
    is_own(holder) || (holder.is_here() && !is_seen(holder.pid))
}

/// Is it this process?
fn is_own(holder: &Holder) -> bool {
    holder.pid == std::process::id() && holder.is_here()
}

/// Is a process of this number seen here? Who has the lock may all the same live elsewhere.
fn is_seen(pid: u32) -> bool {
    pid != 0 && std::fs::metadata(format!("/proc/{pid}")).is_ok()
}

/// A notice in words.
fn told(notice: &Notice) -> String {
    match notice {
        Notice::Rebuilt { why, kept, sagas } => {
            let kept = kept.as_ref().map_or(String::new(), |kept| {
                format!("; the old one is kept in {}", kept.display())
            });
            format!(
                "the store's index could not be used ({why}): it was made again of the journal, \
                 with {sagas} {}, and nothing is lost{kept}",
                if *sagas == 1 { "saga" } else { "sagas" }
            )
        }
        Notice::Cut { path, found, made } => format!(
            "{} is {found} bytes long and was made with {made}: somebody cut it; what stood \
             behind its end is gone, what stands before it is whole",
            path.display()
        ),
    }
}

/// Reads the store; a writer is not disturbed.
///
/// # Errors
/// The store cannot be read, or a newer version wrote it.
pub fn read(home: &Home) -> Result<Reading, CommandError> {
    Ok(Reading::open(home.path())?)
}

/// The process that writes while we read: the lock alone decides whether there is one, for it may
/// live in another container, or on another machine.
pub fn writer(reading: &Reading) -> Option<&Holder> {
    reading.holder().filter(|holder| !is_own(holder))
}

/// A holder in words: where its process lives, if that is not here.
pub fn whereabouts(holder: &Holder) -> String {
    if holder.is_here() {
        return String::new();
    }
    match holder.place.host.as_str() {
        "" => " of another machine or container".to_owned(),
        host => format!(" of {host}, another machine or container"),
    }
}

fn holder(doing: &str, links: &[String]) -> Holder {
    Holder {
        pid: std::process::id(),
        doing: doing.to_owned(),
        links: links.to_vec(),
        since_ms: real_ms(),
        place: ProcessPlace::here(),
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let said = error.to_string();
        match error {
            StoreError::InUse { holder, .. } => in_use(&said, &holder),
            StoreError::LookedAt { .. } => Self::new(codes::STORE_IN_USE, said)
                .meaning("nobody holds it, and nobody can take it meanwhile; nothing was done")
                .hint("try again"),
            StoreError::Damaged { .. } => Self::new(codes::STORE_DAMAGED, said)
                .meaning("nothing was changed; what is there cannot be trusted as it is")
                .hint("`escrr store verify` names everything that is wrong, and where")
                .hint(
                    "`escrr store rebuild` makes the index again; of a damaged journal \
                     `escrr store rebuild --salvage` saves what can be saved, and keeps the old one",
                )
                .next_command("escrr store verify"),
            StoreError::Newer { .. } => Self::new(codes::STORE_NEWER, said)
                .meaning("a newer version of escrr wrote it; nothing was read or changed")
                .hint("use that version, or another home: --home DIR"),
            StoreError::Full { path } => Self::new(codes::STORE_FULL, said)
                .meaning("what was acknowledged before is safe; nothing else was begun")
                .hint(format!("make room on the disk that {} is on, then go on", path.display()))
                .next_command("escrr resume"),
            StoreError::Io { .. } => Self::new(codes::STORE_IO, said)
                .meaning("what is there cannot be told: this is no empty home")
                .hint("the home has to be a directory that you may read and write")
                .hint("name another one with --home DIR or ESCRR_HOME"),
            StoreError::Writable { path, .. } => Self::new(codes::STORE_IO, said)
                .meaning("what stands in it could be anybody's; nothing was read or begun")
                .hint(format!("chmod go-w {}", path.display()))
                .hint("name another one with --home DIR or ESCRR_HOME"),
            StoreError::Unfit { .. } => Self::new(codes::STORE_IO, said)
                .meaning("it cannot keep what it is given; nothing was begun, and nothing is damaged")
                .hint("name a home on a file system that can: --home DIR or ESCRR_HOME"),
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
    let place = whereabouts(holder);
    let said = format!("{said}{place} (`{}`{links})", holder.doing);
    // A number of another place may be anybody's here.
    let stop = if holder.is_here() && is_seen(holder.pid) {
        format!("wait for its end, or stop it: kill -INT {} saves and ends it", holder.pid)
    } else {
        "wait for its end, or stop it where it runs: SIGINT saves and ends it".to_owned()
    };
    CommandError::new(codes::STORE_IN_USE, said)
        .meaning("one process at a time carries sagas on")
        .hint("`escrr status` shows how far it is")
        .hint(stop)
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
            EngineError::HistoryLost { .. } => Self::new(codes::HISTORY, said)
                .meaning("what was created since is not known; nothing was done")
                .next_command("escrr audit"),
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
    use crate::args::OutputForm;
    use crate::commands::tests::Stage;
    use crate::exit::Exit;

    fn locked(home: &std::path::Path, pid: u32, doing: &str) -> Lock {
        let links = vec!["a".to_owned()];
        let place = ProcessPlace::here();
        let holder = Holder { pid, doing: doing.into(), links, since_ms: 1, place };
        // A process that another test starts has the lock that was just given up until it
        // runs its program.
        loop {
            match Lock::take(home, &holder) {
                Err(StoreError::InUse { .. }) => std::thread::yield_now(),
                taken => return taken.unwrap(),
            }
        }
    }

    #[tokio::test]
    async fn a_writer_is_named_at_once_and_who_leaves_soon_is_waited_for() {
        let stage = Stage::new(OutputForm::Human);
        // Process 1 is always there.
        let lock = locked(stage.home.path(), 1, "run");
        let error = write(stage.context(), "resume", &[]).await.unwrap_err();
        assert_eq!(error.exit(), Exit::InUse);
        assert!(error.said.contains("process 1 (`run` for a)"), "{error}");
        drop(lock);
        let lock = locked(stage.home.path(), std::process::id(), "run");
        let opening = write(stage.context(), "run", &[]);
        let (opened, ()) = tokio::join!(opening, async move { drop(lock) });
        assert!(opened.is_ok());
    }

    #[tokio::test]
    async fn what_cannot_be_opened_ends_with_its_own_code() {
        let stage = Stage::new(OutputForm::Human);
        let store = stage.home.path().join("store");
        std::fs::create_dir_all(&store).unwrap();
        std::fs::write(store.join("meta"), "format = 99\n").unwrap();
        let home = Home::at(stage.home.path());
        let newer = read(&home).unwrap_err();
        assert_eq!((newer.code, newer.exit()), (codes::STORE_NEWER, Exit::StoreDamaged));
        let newer = write(stage.context(), "run", &[]).await.unwrap_err();
        assert_eq!(newer.code, codes::STORE_NEWER);
        std::fs::write(store.join("meta"), "mince").unwrap();
        assert_eq!(read(&home).unwrap_err().code, codes::STORE_DAMAGED);
        let file = stage.home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let unwritable =
            Held::open(&file.join("home"), &holder("run", &[])).map_err(CommandError::from);
        let unwritable = unwritable.unwrap_err();
        assert_eq!((unwritable.code, unwritable.exit()), (codes::STORE_IO, Exit::Failed));
        assert!(unwritable.hints.concat().contains("--home"));
    }

    #[tokio::test]
    async fn no_kill_is_advised_for_a_process_that_lives_elsewhere() {
        let stage = Stage::new(OutputForm::Human);
        let place = ProcessPlace { host: "box-7".into(), ..ProcessPlace::here() };
        let holder = Holder { pid: 1, doing: "run".into(), place, ..Holder::default() };
        let lock = Lock::take(stage.home.path(), &holder).unwrap();
        let error = write(stage.context(), "resume", &[]).await.unwrap_err();
        assert!(error.said.contains("process 1 of box-7"), "{error}");
        assert!(!error.hints.concat().contains("kill"), "{error:?}");
        drop(lock);
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let error = CommandError::from(StoreError::Full { path: "/home/x".into() });
        assert_eq!(error.exit(), Exit::Failed);
        assert!(error.hints[0].contains("make room") && error.next_command.is_some());
    }
}
