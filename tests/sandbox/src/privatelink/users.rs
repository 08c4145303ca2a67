//! Who besides the own account may connect to a service.

use super::state::at_rest;
use crate::listing::wants;
use crate::paging::{Size, by_token};
use crate::{Answer, Call, Refusal, World};
use serde_json::{Value, json};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "AddUserToVpcEndpointService" => change(world, call, true),
        "RemoveUserFromVpcEndpointService" => change(world, call, false),
        "ListVpcEndpointServiceUsers" => list(world, call),
        _ => return None,
    })
}

fn change(world: &mut World, call: &Call, add: bool) -> Answer {
    let id = call.need("ServiceId")?;
    at_rest(world.privatelink.service(id, call.need("RegionId")?)?, world.now_ms)?;
    let user: Option<u64> = call.number("UserId")?;
    let arn = call.get("UserARN").map(str::to_owned);
    if user.is_none() && arn.is_none() {
        call.need("UserId")?;
    }
    let service = world.privatelink.service_mut(id)?;
    let changed = match (user, arn) {
        (Some(user), _) if add => service.users.insert(user),
        (Some(user), _) => service.users.remove(&user),
        (None, Some(arn)) if add => service.user_arns.insert(arn),
        (None, Some(arn)) => service.user_arns.remove(&arn),
        (None, None) => false,
    };
    if changed {
        return Ok(json!({}));
    }
    let code = if add { "UserAlreadyExist" } else { "EndpointServiceUserNotFound" };
    Err(Refusal::bad(code, "The list of users is not changed by this call."))
}

fn list(world: &World, call: &Call) -> Answer {
    let service = world.privatelink.service(call.need("ServiceId")?, call.need("RegionId")?)?;
    let rows: Vec<Value> = service
        .users
        .iter()
        .filter(|u| wants(call, "UserId", &u.to_string()))
        .map(|u| json!({ "UserId": u }))
        .collect();
    let mut answer = by_token(call, rows, &["Users"], Size::new(50, 50))?;
    if let Some(fields) = answer.as_object_mut() {
        let arns: Vec<Value> = service.user_arns.iter().map(|a| json!({ "UserARN": a })).collect();
        fields.insert("UserARNs".into(), json!(arns));
        // The total is a string in this answer.
        fields.insert("TotalCount".into(), json!(service.users.len().to_string()));
    }
    Ok(answer)
}
