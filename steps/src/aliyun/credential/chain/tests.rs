use super::*;
use escrr_engine::VirtualClock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An environment with a home of its own.
struct Home {
    dir: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Home {
    fn new(variables: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut all: BTreeMap<String, String> =
            variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        all.insert("HOME".into(), dir.path().display().to_string());
        Self { dir, variables: all }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn chain(&self, profile: Option<&str>) -> Links {
        let variable = |name: &str| self.variables.get(name).cloned();
        chain(Surroundings { variable: &variable, profile, now_ms: 0 })
    }

    fn link(&self, name: &str) -> Link {
        self.chain(None).links.into_iter().find(|link| link.name == name).unwrap()
    }
}

fn means() -> Means {
    // Nobody listens there, so that no test leaves this machine.
    Means {
        endpoints: crate::aliyun::Endpoints {
            all: Some("http://127.0.0.1:9".into()),
            ..crate::aliyun::Endpoints::default()
        },
        manner: crate::aliyun::Manner::default(),
        metadata: Some("http://127.0.0.1:9".into()),
        clock: Arc::new(VirtualClock::new(1_000)),
    }
}

const CONFIG: &str = r#"{"current":"c","profiles":[
    {"name":"c","mode":"AK","access_key_id":"of-config","access_key_secret":"s"},
    {"name":"other","mode":"AK","access_key_id":"of-other","access_key_secret":"s"}]}"#;
const INI: &str = "[default]\ntype=access_key\naccess_key_id=of-ini\naccess_key_secret=s\n\
                   [other]\ntype=access_key\naccess_key_id=of-ini-other\naccess_key_secret=s\n";

fn id(link: &Link) -> &str {
    match &link.found {
        Ok(Source::Fixed(held)) => &held.credentials.access_key_id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_order_is_the_vendors() {
    let names: Vec<&str> =
        Home::new(&[]).chain(None).links.into_iter().map(|link| link.name).collect();
    assert_eq!(
        names,
        ["environment", "oidc", "profile", "credentials-file", "instance-role", "credentials-uri"]
    );
}

#[test]
fn half_a_key_and_an_empty_variable_are_none() {
    let home = Home::new(&[("ALIBABA_CLOUD_ACCESS_KEY_ID", "i")]);
    let (why, meant) = home.link("environment").found.unwrap_err();
    assert!(why.contains("ALIBABA_CLOUD_ACCESS_KEY_SECRET is not set") && meant, "{why}");
    let home = Home::new(&[("ALIBABA_CLOUD_ACCESS_KEY_ID", "")]);
    assert!(!home.link("environment").found.unwrap_err().1);
    let home = Home::new(&[
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "i"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
    ]);
    let Ok(Source::Fixed(held)) = home.link("environment").found else { panic!() };
    assert!(held.credentials.security_token.is_none());
}

#[test]
fn oidc_wants_all_three() {
    let role = ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/r");
    let provider = ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "p");
    let file = ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/t");
    for two in [[role, provider], [role, file], [provider, file]] {
        assert!(Home::new(&two).link("oidc").found.unwrap_err().1);
    }
    assert!(!Home::new(&[role]).link("oidc").found.unwrap_err().1);
    let all = [role, provider, file, ("ALIBABA_CLOUD_ROLE_SESSION_NAME", "mine")];
    let Ok(Source::Oidc(found)) = Home::new(&all).link("oidc").found else { panic!() };
    assert_eq!(found.session.session_name, "mine");
}

#[test]
fn profiles_are_chosen_by_variable_and_by_name() {
    let mut home = Home::new(&[]);
    home.write(".aliyun/config.json", CONFIG);
    home.write(".alibabacloud/credentials.ini", INI);
    assert_eq!(
        (id(&home.link("profile")), id(&home.link("credentials-file"))),
        ("of-config", "of-ini")
    );
    home.variables.insert("ALIBABA_CLOUD_PROFILE".into(), "other".into());
    assert_eq!(id(&home.link("profile")), "of-other");
    assert_eq!(id(&home.link("credentials-file")), "of-ini-other");
    let named = home.chain(Some("c")).links;
    assert_eq!(id(&named[2]), "of-config");
    home.variables.insert("ALIBABA_CLOUD_CLI_PROFILE_DISABLED".into(), "true".into());
    assert!(home.link("profile").found.unwrap_err().0.contains("DISABLED"));
    let file = home.dir.path().join("elsewhere").display().to_string();
    home.variables.insert("ALIBABA_CLOUD_CREDENTIALS_FILE".into(), file);
    assert!(home.link("credentials-file").found.unwrap_err().1);
}

#[test]
fn a_file_that_others_may_read_is_warned_about() {
    let home = Home::new(&[]);
    home.write(".aliyun/config.json", CONFIG);
    assert!(home.chain(None).warnings.is_empty());
    let path = home.dir.path().join(".aliyun/config.json");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(home.chain(None).warnings[0].contains("chmod 600"));
}

#[test]
fn the_metadata_and_the_uri_can_be_switched_off() {
    let home = Home::new(&[
        ("ALIBABA_CLOUD_ECS_METADATA", "r"),
        ("ALIBABA_CLOUD_IMDSV1_DISABLED", "true"),
    ]);
    assert!(matches!(
        home.link("instance-role").found,
        Ok(Source::Instance { role: Some(_), token_only: true })
    ));
    let home = Home::new(&[
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"),
        ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:9/canary"),
    ]);
    assert!(home.link("instance-role").found.is_err());
    let uri = home.link("credentials-uri");
    assert!(matches!(uri.found, Ok(Source::Uri(_))) && !format!("{uri:?}").contains("canary"));
    let home = Home::new(&[
        ("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", "1"),
        ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:9"),
    ]);
    assert!(home.link("credentials-uri").found.unwrap_err().0.contains("EXTERNAL_PROCESS"));
}

#[tokio::test]
async fn the_first_that_answers_wins_and_the_others_say_why() {
    let home = Home::new(&[
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "half"),
        ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:9"),
    ]);
    home.write(".aliyun/config.json", CONFIG);
    let resolved = resolve(home.chain(None).links, None, &means()).await.unwrap();
    assert_eq!(
        (resolved.name, resolved.held.credentials.access_key_id.as_str()),
        ("profile", "of-config")
    );
    let passed: Vec<(&str, bool)> = resolved.passed.iter().map(|p| (p.name, p.meant)).collect();
    assert_eq!(passed, [("environment", true), ("oidc", false)]);
    assert_eq!(resolved.unasked, ["credentials-file", "instance-role", "credentials-uri"]);
}

#[tokio::test]
async fn when_none_answers_all_six_say_why() {
    let passed = resolve(Home::new(&[]).chain(None).links, None, &means()).await.unwrap_err();
    assert_eq!(passed.len(), 6);
    assert!(passed.iter().all(|p| !p.why.is_empty() && !p.meant), "{passed:?}");
    assert!(passed[4].why.contains("127.0.0.1:9"), "{passed:?}");
}
