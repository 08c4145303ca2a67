//! `escrr store rebuild`

use super::{count, show};
use crate::Context;
use crate::args::RebuildArgs;
use crate::clock::real_ms;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::store;
use escrr_engine::store::Lock;
use escrr_engine::store::care::{self, Salvaged, Saved};
use serde_json::{Value, json};

/// Makes the index again; with `--salvage` a new store out of a damaged one.
pub(super) async fn run(args: &RebuildArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let lock = store::lock(context, "store rebuild").await?;
    if args.salvage {
        if let Some(salvaged) = care::salvage(context.settings.home.path(), &lock, real_ms())? {
            tell(&salvaged, context);
            return Ok(Exit::Done);
        }
        context.ui.status("the journal is sound: there is nothing to salvage");
    }
    rebuild(&lock, context)?;
    Ok(Exit::Done)
}

fn rebuild(lock: &Lock, context: Context<'_>) -> Result<(), CommandError> {
    let rebuilt = care::rebuild(context.settings.home.path(), lock).map_err(|error| {
        let mut error = CommandError::from(error);
        if error.code == codes::STORE_DAMAGED {
            error.next_command = Some("escrr store rebuild --salvage".to_owned());
        }
        error
    })?;
    let kept = rebuilt.kept.map(|path| path.display().to_string());
    let sagas = rebuilt.sagas as u64;
    let mut text =
        format!("the index was made again of the journal, with {}", count(sagas, "saga", "sagas"));
    if let Some(kept) = &kept {
        text.push_str("; the old one is kept in ");
        text.push_str(kept);
    }
    show(
        &json!({ "sagas": sagas, "kept": kept, "salvaged": false, "exit_code": 0 }),
        &text,
        context,
    );
    Ok(())
}

fn tell(salvaged: &Salvaged, context: Context<'_>) {
    let aside = salvaged.aside.display().to_string();
    let sagas: Vec<Value> = salvaged.sagas.iter().map(document).collect();
    let findings: Vec<String> = salvaged.findings.iter().map(ToString::to_string).collect();
    let incomplete: Vec<&Saved> = salvaged.sagas.iter().filter(|saga| saga.incomplete).collect();
    let next = incomplete.first().map_or_else(
        || "escrr status".to_owned(),
        |saga| match saga.link.as_str() {
            "" => "escrr list".to_owned(),
            link => format!("escrr status {link}"),
        },
    );
    let mut lines: Vec<String> = salvaged.sagas.iter().map(line).collect();
    lines.push(format!("the whole old store is kept in {aside}"));
    let document = json!({
        "salvaged": true, "kept": aside, "sagas": sagas, "findings": findings,
        "index": salvaged.index, "exit_code": 0, "next_command": next,
    });
    for finding in &findings {
        context.ui.status(finding);
    }
    if let Some(why) = &salvaged.index {
        context.ui.warning(&format!("the old index could not be asked: {why}"));
    }
    show(&document, &lines.join("\n"), context);
    if !incomplete.is_empty() {
        context.ui.warning(
            "of these sagas entries are lost, or may be, and with them the knowledge of things that \
             were made: they are neither carried on nor taken back",
        );
        context.ui.hint("`escrr audit LINK` names what is there and not known");
    } else if !findings.is_empty() {
        context.ui.hint("nothing is lost; `escrr audit LINK` holds the saga against the cloud");
    }
    context.ui.next(&next);
}

fn document(saved: &Saved) -> Value {
    let lost = (saved.kept < saved.known).then(|| json!([saved.kept + 1, saved.known]));
    json!({
        "saga": saved.saga, "link": saved.link, "kept": saved.kept, "lost": lost,
        "from_index": saved.from_index, "incomplete": saved.incomplete,
    })
}

fn line(saved: &Saved) -> String {
    let link = if saved.link.is_empty() { "of an unknown link" } else { &saved.link };
    let kept = match saved.kept {
        0 => "nothing could be kept".to_owned(),
        kept => format!("entries 1 to {kept} kept"),
    };
    let lost = if saved.kept < saved.known {
        format!(", entries {} to {} lost", saved.kept + 1, saved.known)
    } else if saved.incomplete {
        ", later ones may be lost".to_owned()
    } else {
        ", none known to be lost".to_owned()
    };
    let index = match saved.from_index {
        0 => String::new(),
        number => format!(" ({number} of them out of the index)"),
    };
    format!("{link}, saga {}: {kept}{index}{lost}", saved.saga)
}
