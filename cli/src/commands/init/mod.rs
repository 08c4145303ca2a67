//! `escrr init`: a commented spec, filled in where it can be.

mod choose;
mod fill;

use crate::Context;
use crate::args::{InitArgs, OutputForm};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place;
use crate::shell::word;
use choose::{Choice, choose, show};
use escrr_steps::spec::{EXAMPLE, Spec};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes the commented example, or what was chosen in its place.
pub(super) async fn run(args: &InitArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let to_stdout = args.file == Path::new("-");
    // Before anybody is asked anything: an answer that is thrown away is a nuisance.
    if !to_stdout && !args.force && args.file.exists() {
        return Err(in_the_way(&args.file));
    }
    let text = match choose(args, context).await? {
        None => EXAMPLE.to_owned(),
        Some(Choice::Made(filling)) => {
            let text = filling.text();
            Spec::parse(&text, "the new spec")?;
            text
        }
        Some(Choice::Open { instances, text, error }) => {
            show((instances, &text), &error, context);
            return Ok(error.exit());
        }
    };
    if to_stdout {
        context.ui.result(text.trim_end());
        return Ok(Exit::Done);
    }
    write(&args.file, &text, args.force).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            in_the_way(&args.file)
        } else {
            CommandError::file(codes::UNWRITABLE, "cannot write", &args.file, &error)
        }
    })?;
    say(args, text == EXAMPLE, context);
    Ok(Exit::Done)
}

fn in_the_way(file: &Path) -> CommandError {
    CommandError::new(codes::IN_THE_WAY, format!("{} is there already", file.display()))
        .hint("name another file, or write over it with --force")
}

/// Says what was written and what comes next.
fn say(args: &InitArgs, as_it_was: bool, context: Context<'_>) {
    let file = args.file.display().to_string();
    let next = format!("escrr plan {}{}", word(&args.file), place::flag(args.sandbox.choice()));
    let about = json!({ "file": file, "next_command": next });
    match context.ui.form() {
        OutputForm::Human => context.ui.result(&format!("wrote {file}")),
        OutputForm::Json => context.ui.document(&about),
        OutputForm::Ndjson => context.ui.line(&about),
    }
    if as_it_was {
        context.ui.hint("put your regions and instance ids into it");
    } else if args.sandbox.choice().is_none() {
        context
            .ui
            .hint("say in it how the clusters are asked, [leader.access], and what is replicated");
    }
    context.ui.hint("`escrr schema spec >escrr.schema.json` lets an editor check it as you type");
    context.ui.hint(&format!("`{next}` shows what it would make, and makes nothing"));
}

fn write(path: &Path, text: &str, over: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if over {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use crate::commands::tests::Stage;
    use clap::Parser as _;
    use serde_json::Value;

    fn args(words: &[&str]) -> InitArgs {
        let args = Args::parse_from(["escrr", "init"].iter().chain(words));
        let Command::Init(args) = args.command else { panic!("no init") };
        args
    }

    const REGIONS: [&str; 4] =
        ["--leader-region", "cn-beijing", "--follower-region", "cn-hangzhou"];

    #[tokio::test]
    async fn an_existing_file_is_kept_unless_forced() {
        let stage = Stage::new(OutputForm::Human);
        let file = stage.home.path().join("escrr.toml").display().to_string();
        std::fs::write(&file, "mine").unwrap();
        let error = run(&args(&[&file]), stage.context()).await.unwrap_err();
        assert_eq!((error.code, error.exit()), (codes::IN_THE_WAY, Exit::Usage));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        run(&args(&[&file, "--force"]), stage.context()).await.unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), EXAMPLE);
        assert!(stage.captured.err().contains("escrr plan"));
    }

    #[tokio::test]
    async fn a_hyphen_is_stdout() {
        let stage = Stage::new(OutputForm::Human);
        run(&args(&["-"]), stage.context()).await.unwrap();
        assert_eq!(stage.captured.out(), EXAMPLE);
        assert_eq!(stage.captured.err(), "");
    }

    #[tokio::test]
    async fn a_directory_that_is_not_there_is_named() {
        let stage = Stage::new(OutputForm::Human);
        let file = stage.home.path().join("no/escrr.toml").display().to_string();
        let error = run(&args(&[&file]), stage.context()).await.unwrap_err();
        assert!(error.said.contains("no/escrr.toml"), "{error}");
    }

    #[tokio::test]
    async fn with_both_ids_nothing_is_asked() {
        let stage = Stage::new(OutputForm::Human);
        let ids = ["-", "--leader", "es-cn-a", "--follower", "es-cn-b"];
        run(&args(&[&ids[..], &REGIONS].concat()), stage.context()).await.unwrap();
        let spec = Spec::parse(&stage.captured.out(), "t").unwrap();
        assert_eq!(
            (spec.link.as_str(), spec.leader.region.as_str()),
            ("beijing-hangzhou", "cn-beijing")
        );
        assert_eq!(spec.follower.instance, "es-cn-b");
    }

    #[tokio::test]
    async fn ids_without_regions_and_names_that_cannot_be_are_refused() {
        let stage = Stage::new(OutputForm::Human);
        let error = run(&args(&["-", "--leader", "es-cn-a"]), stage.context()).await.unwrap_err();
        assert_eq!(error.code, codes::USAGE);
        assert!(error.hints[0].contains("--leader-region"));
        let ids = ["-", "--leader", "es-cn-a", "--follower", "es-cn-b", "--link", "Not Good"];
        let words = [&ids[..], &REGIONS].concat();
        let error = run(&args(&words), stage.context()).await.unwrap_err();
        assert_eq!(error.code, codes::SPEC);
        let one = ["escrr", "init", "--leader-region", "cn-beijing"];
        assert!(Args::try_parse_from(one).is_err());
    }

    #[tokio::test]
    async fn the_only_instances_of_a_sandbox_are_taken() {
        let stage = Stage::new(OutputForm::Human);
        run(&args(&["-", "--sandbox"]), stage.context()).await.unwrap();
        let spec = Spec::parse(&stage.captured.out(), "t").unwrap();
        assert_eq!(spec.leader.instance, "es-cn-leader000001");
        assert_eq!(spec.follower.instance, "es-cn-follower0001");
        assert!(stage.captured.err().contains("the only one in cn-shanghai"));
    }

    #[tokio::test]
    async fn a_region_without_instances_is_said() {
        let stage = Stage::new(OutputForm::Json);
        let words = [&["-", "--sandbox"][..], &REGIONS].concat();
        let error = run(&args(&words), stage.context()).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Blocked);
        assert!(error.said.contains("cn-beijing"), "{error}");
        let document: Value = error.to_json();
        assert_eq!(document["error"]["code"], "E1002");
    }
}
