//! `escrr sandbox inventory` and `escrr sandbox log`

use crate::Context;
use crate::args::{OutputForm, SandboxChoice};
use crate::codes;
use crate::error::CommandError;
use crate::pretend::{explain, is_file};
use crate::sandbox_control::{Control, find};
use crate::ui::table::Table;
use crate::ui::words::time;
use escrr_sandbox::{LogLine, Offline, Thing, offline};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Everything that exists.
pub(super) async fn inventory(
    choice: Option<&SandboxChoice>,
    context: Context<'_>,
) -> Result<(), CommandError> {
    let all = ask(choice, "inventory", Offline::inventory, context).await?;
    show("things", &all, context, |things: Vec<Thing>| {
        let mut table = Table::new(&["KIND", "ID", "REGION", "LINK", "SINCE"]);
        for thing in things {
            table.row(vec![thing.kind, thing.id, thing.region, thing.owner, thing.since]);
        }
        table
    })
}

/// Every request that came in.
pub(super) async fn log(
    choice: Option<&SandboxChoice>,
    context: Context<'_>,
) -> Result<(), CommandError> {
    let all = ask(choice, "log", |world| world.log.clone(), context).await?;
    show("requests", &all, context, |lines: Vec<LogLine>| {
        let heading = ["SEQ", "TIME", "PRODUCT", "ACTION", "REGION", "TOKEN", "OUTCOME"];
        let mut table = Table::new(&heading);
        for line in lines {
            table.row(vec![
                line.seq.to_string(),
                time(line.at_ms),
                line.product,
                line.action,
                line.region,
                line.token.unwrap_or_default(),
                line.outcome,
            ]);
        }
        table
    })
}

/// Asks the sandbox that runs, or reads the world that one left behind.
async fn ask<T: Serialize>(
    choice: Option<&SandboxChoice>,
    what: &str,
    left: impl FnOnce(&Offline) -> T,
    context: Context<'_>,
) -> Result<Value, CommandError> {
    let home = &context.settings.home;
    if let Some(addresses) = find(choice, home)? {
        match Control::new(&addresses)?.get(what).await {
            // The note may be older than the process that has its number now.
            Err(error) if error.code == codes::NO_SANDBOX && !is_file(choice) => {}
            answer => return answer,
        }
    }
    let world = offline(&home.world()).map_err(|error| explain(&error))?;
    serde_json::to_value(left(&world))
        .map_err(|error| CommandError::new(codes::BUG, error.to_string()))
}

/// A list: a table for people, for programs as the sandbox answers it.
fn show<T: DeserializeOwned>(
    name: &str,
    all: &Value,
    context: Context<'_>,
    table: impl FnOnce(Vec<T>) -> Table,
) -> Result<(), CommandError> {
    match context.ui.form() {
        OutputForm::Json => context.ui.document(&json!({ name: all })),
        OutputForm::Ndjson => {
            for one in all.as_array().into_iter().flatten() {
                context.ui.line(one);
            }
        }
        OutputForm::Human => {
            let list = serde_json::from_value(all.clone())
                .map_err(|error| CommandError::new(codes::SANDBOX_CONTROL, error.to_string()))?;
            let table = table(list);
            if table.is_empty() {
                context.ui.status("nothing");
            } else {
                context.ui.result(&table.render(context.ui.columns()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::Stage;
    use escrr_sandbox::{Options, Sandbox};

    async fn made(stage: &Stage) -> Sandbox {
        let dir = Some(stage.context().settings.home.world());
        Sandbox::start(Options { dir, ..Options::default() }).await.unwrap()
    }

    #[tokio::test]
    async fn a_world_is_shown_the_same_running_and_left_behind() {
        let stage = Stage::new(OutputForm::Json);
        let sandbox = made(&stage).await;
        let note = crate::sandbox_control::Announced::new(
            &stage.context().settings.home,
            sandbox.addresses(),
        )
        .unwrap();
        inventory(None, stage.context()).await.unwrap();
        let running = stage.captured.out();
        assert!(running.contains("vpc-leader0001"), "{running}");
        drop(note);
        sandbox.stop().await;
        inventory(None, stage.context()).await.unwrap();
        assert_eq!(stage.captured.out(), running.repeat(2));
    }

    #[tokio::test]
    async fn people_get_a_table() {
        let stage = Stage::new(OutputForm::Human);
        made(&stage).await.stop().await;
        inventory(None, stage.context()).await.unwrap();
        assert!(stage.captured.out().starts_with("KIND"), "{}", stage.captured.out());
        log(None, stage.context()).await.unwrap();
        assert!(stage.captured.err().contains("nothing"));
    }

    #[tokio::test]
    async fn without_a_world_the_hint_says_how_to_make_one() {
        let stage = Stage::new(OutputForm::Human);
        let error = inventory(None, stage.context()).await.unwrap_err();
        assert_eq!(error.code, codes::NO_SANDBOX);
        assert!(error.hints[0].contains("escrr sandbox start"));
    }
}
