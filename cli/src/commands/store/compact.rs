//! `escrr store compact`

use super::{count, show, size};
use crate::Context;
use crate::args::CompactArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::store;
use escrr_engine::store::care;
use serde_json::json;

/// Makes the store small.
pub(super) async fn run(args: &CompactArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let lock = store::lock(context, "store compact").await?;
    let done = care::compact(context.settings.home.path(), lock, args.purge)?;
    store::say(&done.notices, context);
    let aside: Vec<String> = done.aside.iter().map(|path| path.display().to_string()).collect();
    let document = json!({
        "bytes_before": done.before, "bytes_after": done.after,
        "files_before": done.files_before, "files_after": done.files_after,
        "broken_indices": aside, "purged": args.purge, "exit_code": 0,
    });
    let mut lines = vec![format!(
        "{} in {} before, {} in {} now",
        size(done.before),
        count(done.files_before, "file", "files"),
        size(done.after),
        count(done.files_after, "file", "files")
    )];
    let verb = if args.purge { "removed" } else { "kept" };
    lines.extend(aside.iter().map(|path| format!("{verb} a broken index: {path}")));
    show(&document, &lines.join("\n"), context);
    if !args.purge && !aside.is_empty() {
        context.ui.hint("`escrr store compact --purge` removes broken indices");
    }
    Ok(Exit::Done)
}
