"""What the sandbox answers beyond the job's own calls, while the whole job stands."""

from topology import FOLLOWER, FOLLOWER_INSTANCE, FOLLOWER_VPC, LEADER, LEADER_VPC, TEXT

MORE = [{"Key": "contract-more", "Value": "x-y"}]


class Others:
    """Changes of attributes, tags, custom tables, users and lists."""

    def __init__(self, job):
        self.job, self.findings = job, job.findings
        self.call, self.write, self.rows = job.call, job.write, job.rows

    def all(self):
        for part in (self.regions, self.networks, self.routers, self.custom_table, self.tags,
                     self.balancer, self.service, self.connection, self.instance):
            with self.findings.section(f"{self.job.driver.scheme}: {part.__name__}"):
                part()

    def regions(self):
        for product in ("Vpc", "Ecs", "Nlb", "PrivateLink", "Elasticsearch"):
            self.call(product, "DescribeRegions")

    def networks(self):
        self.rows("Vpc", "DescribeVpcs", {"RegionId": LEADER, "VpcId": LEADER_VPC}, "Vpcs", "Vpc")
        vswitch = {"RegionId": LEADER, "VSwitchId": self.job.vswitch}
        self.call("Vpc", "ModifyVSwitchAttribute", {**vswitch, "VSwitchName": "renamed"})
        found = self.call("Vpc", "DescribeVSwitchAttributes", vswitch)
        self.findings.equal(found["VSwitchName"], "renamed", "the vSwitch's name")
        table, _ = self.job.routes[LEADER]
        self.call("Vpc", "DescribeRouteTables", {"RegionId": LEADER, "RouteTableId": table})
        self.call("Ecs", "DescribeInvocations", {"RegionId": LEADER})

    def routers(self):
        job = self.job
        self.call("Cbn", "ModifyCenAttribute", {"CenId": job.cen_id, "Name": "renamed"})
        children = self.rows("Cbn", "DescribeCenAttachedChildInstances", {"CenId": job.cen_id},
                             "ChildInstances", "ChildInstance")
        vpcs = {child["ChildInstanceId"] for child in children}
        self.findings.equal(vpcs, {LEADER_VPC, FOLLOWER_VPC}, "the CEN's children")
        table, _ = job.routes[LEADER]
        self.call("Cbn", "DescribeRouteConflict", {
            "ChildInstanceId": LEADER_VPC, "ChildInstanceRegionId": LEADER,
            "ChildInstanceRouteTableId": table, "ChildInstanceType": "VPC"})
        self.write("Cbn", "UpdateTransitRouter", {
            "RegionId": LEADER, "TransitRouterId": job.router[LEADER],
            "TransitRouterName": "renamed"})
        self.write("Cbn", "UpdateTransitRouterVpcAttachmentAttribute", {
            "TransitRouterAttachmentId": job.attachments[LEADER],
            "TransitRouterAttachmentName": "renamed"})
        job.there(job.vpc_attachment(LEADER), "Status", "Attached", "the changed attachment")
        self.write("Cbn", "UpdateTransitRouterPeerAttachmentAttribute", {
            "TransitRouterAttachmentId": job.attachments["peer"], "Bandwidth": 50})
        link = job.there(job.peer_attachment, "Status", "Attached", "the changed link")
        self.findings.equal(link["Bandwidth"], 50, "the link's bandwidth")

    def custom_table(self):
        job = self.job
        router = job.router[LEADER]
        made = self.write("Cbn", "CreateTransitRouterRouteTable", {
            "TransitRouterId": router, "TransitRouterRouteTableName": "contract"})
        table = {"TransitRouterRouteTableId": made["TransitRouterRouteTableId"]}
        listed = {"TransitRouterId": router, "TransitRouterRouteTableType": "Custom"}
        look = lambda: self.rows("Cbn", "ListTransitRouterRouteTables", listed,
                                 "TransitRouterRouteTables")
        status = "TransitRouterRouteTableStatus"
        job.there(look, status, "Active", "the custom table")
        self.write("Cbn", "UpdateTransitRouterRouteTable", {
            **table, "TransitRouterRouteTableName": "renamed"})
        job.there(look, status, "Active", "the custom table")
        made = self.write("Cbn", "CreateTransitRouterRouteEntry", {
            **table, "TransitRouterRouteEntryDestinationCidrBlock": "192.168.7.0/24",
            "TransitRouterRouteEntryNextHopType": "BlackHole"})
        entries = lambda: self.rows("Cbn", "ListTransitRouterRouteEntries", {
            **table, "TransitRouterRouteEntryStatus": "All"}, "TransitRouterRouteEntries")
        job.there(entries, "TransitRouterRouteEntryStatus", "Active", "the black hole")
        self.write("Cbn", "DeleteTransitRouterRouteEntry", {
            "TransitRouterRouteEntryId": made["TransitRouterRouteEntryId"]})
        job.gone(entries, "the black hole")
        self.write("Cbn", "DeleteTransitRouterRouteTable", table)
        job.gone(look, "the custom table")

    def tags(self):
        job = self.job
        tagged = (
            ("Cbn", LEADER, "TransitRouter", job.router[LEADER], "UntagResources"),
            ("Vpc", LEADER, "VSWITCH", job.vswitch, "UnTagResources"),
            ("Nlb", FOLLOWER, "loadbalancer", job.balancer_id, "UntagResources"),
            ("PrivateLink", FOLLOWER, "vpcendpointservice", job.service_id, "UntagResources"),
        )
        for product, region, kind, resource, untag in tagged:
            of = {"RegionId": region, "ResourceType": kind, "ResourceId": [resource]}
            self.call(product, "TagResources", {**of, "Tag": MORE})
            found = self.tag_keys(product, of)
            self.findings.check("contract-more" in found, f"{product}: tags {found}")
            self.call(product, untag, {**of, "TagKey": ["contract-more"]})
            found = self.tag_keys(product, of)
            self.findings.check("contract-more" not in found, f"{product}: tags {found}")

    def tag_keys(self, product, of):
        rows = self.call(product, "ListTagResources", of)["TagResources"]
        rows = rows["TagResource"] if isinstance(rows, dict) else rows
        return [row["TagKey"] for row in rows]

    def balancer(self):
        job = self.job
        region = {"RegionId": FOLLOWER}
        listener = {**region, "ListenerId": job.listener_id}
        balancer = {**region, "LoadBalancerId": job.balancer_id}
        jobs = [
            self.write("Nlb", "UpdateListenerAttribute", {
                **listener, "ListenerDescription": "renamed"})["JobId"],
        ]
        job.job(jobs[0])
        jobs.append(self.write("Nlb", "StopListener", listener)["JobId"])
        job.job(jobs[1])
        jobs.append(self.write("Nlb", "StartListener", listener)["JobId"])
        job.job(jobs[2])
        jobs.append(self.write("Nlb", "UpdateServerGroupAttribute", {
            **region, "ServerGroupId": job.group, "ServerGroupName": "renamed"})["JobId"])
        job.job(jobs[3])
        jobs.append(self.write("Nlb", "UpdateLoadBalancerAttribute", {
            **balancer, "LoadBalancerName": "renamed"})["JobId"])
        job.job(jobs[4])
        self.call("Nlb", "ListAsynJobs", {"JobIds": jobs})
        for held in (True, False):
            self.write("Nlb", "UpdateLoadBalancerProtection", {
                **balancer, "DeletionProtectionEnabled": held})
            found = self.call("Nlb", "GetLoadBalancerAttribute", balancer)
            self.findings.equal(found["DeletionProtectionConfig"]["Enabled"], held, "protection")

    def service(self):
        of = self.job.of_service
        self.write("PrivateLink", "UpdateVpcEndpointServiceAttribute", {
            **of, "ServiceDescription": "renamed"})
        look = lambda: [self.call("PrivateLink", "GetVpcEndpointServiceAttribute", of)]
        self.job.there(look, "ServiceStatus", "Active", "the changed service")
        user = {**of, "UserId": 1000000000000002}
        users = lambda: self.rows("PrivateLink", "ListVpcEndpointServiceUsers", user, "Users")
        self.write("PrivateLink", "AddUserToVpcEndpointService", user)
        self.findings.equal([row["UserId"] for row in users()], [user["UserId"]], "users")
        self.write("PrivateLink", "RemoveUserFromVpcEndpointService", user)
        self.findings.equal(users(), [], "users afterwards")

    def connection(self):
        of = {**self.job.of_service, "EndpointId": self.job.endpoint_id}
        for action, status in (("DisableVpcEndpointConnection", "Disconnected"),
                               ("EnableVpcEndpointConnection", "Connected")):
            self.write("PrivateLink", action, of)
            self.job.there(self.job.connections, "ConnectionStatus", status, "the connection")

    def instance(self):
        at = [FOLLOWER_INSTANCE]
        self.call("Elasticsearch", "UpdateDescription", {"clientToken": self.job.token()},
                  below=at, body={"description": TEXT})
        found = self.call("Elasticsearch", "DescribeInstance", below=at)["Result"]
        self.findings.equal(found["description"], TEXT, "the description")
        found = self.call("Elasticsearch", "ListInstance", {"description": TEXT})["Result"]
        self.findings.equal([row["instanceId"] for row in found], at, "instances so described")
        self.call("Elasticsearch", "DescribeElasticsearchHealth", below=at)
        self.call("Elasticsearch", "ListAllNode", {"extended": True}, below=at)
        self.call("Elasticsearch", "TagResources", body={
            "ResourceIds": at, "ResourceType": "INSTANCE",
            "Tags": [{"key": "contract-more", "value": "x"}]})
        found = self.call("Elasticsearch", "ListTagResources", {
            "ResourceType": "INSTANCE", "ResourceIds": f'["{FOLLOWER_INSTANCE}"]'})
        keys = [row["TagKey"] for row in found["TagResources"]["TagResource"]]
        self.findings.check("contract-more" in keys, f"tags {keys}")
        self.call("Elasticsearch", "UntagResources", {
            "ResourceType": "INSTANCE", "ResourceIds": f'["{FOLLOWER_INSTANCE}"]',
            "TagKeys": '["contract-more"]'})
