//! Whether the vendor's usual quotas leave room for what would be made.
//!
//! The quotas of an account can be raised, and what they are now is told by another product. So
//! what is counted is held against what every account begins with, and warns.

use crate::aliyun::Tags;
use crate::aliyun::privatelink::ServiceFilter;
use crate::marks::by_marks;
use crate::rules::{self, Problems};
use crate::{Which, World};
use escrr_engine::Fault;

/// Load balancers in a region ("NLB quotas").
const LOAD_BALANCERS: usize = 60;
/// Endpoint services of an account ("PrivateLink quotas"); those of one region are counted.
const ENDPOINT_SERVICES: usize = 200;

/// Notes every quota that what is there uses up.
///
/// # Errors
/// A list cannot be read.
pub(super) async fn judge(world: &World, problems: &mut Problems<'_>) -> Result<(), Fault> {
    let (spec, region) = (&world.spec, world.spec.follower.region.as_str());
    let mut note = |there: usize, quota: usize, what: &str| {
        let said = format!("{region} has {there} {what}, and the usual quota is {quota}");
        problems.add_on(Which::Follower, &rules::QUOTAS, &said);
    };
    if spec.load_balancer.load_balancer_id.is_none() {
        let client = world.cloud.nlb(region);
        let there = client.list_load_balancers(&Tags::new()).await?.len();
        let ours = async || {
            by_marks(
                world.link_mark(),
                |marks| async move { client.list_load_balancers(&marks).await },
            )
            .await
        };
        if there >= LOAD_BALANCERS && ours().await?.is_empty() {
            note(there, LOAD_BALANCERS, "load balancers");
        }
    }
    if spec.private_link.service_id.is_none() {
        let client = world.cloud.privatelink(region);
        let there = client.list_services(ServiceFilter::default()).await?.len();
        let ours = async || {
            by_marks(world.link_mark(), |marks| async move {
                let filter = ServiceFilter { tags: Some(&marks), ..ServiceFilter::default() };
                client.list_services(filter).await
            })
            .await
        };
        if there >= ENDPOINT_SERVICES && ours().await?.is_empty() {
            note(there, ENDPOINT_SERVICES, "endpoint services");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_names_the_numbers_that_are_judged_by() {
        for (quota, what) in
            [(LOAD_BALANCERS, "load balancers"), (ENDPOINT_SERVICES, "endpoint services")]
        {
            assert!(rules::QUOTAS.holds.contains(&format!("{quota} {what}")), "{quota} {what}");
        }
    }
}
