//! Which two clusters: as the flags say, the only one there is, or as somebody chooses.

use super::fill::{Filling, link};
use crate::Context;
use crate::args::{InitArgs, OutputForm, SidesArg};
use crate::codes;
use crate::credentials;
use crate::error::CommandError;
use crate::manner;
use crate::place::Place;
use crate::pretend::Publicity;
use crate::secrets::Secrets;
use crate::ui::table::Table;
use escrr_steps::aliyun::Cloud;
use escrr_steps::aliyun::elasticsearch::Instance;
use escrr_steps::side::Which;
use escrr_steps::spec::{CloudSpec, CredentialsSpec, defaults};
use serde_json::{Value, json};

/// The basic control plane, whose instances cannot be connected by the documented job.
const BASIC: &str = "exclusive";

/// What asking came to.
pub(super) enum Choice {
    /// Both clusters are known.
    Made(Filling),
    /// Several could be meant, and nobody can be asked.
    Open {
        /// What there is, as JSON.
        instances: Value,
        /// The same as tables.
        text: String,
        /// What to say.
        error: CommandError,
    },
}

/// The instances of one side, while one of them is chosen.
struct Side {
    which: Which,
    region: String,
    given: Option<String>,
    instances: Vec<Instance>,
}

/// Finds out which clusters are meant; nothing if the flags say nothing of them.
pub(super) async fn choose(
    args: &InitArgs,
    context: Context<'_>,
) -> Result<Option<Choice>, CommandError> {
    let pretends = args.sandbox.choice().is_some();
    let Some((leader_region, follower_region)) = regions(&args.sides, pretends)? else {
        return Ok(None);
    };
    let side = |which, region: &str, given: &Option<String>| Side {
        which,
        region: region.to_owned(),
        given: given.clone(),
        instances: Vec::new(),
    };
    let mut sides = [
        side(Which::Leader, &leader_region, &args.sides.leader),
        side(Which::Follower, &follower_region, &args.sides.follower),
    ];
    if sides.iter().any(|side| side.given.is_none()) {
        let place = Place::reach(&args.sandbox, Publicity::Silent, context).await?;
        let listed = list(&place, &mut sides, context).await;
        place.leave().await;
        listed?;
    }
    let made = |[leader, follower]: [String; 2]| {
        let name = args.sides.link.clone();
        Choice::Made(Filling {
            link: name.unwrap_or_else(|| link(&leader_region, &follower_region)),
            leader: (leader_region.clone(), leader),
            follower: (follower_region.clone(), follower),
            own_passwords: pretends,
        })
    };
    let picked = pick(&sides, context)?;
    Ok(Some(picked.map_or_else(|| open(&sides, context), made)))
}

/// The two regions: as named, or those of the sandbox's own link; none if nothing is named.
fn regions(sides: &SidesArg, pretends: bool) -> Result<Option<(String, String)>, CommandError> {
    match (&sides.leader_region, &sides.follower_region) {
        (Some(leader), Some(follower)) => Ok(Some((leader.clone(), follower.clone()))),
        _ if pretends => {
            let own = defaults::sandbox()?;
            Ok(Some((own.leader.region, own.follower.region)))
        }
        _ if sides.leader.is_none() && sides.follower.is_none() && sides.link.is_none() => Ok(None),
        _ => Err(CommandError::new(codes::USAGE, "it is not said where the clusters are")
            .hint("name both regions: --leader-region REGION --follower-region REGION")),
    }
}

/// Lists the instances of the sides that have no id yet (Elasticsearch `ListInstance`).
async fn list(
    place: &Place,
    sides: &mut [Side; 2],
    context: Context<'_>,
) -> Result<(), CommandError> {
    let spec = (&CredentialsSpec::default(), &CloudSpec::default());
    let mut secrets = Secrets::new(context.env);
    let resolved = credentials::ask(place, spec, &mut secrets, context).await?.resolved()?;
    let (endpoints, manner) = manner::of(place, spec.1, secrets.redactor(), context);
    let cloud = Cloud::renewing(resolved.provider, endpoints, manner)
        .map_err(|fault| CommandError::from(&fault))?;
    context.ui.status("looking for Elasticsearch instances");
    for side in sides.iter_mut().filter(|side| side.given.is_none()) {
        let listed = cloud.elasticsearch(&side.region).list_instances().await;
        side.instances = listed.map_err(|fault| CommandError::from(&fault))?;
        // The region is only in the host's name: one host for all regions answers for all.
        side.instances
            .retain(|one| one.zone_id.is_empty() || one.zone_id.starts_with(&side.region));
        side.instances.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    }
    Ok(())
}

/// One instance for each side; none if somebody would have to be asked and cannot.
fn pick(sides: &[Side; 2], context: Context<'_>) -> Result<Option<[String; 2]>, CommandError> {
    let mut chosen: Vec<String> = Vec::new();
    for side in sides {
        // The other side's instance is no choice: a cluster does not follow itself.
        let other = |id: &str| {
            chosen.iter().any(|taken| taken == id)
                || sides.iter().any(|side| side.given.as_deref() == Some(id))
        };
        let fit: Vec<&Instance> =
            side.instances.iter().filter(|i| usable(i) && !other(&i.instance_id)).collect();
        let id = match (&side.given, fit.as_slice()) {
            (Some(given), _) => given.clone(),
            (None, []) => return Err(none(side)),
            (None, [only]) => {
                let (id, which) = (&only.instance_id, side.which);
                context.ui.status(&format!("{which}: {id}, the only one in {}", side.region));
                id.clone()
            }
            (None, several) if context.ui.can_ask(&flag(side)).is_ok() => {
                context.ui.status(&table(several, true, context));
                let question = format!("Number of the {} in {}: ", side.which, side.region);
                let number = context.ui.choose(&question, several.len())?;
                several.get(number).map(|one| one.instance_id.clone()).unwrap_or_default()
            }
            (None, _) => return Ok(None),
        };
        chosen.push(id);
    }
    <[String; 2]>::try_from(chosen)
        .map(Some)
        .map_err(|_| CommandError::new(codes::BUG, "a link has two sides"))
}

/// Can the documented job connect it?
fn usable(instance: &Instance) -> bool {
    instance.arch_type != BASIC
}

fn flag(side: &Side) -> String {
    format!("--{} ID", side.which)
}

/// There is nothing to choose from.
fn none(side: &Side) -> CommandError {
    let Side { which, region, .. } = side;
    let said = format!("there is no Elasticsearch instance in {region} for the {which}");
    let error = CommandError::new(codes::PREREQUISITE, said);
    let basic = side.instances.iter().filter(|instance| !usable(instance)).count();
    let error = match basic {
        0 => error.hint("make one in the console, or name another region"),
        _ => error.meaning(format!(
            "{basic} of the basic control plane cannot be connected: it has to be cloud-native"
        )),
    };
    error.hint(format!("or name one with {}", flag(side)))
}

/// Several could be meant.
fn open(sides: &[Side; 2], context: Context<'_>) -> Choice {
    let asked = || sides.iter().filter(|side| side.given.is_none());
    let several: Vec<&Side> = asked()
        .filter(|side| side.instances.iter().filter(|instance| usable(instance)).count() > 1)
        .collect();
    let said = "more than one instance could be meant, and there is no terminal to ask on";
    let flags: Vec<String> = several.iter().map(|side| flag(side)).collect();
    let error = CommandError::new(codes::NOBODY_TO_ASK, said)
        .meaning("nothing was written")
        .hint(format!("say which with {}", flags.join(" and ")));
    let rows = |side: &Side| side.instances.iter().map(row).collect::<Value>();
    let instances =
        asked().map(|side| (side.which.to_string(), rows(side))).collect::<serde_json::Map<_, _>>();
    let tables = asked().map(|side| {
        let all: Vec<&Instance> = side.instances.iter().collect();
        let heading = format!("Elasticsearch instances in {}, for the {}", side.region, side.which);
        format!("{heading}\n\n{}", table(&all, false, context))
    });
    let text = tables.collect::<Vec<_>>().join("\n\n");
    Choice::Open { instances: Value::Object(instances), text, error }
}

fn row(instance: &Instance) -> Value {
    json!({
        "id": instance.instance_id,
        "description": instance.description,
        "version": version(instance),
        "status": instance.status,
        "usable": usable(instance),
        "zones": instance.zones,
    })
}

fn version(instance: &Instance) -> &str {
    instance.es_version.split('_').next().unwrap_or_default()
}

fn table(instances: &[&Instance], numbered: bool, context: Context<'_>) -> String {
    let heading = ["NO", "ID", "VERSION", "STATUS", "NAME"];
    let mut table = Table::new(heading.get(usize::from(!numbered)..).unwrap_or_default());
    for (number, instance) in (1..).zip(instances) {
        let basic = if usable(instance) { "" } else { " (basic control plane: cannot be used)" };
        let mut cells = vec![
            instance.instance_id.clone(),
            version(instance).to_owned(),
            instance.status.clone(),
            format!("{}{basic}", instance.description),
        ];
        if numbered {
            cells.insert(0, number.to_string());
        }
        table.row(cells);
    }
    let columns = if numbered { context.ui.columns_stderr() } else { context.ui.columns() };
    table.render(columns)
}

/// Shows what stays open, in every form once.
pub(super) fn show((instances, text): (Value, &str), error: &CommandError, context: Context<'_>) {
    let mut document = error.to_json();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("instances".into(), instances);
    }
    match context.ui.form() {
        OutputForm::Human => context.ui.result(text),
        OutputForm::Json => context.ui.document(&document),
        OutputForm::Ndjson => context.ui.line(&document),
    }
    context.ui.problem(error);
}
