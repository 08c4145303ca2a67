"""Paging, refusals, tokens, dry runs and credentials, while the whole job stands."""

from drivers import OldCore, Refused, Typed
from topology import FOLLOWER, FOLLOWER_INSTANCE, FOLLOWER_VPC, LEADER, LEADER_INSTANCE, LEADER_VPC
from topology import TAG

# Never signed with by anybody.
WRONG_SECRET = "a-secret-that-is-wrong"


class Edges:
    """What an official client meets beside the straight way."""

    def __init__(self, job):
        self.job, self.driver, self.sandbox = job, job.driver, job.sandbox
        self.findings = job.findings

    def all(self):
        for part in (self.numbered, self.by_token, self.pages_of_elasticsearch, self.refusals,
                     self.tokens, self.dry_runs, self.wrong_keys, self.session, self.throttled):
            with self.findings.section(f"{self.driver.scheme}: {part.__name__}"):
                part()

    # Paging.

    def paged(self, product, action, params, path, first):
        """Reads a list to its end in pages of one, and compares it with the whole."""
        size, forward = first
        pages, more = [], {size: 1}
        whole = self.rows_of(self.driver.call(product, action, params), path)
        if len(whole) < 2:
            self.findings.say(f"{product} {action}: {len(whole)} rows are too few to page")
        for number in range(len(whole) + 2):
            answer = self.driver.call(product, action, {**params, **more})
            pages += self.rows_of(answer, path)
            more = forward(answer, number)
            if more is None:
                break
            more[size] = 1
        self.findings.equal(pages, whole, f"{product} {action} in pages of one")

    def rows_of(self, answer, path):
        for name in path.split("."):
            answer = answer[name]
        return answer

    def numbered(self):
        def forward(answer, number):
            self.findings.equal(answer["PageNumber"], number + 1, "PageNumber")
            self.findings.equal(answer["PageSize"], 1, "PageSize")
            last = answer["TotalCount"] <= number + 1
            return None if last else {"PageNumber": number + 2}
        way = ("PageSize", forward)
        self.paged("Vpc", "DescribeVSwitches", {"RegionId": FOLLOWER, "VpcId": FOLLOWER_VPC},
                   "VSwitches.VSwitch", way)
        if isinstance(self.driver, Typed):
            # The old core names its own region with every call, and the list is of one then.
            self.paged("Cbn", "ListTransitRouters", {"CenId": self.job.cen_id}, "TransitRouters",
                       way)

    def by_token(self):
        def forward(answer, _):
            return {"NextToken": answer["NextToken"]} if answer.get("NextToken") else None
        table, _ = self.job.routes[LEADER]
        of_table = {"TransitRouterRouteTableId": self.job.tables[FOLLOWER]}
        lists = (
            ("Vpc", "DescribeRouteEntryList", {"RegionId": LEADER, "RouteTableId": table},
             "RouteEntrys.RouteEntry", "MaxResult"),
            ("Cbn", "ListTransitRouterRouteEntries", {
                **of_table, "TransitRouterRouteEntryStatus": "All"},
             "TransitRouterRouteEntries", "MaxResults"),
            ("Cbn", "ListTransitRouterRouteTableAssociations", of_table,
             "TransitRouterAssociations", "MaxResults"),
            ("Cbn", "ListTransitRouterRouteTablePropagations", of_table,
             "TransitRouterPropagations", "MaxResults"),
            ("PrivateLink", "ListVpcEndpointServiceResources", self.job.of_service, "Resources",
             "MaxResults"),
        )
        for product, action, params, path, size in lists:
            self.paged(product, action, params, path, (size, forward))

    def pages_of_elasticsearch(self):
        whole = self.driver.call("Elasticsearch", "ListInstance", {"page": 1, "size": 10})
        pages = [self.driver.call("Elasticsearch", "ListInstance", {"page": n, "size": 1})
                 for n in (1, 2, 3)]
        self.findings.equal([row for page in pages for row in page["Result"]], whole["Result"],
                            "ListInstance in pages of one")
        self.findings.equal(len(pages[2]["Result"]), 0, "rows behind the end")

    # Refusals.

    def refused(self, wanted, product, action, params=None, **more):
        code = self.driver.refusal(product, action, params, **more)
        self.findings.equal(code, wanted, f"{self.driver.scheme} {product} {action} refused")

    def refusals(self):
        job = self.job
        self.refused("EndpointServiceNotFound", "PrivateLink", "GetVpcEndpointServiceAttribute",
                     {"RegionId": FOLLOWER, "ServiceId": "epsrv-none"})
        self.refused("ResourceNotFound.loadBalancer", "Nlb", "GetLoadBalancerAttribute",
                     {"RegionId": FOLLOWER, "LoadBalancerId": "nlb-none"})
        self.refused("ResourceNotFound.listener", "Nlb", "GetListenerAttribute",
                     {"RegionId": FOLLOWER, "ListenerId": "lsn-none"})
        self.refused("InvalidVpcID.NotFound", "Vpc", "DescribeVpcAttribute",
                     {"RegionId": LEADER, "VpcId": "vpc-none"})
        self.refused("InstanceNotFound", "Elasticsearch", "DescribeInstance", below=["es-none"])
        self.refused("InvalidOperation.CenInstanceStatus", "Cbn", "DeleteCen",
                     {"CenId": job.cen_id})
        self.refused("InvalidOperation.AttachedChildInstanceExist", "Cbn", "DeleteTransitRouter", {
            "TransitRouterId": job.router[LEADER], "ClientToken": job.token()})
        self.refused("EndpointServiceConnectionDependence", "PrivateLink",
                     "DeleteVpcEndpointService", {**job.of_service, "ClientToken": job.token()})
        self.refused("MissingParameter.CidrBlock", "Vpc", "CreateVSwitch", {
            "RegionId": LEADER, "VpcId": LEADER_VPC, "ZoneId": "cn-shanghai-g"})

    def tokens(self):
        group = {"RegionId": FOLLOWER, "ServerGroupName": "twice", "ServerGroupType": "Ip",
                 "VpcId": FOLLOWER_VPC, "ClientToken": self.job.token()}
        first = self.driver.call("Nlb", "CreateServerGroup", group)
        again = self.driver.call("Nlb", "CreateServerGroup", group)
        self.findings.equal(again["ServerGroupId"], first["ServerGroupId"], "a repeated token")
        self.refused("IdempotentParameterMismatch", "Nlb", "CreateServerGroup",
                     {**group, "ServerGroupName": "other"})
        params = {"RegionId": FOLLOWER, "ServerGroupIds": [first["ServerGroupId"]]}
        look = lambda: self.job.rows("Nlb", "ListServerGroups", params, "ServerGroups")
        self.job.there(look, "ServerGroupStatus", "Available", "the server group")
        self.job.write("Nlb", "DeleteServerGroup", {
            "RegionId": FOLLOWER, "ServerGroupId": first["ServerGroupId"]})
        self.job.gone(look, "the server group")

    def dry_runs(self):
        before = self.sandbox.inventory()
        job = self.job
        rehearsed = (
            ("Nlb", "CreateServerGroup", {
                "RegionId": FOLLOWER, "ServerGroupName": "dry", "ServerGroupType": "Ip",
                "VpcId": FOLLOWER_VPC}),
            ("PrivateLink", "CreateVpcEndpointService", {
                "RegionId": FOLLOWER, "ServiceResourceType": "nlb", "Tag": TAG}),
            ("Vpc", "DeleteRouteEntry", {
                "RegionId": LEADER, "RouteEntryId": job.routes[LEADER][1]}),
        )
        for product, action, params in rehearsed:
            self.refused("DryRunOperation", product, action, {**params, "DryRun": True})
        self.refused("DryRunOperation", "Elasticsearch", "CreateVpcEndpoint", {
            "ClientToken": job.token(), "dryRun": True}, below=[FOLLOWER_INSTANCE],
            body={"serviceId": job.service_id, "zoneId": "cn-hangzhou-i"})
        self.findings.equal(self.sandbox.inventory(), before, "what exists after dry runs")

    # Credentials and the gateway.

    def again(self, *keys):
        """Another client of the same generation."""
        return type(self.driver)(self.findings, self.sandbox.authority, *keys)

    def wrong_keys(self):
        key = self.sandbox.addresses["access_key_id"]
        wrong = ((self.again("nobody", WRONG_SECRET), "InvalidAccessKeyId.NotFound"),
                 (self.again(key, WRONG_SECRET), "SignatureDoesNotMatch"))
        for driver, wanted in wrong:
            for product, action, more in (
                    ("Sts", "GetCallerIdentity", {}),
                    ("Elasticsearch", "DescribeInstance", {"below": [LEADER_INSTANCE]})):
                code = driver.refusal(product, action, **more)
                self.findings.equal(code, wanted, f"{product} {action}")
        if isinstance(self.driver, OldCore):
            # It holds the server's string to sign against its own: only the secret may differ.
            code = self.again(key, WRONG_SECRET).compared("Sts", "GetCallerIdentity")
            self.findings.equal(code, "InvalidAccessKeySecret", "the old core's own comparison")

    def session(self):
        account = self.driver.call("Sts", "GetCallerIdentity")["AccountId"]
        params = {"RoleArn": f"acs:ram::{account}:role/escrr", "RoleSessionName": "contract",
                  "DurationSeconds": 900}
        given = self.driver.call("Sts", "AssumeRole", params)["Credentials"]
        keys = given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"]
        mine = self.again(*keys)
        identity = mine.call("Sts", "GetCallerIdentity")
        self.findings.equal(identity["IdentityType"], "AssumedRoleUser", "a session's identity")
        mine.call("Elasticsearch", "DescribeInstance", below=[LEADER_INSTANCE])
        mine.call("Cbn", "DescribeCens", {"PageSize": 50})

    def throttled(self):
        """Too many requests: the V3 clients have an exception of its own for the hint."""
        order = self.sandbox.fault({"throttle_ms": 1500}, product="Vpc", times=1)
        try:
            self.driver.call("Vpc", "DescribeVSwitches", {"RegionId": LEADER})
            self.findings.say("a throttled call is answered")
        except Refused as refused:
            self.findings.equal(refused.code, "Throttling.User", "throttled")
            if isinstance(self.driver, Typed):
                kind = type(refused.error).__name__
                self.findings.equal(kind, "ThrottlingException", "throttled")
                self.findings.equal(refused.error.retry_after, 1500, "the hint")
        self.sandbox.ask("DELETE", f"fault/{order['id']}")
