//! Which world a saga was begun in, where there is more than one of a kind: two sandboxes are two
//! worlds, and what was made in one is not in the other.

use crate::args::SandboxChoice;
use crate::codes;
use crate::error::CommandError;
use crate::place::{Place, SANDBOX, flag};
use crate::sagas::choose;
use crate::shell::{absolute_word, word};
use escrr_engine::store::{Committer, Head, Reading};
use escrr_engine::{Actor, Entry, Event};

/// Where a saga was begun, and how that place was named last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Begun {
    id: Option<String>,
    sandbox: Option<String>,
}

impl Begun {
    fn of(entries: &[Entry]) -> Self {
        let mut begun = Self::default();
        for entry in entries {
            if let Event::Created { world_id, .. } = &entry.event {
                begun.id.clone_from(world_id);
            }
            if let Some(actor) = reached_by(&entry.event) {
                begun.sandbox.clone_from(&actor.sandbox);
            }
        }
        begun
    }

    /// The flag that leads there.
    fn flag(&self) -> String {
        let file = self.sandbox.as_ref().map(|file| format!("={file}"));
        format!("--sandbox{}", file.unwrap_or_default())
    }
}

/// Who reached the world, where an entry says so.
fn reached_by(event: &Event) -> Option<&Actor> {
    let (Event::Created { actor, .. }
    | Event::RollbackBegun { actor, .. }
    | Event::Resumed { actor, .. }) = event
    else {
        return None;
    };
    Some(actor).filter(|actor| !actor.is_unknown())
}

/// The sagas of a home, by whether they were begun in the world that is reached.
#[derive(Debug, Default)]
pub struct Sorted {
    /// Those of this world, and those that do not say which world they were begun in.
    pub here: Vec<Head>,
    elsewhere: Vec<(Head, Begun)>,
}

impl Sorted {
    fn add(&mut self, head: Head, begun: Option<Begun>, place: &Place) {
        match begun {
            Some(begun) if begun.id.is_some() && begun.id.as_deref() != place.world_id() => {
                self.elsewhere.push((head, begun));
            }
            Some(_) | None => self.here.push(head),
        }
    }

    /// The saga that a command means in this world.
    ///
    /// # Errors
    /// None, or more than one, could be meant; or it was begun in another sandbox.
    pub fn choose(
        &self,
        link: Option<&str>,
        (choice, command): (Option<&SandboxChoice>, &str),
    ) -> Result<Head, CommandError> {
        let kind = crate::place::kind(choice);
        match choose(&self.here, link, Some(kind)) {
            Ok(head) if head.world == kind => Ok(head),
            other => match self.newest_elsewhere(link) {
                Some((head, begun)) if kind == SANDBOX => {
                    Err(another(head, begun, (choice, command)))
                }
                Some(_) | None => other,
            },
        }
    }

    fn newest_elsewhere(&self, link: Option<&str>) -> Option<&(Head, Begun)> {
        let named = |(head, _): &&(Head, Begun)| link.is_none_or(|link| head.link == link);
        self.elsewhere.iter().filter(named).max_by_key(|(head, _)| head.saga)
    }
}

/// Sorts the sagas of a home that is read.
///
/// # Errors
/// A journal cannot be read.
pub fn of_reading(reading: &Reading, place: &Place) -> Result<Sorted, CommandError> {
    let mut sorted = Sorted::default();
    for head in reading.heads()? {
        let begun = match place {
            Place::Sandbox(_) if head.world == SANDBOX => {
                Some(Begun::of(&reading.entries(head.saga, 1)?))
            }
            Place::Sandbox(_) | Place::Cloud => None,
        };
        sorted.add(head, begun, place);
    }
    Ok(sorted)
}

/// Sorts the sagas of a home that this process writes to; those of other links are left out.
///
/// # Errors
/// A journal cannot be read.
pub async fn of_writer(
    committer: &Committer,
    links: &[String],
    place: &Place,
) -> Result<Sorted, CommandError> {
    let mut sorted = Sorted::default();
    for head in committer.heads().await? {
        if !links.contains(&head.link) {
            continue;
        }
        let begun = match place {
            Place::Sandbox(_) if head.world == SANDBOX => {
                Some(Begun::of(&committer.entries(head.saga, 1).await?))
            }
            Place::Sandbox(_) | Place::Cloud => None,
        };
        sorted.add(head, begun, place);
    }
    Ok(sorted)
}

/// Refuses to carry a saga on in another kind of world than it was begun in.
///
/// # Errors
/// The kinds differ, or the journal cannot be read.
pub fn same_kind(
    reading: &Reading,
    head: &Head,
    (choice, command): (Option<&SandboxChoice>, &str),
) -> Result<(), CommandError> {
    if head.world == crate::place::kind(choice) {
        return Ok(());
    }
    let link = &head.link;
    let (begun, asked, flag) = if head.world == SANDBOX {
        let flag = Begun::of(&reading.entries(head.saga, 1)?).flag();
        ("a sandbox", "the real cloud", flag)
    } else {
        // `off` also holds against a variable that names a sandbox.
        ("the real cloud", "a sandbox", "--sandbox=off".to_owned())
    };
    let said = format!("the saga of {link} was begun in {begun}, not in {asked}");
    Err(CommandError::new(codes::OTHER_WORLD, said)
        .meaning("nothing was done")
        .next_command(format!("escrr {command} {} {flag}", word(link))))
}

/// The saga was begun in a sandbox that is not the one that answers.
fn another(
    head: &Head,
    begun: &Begun,
    (choice, command): (Option<&SandboxChoice>, &str),
) -> CommandError {
    let link = word(&head.link);
    let said = format!("the saga of {} was begun in another sandbox", head.link);
    let error = CommandError::new(codes::OTHER_WORLD, said)
        .meaning("what it made is not in the sandbox that answers here; nothing was done");
    let this = match choice {
        Some(SandboxChoice::File(path)) => Some(absolute_word(path)),
        Some(SandboxChoice::Own | SandboxChoice::Off) | None => None,
    };
    if begun.sandbox == this {
        return error.hint(format!(
            "its sandbox is gone, was reset, or has another file of addresses now; \
             `escrr run{}` begins a new saga in this one",
            flag(choice)
        ));
    }
    error.next_command(format!("escrr {command} {link} {}", begun.flag()))
}
