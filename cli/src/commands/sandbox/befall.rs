//! `escrr sandbox befall`: what becomes of an instance by itself.

use super::say;
use crate::Context;
use crate::args::BefallArgs;
use crate::codes;
use crate::error::CommandError;
use crate::pretend::{Pretend, Publicity};
use crate::sandbox_control::Control;
use serde_json::{Value, json};

const MINUTE_MS: u64 = 60_000;

/// Lets it happen, and time pass.
pub(super) async fn run(args: &BefallArgs, context: Context<'_>) -> Result<(), CommandError> {
    if !args.other_addresses && args.status.is_none() {
        let said = "nothing is to befall the instance";
        return Err(CommandError::new(codes::USAGE, said)
            .hint("give --other-addresses, or --status inactive"));
    }
    let reached = Pretend::reach(args.running.sandbox.choice(), Publicity::Silent, context).await?;
    let answer = happen(args, &reached.control).await;
    reached.leave().await;
    say(context, &answer?, &format!("it has befallen {}", args.instance));
    Ok(())
}

async fn happen(args: &BefallArgs, control: &Control) -> Result<Value, CommandError> {
    let mut order = json!({"instance": args.instance, "move_addresses": args.other_addresses});
    if let (Some(status), Some(fields)) = (&args.status, order.as_object_mut()) {
        fields.insert("status".to_owned(), json!(status));
    }
    let answer = control.post("instance", &order).await?;
    let now_ms = control.get("clock").await?.get("now_ms").and_then(Value::as_u64);
    let then_ms = now_ms.unwrap_or_default() + u64::from(args.minutes) * MINUTE_MS;
    control.post("clock", &json!({"to_ms": then_ms})).await?;
    Ok(answer)
}
