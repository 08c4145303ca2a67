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
    rule(Has("InvalidTimeStamp"), Clock, "this machine's clock is more than 15 minutes off"),
    rule(Is("IllegalTimestamp"), Clock, "this machine's clock is more than 15 minutes off"),
    rule(Starts("InvalidApi"), Ours, "this action is not known at this endpoint"),
    rule(Starts("InvalidAction"), Ours, "this action is not known at this endpoint"),
    rule(Starts("InvalidProduct"), Ours, "this product is not known at this endpoint"),
    rule(Starts("InvalidVersion"), Ours, "this API version is not known at this endpoint"),
    rule(Is("IncompleteSignature"), Ours, "the signature lacks a part"),
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
    // Vpc: route and vSwitch changes are serialised per VPC.
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
    use super::Verdict::{
        self, Again, Approval, Busy, Clock, DryRun, Gone, Ours, Permission, Uncertain,
    };
    use super::{TABLE, find};
    use crate::aliyun::Product::{self, Cbn, Ecs, Elasticsearch, Nlb, PrivateLink, Sts, Vpc};
    use std::collections::BTreeSet;

    /// Codes as the products send them, and what must follow.
    const CODES: &[(Product, &str, Verdict)] = &[
        (Nlb, "DryRunOperation", DryRun),
        (Cbn, "Throttling.User", Again),
        (Vpc, "Rejected.Throttling", Again),
        (Elasticsearch, "ServiceUnavailable", Again),
        (Nlb, "SignatureNonceUsed", Again),
        (Ecs, "InvalidTimeStamp.Expired", Clock),
        (Ecs, "IllegalTimestamp", Clock),
        (Elasticsearch, "InvalidApi.NotFound", Ours),
        (Cbn, "InvalidAction.NotFound", Ours),
        (Cbn, "InvalidProduct.NotFound", Ours),
        (Cbn, "InvalidVersion", Ours),
        (Cbn, "IncompleteSignature", Ours),
        (Cbn, "UnsupportedHTTPMethod", Ours),
        (Cbn, "UnsupportedProtocol", Ours),
        (Cbn, "InvalidProtocol.NeedSsl", Ours),
        (Sts, "InvalidAccessKeyId.NotFound", Permission),
        (Sts, "InvalidAccessKeyId.Inactive", Permission),
        (Sts, "InvalidSecurityToken.Expired", Permission),
        (Sts, "MissingSecurityToken", Permission),
        (Sts, "SignatureDoesNotMatch", Permission),
        (Vpc, "Forbidden.VpcNotFound", Gone),
        (Cbn, "ParameterCenInstanceId", Gone),
        (Cbn, "ParameterIllegal.CenInstanceId", Gone),
        (Cbn, "ParameterInstanceId", Gone),
        (Cbn, "IllegalParam.Region", Gone),
        (Cbn, "InvalidTransitRouterId.NotFound", Gone),
        (Vpc, "InvalidVswitchID.NotFound", Gone),
        (Vpc, "InvalidVSwitchId.NotFound", Gone),
        (Vpc, "InvalidVpcID.NotFound", Gone),
        (Nlb, "ResourceNotFound.loadBalancer", Gone),
        (PrivateLink, "EndpointServiceNotFound", Gone),
        (PrivateLink, "EndpointNotFound", Gone),
        (Elasticsearch, "InstanceNotFound", Gone),
        (Ecs, "InstanceNotExists", Gone),
        (Sts, "EntityNotExist.Role", Gone),
        (Nlb, "QuotaExceeded.LoadBalancersNum", Approval),
        (Vpc, "VSwitch.QuotaExceed", Approval),
        (Ecs, "Invocation.ExceedQuota", Approval),
        (PrivateLink, "ProductNotActivated", Approval),
        (Cbn, "TransitRouterServiceNotOpen", Approval),
        (Nlb, "NotEnoughBalance", Approval),
        (Nlb, "Account.InDebt", Approval),
        (Cbn, "TokenProcessing", Busy),
        (Vpc, "LastTokenProcessing", Busy),
        (Vpc, "OperationFailed.IdempotentTokenProcessing", Busy),
        (Elasticsearch, "TokenPreviousRequestProcessError", Busy),
        (Cbn, "Operation.Blocking", Busy),
        (Cbn, "IncorrectStatus.VpcSwitch", Busy),
        (Vpc, "CreateVSwitch.IncorrectStatus.cbnStatus", Busy),
        (Nlb, "IncorrectStatus.serverGroup", Busy),
        (Cbn, "InstanceStatus.NotSupport", Busy),
        (Cbn, "InvalidOperation.CenInstanceStatus", Busy),
        (Cbn, "InvalidOperation.AttachedChildInstanceExist", Busy),
        (Vpc, "TaskConflict", Busy),
        (Vpc, "OperationConflict", Busy),
        (Vpc, "InvalidStatus.RouteEntry", Busy),
        (Vpc, "IncorrectVSwitchStatus", Busy),
        (Vpc, "IncorrectVpcStatus", Busy),
        (Vpc, "IncorrectRouteEntryStatus", Busy),
        (Vpc, "IncorrectInstanceStatus", Busy),
        (Vpc, "OperationDenied.OtherSubnetProcessing", Busy),
        (Vpc, "DependencyViolation", Busy),
        (Vpc, "DependencyViolation.EnhancedNatgw", Busy),
        (Nlb, "Conflict.Lock", Busy),
        (Nlb, "SystemBusy", Busy),
        (Nlb, "OperationFailed.ResourceIsConfiguring", Busy),
        (Vpc, "OperationFailed.DistibuteLock", Busy),
        (PrivateLink, "ConcurrentCallNotSupported", Busy),
        (PrivateLink, "EndpointServiceLocked", Busy),
        (PrivateLink, "EndpointServiceOperationDenied", Busy),
        (PrivateLink, "EndpointServiceConnectionDependence", Busy),
        (PrivateLink, "EndpointConnectionOperationDenied", Busy),
        (PrivateLink, "EndpointLocked", Busy),
        (PrivateLink, "EndpointOperationDenied", Busy),
        (Elasticsearch, "InstanceStatusNotSupportCurrentAction", Busy),
        (Elasticsearch, "ConcurrencyUpdateInstanceConflict", Busy),
        (Elasticsearch, "InstanceDuplicateScheduledTask", Busy),
        (Elasticsearch, "InstanceActivating", Busy),
        (Cbn, "Forbidden.RAM", Permission),
        (Cbn, "NoPermission", Permission),
        (Cbn, "NotAuthorized", Permission),
        (Cbn, "UnauthorizedOperation", Permission),
        (Vpc, "InternalError", Uncertain),
        (Elasticsearch, "InternalServerError", Uncertain),
        (Vpc, "UnknownError", Uncertain),
    ];

    #[test]
    fn every_code_gets_its_verdict_and_every_row_is_needed() {
        let mut used = BTreeSet::new();
        for (product, code, verdict) in CODES {
            let rule = find(Some(*product), code).unwrap_or_else(|| panic!("no row for {code}"));
            assert_eq!(rule.verdict, *verdict, "{code}");
            used.insert(format!("{:?} {:?}", rule.pattern, rule.product));
        }
        for rule in TABLE {
            let row = format!("{:?} {:?}", rule.pattern, rule.product);
            assert!(used.contains(&row), "no code reaches {row}");
            assert!(!rule.why.is_empty() && !rule.why.ends_with('.'), "{row}");
        }
        assert_eq!(used.len(), TABLE.len());
    }

    #[test]
    fn a_product_s_own_row_does_not_reach_others() {
        assert!(find(Some(Nlb), "ParameterInstanceId").is_none());
        assert!(find(Some(Nlb), "IdempotentParameterMismatch").is_none());
    }
}
