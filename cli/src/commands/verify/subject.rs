//! Which link is meant, by its saga or by a spec, and its two clusters.

use crate::Context;
use crate::args::{LimitArgs, SubjectArgs};
use crate::codes;
use crate::error::CommandError;
use crate::place::Place;
use crate::sagas::fold;
use crate::session::{catalog, new_id};
use crate::{specs, store, worlds};
use escrr_engine::survey::{Known, Verdict, survey};
use escrr_engine::{About, Clock, Outcome, Step as _};
use escrr_steps::elastic::Cluster;
use escrr_steps::lag::Limits;
use escrr_steps::nodes::prerequisites::{Instance, InstanceFacts};
use escrr_steps::spec::Spec;
use escrr_steps::{Follower, Leader, Which, World};
use serde::Deserialize as _;

/// The spec of the link that is meant, and the saga that set it up, if one is meant.
pub(in crate::commands) fn subject(
    args: &SubjectArgs,
    command: &str,
    place: &Place,
    context: Context<'_>,
) -> Result<(Spec, Option<String>), CommandError> {
    let choice = args.sandbox.choice();
    if let Some(path) = &args.spec {
        let spec = specs::load(std::slice::from_ref(path), choice.is_some())?.remove(0);
        return Ok((spec, None));
    }
    let reading = store::read(&context.settings.home)?;
    let head = worlds::of_reading(&reading, place)?
        .choose(args.link.link.as_deref(), (choice, command))
        .map_err(|error| error.hint("`--spec FILE` takes a link without a saga"))?;
    worlds::same_kind(&reading, &head, (choice, command))?;
    if head.outcome == Some(Outcome::RolledBack) {
        let said = format!("{} was taken back; there is nothing to look at", head.link);
        return Err(CommandError::new(codes::NO_SAGA, said)
            .hint("`--spec FILE` takes a link that was built otherwise"));
    }
    let saga = fold(head.saga, &*catalog()?, &reading)?;
    let spec = Spec::parse(&saga.spec, &format!("the spec in the journal of {}", saga.link))?;
    Ok((spec, Some(saga.id.to_string())))
}

/// The limits of the spec, or those that were given instead.
pub(super) fn limits(spec: &Spec, args: LimitArgs) -> Limits {
    let of_spec = Limits::of(spec);
    Limits {
        operations: args.max_lag_operations.or(of_spec.operations),
        seconds: args.max_lag_seconds.unwrap_or(of_spec.seconds),
    }
}

/// The clients of both clusters; the instances are described anew, for a spec has no addresses.
pub(super) async fn clusters(
    world: &World,
    clock: &dyn Clock,
) -> Result<(Cluster, Cluster), CommandError> {
    let catalog = catalog()?;
    let wanted = [Instance::<Leader>::ID, Instance::<Follower>::ID];
    let skip = |about: &About| !wanted.contains(&about.id);
    let verdicts = survey(&catalog, world, &Known::nothing(new_id()), clock, &skip).await;
    let mut found = Vec::new();
    for (which, id) in [Which::Leader, Which::Follower].into_iter().zip(wanted) {
        let at = catalog.about().iter().position(|about| about.id == id);
        let facts = facts(which, at.and_then(|at| verdicts.get(at)))?;
        let cluster = world.cluster(which, &facts);
        found.push(cluster.map_err(|fault| CommandError::from(&fault))?.for_saga("verify"));
    }
    match <[Cluster; 2]>::try_from(found) {
        Ok([leader, follower]) => Ok((leader, follower)),
        Err(_) => Err(CommandError::new(codes::BUG, "a link has two sides")),
    }
}

fn facts(which: Which, verdict: Option<&Verdict>) -> Result<InstanceFacts, CommandError> {
    let said = match verdict {
        Some(Verdict::Checked(output) | Verdict::Found(output)) => {
            return InstanceFacts::deserialize(output).map_err(|error| {
                CommandError::new(codes::BUG, format!("the {which}'s facts: {error}"))
            });
        }
        Some(Verdict::Blocked(class, report)) => {
            return Err(CommandError::reported(codes::for_class(*class), report));
        }
        Some(Verdict::Waits(why)) => why.clone(),
        Some(
            Verdict::Make(_)
            | Verdict::Unneeded(_)
            | Verdict::Differs(_)
            | Verdict::After(_)
            | Verdict::Unlooked,
        )
        | None => format!("the {which} was not looked at"),
    };
    Err(CommandError::new(codes::PREREQUISITE, said).hint("try again when it has settled"))
}
