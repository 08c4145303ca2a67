//! `escrr sandbox fault`

use super::say;
use crate::Context;
use crate::args::{FaultArgs, Kill, OutputForm};
use crate::codes;
use crate::error::CommandError;
use crate::pretend::{Pretend, Publicity};
use crate::ui::table::Table;
use escrr_sandbox::Fault;
use escrr_sandbox::fault::{Effect, Order, When};
use escrr_steps::limited;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;

/// Orders faults, lists them or takes them back.
pub(super) async fn run(args: &FaultArgs, context: Context<'_>) -> Result<(), CommandError> {
    // Before a sandbox is reached: a file that is wrong needs none.
    let orders = orders(args)?;
    let reached = Pretend::reach(args.sandbox.choice(), Publicity::Silent, context).await?;
    let done = ask(args, &orders, &reached, context).await;
    reached.leave().await;
    done
}

async fn ask(
    args: &FaultArgs,
    orders: &[Value],
    reached: &Pretend,
    context: Context<'_>,
) -> Result<(), CommandError> {
    if args.list {
        return list(&reached.control.get("fault").await?, context);
    }
    if args.clear {
        let answer = reached.control.delete("fault").await?;
        let count = answer.get("cleared").and_then(Value::as_u64).unwrap_or_default();
        say(context, &answer, &format!("{count} taken back"));
        return Ok(());
    }
    for order in orders {
        let answer = reached.control.post("fault", order).await?;
        let id = answer.get("id").and_then(Value::as_u64).unwrap_or_default();
        say(context, &answer, &format!("fault {id} ordered"));
    }
    Ok(())
}

/// What is to be ordered: the file's content, or what the flags say.
fn orders(args: &FaultArgs) -> Result<Vec<Value>, CommandError> {
    if let Some(path) = &args.json {
        let read = read(path)?;
        return Ok(read.as_array().cloned().unwrap_or_else(|| vec![read]));
    }
    let Some(effect) = effect(args) else { return Ok(Vec::new()) };
    let which = &args.which;
    let fault = Fault {
        product: which.product.clone(),
        action: which.action.clone(),
        mutating: which.mutating.then_some(true),
        nth: which.nth,
        times: which.times,
        chance: which.chance,
        effect,
    };
    Ok(vec![json!(fault)])
}

fn effect(args: &FaultArgs) -> Option<Effect> {
    let plain = [
        (args.throttle, Effect::Throttle),
        (args.expire_credentials, Effect::ExpireCredentials),
        (args.lost, Effect::Lost),
        (args.cut, Effect::Cut),
        (args.stale, Effect::Stale),
        (args.stuck, Effect::Stuck),
    ];
    if let Some(code) = &args.refuse {
        let (code, message) = (code.clone(), args.message.clone());
        return Some(Effect::Refuse { status: args.status, code, message });
    }
    args.delay_ms
        .map(Effect::DelayMs)
        .or_else(|| {
            args.kill.map(|kill| match kill {
                Kill::Before => Effect::Kill { when: When::Before },
                Kill::After => Effect::Kill { when: When::After },
            })
        })
        .or_else(|| plain.into_iter().find(|(asked, _)| *asked).map(|(_, effect)| effect))
}

/// More orders than anybody gives at once.
const MOST_BYTES: usize = 1024 * 1024;

fn read(path: &Path) -> Result<Value, CommandError> {
    let read = if path == Path::new("-") {
        let mut text = String::new();
        let mut stdin = std::io::stdin().lock().take(MOST_BYTES as u64);
        stdin.read_to_string(&mut text).map(|_| text)
    } else {
        limited::read_text(path, MOST_BYTES)
    };
    let text =
        read.map_err(|error| CommandError::file(codes::UNREADABLE, "cannot read", path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        CommandError::new(codes::USAGE, format!("{} is no fault: {error}", path.display()))
    })
}

fn list(answer: &Value, context: Context<'_>) -> Result<(), CommandError> {
    if context.ui.form() != OutputForm::Human {
        say(context, &json!({ "orders": answer }), "");
        return Ok(());
    }
    let orders: Vec<Order> = serde_json::from_value(answer.clone())
        .map_err(|error| CommandError::new(codes::SANDBOX_CONTROL, error.to_string()))?;
    let mut table = Table::new(&["ID", "PRODUCT", "ACTION", "MATCHED", "STRUCK", "EFFECT"]);
    for order in orders {
        let any = || "any".to_owned();
        table.row(vec![
            order.id.to_string(),
            order.fault.product.unwrap_or_else(any),
            order.fault.action.unwrap_or_else(any),
            order.matched.to_string(),
            order.hit.to_string(),
            json!(order.fault.effect).to_string(),
        ]);
    }
    if table.is_empty() {
        context.ui.status("nothing is ordered");
    } else {
        context.ui.result(&table.render(context.ui.columns()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command, SandboxCommand};
    use crate::commands::tests::Stage;
    use clap::Parser as _;

    fn args(more: &[&str]) -> FaultArgs {
        let line: Vec<&str> = ["escrr", "sandbox", "fault"].iter().chain(more).copied().collect();
        let command = Args::parse_from(line).command;
        let Command::Sandbox(SandboxCommand::Fault(args)) = command else { panic!("no fault") };
        *args
    }

    #[test]
    fn flags_become_the_order() {
        let line = ["--product", "Cbn", "--action", "CreateCen", "--nth", "2", "--mutating"];
        let order = |effect: &[&str]| {
            let all: Vec<&str> = line.iter().chain(effect).copied().collect();
            orders(&args(&all)).unwrap().remove(0)
        };
        assert_eq!(
            order(&["--kill", "after"]),
            json!({"product": "Cbn", "action": "CreateCen", "mutating": true, "nth": 2,
                   "effect": {"kill": {"when": "after"}}})
        );
        assert_eq!(
            order(&["--refuse", "Forbidden", "--status", "403", "--message", "no"])["effect"],
            json!({"refuse": {"status": 403, "code": "Forbidden", "message": "no"}})
        );
        for (flag, effect) in [
            ("--throttle", "throttle"),
            ("--expire-credentials", "expire_credentials"),
            ("--lost", "lost"),
            ("--cut", "cut"),
            ("--stale", "stale"),
            ("--stuck", "stuck"),
        ] {
            assert_eq!(order(&[flag])["effect"], effect);
        }
        assert_eq!(order(&["--delay-ms", "50"])["effect"], json!({"delay_ms": 50}));
    }

    #[tokio::test]
    async fn orders_outlive_the_sandbox_that_took_them() {
        let stage = Stage::new(OutputForm::Human);
        run(&args(&["--lost", "--action", "CreateCen"]), stage.context()).await.unwrap();
        run(&args(&["--list"]), stage.context()).await.unwrap();
        run(&args(&["--clear"]), stage.context()).await.unwrap();
        run(&args(&["--list"]), stage.context()).await.unwrap();
        let out = stage.captured.out();
        assert!(out.starts_with("fault 1 ordered\n"), "{out}");
        assert!(out.contains("CreateCen  0        0       \"lost\""), "{out}");
        assert!(out.ends_with("1 taken back\n"), "{out}");
        assert!(stage.captured.err().contains("nothing is ordered"));
    }

    #[tokio::test]
    async fn a_file_may_hold_one_or_many() {
        let stage = Stage::new(OutputForm::Json);
        let path = stage.home.path().join("faults.json");
        std::fs::write(&path, r#"[{"effect": "cut"}, {"effect": "lost"}]"#).unwrap();
        let file = path.display().to_string();
        run(&args(&["--json", &file]), stage.context()).await.unwrap();
        assert_eq!(stage.captured.out().matches("\"id\"").count(), 2);
        std::fs::write(&path, "{").unwrap();
        let error = run(&args(&["--json", &file]), stage.context()).await.unwrap_err();
        assert_eq!(error.code, codes::USAGE);
    }
}
