//! Elasticsearch 2017-06-13: instances, allow lists and private connections (ROA).

use super::answer::{Row, items};
use super::call::given;
use super::cloud::{Answer, Caller, Rest};
use super::sign::percent_encode;
use super::types::Tags;
use escrr_engine::Fault;
use reqwest::Method;
use serde_json::{Value, json};

/// The control plane of Elasticsearch; made by
/// [`Cloud::elasticsearch`](super::Cloud::elasticsearch).
#[derive(Clone, Copy, Debug)]
pub struct Elasticsearch<'a>(pub(super) Caller<'a>);

/// One Elasticsearch instance.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The instance's id, `es-cn-…`.
    pub instance_id: String,
    /// Free text.
    pub description: String,
    /// `active`, `activating`, `inactive`, `invalid` or `unknown`.
    pub status: String,
    /// For example `7.10.0_with_X-Pack`.
    pub es_version: String,
    /// `public` is the control plane v3; `exclusive` is v1 or v2.
    pub arch_type: String,
    /// `x-pack`, `advanced`, `IS` or `community`.
    pub category: String,
    /// The private host name; empty while the instance is being made.
    pub domain: String,
    /// The HTTP port; none while the instance is being made.
    pub port: Option<u64>,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The public host name, when there is one.
    pub public_domain: String,
    /// The public port, when there is one.
    pub public_port: Option<u64>,
    /// The user's VPC.
    pub vpc_id: String,
    /// The user's vSwitch.
    pub vswitch_id: String,
    /// The zone of the vSwitch.
    pub zone_id: String,
    /// All zones of the instance.
    pub zones: Vec<String>,
    /// The allow list, group by group.
    pub white_ip_groups: Vec<WhiteIpGroup>,
    /// The addresses of the default private group.
    pub private_white_list: Vec<String>,
    /// `prepaid` or `postpaid`.
    pub payment_type: String,
    /// The public host name of Kibana.
    pub kibana_domain: String,
    /// The public port of Kibana.
    pub kibana_port: Option<u64>,
    /// The private host name of Kibana.
    pub kibana_private_domain: String,
    /// The private port of Kibana.
    pub kibana_private_port: Option<u64>,
    /// Whether Kibana's public network access is on.
    pub kibana_public: bool,
    /// Whether Kibana's private network access is on.
    pub kibana_private: bool,
    /// Whether the public network access is on.
    pub enable_public: bool,
    /// Its tags.
    pub tags: Tags,
}

/// One group of an allow list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhiteIpGroup {
    /// The group's name; `default` is the console's own.
    pub name: String,
    /// Addresses and CIDR blocks.
    pub ips: Vec<String>,
    /// `PRIVATE_ES`, `PUBLIC_ES`, `PRIVATE_KIBANA` or `PUBLIC_KIBANA`.
    pub white_ip_type: String,
}

/// What happens to the addresses of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModifyMode {
    /// Adds to a group that is there.
    Append,
    /// Takes away from a group that is there; at least one address must stay.
    Delete,
    /// Replaces the whole group: makes it, and removes it where no address is given.
    Cover,
}

impl ModifyMode {
    fn text(self) -> &'static str {
        match self {
            Self::Append => "Append",
            Self::Delete => "Delete",
            Self::Cover => "Cover",
        }
    }
}

/// One private connection of an instance, as the control plane shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcEndpoint {
    /// The endpoint's id, `ep-…`.
    pub endpoint_id: String,
    /// Its name.
    pub endpoint_name: String,
    /// The name under which the cluster reaches the other side.
    pub endpoint_domain: String,
    /// `Creating`, `Active`, `Pending` or `Deleting`; empty right after the creation.
    pub endpoint_status: String,
    /// `Connected`, for example; empty right after the creation.
    pub connection_status: String,
    /// The endpoint service that it leads to.
    pub service_id: String,
}

/// One request to the cluster of an instance, to be carried by `InvokeEsRequest`.
#[derive(Clone, Debug)]
pub struct EsRequest<'a> {
    /// `GET`, `PUT`, `POST`, `DELETE` or `HEAD`.
    pub method: &'a str,
    /// Path and query, encoded.
    pub target: &'a str,
    /// The JSON body; there is no way to send one that is not JSON.
    pub body: Option<Value>,
    /// With whose rights.
    pub credential: &'a EsCredential,
    /// Whether it can change anything: it decides what a lost answer means.
    pub writes: bool,
}

/// With whose rights `InvokeEsRequest` asks the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EsCredential {
    /// The instance's default.
    #[default]
    Default,
    /// The provider's own (`system=true`).
    System,
    /// One that is stored for the instance (`credentialId`).
    Stored(String),
}

impl Elasticsearch<'_> {
    /// Carries a request into the instance's cluster (`InvokeEsRequest`) and gives the body of
    /// the cluster's answer, whatever the cluster's status: it does not come back.
    ///
    /// It is sent once, for the cluster's client repeats what only looks.
    pub async fn invoke_es_request(
        &self,
        instance_id: &str,
        request: EsRequest<'_>,
    ) -> Result<Value, Fault> {
        let rest = Rest::instance(Method::POST, instance_id, "/es-request")
            .query("method", request.method)
            .query("path", request.target);
        let mut rest = match request.credential {
            EsCredential::Default => rest,
            EsCredential::System => rest.query("system", &true),
            EsCredential::Stored(id) => rest.query("credentialId", id),
        };
        if let Some(body) = request.body {
            rest = rest.body(body);
        }
        let action = "InvokeEsRequest";
        let answer = if request.writes {
            self.0.roa_write(action, rest, None).await?
        } else {
            self.0.roa_read_once(action, rest).await?
        };
        match answer.value.get("Result") {
            None => Err(answer.origin.unreadable("it has no `Result`")),
            // As in other calls of this product: answered, and not done.
            Some(Value::Bool(false)) => {
                let report = answer.origin.report("the answer's `Result` is false");
                Err(if request.writes { Fault::Unknown(report) } else { Fault::transient(report) })
            }
            Some(result) => Ok(result.clone()),
        }
    }

    /// Describes one instance (`DescribeInstance`); gone when it does not exist.
    pub async fn describe_instance(&self, instance_id: &str) -> Result<Instance, Fault> {
        let rest = Rest::instance(Method::GET, instance_id, "");
        let answer = self.0.roa_read("DescribeInstance", rest).await?;
        let Some(result) = answer.value.get("Result").filter(|result| result.is_object()) else {
            return Err(answer.origin.unreadable("it has no `Result`"));
        };
        instance(&Row::new(result, &answer.origin))
    }

    /// Lists the region's instances (`ListInstance`).
    pub async fn list_instances(&self) -> Result<Vec<Instance>, Fault> {
        let rest = || Rest {
            method: Method::GET,
            path: "/openapi/instances".to_owned(),
            query: Tags::new(),
            body: None,
        };
        self.pages("ListInstance", rest, 100, instance).await
    }

    /// Changes one group of the private allow list (`ModifyWhiteIps`).
    ///
    /// The instance may turn `activating` for minutes.
    pub async fn modify_white_ips(
        &self,
        instance_id: &str,
        mode: ModifyMode,
        (group, ips): (&str, &[String]),
        token: &str,
    ) -> Result<(), Fault> {
        let body = json!({
            "modifyMode": mode.text(),
            "whiteIpGroup": {"groupName": group, "whiteIpType": "PRIVATE_ES", "ips": ips},
        });
        let below = "/actions/modify-white-ips";
        let rest = Rest::instance(Method::POST, instance_id, below).query("clientToken", token);
        done(&self.0.roa_write("ModifyWhiteIps", rest.body(body), None).await?)
    }

    /// Connects the instance to an endpoint service (`CreateVpcEndpoint`).
    ///
    /// `zone_id` is one of the endpoint service's zones.
    pub async fn create_vpc_endpoint(
        &self,
        instance_id: &str,
        service_id: &str,
        zone_id: &str,
        token: &str,
    ) -> Result<VpcEndpoint, Fault> {
        let body = match given(zone_id) {
            Some(zone_id) => json!({"serviceId": service_id, "zoneId": zone_id}),
            None => json!({"serviceId": service_id}),
        };
        let rest = Rest::instance(Method::POST, instance_id, "/vpc-endpoints");
        let rest = rest.query("ClientToken", token).body(body);
        let answer = self.0.roa_write("CreateVpcEndpoint", rest, Some("dryRun")).await?;
        let Some(result) = answer.value.get("Result").filter(|result| result.is_object()) else {
            return Err(answer.origin.unreadable("it has no `Result`"));
        };
        endpoint(&Row::new(result, &answer.origin))
    }

    /// Lists the private connections of an instance (`ListVpcEndpoints`).
    pub async fn list_vpc_endpoints(&self, instance_id: &str) -> Result<Vec<VpcEndpoint>, Fault> {
        let rest = || Rest::instance(Method::GET, instance_id, "/vpc-endpoints");
        self.pages("ListVpcEndpoints", rest, 20, endpoint).await
    }

    /// Deletes a private connection (`DeleteVpcEndpoint`).
    pub async fn delete_vpc_endpoint(
        &self,
        instance_id: &str,
        endpoint_id: &str,
        token: &str,
    ) -> Result<(), Fault> {
        let below = format!("/vpc-endpoints/{}", percent_encode(endpoint_id));
        let rest = Rest::instance(Method::DELETE, instance_id, &below).query("ClientToken", token);
        done(&self.0.roa_write("DeleteVpcEndpoint", rest, None).await?)
    }

    /// Reads pages until a short one: not every list of this product tells its length.
    async fn pages<T>(
        &self,
        action: &'static str,
        rest: impl Fn() -> Rest,
        size: usize,
        read: fn(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut found = Vec::new();
        let mut page = 1_usize;
        loop {
            let asked = rest().query("page", &page).query("size", &size);
            let answer = self.0.roa_read(action, asked).await?;
            if answer.origin.request_id.is_none() {
                return Err(answer.origin.unreadable("a list without a request id"));
            }
            let rows = items(&answer.value, "Result");
            for value in rows {
                found.push(read(&Row::new(value, &answer.origin))?);
            }
            if rows.len() < size {
                return Ok(found);
            }
            page += 1;
            if page > super::call::MAX_PAGES {
                return Err(answer.origin.unreadable("the list does not end"));
            }
        }
    }
}

/// This product can answer 200 with `Result: false`; then a look must tell what happened.
fn done(answer: &Answer) -> Result<(), Fault> {
    if answer.row().truth("Result") == Some(false) {
        return Err(Fault::Unknown(answer.origin.report("the answer's `Result` is false")));
    }
    Ok(())
}

fn instance(row: &Row<'_>) -> Result<Instance, Fault> {
    let groups = row.rows("networkConfig.whiteIpGroupList");
    let zones = row.rows("zoneInfos");
    Ok(Instance {
        instance_id: row.need("instanceId")?,
        description: row.text("description"),
        status: row.text("status"),
        es_version: row.text("esVersion"),
        arch_type: row.text("archType"),
        category: row.text("instanceCategory"),
        domain: row.text("domain"),
        port: row.number("port").filter(|port| *port > 0),
        protocol: row.text("protocol"),
        public_domain: row.text("publicDomain"),
        public_port: row.number("publicPort").filter(|port| *port > 0),
        vpc_id: row.text("networkConfig.vpcId"),
        vswitch_id: row.text("networkConfig.vswitchId"),
        zone_id: row.text("networkConfig.vsArea"),
        zones: zones.iter().filter_map(|zone| zone.given("zoneId")).collect(),
        white_ip_groups: groups.iter().map(white_ip_group).collect(),
        private_white_list: row.texts("privateNetworkIpWhiteList"),
        payment_type: row.text("paymentType"),
        kibana_domain: row.text("kibanaDomain"),
        kibana_port: row.number("kibanaPort").filter(|port| *port > 0),
        kibana_private_domain: row.text("kibanaPrivateDomain"),
        kibana_private_port: row.number("kibanaPrivatePort").filter(|port| *port > 0),
        kibana_public: row.flag("enableKibanaPublicNetwork"),
        kibana_private: row.flag("enableKibanaPrivateNetwork"),
        enable_public: row.flag("enablePublic"),
        tags: row.tags("tags"),
    })
}

fn white_ip_group(row: &Row<'_>) -> WhiteIpGroup {
    WhiteIpGroup {
        name: row.text("groupName"),
        ips: row.texts("ips"),
        white_ip_type: row.text("whiteIpType"),
    }
}

fn endpoint(row: &Row<'_>) -> Result<VpcEndpoint, Fault> {
    Ok(VpcEndpoint {
        endpoint_id: row.need("endpointId")?,
        endpoint_name: row.text("endpointName"),
        endpoint_domain: row.text("endpointDomain"),
        endpoint_status: row.text("endpointStatus"),
        connection_status: row.text("connectionStatus"),
        service_id: row.text("serviceId"),
    })
}
