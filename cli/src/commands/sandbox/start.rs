//! `escrr sandbox start`

use crate::Context;
use crate::args::SandboxStartArgs;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::pretend::explain;
use crate::sandbox_control::Announced;
use crate::session::Signals;
use escrr_sandbox::{Options, Sandbox, WorldFile, offline};
use escrr_steps::limited;
use std::path::Path;

/// Serves until SIGINT, SIGTERM or SIGHUP, which are the ordinary ends.
pub(super) async fn run(
    args: &SandboxStartArgs,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let home = &context.settings.home;
    let dir = home.world();
    // Before the start, so that a signal that comes early is not lost.
    let mut signals = Signals::listen()?;
    let world = args.world.as_deref().map(read_world).transpose()?;
    if world.is_some() && offline(&dir).is_ok() {
        context.ui.warning("the world that is there goes on, and --world is not looked at");
        context.ui.hint(&format!("remove {} to begin with another world", dir.display()));
    }
    let options = Options { dir: Some(dir.clone()), world, speed: args.speed, lazy: false };
    let sandbox = Sandbox::start(options).await.map_err(|error| explain(&error))?;
    let note = Announced::new(home, sandbox.addresses())?;
    context.ui.line(sandbox.addresses());
    context.ui.status(&format!("the pretend cloud is there; its world is in {}", dir.display()));
    context.ui.hint("`escrr run --sandbox` builds a link in it, from another terminal");
    context.ui.hint("`escrr sandbox inventory` shows what exists; Ctrl-C stops it");
    signals.next().await;
    drop(note);
    sandbox.stop().await;
    context.ui.status("stopped; the world is kept");
    Ok(Exit::Done)
}

/// The largest world file of a test is a tenth of this.
const MOST_BYTES: usize = 64 * 1024 * 1024;

fn read_world(path: &Path) -> Result<WorldFile, CommandError> {
    let text = limited::read_text(path, MOST_BYTES)
        .map_err(|error| CommandError::file(codes::UNREADABLE, "cannot read", path, &error))?;
    toml::from_str(&text).map_err(|error| {
        let said = format!("{} is no world: {}", path.display(), error.to_string().trim_end());
        CommandError::new(codes::WORLD_FILE, said)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_world_file_is_read_or_its_error_shown_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("world.toml");
        let good = "leader = \"a\"\nfollower = \"b\"\n[instances]\n";
        fs::write(&path, good).unwrap();
        assert_eq!(read_world(&path).unwrap().leader, "a");
        fs::write(&path, format!("colour = 1\n{good}")).unwrap();
        let error = read_world(&path).unwrap_err();
        assert_eq!(error.code, codes::WORLD_FILE);
        assert!(error.said.contains("line 1, column 1"), "{error}");
        fs::remove_file(&path).unwrap();
        assert_eq!(read_world(&path).unwrap_err().code, codes::UNREADABLE);
    }
}
