"""The documented job's whole network, made, read back and taken away by an official client."""

LEADER, FOLLOWER = "cn-shanghai", "cn-hangzhou"
LEADER_INSTANCE, FOLLOWER_INSTANCE = "es-cn-leader000001", "es-cn-follower0001"
LEADER_VPC, FOLLOWER_VPC = "vpc-leader0001", "vpc-follower01"
# Some products take nothing but these characters in a tag.
TAG = [{"Key": "escrr-link", "Value": "contract.test_1-2"}]
# This one takes any.
CEN_TAG = [{"Key": "escrr-link", "Value": "contract test ~*"}]
# Clients and servers differ in how they encode it.
TEXT = "a b+c*d~e/f%25&g=h 生产"
# Steps of the world's clock before a course is given up.
PATIENCE = 400


class Topology:
    """What stands; every step is a method, in the order of the document."""

    def __init__(self, driver, sandbox):
        self.driver, self.sandbox = driver, sandbox
        self.findings = driver.findings
        self.tokens = 0
        self.attachments, self.tables, self.routes = {}, {}, {}

    # Small means.

    def call(self, *arguments, **more):
        return self.driver.call(*arguments, **more)

    def write(self, product, action, params, **more):
        """A change with a client token."""
        return self.call(product, action, {**params, "ClientToken": self.token()}, **more)

    def token(self):
        self.tokens += 1
        return f"contract-{self.driver.scheme}-{self.tokens}"

    def until(self, look, done, what):
        """Looks again and again, the clock moved in between, until it is done."""
        seen = None
        for _ in range(PATIENCE):
            seen = look()
            if done(seen):
                return seen
            self.sandbox.advance(5)
        raise AssertionError(f"{what} does not come to its end: {seen}")

    def rows(self, product, action, params, *path):
        """The rows of a list."""
        value = self.call(product, action, params)
        for name in path:
            value = value[name]
        return value

    def there(self, look, member, wanted, what):
        """Waits until the one row that a look gives has a status."""
        return self.until(look, lambda rows: [r[member] for r in rows] == [wanted], what)[0]

    def gone(self, look, what):
        self.until(look, lambda rows: rows == [], what)

    # Step 1: the network between the regions.

    def prerequisites(self):
        identity = self.call("Sts", "GetCallerIdentity")
        self.findings.equal(identity["IdentityType"], "Account", "the identity")
        self.findings.equal(self.call("Cbn", "CheckTransitRouterService")["Enabled"], "true", "Cbn")
        self.findings.equal(self.call("PrivateLink", "CheckProductOpen", {})["Success"], True,
                            "PrivateLink")
        for region in (LEADER, FOLLOWER):
            zones = self.call("Cbn", "ListTransitRouterAvailableResource", {"RegionId": region})
            self.findings.check(len(zones["AvailableZones"]) > 1, f"zones of {region}: {zones}")
        self.call("Nlb", "DescribeZones", {"RegionId": FOLLOWER})
        params = {"RegionId": FOLLOWER, "ServiceResourceType": "nlb"}
        self.call("PrivateLink", "DescribeZones", params)
        for region, vpc in ((LEADER, LEADER_VPC), (FOLLOWER, FOLLOWER_VPC)):
            self.call("Vpc", "DescribeVpcAttribute", {"RegionId": region, "VpcId": vpc})
        for instance in (LEADER_INSTANCE, FOLLOWER_INSTANCE):
            result = self.call("Elasticsearch", "DescribeInstance", below=[instance])["Result"]
            self.findings.equal(result["status"], "active", instance)
        self.call("Elasticsearch", "ListInstance", {"page": 1, "size": 10})

    def cen(self):
        made = self.write("Cbn", "CreateCen", {"Name": "contract", "Description": TEXT,
                                               "Tag": CEN_TAG})
        self.cen_id = made["CenId"]
        look = lambda: self.rows("Cbn", "DescribeCens", {
            "Filter": [{"Key": "CenId", "Value": [self.cen_id]}], "Tag": CEN_TAG,
            "PageSize": 50, "PageNumber": 1}, "Cens", "Cen")
        cen = self.there(look, "Status", "Active", "the CEN")
        self.findings.equal(cen["Tags"]["Tag"], CEN_TAG, "the CEN's tags")
        self.findings.equal(cen["Description"], TEXT, "the CEN's description")

    def routers(self):
        self.router = {}
        for region in (LEADER, FOLLOWER):
            made = self.write("Cbn", "CreateTransitRouter", {
                "RegionId": region, "CenId": self.cen_id, "TransitRouterName": "contract",
                "TransitRouterDescription": "contract", "Tag": TAG})
            self.router[region] = made["TransitRouterId"]
            look = lambda: self.rows("Cbn", "ListTransitRouters", {
                "RegionId": region, "CenId": self.cen_id, "PageSize": 50}, "TransitRouters")
            self.there(look, "Status", "Active", "the transit router")
            tables = self.rows("Cbn", "ListTransitRouterRouteTables", {
                "TransitRouterId": self.router[region],
                "TransitRouterRouteTableType": "System", "MaxResults": 100},
                "TransitRouterRouteTables")
            self.tables[region] = tables[0]["TransitRouterRouteTableId"]

    def vswitches(self):
        made = self.write("Vpc", "CreateVSwitch", {
            "RegionId": LEADER, "VpcId": LEADER_VPC, "ZoneId": "cn-shanghai-g",
            "CidrBlock": "10.1.250.0/28", "VSwitchName": "contract", "Tag": TAG})
        self.vswitch = made["VSwitchId"]
        self.there(self.own_vswitch, "Status", "Available", "the vSwitch")

    def own_vswitch(self):
        return self.rows("Vpc", "DescribeVSwitches", {
            "RegionId": LEADER, "VpcId": LEADER_VPC, "VSwitchId": self.vswitch,
            "PageSize": 50, "PageNumber": 1}, "VSwitches", "VSwitch")

    def vpc_attachments(self):
        places = {
            LEADER: (LEADER_VPC, [("cn-shanghai-f", "vsw-leader-f"),
                                  ("cn-shanghai-g", self.vswitch)]),
            FOLLOWER: (FOLLOWER_VPC, [("cn-hangzhou-h", "vsw-follower-h"),
                                      ("cn-hangzhou-i", "vsw-follower-i")]),
        }
        for region, (vpc, zones) in places.items():
            made = self.write("Cbn", "CreateTransitRouterVpcAttachment", {
                "RegionId": region, "CenId": self.cen_id, "VpcId": vpc,
                "TransitRouterId": self.router[region], "AutoPublishRouteEnabled": False,
                "ZoneMappings": [{"ZoneId": z, "VSwitchId": v} for z, v in zones],
                "TransitRouterAttachmentName": "contract", "Tag": TAG})
            self.attachments[region] = made["TransitRouterAttachmentId"]
            self.there(self.vpc_attachment(region), "Status", "Attached", "the VPC attachment")
            attribute = self.call("Vpc", "DescribeVpcAttribute", {"RegionId": region, "VpcId": vpc})
            cens = [cen["CenId"] for cen in attribute["AssociatedCens"]["AssociatedCen"]]
            self.findings.equal(cens, [self.cen_id], "the VPC's CEN")

    def vpc_attachment(self, region):
        return lambda: self.rows("Cbn", "ListTransitRouterVpcAttachments", {
            "RegionId": region, "CenId": self.cen_id,
            "TransitRouterAttachmentId": self.attachments[region], "MaxResults": 100},
            "TransitRouterAttachments")

    def bandwidth_plan(self):
        """A plan is bound, read back and let go; the link itself is paid by what flows."""
        made = self.write("Cbn", "CreateCenBandwidthPackage", {
            "Bandwidth": 2, "Name": "contract", "GeographicRegionAId": "China",
            "GeographicRegionBId": "China", "BandwidthPackageChargeType": "POSTPAY"})
        ids = {"CenBandwidthPackageId": made["CenBandwidthPackageId"]}
        look = lambda: self.rows("Cbn", "DescribeCenBandwidthPackages", {
            "Filter": [{"Key": "CenBandwidthPackageId", "Value": list(ids.values())}],
            "PageSize": 50, "PageNumber": 1}, "CenBandwidthPackages", "CenBandwidthPackage")
        self.there(look, "Status", "Idle", "the bandwidth plan")
        self.call("Cbn", "AssociateCenBandwidthPackage", {"CenId": self.cen_id, **ids})
        plan = self.there(look, "Status", "InUse", "the bandwidth plan")
        self.findings.equal(plan["CenIds"]["CenId"], [self.cen_id], "the plan's CEN")
        self.call("Cbn", "UnassociateCenBandwidthPackage", {"CenId": self.cen_id, **ids})
        self.there(look, "Status", "Idle", "the bandwidth plan")
        self.call("Cbn", "DeleteCenBandwidthPackage", ids)
        self.gone(look, "the bandwidth plan")

    def peer(self):
        made = self.write("Cbn", "CreateTransitRouterPeerAttachment", {
            "RegionId": FOLLOWER, "CenId": self.cen_id,
            "TransitRouterId": self.router[FOLLOWER], "PeerTransitRouterId": self.router[LEADER],
            "PeerTransitRouterRegionId": LEADER, "BandwidthType": "DataTransfer",
            "Bandwidth": 100, "AutoPublishRouteEnabled": True,
            "TransitRouterAttachmentName": "contract", "Tag": TAG})
        self.attachments["peer"] = made["TransitRouterAttachmentId"]
        self.there(self.peer_attachment, "Status", "Attached", "the peer attachment")

    def peer_attachment(self):
        return self.rows("Cbn", "ListTransitRouterPeerAttachments", {
            "RegionId": FOLLOWER, "CenId": self.cen_id, "MaxResults": 100,
            "TransitRouterAttachmentId": self.attachments["peer"]}, "TransitRouterAttachments")

    TIES = (("AssociateTransitRouterAttachmentWithRouteTable",
             "DissociateTransitRouterAttachmentFromRouteTable",
             "ListTransitRouterRouteTableAssociations", "TransitRouterAssociations"),
            ("EnableTransitRouterRouteTablePropagation",
             "DisableTransitRouterRouteTablePropagation",
             "ListTransitRouterRouteTablePropagations", "TransitRouterPropagations"))

    def tied(self):
        """Each attachment with the tables that it is tied to."""
        for region in (LEADER, FOLLOWER):
            yield self.attachments[region], self.tables[region]
            yield self.attachments["peer"], self.tables[region]

    def ties(self):
        for tie, _, listed, path in self.TIES:
            for attachment, table in self.tied():
                params = {"TransitRouterAttachmentId": attachment,
                          "TransitRouterRouteTableId": table}
                self.write("Cbn", tie, params)
                look = lambda: self.rows("Cbn", listed, {**params, "MaxResults": 50}, path)
                self.there(look, "Status", "Active", tie)

    def vpc_routes(self):
        ends = ((LEADER, LEADER_VPC, "10.2.0.0/16"), (FOLLOWER, FOLLOWER_VPC, "10.1.0.0/16"))
        for region, vpc, beyond in ends:
            tables = self.rows("Vpc", "DescribeRouteTableList", {
                "RegionId": region, "VpcId": vpc, "RouteTableType": "System"},
                "RouterTableList", "RouterTableListType")
            table = tables[0]["RouteTableId"]
            made = self.write("Vpc", "CreateRouteEntry", {
                "RegionId": region, "RouteTableId": table, "DestinationCidrBlock": beyond,
                "NextHopType": "Attachment", "NextHopId": self.attachments[region],
                "RouteEntryName": "contract"})
            self.routes[region] = (table, made["RouteEntryId"])
            self.there(self.own_route(region), "Status", "Available", "the route")

    def own_route(self, region):
        table, entry = self.routes[region]
        return lambda: [row for row in self.rows("Vpc", "DescribeRouteEntryList", {
            "RegionId": region, "RouteTableId": table, "IpVersion": "ipv4", "MaxResult": 100},
            "RouteEntrys", "RouteEntry") if row["RouteEntryId"] == entry]

    def router_routes(self):
        for region, beyond in ((LEADER, "10.2.1.0/24"), (FOLLOWER, "10.1.1.0/24")):
            look = lambda: [row for row in self.rows("Cbn", "ListTransitRouterRouteEntries", {
                "TransitRouterRouteTableId": self.tables[region], "MaxResults": 100,
                "TransitRouterRouteEntryStatus": "All"}, "TransitRouterRouteEntries")
                if row["TransitRouterRouteEntryDestinationCidrBlock"] == beyond]
            self.there(look, "TransitRouterRouteEntryStatus", "Active", f"the route to {beyond}")

    # And back.

    def take_routes_away(self):
        for region, (_, entry) in self.routes.items():
            self.call("Vpc", "DeleteRouteEntry", {"RegionId": region, "RouteEntryId": entry})
            self.gone(self.own_route(region), "the route")

    def take_ties_away(self):
        for _, untie, listed, path in reversed(self.TIES):
            for attachment, table in self.tied():
                params = {"TransitRouterAttachmentId": attachment,
                          "TransitRouterRouteTableId": table}
                self.write("Cbn", untie, params)
                self.gone(lambda: self.rows("Cbn", listed, params, path), untie)

    def take_network_away(self):
        self.write("Cbn", "DeleteTransitRouterPeerAttachment", {
            "TransitRouterAttachmentId": self.attachments["peer"], "Force": False})
        self.gone(self.peer_attachment, "the peer attachment")
        for region in (LEADER, FOLLOWER):
            self.write("Cbn", "DeleteTransitRouterVpcAttachment", {
                "TransitRouterAttachmentId": self.attachments[region], "Force": False})
            self.gone(self.vpc_attachment(region), "the VPC attachment")
            self.write("Cbn", "DeleteTransitRouter", {"TransitRouterId": self.router[region]})
            look = lambda: self.rows("Cbn", "ListTransitRouters", {
                "RegionId": region, "CenId": self.cen_id}, "TransitRouters")
            self.gone(look, "the transit router")
        # The attachment's interfaces lag behind it.
        self.sandbox.advance(120)
        self.call("Vpc", "DeleteVSwitch", {"RegionId": LEADER, "VSwitchId": self.vswitch})
        self.gone(self.own_vswitch, "the vSwitch")
        self.call("Cbn", "DeleteCen", {"CenId": self.cen_id})
        self.gone(lambda: self.rows("Cbn", "DescribeCens", {
            "Filter": [{"Key": "CenId", "Value": [self.cen_id]}]}, "Cens", "Cen"), "the CEN")
