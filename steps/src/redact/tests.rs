use super::{MARK, Redactor};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use escrr_engine::{Fault, Report};
use serde_json::json;

/// Letters that every encoding treats in its own way.
const SECRET: &str = "p/ä+ \"s\\s%&<w>ord=";

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

/// Everything that may be made of the secret on its way to somebody and back.
fn forms() -> Vec<String> {
    let json = json!(SECRET).to_string().trim_matches('"').to_owned();
    let escaped =
        SECRET.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
    let html = SECRET.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut all = vec![
        SECRET.to_owned(),
        percent(SECRET),
        percent(SECRET).to_lowercase(),
        percent(SECRET).replace('%', "%25"),
        percent(SECRET).replace("%20", "+"),
        json.clone(),
        json.replace('/', "\\/"),
        json.replace('\\', "\\\\").replace('"', "\\\""),
        escaped.clone(),
        escaped.to_uppercase().replace("\\U", "\\u"),
        html.replace('"', "&quot;"),
        html.replace('"', "&#34;").replace('\\', "&#x5C;"),
    ];
    for before in ["", "x", "xy", "elastic:", "user:"] {
        let text = format!("{before}{SECRET}");
        all.extend([STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]);
        all.push(percent(&STANDARD.encode(&text)));
        all.push(STANDARD.encode(format!("{text} and more")));
    }
    all
}

fn knowing() -> Redactor {
    let redactor = Redactor::default();
    redactor.learn_login("elastic", &Secret::new(SECRET));
    redactor
}

#[test]
fn a_secret_is_found_in_every_form_and_nothing_beside_it() {
    for form in forms() {
        let said = knowing().text(&format!("a ({form}) b"));
        assert_eq!(said, format!("a ({MARK}) b"), "{form}");
    }
    let plain = "no such index [logs-2026], 100% of a/b are \"red\" & gone";
    assert_eq!(knowing().text(plain), plain);
}

#[test]
fn every_part_of_a_report_is_cleaned() {
    let report = Report::new(SECRET, SECRET)
        .code(SECRET)
        .request_id(Some(SECRET.to_owned()))
        .meaning(SECRET)
        .help(SECRET);
    let clean = knowing().fault(Fault::refused(report));
    let mark = || MARK.to_owned();
    let wanted = Report::new(mark(), mark())
        .code(mark())
        .request_id(Some(mark()))
        .meaning(mark())
        .help(mark());
    assert_eq!(clean, Fault::refused(wanted));
}

#[test]
fn a_key_is_found_whole_and_in_its_parts() {
    for key in ["key-id:key-secret", "a2V5LWlkOmtleS1zZWNyZXQ="] {
        let redactor = Redactor::default();
        redactor.learn_api_key(&Secret::new(key));
        for form in ["key-secret", "a2V5LWlkOmtleS1zZWNyZXQ", "a2V5LWlkOmtleS1zZWNyZXQ="] {
            assert_eq!(redactor.text(&format!("ApiKey {form}")), format!("ApiKey {MARK}"));
        }
        assert_eq!(redactor.text("key-id"), "key-id");
    }
}

#[test]
fn a_short_secret_is_a_word_of_its_own_and_a_shorter_one_is_found_with_its_user() {
    let redactor = Redactor::default();
    redactor.learn_login("elastic", &Secret::new("logs"));
    assert_eq!(redactor.text("logs-a and catalogs"), format!("{MARK}-a and catalogs"));
    redactor.learn_login("elastic", &Secret::new("a"));
    let header = STANDARD.encode("elastic:a");
    assert_eq!(redactor.text(&format!("a Basic {header}")), format!("a Basic {MARK}"));
}

#[test]
fn clones_share_what_they_know_and_show_nothing_of_it() {
    let redactor = Redactor::default();
    let other = redactor.clone();
    redactor.learn(&Secret::new("session-token"));
    assert_eq!(other.text("session-token"), MARK);
    assert!(!format!("{other:?} {other:#?}").contains("session"));
}

#[test]
fn of_a_good_answer_only_the_trouble_is_cleaned() {
    let body = json!({
        "_source": {"error": SECRET, "text": SECRET},
        "name": SECRET,
        "read_exceptions": [{"exception": {"type": "x", "reason": SECRET}}],
        "failures": [SECRET],
    });
    let mut good = body.clone();
    knowing().answer(&mut good, false);
    assert_eq!((&good["_source"], &good["name"]), (&body["_source"], &body["name"]));
    assert_eq!(good["read_exceptions"][0]["exception"]["reason"], MARK);
    assert_eq!(good["failures"][0], MARK);
    let mut refused = body;
    knowing().answer(&mut refused, true);
    assert_eq!((&refused["_source"]["text"], &refused["name"]), (&json!(MARK), &json!(MARK)));
}

#[test]
fn what_goes_on_and_on_is_cut() {
    let said = knowing().text(&"x".repeat(1 << 20));
    assert!(said.len() < 20_000 && said.ends_with("(cut)"), "{}", said.len());
}
