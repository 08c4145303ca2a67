"""Steps 2 to 4: the leader's address, the load balancer, and the private connection."""

import base64
import re

from topology import FOLLOWER, FOLLOWER_INSTANCE, FOLLOWER_VPC, LEADER, LEADER_INSTANCE, TAG
from topology import LEADER_VPC, Topology

ZONES = [("cn-hangzhou-h", "vsw-follower-h"), ("cn-hangzhou-i", "vsw-follower-i")]
GROUP = {"groupName": "contract", "whiteIpType": "PRIVATE_ES"}


class Job(Topology):
    """The whole job, made and taken away."""

    def build(self):
        for step in (self.prerequisites, self.cen, self.routers, self.vswitches,
                     self.vpc_attachments, self.bandwidth_plan, self.peer, self.ties,
                     self.vpc_routes, self.router_routes, self.leader_address,
                     self.server_group, self.balancer, self.listener, self.service,
                     self.endpoint, self.not_admitted, self.allow_list, self.healthy):
            step()

    def take_away(self):
        for step in (self.take_private_link_away, self.take_balancer_away,
                     self.take_allow_list_away, self.take_routes_away, self.take_ties_away,
                     self.take_network_away):
            step()

    # Step 2.

    def leader_address(self):
        domain = self.call("Elasticsearch", "DescribeInstance",
                           below=[LEADER_INSTANCE])["Result"]["domain"]
        instances = self.rows("Ecs", "DescribeInstances", {
            "RegionId": LEADER, "VpcId": LEADER_VPC, "Status": "Running", "MaxResults": 100},
            "Instances", "Instance")
        shell = instances[0]["InstanceId"]
        agents = self.rows("Ecs", "DescribeCloudAssistantStatus", {
            "RegionId": LEADER, "InstanceId": [shell], "MaxResults": 50},
            "InstanceCloudAssistantStatusSet", "InstanceCloudAssistantStatus")
        self.findings.equal(agents[0]["CloudAssistantStatus"], "true", "the agent")
        script = base64.b64encode(f"getent ahostsv4 {domain}".encode()).decode()
        run = self.write("Ecs", "RunCommand", {
            "RegionId": LEADER, "Type": "RunShellScript", "InstanceId": [shell], "Timeout": 60,
            "CommandContent": script, "ContentEncoding": "Base64", "KeepCommand": False,
            "Name": "contract"})
        look = lambda: self.rows("Ecs", "DescribeInvocationResults", {
            "RegionId": LEADER, "InvokeId": run["InvokeId"], "ContentEncoding": "Base64",
            "PageSize": 50}, "Invocation", "InvocationResults", "InvocationResult")
        said = self.there(look, "InvocationStatus", "Success", "the command")
        output = base64.b64decode(said["Output"]).decode()
        self.address = re.search(r"\b10(\.\d+){3}\b", output).group()

    # Step 3.

    def server_group(self):
        made = self.write("Nlb", "CreateServerGroup", {
            "RegionId": FOLLOWER, "ServerGroupName": "contract", "ServerGroupType": "Ip",
            "VpcId": FOLLOWER_VPC, "Protocol": "TCP", "AnyPortEnabled": True,
            "PreserveClientIpEnabled": False, "Tag": TAG,
            "HealthCheckConfig": {"HealthCheckEnabled": True, "HealthCheckType": "TCP",
                                  "HealthCheckConnectPort": 9300}})
        self.group = made["ServerGroupId"]
        self.there(self.own_group, "ServerGroupStatus", "Available", "the server group")
        self.job(made["JobId"])
        made = self.write("Nlb", "AddServersToServerGroup", {
            "RegionId": FOLLOWER, "ServerGroupId": self.group, "Servers": [
                {"ServerId": self.address, "ServerIp": self.address, "ServerType": "Ip",
                 "Port": 0, "Weight": 100}]})
        self.there(self.servers, "Status", "Available", "the backend")

    def own_group(self):
        return self.rows("Nlb", "ListServerGroups", {
            "RegionId": FOLLOWER, "ServerGroupIds": [self.group], "Tag": TAG, "MaxResults": 100},
            "ServerGroups")

    def servers(self):
        return self.rows("Nlb", "ListServerGroupServers", {
            "RegionId": FOLLOWER, "ServerGroupId": self.group, "MaxResults": 100}, "Servers")

    def job(self, job):
        """The job behind a change; the call names no region."""
        self.until(lambda: self.call("Nlb", "GetJobStatus", {"JobId": job})["Status"],
                   lambda status: status == "Succeeded", "the job")

    def balancer(self):
        made = self.write("Nlb", "CreateLoadBalancer", {
            "RegionId": FOLLOWER, "AddressType": "Intranet", "LoadBalancerName": "contract",
            "VpcId": FOLLOWER_VPC, "Tag": TAG,
            "ZoneMappings": [{"ZoneId": z, "VSwitchId": v} for z, v in ZONES]})
        self.balancer_id = made["LoadbalancerId"]
        params = {"RegionId": FOLLOWER, "LoadBalancerId": self.balancer_id}
        look = lambda: [self.call("Nlb", "GetLoadBalancerAttribute", params)]
        made = self.there(look, "LoadBalancerStatus", "Active", "the load balancer")
        self.findings.equal(len(made["ZoneMappings"]), 2, "zones of the load balancer")
        self.rows("Nlb", "ListLoadBalancers", {
            "RegionId": FOLLOWER, "Tag": TAG, "MaxResults": 100}, "LoadBalancers")

    def listener(self):
        made = self.write("Nlb", "CreateListener", {
            "RegionId": FOLLOWER, "LoadBalancerId": self.balancer_id, "ListenerProtocol": "TCP",
            "ListenerPort": 0, "StartPort": 9200, "EndPort": 9300, "ServerGroupId": self.group,
            "ListenerDescription": "contract", "Tag": TAG})
        self.listener_id = made["ListenerId"]
        look = lambda: [self.call("Nlb", "GetListenerAttribute", {
            "RegionId": FOLLOWER, "ListenerId": self.listener_id})]
        self.there(look, "ListenerStatus", "Running", "the listener")
        self.listeners()

    def listeners(self):
        return self.rows("Nlb", "ListListeners", {
            "RegionId": FOLLOWER, "LoadBalancerIds": [self.balancer_id], "MaxResults": 100},
            "Listeners")

    # Step 4.

    def service(self):
        resources = [{"ResourceId": self.balancer_id, "ResourceType": "nlb", "ZoneId": zone}
                     for zone, _ in ZONES]
        made = self.write("PrivateLink", "CreateVpcEndpointService", {
            "RegionId": FOLLOWER, "ServiceResourceType": "nlb", "AutoAcceptEnabled": True,
            "Payer": "Endpoint", "ServiceDescription": "contract", "Tag": TAG,
            "Resource": resources[:1]})
        self.service_id = made["ServiceId"]
        self.of_service = {"RegionId": FOLLOWER, "ServiceId": self.service_id}
        look = lambda: [self.call("PrivateLink", "GetVpcEndpointServiceAttribute",
                                  self.of_service)]
        self.there(look, "ServiceStatus", "Active", "the endpoint service")
        self.rows("PrivateLink", "ListVpcEndpointServices", {
            "RegionId": FOLLOWER, "ResourceId": self.balancer_id, "Tag": TAG, "MaxResults": 100},
            "Services")
        self.write("PrivateLink", "AttachResourceToVpcEndpointService",
                   {**self.of_service, **resources[1]})
        self.until(self.resources, lambda rows: len(rows) == 2, "the second zone")

    def resources(self):
        return self.rows("PrivateLink", "ListVpcEndpointServiceResources",
                         {**self.of_service, "MaxResults": 50}, "Resources")

    def connections(self):
        return self.rows("PrivateLink", "ListVpcEndpointConnections",
                         {**self.of_service, "MaxResults": 100}, "Connections")

    def endpoint(self):
        body = {"serviceId": self.service_id, "zoneId": "cn-hangzhou-h"}
        made = self.write("Elasticsearch", "CreateVpcEndpoint", {}, below=[FOLLOWER_INSTANCE],
                          body=body)["Result"]
        self.endpoint_id = made["endpointId"]
        self.there(self.endpoints, "endpointStatus", "Active", "the private connection")
        self.there(self.endpoints, "connectionStatus", "Connected", "the private connection")
        self.domain = self.endpoints()[0]["endpointDomain"]
        self.there(self.connections, "ConnectionStatus", "Connected", "the connection")

    def endpoints(self):
        rows = self.call("Elasticsearch", "ListVpcEndpoints", {"page": 1, "size": 20},
                         below=[FOLLOWER_INSTANCE])["Result"]
        return [row for row in rows if row["endpointId"] == self.endpoint_id]

    def white_ips(self, mode, ips, left=None):
        left = ips if left is None else left
        self.call("Elasticsearch", "ModifyWhiteIps", {"clientToken": self.token()},
                  below=[LEADER_INSTANCE],
                  body={"modifyMode": mode, "whiteIpGroup": {**GROUP, "ips": ips}})
        look = lambda: [self.call("Elasticsearch", "DescribeInstance",
                                  below=[LEADER_INSTANCE])["Result"]]
        at_rest = self.there(look, "status", "active", "the leader's instance")
        groups = at_rest["networkConfig"]["whiteIpGroupList"]
        held = [g["ips"] for g in groups if g["groupName"] == GROUP["groupName"]]
        self.findings.equal(held, [left] if left else [], f"the group after {mode}")

    def allow_list(self):
        # `Cover` makes the group; the others want one that is there.
        self.white_ips("Cover", ["10.2.1.0/24"])
        self.white_ips("Append", ["10.2.2.0/24"], ["10.2.1.0/24", "10.2.2.0/24"])

    def health(self):
        """Groups behind the listener; the whole path to the leader is computed."""
        rows = self.call("Nlb", "GetListenerHealthStatus", {
            "RegionId": FOLLOWER, "ListenerId": self.listener_id})["ListenerHealthStatus"]
        return [group for row in rows for group in row["ServerGroupInfos"]]

    def not_admitted(self):
        groups = self.until(self.health, lambda groups: groups and groups[0]["NonNormalServers"],
                            "the health check before the leader admits it")
        self.findings.equal(groups[0]["NonNormalServers"][0]["ServerIp"], self.address,
                            "the server that does not answer")

    def healthy(self):
        self.until(self.health, lambda groups: groups and not groups[0].get("NonNormalServers"),
                   "the health check")

    # And back.

    def take_private_link_away(self):
        self.write("Elasticsearch", "DeleteVpcEndpoint", {},
                   below=[FOLLOWER_INSTANCE, self.endpoint_id])
        self.gone(self.endpoints, "the private connection")
        self.gone(self.connections, "the connection")
        for resource in self.resources():
            self.write("PrivateLink", "DetachResourceFromVpcEndpointService", {
                **self.of_service, "ResourceId": resource["ResourceId"], "ResourceType": "nlb",
                "ZoneId": resource["ZoneId"]})
            self.until(self.resources, lambda rows: resource["ZoneId"] not in
                       [row["ZoneId"] for row in rows], "the zone")
        self.write("PrivateLink", "DeleteVpcEndpointService", self.of_service)
        self.gone(lambda: self.rows("PrivateLink", "ListVpcEndpointServices", {
            "RegionId": FOLLOWER, "Tag": TAG}, "Services"), "the endpoint service")

    def take_balancer_away(self):
        self.job(self.write("Nlb", "DeleteListener", {
            "RegionId": FOLLOWER, "ListenerId": self.listener_id})["JobId"])
        self.gone(self.listeners, "the listener")
        self.write("Nlb", "DeleteLoadBalancer", {
            "RegionId": FOLLOWER, "LoadBalancerId": self.balancer_id})
        self.gone(lambda: self.rows("Nlb", "ListLoadBalancers", {
            "RegionId": FOLLOWER, "Tag": TAG}, "LoadBalancers"), "the load balancer")
        self.write("Nlb", "RemoveServersFromServerGroup", {
            "RegionId": FOLLOWER, "ServerGroupId": self.group, "Servers": [
                {"ServerId": self.address, "ServerIp": self.address, "ServerType": "Ip",
                 "Port": 0}]})
        self.gone(self.servers, "the backend")
        self.write("Nlb", "DeleteServerGroup", {
            "RegionId": FOLLOWER, "ServerGroupId": self.group})
        self.gone(self.own_group, "the server group")

    def take_allow_list_away(self):
        self.white_ips("Delete", ["10.2.1.0/24"], ["10.2.2.0/24"])
        self.white_ips("Cover", [])
