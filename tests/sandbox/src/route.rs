//! Which handler answers a call, and what happens around all of them.

use crate::network::Paths;
use crate::{
    Answer, Call, Product, Refusal, World, actions, cbn, ecs, elastic, idempotency, instances, nlb,
    privatelink, sts, vpc,
};

/// Gives a call to its product.
pub fn dispatch(world: &mut World, call: &Call) -> Answer {
    match call.product {
        Product::Cbn => cbn::handle(world, call),
        Product::Vpc => vpc::handle(world, call),
        Product::Ecs => ecs::handle(world, call),
        Product::Nlb => nlb::handle(world, call),
        Product::PrivateLink => privatelink::handle(world, call),
        Product::Elasticsearch => instances::handle(world, call),
        Product::Sts => sts::handle(world, call),
    }
}

/// Answers a call with all that is common to the products: a refused call has no
/// effect at all, a dry run has none either, a client token has one.
pub fn answer(world: &mut World, call: &Call) -> Answer {
    if call.action == "InvokeEsRequest" {
        // It reaches into a cluster, which may have done a part of what it refuses.
        return dispatch(world, call);
    }
    let mut call = call.clone();
    let dry = actions::dry_run_parameter(call.product, &call.action)
        .and_then(|name| call.params.remove(name))
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if !dry && !actions::mutating(&call) {
        return dispatch(world, &call);
    }
    // No other call of the OpenAPI reaches into the clusters, and they are the bulk of a world:
    // they move along instead of being copied.
    let clusters = std::mem::take(&mut world.elastic);
    let mut next = world.clone();
    let answer = if dry {
        dispatch(&mut next, &call)
    } else {
        idempotency::once(&mut next, &call, dispatch)
    };
    world.elastic = clusters;
    let answer = answer?;
    if dry {
        return Err(Refusal::bad(
            "DryRunOperation",
            "Request validation has been passed with DryRun flag set.",
        ));
    }
    next.elastic = std::mem::take(&mut world.elastic);
    *world = next;
    Ok(answer)
}

/// Lets a cluster answer a request.
pub(crate) fn at_cluster(
    world: &mut World,
    instance: &str,
    request: &elastic::Request,
) -> elastic::Reply {
    let mut clusters = std::mem::take(&mut world.elastic);
    let now = world.now_ms;
    let reply = elastic::handle(&mut clusters, &Paths::of(world), now, instance, request);
    world.elastic = clusters;
    reply
}

/// Lets the world catch up with its time.
pub fn settle(world: &mut World) {
    vpc::settle(world);
    cbn::settle(world);
    nlb::settle(world);
    privatelink::settle(world);
    instances::settle(world);
    let mut clusters = std::mem::take(&mut world.elastic);
    elastic::tick(&mut clusters, &Paths::of(world), world.now_ms);
    world.elastic = clusters;
}
