//! `docs/reference/cli.md`

use crate::{cell, page};
use clap::{Arg, Command};
use std::fmt::{self, Write as _};

const HEAD: &str = "# Command line

What `escrr --help` and `escrr COMMAND --help` say, on one page. A flag wins over its
variable, a variable over the default. What each end of the process means is in
[exit codes](exit-codes.md).";

/// The description, each paragraph as one line.
fn about(command: &Command) -> String {
    let text = command.get_long_about().or(command.get_about());
    let text = text.map(ToString::to_string).unwrap_or_default();
    let paragraphs = text.split("\n\n").map(|p| p.replace('\n', " "));
    paragraphs
        .map(|p| if p.ends_with('.') { p } else { format!("{p}.") })
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// `-q, --quiet`, `--home <DIR>`, `[SPEC]…`
fn name(arg: &Arg) -> String {
    let values: Vec<&str> =
        arg.get_value_names().unwrap_or_default().iter().map(AsRef::<str>::as_ref).collect();
    let many = arg.get_num_args().is_some_and(|n| n.max_values() > 1);
    let dots = if many { "…" } else { "" };
    if arg.is_positional() {
        let value = values.join(" ");
        return if arg.is_required_set() {
            format!("<{value}>{dots}")
        } else {
            format!("[{value}]{dots}")
        };
    }
    let long = arg.get_long().map(|l| format!("--{l}"));
    let short = arg.get_short().map(|s| format!("-{s}"));
    let flag = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    if !arg.get_action().takes_values() {
        return flag;
    }
    let value = values.join(" ");
    let optional = arg.get_num_args().is_some_and(|n| n.min_values() == 0);
    if optional { format!("{flag}[=<{value}>]") } else { format!("{flag} <{value}>") }
}

/// The help, the values that may be given and the default.
fn help(arg: &Arg) -> String {
    let text = arg.get_long_help().or(arg.get_help());
    let mut said = text.map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|_| arg.get_action().takes_values())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() {
        said = format!("{said}: {}", values.join(", "));
    }
    let default: Vec<&str> = arg.get_default_values().iter().filter_map(|v| v.to_str()).collect();
    if !default.concat().is_empty() && arg.get_action().takes_values() {
        said = format!("{said}. Default `{}`", default.join(" "));
    }
    cell(&said)
}

fn table<'a>(text: &mut String, args: impl Iterator<Item = &'a Arg>) -> fmt::Result {
    let args: Vec<&Arg> = args
        .filter(|a| !a.is_hide_set() && !matches!(a.get_id().as_str(), "help" | "version"))
        .collect();
    if args.is_empty() {
        return Ok(());
    }
    text.push_str("\n| Argument | Variable | What |\n|---|---|---|\n");
    for arg in args {
        let env = arg.get_env().and_then(|e| e.to_str());
        let env = env.map_or_else(|| "–".to_owned(), |env| format!("`{env}`"));
        writeln!(text, "| `{}` | {env} | {} |", cell(&name(arg)), help(arg))?;
    }
    Ok(())
}

fn command(text: &mut String, path: &str, it: &Command) -> fmt::Result {
    if it.get_name() == "help" {
        return Ok(());
    }
    let path = format!("{path} {}", it.get_name());
    write!(text, "\n## {path}\n\n{}\n", about(it))?;
    table(text, it.get_arguments().filter(|a| !a.is_global_set()))?;
    it.get_subcommands().try_for_each(|sub| command(text, &path, sub))
}

#[test]
fn the_page_of_the_command_line_is_the_programs() -> fmt::Result {
    let whole = escrr::args::command();
    let mut text = format!("{HEAD}\n\n{}\n\n## Options of every command\n", about(&whole));
    table(&mut text, whole.get_arguments().filter(|a| a.is_global_set()))?;
    whole.get_subcommands().try_for_each(|sub| command(&mut text, "escrr", sub))?;
    page("cli.md", &text);
    Ok(())
}
