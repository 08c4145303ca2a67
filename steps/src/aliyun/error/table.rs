//! The table: vendor code, verdict, reason.

use crate::aliyun::Product;

/// The code of a dry run that passed: the vendor delivers success as an error.
pub(in crate::aliyun) const DRY_RUN_PASSED: &str = "DryRunOperation";

/// How a code is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aliyun) enum Pattern {
    /// The code is this.
    Is(&'static str),
    /// The code starts like this.
    Starts(&'static str),
    /// The code has this anywhere: products put prefixes and suffixes around the same words.
    Has(&'static str),
}

/// What a code means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aliyun) enum Verdict {
    /// Nothing happened; again later, with the server's own hint if it gave one.
    Again,
    /// Something is in motion; again at polling pace.
    Busy,
    /// The object is not there.
    Gone,
    /// Credentials or permissions.
    Permission,
    /// Quota, activation, balance: a person has to buy, ask or accept.
    Approval,
    /// It may have happened: a write must look, a read may repeat.
    Uncertain,
    /// Our clock is wrong.
    Clock,
    /// A dry run that passed.
    DryRun,
    /// The request itself is wrong.
    Ours,
}

/// One row; the first that matches wins.
#[derive(Clone, Copy, Debug)]
pub(in crate::aliyun) struct Rule {
    pub(in crate::aliyun) pattern: Pattern,
    /// Only for this product, if the code means something else elsewhere.
    pub(in crate::aliyun) product: Option<Product>,
    pub(in crate::aliyun) verdict: Verdict,
    /// The meaning, in words for a person.
    pub(in crate::aliyun) why: &'static str,
}

const fn rule(pattern: Pattern, verdict: Verdict, why: &'static str) -> Rule {
    Rule { pattern, product: None, verdict, why }
}

const fn cbn(pattern: Pattern, verdict: Verdict, why: &'static str) -> Rule {
    Rule { pattern, product: Some(Product::Cbn), verdict, why }
}

use Pattern::{Has, Is, Starts};
use Verdict::{Again, Approval, Busy, Clock, DryRun, Gone, Ours, Permission, Uncertain};

/// The rows, the special before the general.
pub(in crate::aliyun) const TABLE: &[Rule] = &[
    rule(Is(DRY_RUN_PASSED), DryRun, "the request would have been accepted"),
    // Pace.
    rule(Has("Throttling"), Again, "too many requests were made in a short time"),
    rule(Has("ServiceUnavailable"), Again, "the service does not take requests for the moment"),
    rule(Is("SignatureNonceUsed"), Again, "a request was delivered twice on its way"),
    // Our own words.
    rule(Is("InvalidTimeStamp.Format"), Ours, "the time in the signature is misspelt"),
    rule(Has("InvalidTimeStamp"), Clock, "this machine's clock is more than 15 minutes off"),
    rule(Is("IllegalTimestamp"), Clock, "this machine's clock is more than 15 minutes off"),
    rule(Starts("InvalidApi"), Ours, "this action is not known at this endpoint"),
    rule(Starts("InvalidAction"), Ours, "this action is not known at this endpoint"),
    rule(Starts("InvalidProduct"), Ours, "this product is not known at this endpoint"),
    rule(Starts("InvalidVersion"), Ours, "this API version is not known at this endpoint"),
    rule(Is("IncompleteSignature"), Ours, "the signature lacks a part"),
    rule(Starts("MissingParameter"), Ours, "the request lacks a parameter"),
    rule(Starts("UnsupportedHTTPMethod"), Ours, "the endpoint wants another HTTP method"),
    rule(Starts("UnsupportedProtocol"), Ours, "the endpoint wants HTTPS"),
    rule(Starts("InvalidProtocol"), Ours, "the endpoint wants HTTPS"),
    // Identity; before the general "not found".
    rule(Starts("InvalidAccessKeyId"), Permission, "the access key is unknown or disabled"),
    rule(
        Has("SecurityToken"),
        Permission,
        "the session token is missing, expired or of another key",
    ),
    rule(
        Has("SignatureDoesNotMatch"),
        Permission,
        "the access key secret does not belong to the access key",
    ),
    // Absence.
    rule(Is("Forbidden.VpcNotFound"), Gone, "the VPC does not exist"),
    cbn(Is("ParameterCenInstanceId"), Gone, "the CEN instance does not exist"),
    cbn(Is("ParameterIllegal.CenInstanceId"), Gone, "the CEN instance does not exist"),
    cbn(Is("ParameterInstanceId"), Gone, "the transit router does not exist"),
    cbn(Is("ParameterBwpInstanceId"), Gone, "the bandwidth package does not exist"),
    cbn(Is("IllegalParam.TransitRouterRouteEntryId"), Gone, "the route does not exist"),
    cbn(Is("IllegalParam.Region"), Gone, "the CEN instance has nothing in this region"),
    rule(Has("NotFound"), Gone, "the object does not exist"),
    rule(Has("NotExist"), Gone, "the object does not exist"),
    // What only a person can change.
    rule(Has("QuotaExceed"), Approval, "a quota of the account is used up"),
    rule(Has("ExceedQuota"), Approval, "a quota of the account is used up"),
    rule(Has("NotActivated"), Approval, "the service is not activated for this account"),
    rule(Has("NotOpen"), Approval, "the service is not activated for this account"),
    rule(Has("NotEnoughBalance"), Approval, "the account's balance does not suffice"),
    rule(Has("InDebt"), Approval, "the account has unpaid bills"),
    // The first request with this token is still under way.
    rule(Has("TokenProcessing"), Busy, "an earlier try of the same request is still under way"),
    rule(
        Has("TokenPreviousRequestProcessError"),
        Busy,
        "an earlier try of the same request is still under way",
    ),
    // Cbn: writes are serialised per CEN instance.
    rule(Is("Operation.Blocking"), Busy, "another change of the same network is under way"),
    rule(Has("IncorrectStatus"), Busy, "a part of the network is being changed"),
    rule(Has("InstanceStatus.NotSupport"), Busy, "the object is being changed"),
    rule(Is("InvalidOperation.CenInstanceStatus"), Busy, "the CEN instance is being changed"),
    rule(
        Is("InvalidOperation.AttachedChildInstanceExist"),
        Busy,
        "attachments that were deleted are still being cleared away",
    ),
    cbn(Starts("InvalidOperation.Bwp"), Busy, "the bandwidth package is being changed"),
    cbn(
        Is("InvalidOperation.CenBandwidthLimitsNotZero"),
        Busy,
        "bandwidth of the package is still in use",
    ),
    cbn(Is("Forbidden.Release"), Busy, "the bandwidth package is not yet free to be given back"),
    // Vpc: route and vSwitch changes are serialised per VPC.
    rule(
        Is("InvalidCidrBlock.Overlapped"),
        Busy,
        "another vSwitch of the VPC has taken the block, and another block is chosen",
    ),
    rule(Is("TaskConflict"), Busy, "another change of the same VPC is under way"),
    rule(Has("OperationConflict"), Busy, "another change of the same object is under way"),
    rule(Starts("InvalidStatus"), Busy, "the object is being changed"),
    rule(Starts("IncorrectVSwitchStatus"), Busy, "the vSwitch is being changed"),
    rule(Starts("IncorrectVpcStatus"), Busy, "the VPC is being changed"),
    rule(Starts("IncorrectRouteEntryStatus"), Busy, "a route is being changed"),
    rule(Starts("IncorrectInstanceStatus"), Busy, "the next hop is being changed"),
    rule(Starts("OperationDenied.OtherSubnetProcessing"), Busy, "another vSwitch is being changed"),
    rule(Starts("DependencyViolation"), Busy, "network interfaces of others are not yet gone"),
    // Nlb.
    rule(Has("Conflict.Lock"), Busy, "another change of the same object is under way"),
    rule(Has("SystemBusy"), Busy, "the service is busy with another change"),
    // Any product.
    rule(Starts("OperationFailed"), Busy, "the object cannot be changed at this moment"),
    // PrivateLink: writes are serialised per endpoint service.
    rule(
        Is("ConcurrentCallNotSupported"),
        Busy,
        "another change of the endpoint service is under way",
    ),
    rule(Is("EndpointServiceLocked"), Busy, "another change of the endpoint service is under way"),
    rule(Is("EndpointServiceOperationDenied"), Busy, "the endpoint service is being changed"),
    rule(
        Is("EndpointServiceConnectionDependence"),
        Busy,
        "an endpoint is still connected to the endpoint service",
    ),
    rule(Is("EndpointConnectionOperationDenied"), Busy, "the connection is being changed"),
    rule(Is("EndpointLocked"), Busy, "another change of the endpoint is under way"),
    rule(Is("EndpointOperationDenied"), Busy, "the endpoint is being changed"),
    // Elasticsearch.
    rule(
        Is("InstanceStatusNotSupportCurrentAction"),
        Busy,
        "another change of the Elasticsearch instance is under way",
    ),
    rule(
        Is("ConcurrencyUpdateInstanceConflict"),
        Busy,
        "another change of the Elasticsearch instance is under way",
    ),
    rule(
        Is("InstanceDuplicateScheduledTask"),
        Busy,
        "the same change of the Elasticsearch instance is under way",
    ),
    rule(Is("InstanceActivating"), Busy, "the Elasticsearch instance is being changed"),
    // Rights.
    rule(Starts("Forbidden"), Permission, "the caller may not do this"),
    rule(Starts("NoPermission"), Permission, "the caller may not do this"),
    rule(Starts("NotAuthorized"), Permission, "the caller may not do this"),
    rule(Starts("Unauthorized"), Permission, "the caller may not do this"),
    // The other side does not know either.
    rule(Has("InternalError"), Uncertain, "the service failed in the middle of the request"),
    rule(Has("InternalServerError"), Uncertain, "the service failed in the middle of the request"),
    rule(Is("UnknownError"), Uncertain, "the service failed in the middle of the request"),
];

/// Finds the row of a code that a product hides in its message.
///
/// Only rows that make the caller wait count: a message may speak of absence or of rights and
/// mean something else.
pub(in crate::aliyun) fn find_in_message(product: Product, message: &str) -> Option<&'static Rule> {
    let words = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_');
    let waits = |rule: &&Rule| matches!(rule.verdict, Again | Busy);
    // A code is no plain word: it has a capital after its first letter, as in `SystemBusy`.
    let coded = words.map(|word| word.trim_matches('.')).filter(|word| {
        word.chars().skip(1).any(|c| c.is_ascii_uppercase())
            && word.chars().any(|c| c.is_ascii_lowercase())
    });
    coded.filter_map(|word| find(Some(product), word)).find(waits)
}

/// Finds the row of a code.
pub(in crate::aliyun) fn find(product: Option<Product>, code: &str) -> Option<&'static Rule> {
    TABLE.iter().find(|rule| {
        let here = rule.product.is_none() || product.is_none() || rule.product == product;
        here && match rule.pattern {
            Is(text) => code == text,
            Starts(text) => code.starts_with(text),
            Has(text) => code.contains(text),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Again, Busy};
    use super::{TABLE, find};
    use crate::aliyun::Product::{self, Nlb};
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// Codes as the products send them, and what must follow: one row each. The sandbox orders
    /// every one of them, from the same file.
    fn codes() -> Vec<(Product, String, String)> {
        let text = include_str!("../../../../tests/vectors/vendor_codes.json");
        let rows: Vec<Value> = serde_json::from_str(text).unwrap();
        let row = |row: &Value| {
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            let product = Product::ALL.into_iter().find(|p| p.name() == row["product"]).unwrap();
            (product, text("code"), text("verdict"))
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn every_code_gets_its_verdict_and_every_row_is_needed() {
        let (mut used, mut wrong) = (BTreeSet::new(), Vec::new());
        for (product, code, verdict) in codes() {
            let rule = find(Some(product), &code);
            let found =
                rule.map_or_else(|| "none".to_owned(), |rule| format!("{:?}", rule.verdict));
            if found != verdict {
                wrong.push(format!("{product} {code}: {found}, not {verdict}"));
            }
            used.extend(rule.map(|rule| format!("{:?} {:?}", rule.pattern, rule.product)));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        for rule in TABLE {
            let row = format!("{:?} {:?}", rule.pattern, rule.product);
            assert!(used.contains(&row), "no code reaches {row}");
            assert!(!rule.why.is_empty() && !rule.why.ends_with('.'), "{row}");
        }
        assert_eq!(used.len(), TABLE.len());
        assert!(codes().len() > 120);
    }

    #[test]
    fn a_code_in_a_message_counts_where_it_only_costs_a_wait() {
        let found = |text: &str| super::find_in_message(Nlb, text).map(|rule| rule.verdict);
        assert_eq!(found("code: 400, IncorrectStatus.serverGroup now"), Some(Busy));
        assert_eq!(found("denied (Throttling.User)"), Some(Again));
        assert_eq!(found("The specified LoadBalancerId ResourceNotFound."), None);
        assert_eq!(found("Forbidden.RAM was said"), None);
        assert_eq!(found("the operation is throttling itself, OPERATION"), None);
    }

    #[test]
    fn a_product_s_own_row_does_not_reach_others() {
        assert!(find(Some(Nlb), "ParameterInstanceId").is_none());
        assert!(find(Some(Nlb), "IdempotentParameterMismatch").is_none());
    }
}
