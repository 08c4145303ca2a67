//! `escrr auth check`: which source answers, why the others do not, and who we are.

use crate::Context;
use crate::args::{AuthCheckArgs, OutputForm};
use crate::credentials::{self, Asked, none_answers};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::manner;
use crate::place::Place;
use crate::pretend::Publicity;
use crate::secrets::Secrets;
use crate::specs::{self, USUAL};
use crate::ui::table::Table;
use crate::ui::words::time;
use escrr_steps::aliyun::Cloud;
use escrr_steps::aliyun::credential::{Passed, Resolved};
use escrr_steps::aliyun::sts::Identity;
use escrr_steps::redact::Redactor;
use escrr_steps::spec::{CloudSpec, CredentialsSpec};
use serde_json::{Value, json};
use std::path::Path;

/// The region that is asked where no spec names one; the token service's own host takes any.
const ANY_REGION: &str = "cn-hangzhou";
/// Temporary keys with less than this left are warned about, in milliseconds.
const SHORT_MS: u64 = 15 * 60_000;

/// One line of the chain.
struct Row {
    source: &'static str,
    state: &'static str,
    why: String,
}

/// Asks, shows, and ends with the code that a run would end with.
pub(super) async fn run(args: &AuthCheckArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let (spec, cloud, region) = wanted(args)?;
    let place = Place::reach(&args.sandbox, Publicity::Silent, context).await?;
    let checked = check(&place, (&spec, &cloud), &region, context).await;
    place.leave().await;
    checked
}

/// What the spec says of credentials and of calling the cloud, and its region.
fn wanted(args: &AuthCheckArgs) -> Result<(CredentialsSpec, CloudSpec, String), CommandError> {
    let sandbox = args.sandbox.choice().is_some();
    if args.spec.is_none() && !sandbox && !Path::new(USUAL).exists() {
        return Ok((CredentialsSpec::default(), CloudSpec::default(), ANY_REGION.to_owned()));
    }
    let named: Vec<_> = args.spec.iter().cloned().collect();
    let spec = specs::load(&named, sandbox)?.remove(0);
    Ok((spec.credentials, spec.cloud, spec.follower.region))
}

async fn check(
    place: &Place,
    spec: (&CredentialsSpec, &CloudSpec),
    region: &str,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let mut secrets = Secrets::new(context.env);
    let Asked { outcome, mut warnings } =
        credentials::ask(place, spec, &mut secrets, context).await?;
    let redactor = secrets.redactor().clone();
    warnings.extend(secrets.into_warnings());
    let (rows, resolved, failure) = match outcome {
        Ok(resolved) => (rows(&resolved), Some(resolved), None),
        Err(passed) => (passed.iter().map(row).collect(), None, Some(none_answers(&passed))),
    };
    let (identity, failure) = match &resolved {
        None => (None, failure),
        Some(resolved) => match who((place, spec.1, &redactor), resolved, region, context).await {
            Ok(identity) => (Some(identity), None),
            Err(error) => (None, Some(error)),
        },
    };
    if let Some(resolved) = &resolved {
        let now_ms = place.clock().await?.now_ms();
        warnings.extend(about(resolved, now_ms));
    }
    let document = document(&rows, resolved.as_ref(), identity.as_ref(), &warnings);
    match context.ui.form() {
        OutputForm::Human => context.ui.result(&text(&rows, &document, context)),
        OutputForm::Json => context.ui.document(&document),
        OutputForm::Ndjson => context.ui.line(&document),
    }
    for warning in &warnings {
        context.ui.warning(warning);
    }
    match failure {
        None => Ok(Exit::Done),
        Some(error) => {
            context.ui.problem(&error);
            Ok(error.exit())
        }
    }
}

async fn who(
    (place, cloud, redactor): (&Place, &CloudSpec, &Redactor),
    resolved: &Resolved,
    region: &str,
    context: Context<'_>,
) -> Result<Identity, CommandError> {
    let (endpoints, manner) = manner::of(place, cloud, redactor, context);
    let cloud = Cloud::renewing(resolved.provider.clone(), endpoints, manner)
        .map_err(|fault| CommandError::from(&fault))?;
    let identity = cloud.sts(region).get_caller_identity().await;
    identity.map_err(|fault| CommandError::from(&fault))
}

fn row(passed: &Passed) -> Row {
    Row { source: passed.name, state: "passed over", why: passed.why.clone() }
}

/// The whole chain: before the source that is used, it, and after it.
fn rows(resolved: &Resolved) -> Vec<Row> {
    let used = Row { source: resolved.name, state: "used", why: resolved.from.clone() };
    let after = resolved.unasked.iter().map(|name| Row {
        source: name,
        state: "not asked",
        why: format!("`{}` comes before it", resolved.name),
    });
    resolved.passed.iter().map(row).chain([used]).chain(after).collect()
}

/// What a person should know about the credentials themselves.
fn about(resolved: &Resolved, now_ms: u64) -> Vec<String> {
    let mut warnings: Vec<String> = resolved
        .passed
        .iter()
        .filter(|passed| passed.meant)
        .map(|passed| format!("`{}` is set up but passed over: {}", passed.name, passed.why))
        .collect();
    let temporary = resolved.held.credentials.security_token.is_some();
    if temporary && !resolved.provider.renews() {
        let until = match resolved.held.expires_ms {
            Some(end) => format!("end at {}", time(end)),
            None => "end at a time that is not known".to_owned(),
        };
        warnings.push(format!(
            "the credentials are temporary, {until} and cannot be renewed: a run that takes \
             longer is parked until there are new ones"
        ));
    }
    if resolved.held.expires_ms.is_some_and(|end| end.saturating_sub(now_ms) < SHORT_MS) {
        warnings.push("the credentials end in less than 15 minutes".to_owned());
    }
    warnings
}

fn document(
    rows: &[Row],
    resolved: Option<&Resolved>,
    identity: Option<&Identity>,
    warnings: &[String],
) -> Value {
    let chain: Vec<Value> = rows
        .iter()
        .map(|row| json!({"source": row.source, "state": row.state, "why": row.why}))
        .collect();
    json!({
        "source": resolved.map(|resolved| resolved.name),
        "access_key_id": resolved.map(|resolved| &resolved.held.credentials.access_key_id),
        "temporary": resolved.map(|r| r.held.credentials.security_token.is_some()),
        "renewable": resolved.map(|resolved| resolved.provider.renews()),
        "expires": resolved.and_then(|resolved| resolved.held.expires_ms).map(time),
        "identity": identity.map(|identity| json!({
            "account": identity.account_id,
            "arn": identity.arn,
            "type": identity.identity_type,
        })),
        "chain": chain,
        "warnings": warnings,
    })
}

fn text(rows: &[Row], document: &Value, context: Context<'_>) -> String {
    let mut table = Table::new(&["SOURCE", "STATE", "WHY"]);
    for row in rows {
        table.row(vec![row.source.to_owned(), row.state.to_owned(), row.why.clone()]);
    }
    let mut lines = vec![table.render(context.ui.columns()).trim_end().to_owned()];
    let mut say = |name: &str, pointer: &str| {
        if let Some(value) = document.pointer(pointer).and_then(Value::as_str) {
            lines.push(format!("{name}: {value}"));
        }
    };
    say("access key", "/access_key_id");
    say("account", "/identity/account");
    say("we are", "/identity/arn");
    say("until", "/expires");
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{SandboxArg, SandboxChoice};
    use crate::commands::tests::Stage;
    use escrr_steps::spec::defaults;

    async fn checked(stage: &Stage, more: &str) -> (Exit, Value) {
        let spec = stage.home.path().join("spec.toml");
        std::fs::write(&spec, format!("{}\n{more}", defaults::SANDBOX)).unwrap();
        let sandbox = SandboxArg { sandbox: Some(SandboxChoice::Own) };
        let args = AuthCheckArgs { spec: Some(spec), sandbox };
        let exit = run(&args, stage.context()).await.unwrap();
        (exit, serde_json::from_str(&stage.captured.out()).unwrap())
    }

    #[tokio::test]
    async fn the_whole_chain_is_shown_with_its_reasons() {
        let stage = Stage::new(OutputForm::Json)
            .with_env("ALIBABA_CLOUD_ACCESS_KEY_ID", "half")
            .with_env("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/r");
        let (exit, shown) = checked(&stage, "[credentials]\nsource = \"default\"\n").await;
        assert_eq!(exit, Exit::Done);
        let states: Vec<&str> = shown["chain"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["state"].as_str().unwrap())
            .collect();
        let over = "passed over";
        assert_eq!(states, [over, over, over, over, "used", "not asked"]);
        assert_eq!(shown["source"], "instance-role");
        assert_eq!(shown["identity"]["type"], "AssumedRoleUser");
        assert_eq!((&shown["temporary"], &shown["renewable"]), (&true.into(), &true.into()));
        assert!(shown["warnings"][0].as_str().unwrap().contains("`environment` is set up"));
    }

    #[tokio::test]
    async fn without_credentials_the_code_is_that_of_permissions() {
        let stage = Stage::new(OutputForm::Json);
        let (exit, shown) = checked(&stage, "[credentials]\nsource = \"environment\"\n").await;
        assert_eq!(exit, Exit::Permission);
        assert_eq!(shown["source"], Value::Null);
        assert_eq!(shown["chain"][0]["state"], "passed over");
    }
}
