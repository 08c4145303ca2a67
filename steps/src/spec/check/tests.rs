//! One wrong spec a rule, and where the finger points.

use crate::spec::{Problem, Spec};

const LEAST: &str = "link = \"a-b\"\nleader = { region = \"cn-shanghai\", instance = \"es-cn-1\" }\n\
                     follower = { region = \"cn-hangzhou\", instance = \"es-cn-2\" }\n";

/// The problems of the least spec with more text behind it.
fn problems(more: &str) -> Vec<Problem> {
    Spec::parse(&format!("{LEAST}{more}"), "s.toml").map_or_else(|e| e.problems, |_| Vec::new())
}

#[test]
fn everything_wrong_is_listed_at_once_in_the_order_of_the_text() {
    let text = "link = \"X\"\n[leader]\nregion = \"shanghai\"\ninstance = \"es-cn-1\"\n\
                [follower]\nregion = \"cn-hangzhou\"\ninstance = \"es-cn-1\"\n\
                [network]\nbandwidth_mbps = 0\n[tags]\n\"acs:x\" = \"y\"\n";
    let errors = Spec::parse(text, "s.toml").unwrap_err();
    let places: Vec<_> = errors.problems.iter().map(|p| (p.line, p.column)).collect();
    assert_eq!(places, [(1, 8), (3, 10), (7, 12), (9, 18), (11, 11)], "{errors}");
    assert!(errors.problems.iter().all(|p| p.help.is_some()));
}

#[test]
fn each_rule_refuses_and_points_at_the_value() {
    let cases = [
        ("[network]\ncen_id = \"tr-1\"", "not an id for `cen_id`", 10),
        ("[network]\nleader_transit_router_id = \"tr-1\"", "belongs to a CEN", 28),
        ("[network]\nbandwidth_type = \"bandwidth-package\"", "no bandwidth package", 18),
        ("[network]\nbandwidth_package_id = \"cenbwp-1\"", "would not be used", 24),
        ("[load_balancer]\nstart_port = 9400", "not below the last", 14),
        ("[load_balancer]\nend_port = 9299", "port 9300 is not in the range", 12),
        ("[load_balancer]\nhealth_check_port = 0", "0 is not a port", 21),
        ("[load_balancer]\nname = \"-x\"", "not a legal name", 8),
        ("[load_balancer]\nserver_group_id = \"nlb-1\"", "not an id for `server_group_id`", 19),
        ("[private_link]\nservice_id = \"ep-1\"", "not an id for `service_id`", 14),
        ("[leader_address]\naddresses = [\"8.8.8.8\"]", "not a private address", 14),
        ("[leader_address]\naddresses = [\"10.0.0.1\", \"10.0.0.1\"]", "twice", 26),
        ("[leader_address]\necs_instance = \"es-1\"", "not an id for `ecs_instance`", 16),
        ("[replication]\npatterns = []", "no pattern", 12),
        ("[replication]\npatterns = [\"a*\", \"b,c\"]", "comma", 19),
        ("[replication]\npatterns = [\"-a\"]", "exclusions", 13),
        ("[replication]\nindices = [\"a*\"]", "not the name of an index", 12),
        ("[replication]\nremote_alias = \"a.b\"", "not a legal alias", 16),
        ("[replication]\nauto_follow_name = \"_a\"", "auto-follow pattern", 20),
        ("[replication]\nfollow_index_pattern = \"copy\"", "every leader index", 24),
        ("[replication]\nproxy_socket_connections = 0", "nothing is replicated", 28),
        ("[verify]\nsample_documents = 10001", "at most 10000", 20),
        ("[verify]\nmax_lag_seconds = 0", "lags", 19),
        ("[tags]\n\"escrr-link\" = \"x\"", "tag key", 16),
        ("[tags]\nteam = \"aliyun\"", "tag value", 8),
        ("[tags]\n\"cost:center\" = \"x\"", "tag key", 17),
        ("[tags]\nteam = \"a b\"", "tag value", 8),
    ];
    for (more, message, column) in cases {
        let found = problems(more);
        assert_eq!(found.len(), 1, "{more}: {found:?}");
        assert!(found[0].message.contains(message), "{more}: {}", found[0]);
        assert_eq!((found[0].line, found[0].column), (5, column), "{more}");
    }
}

#[test]
fn settings_that_go_together_are_taken() {
    for more in [
        "[network]\nbandwidth_type = \"bandwidth-package\"\nbandwidth_package_id = \"cenbwp-1\"\nlink_type = \"gold\"",
        "[network]\nlink_type = \"platinum\"",
        "[network]\ncen_id = \"cen-1\"\nleader_transit_router_id = \"tr-1\"",
        "[credentials]\naccess_key_id = \"env:ID\"\naccess_key_secret = \"env:SECRET\"",
        "[leader_address]\naddresses = [\"10.0.0.1\"]\ndns_server = \"10.0.0.2:53\"",
    ] {
        assert_eq!(problems(more), [], "{more}");
    }
}

#[test]
fn platinum_and_a_bandwidth_package_exclude_each_other() {
    let found = problems(
        "[network]\nlink_type = \"platinum\"\nbandwidth_type = \"bandwidth-package\"\nbandwidth_package_id = \"cenbwp-1\"",
    );
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].line, found[0].column), (5, 13));
}

#[test]
fn half_a_key_is_refused() {
    let found = problems("[credentials]\nsecurity_token = \"env:TOKEN\"");
    assert!(found[0].message.contains("belongs to an access key"));
    let found = problems("[credentials]\naccess_key_id = \"env:ID\"");
    assert!(found[0].message.contains("belong together"));
    assert_eq!(found[0].line, 4);
}

#[test]
fn who_calls_is_said_in_one_way() {
    for more in [
        "[credentials]\nsource = \"default\"",
        "[credentials]\nprofile = \"ops\"",
        "[credentials]\nsource = \"credentials-file\"\nprofile = \"ops\"",
        "[credentials]\nrole_arn = \"acs:ram::1:role/r\"\nrole_seconds = 900\n\
         role_session_name = \"me@here\"\nexternal_id = \"env:X\"",
    ] {
        assert_eq!(problems(more), [], "{more}");
    }
    for (more, message) in [
        ("access_key_id = \"env:A\"\naccess_key_secret = \"env:B\"\nprofile = \"p\"", "two ways"),
        ("source = \"environment\"\nprofile = \"p\"", "no profiles"),
        ("role_seconds = 900", "without a role"),
        ("role_arn = \"r\"", "no role"),
        ("role_arn = \"acs:ram::1:role/r\"\nrole_seconds = 899", "900 to 43200"),
        ("role_arn = \"acs:ram::1:role/r\"\nrole_session_name = \"a b\"", "name of a session"),
    ] {
        let found = problems(&format!("[credentials]\n{more}"));
        assert_eq!(found.len(), 1, "{more}: {found:?}");
        assert!(found[0].message.contains(message), "{more}: {}", found[0]);
    }
}

#[test]
fn zones_and_vswitches_belong_to_their_side() {
    let text = "link = \"a-b\"\n[leader]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-1\"\n\
                zones = [\"cn-hangzhou-h\"]\nvswitches = [\"vsw-1\", \"vsw-1\"]\n\
                [leader.access]\nurl = \"es:9200\"\nusername = \"\"\n\
                [follower]\nregion = \"cn-hangzhou\"\ninstance = \"es-cn-2\"\n";
    let errors = Spec::parse(text, "s.toml").unwrap_err();
    let lines: Vec<_> = errors.problems.iter().map(|p| p.line).collect();
    assert_eq!(lines, [5, 6, 8, 9], "{errors}");
}

#[test]
fn more_tags_than_the_cloud_takes_are_refused() {
    let tags: Vec<String> = (0..18).map(|n| format!("t{n} = \"x\"")).collect();
    let tags = tags.join("\n");
    assert!(problems(&format!("[tags]\n{tags}"))[0].message.contains("17"));
}

#[test]
fn an_access_names_one_proof_and_legal_addresses() {
    let access = |keys: &str| {
        let text = "link = \"a-b\"\nfollower = { region = \"cn-hangzhou\", instance = \"es-cn-2\" }\n\
                    [leader]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-1\"\n[leader.access]\n";
        Spec::parse(&format!("{text}{keys}"), "s.toml").map_err(|mut e| e.problems.remove(0))
    };
    let fine = "way = \"kibana\"\nkibana_url = \"https://k:5601/base\"\napi_key = \"env:K\"";
    assert_eq!(access(fine).unwrap().leader.access.way, Some(crate::Way::Kibana));
    assert!(access("way = \"openapi\"\nopenapi_credential = \"system\"").is_ok());
    for (keys, message, column) in [
        ("api_key = \"env:K\"\npassword = \"env:P\"", "beside a password", 11),
        ("kibana_url = \"k:5601\"", "not Kibana's address", 14),
        ("openapi_credential = \"a b\"", "not a credential's id", 22),
        ("way = \"console\"", "unknown value `console`", 7),
    ] {
        let problem = access(keys).unwrap_err();
        assert!(problem.message.contains(message), "{keys}: {problem}");
        assert_eq!((problem.line, problem.column), (7, column), "{keys}");
    }
}
