//! Who gives a command: the journal names him with everything that he caused.

use crate::Context;
use crate::args::SandboxChoice;
use crate::shell::absolute_word;
use escrr_engine::Actor;
use nix::unistd::{User, gethostname, getuid};

/// The user of this process, as the journal names him; the environment's word counts only
/// where the system has no name for him.
pub fn person(context: Context<'_>) -> String {
    let known = User::from_uid(getuid()).ok().flatten().map(|user| user.name);
    let named = |name| context.env.filled(name);
    known
        .or_else(|| named("USER"))
        .or_else(|| named("LOGNAME"))
        .unwrap_or_else(|| format!("uid {}", getuid()))
}

/// Who gives this command, on which machine, over which file of addresses.
pub fn actor(choice: Option<&SandboxChoice>, context: Context<'_>) -> Actor {
    let sandbox = match choice {
        Some(SandboxChoice::File(path)) => Some(absolute_word(path)),
        Some(SandboxChoice::Own | SandboxChoice::Off) | None => None,
    };
    let host = gethostname().ok().map(|name| name.to_string_lossy().into_owned());
    Actor { cloud: None, user: Some(person(context)), host, sandbox }
}

/// An actor in words, behind the name that stands already.
pub fn told(actor: &Actor) -> String {
    let host = actor.host.as_ref().map(|host| format!("@{host}")).unwrap_or_default();
    let cloud = actor.cloud.as_ref().map(|arn| format!(" as {arn}")).unwrap_or_default();
    format!("{host}{cloud}")
}
