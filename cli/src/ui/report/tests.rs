//! The page without a browser: whole, alone, and nothing of a journal is ever markup.

use super::*;
use escrr_engine::{Class, Origin, Report, SagaId};
use serde_json::json;

/// What would do harm wherever it stood unescaped.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)></pre></title>&";

fn events(link: &str, spec: &str, more: Vec<Event>) -> Vec<Entry> {
    let catalog = escrr_steps::catalog::catalog().unwrap();
    let created = Event::Created {
        link: link.to_owned(),
        spec: spec.to_owned(),
        spec_digest: HOSTILE.into(),
        edition: catalog.edition(),
        program: HOSTILE.into(),
        world: HOSTILE.into(),
        world_id: None,
        actor: escrr_engine::Actor::default(),
    };
    let entry = |(version, event)| Entry {
        version,
        at_ms: version * 1_000,
        previous: String::new(),
        event,
    };
    (1..).zip(std::iter::once(created).chain(more)).map(entry).collect()
}

fn page(entries: &[Entry]) -> String {
    let catalog = escrr_steps::catalog::catalog().unwrap();
    let saga = Saga::fold(SagaId::new(1, [0; 10]), &catalog, entries).unwrap();
    let (next, written_ms) = (Some(HOSTILE), 1_790_000_000_000);
    Facts { saga: &saga, catalog: &catalog, entries, at_work: false, next, written_ms }.page()
}

fn intended(node: &str) -> Event {
    Event::Intended {
        node: node.into(),
        generation: 1,
        token: HOSTILE.into(),
        items: vec![HOSTILE.into()],
    }
}

/// A saga in which every text that can come from elsewhere is hostile.
fn hostile() -> String {
    let done = |node: &str, output: Value| Event::Completed {
        node: node.into(),
        origin: Origin::Made,
        output,
        attempts: 1,
    };
    let report = Report {
        tried: HOSTILE.into(),
        code: Some(HOSTILE.into()),
        said: HOSTILE.into(),
        request_id: Some(HOSTILE.into()),
        meaning: Some(HOSTILE.into()),
        help: Some(HOSTILE.into()),
    };
    let name = |text: &str| format!("es-{text}");
    page(&events(
        HOSTILE,
        HOSTILE,
        vec![
            done(
                "leader.instance",
                json!({"region": HOSTILE, "vpc": HOSTILE, HOSTILE: name(HOSTILE)}),
            ),
            done("leader.cluster", json!({"name": HOSTILE, "version": HOSTILE})),
            intended("follower.existing_indices"),
            done(
                "follower.existing_indices",
                json!({"pairs": [{"leader": HOSTILE, "follower": "x"}], "left_out": {HOSTILE: HOSTILE}}),
            ),
            intended("network.cen"),
            Event::Failed {
                node: "network.cen".into(),
                class: Class::Refused,
                report,
                attempts: 1,
            },
            Event::Resumed { by: HOSTILE.into(), actor: escrr_engine::Actor::default() },
            intended("network.cen"),
            Event::Parked {
                node: "network.cen".into(),
                class: Class::Approval,
                report: Report::new(HOSTILE, HOSTILE),
            },
        ],
    ))
}

/// One tag of a page.
struct Tag {
    closes: bool,
    name: String,
    attributes: Vec<(String, String)>,
}

/// The tags of a page in order; a value stands in double quotes, always.
fn tags(page: &str) -> Vec<Tag> {
    let mut all = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap();
        let closes = tag.starts_with('/');
        let tag = tag.trim_start_matches('/');
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((attribute, value)) = rest.split_once("=\"") {
            let (value, more) = value.split_once('"').unwrap();
            attributes.push((attribute.trim().to_owned(), value.to_owned()));
            rest = more;
        }
        assert!(rest.trim().is_empty() || name == "!DOCTYPE", "{tag}");
        all.push(Tag { closes, name: name.to_owned(), attributes });
    }
    all
}

/// Every element that is opened is closed, in order.
fn well_formed(page: &str) {
    let mut open = Vec::new();
    for Tag { closes, name, .. } in tags(page).into_iter().skip(1) {
        if closes {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()));
        } else if !["meta", "br"].contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn no_text_of_a_journal_becomes_markup() {
    let page = hostile();
    well_formed(&page);
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"));
    let names: std::collections::BTreeSet<String> =
        tags(&page).into_iter().map(|tag| tag.name).collect();
    let known = [
        "!DOCTYPE", "a", "body", "br", "code", "dd", "defs", "details", "div", "dl", "dt",
        "footer", "g", "h1", "h2", "h3", "head", "header", "html", "li", "main", "marker", "meta",
        "nav", "p", "path", "pre", "rect", "section", "span", "strong", "style", "summary", "svg",
        "table", "tbody", "td", "text", "th", "thead", "title", "tr", "ul",
    ];
    let other: Vec<&String> = names.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(other.is_empty(), "{other:?}");
    for (name, value) in tags(&page).into_iter().flat_map(|tag| tag.attributes) {
        assert!(!name.starts_with("on") && name != "style", "{name}={value}");
    }
}

#[test]
fn the_page_stands_alone_and_names_every_node() {
    let page = hostile();
    assert!(
        page.contains("default-src 'none'") || page.contains("default-src &#39;none&#39;"),
        "{page}"
    );
    for (name, value) in tags(&page).into_iter().flat_map(|tag| tag.attributes) {
        if ["src", "href", "srcset", "data", "action", "xlink:href"].contains(&name.as_str()) {
            let to = value.strip_prefix('#').unwrap_or_else(|| panic!("{name}={value}"));
            assert!(page.contains(&format!("id=\"{to}\"")), "{to}");
        }
    }
    for style in [picture::STYLE, STYLE] {
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
    let catalog = escrr_steps::catalog::catalog().unwrap();
    for about in catalog.about() {
        let id = about.id.to_string();
        assert_eq!(page.matches(&format!("id=\"{}\"", anchor(&id))).count(), 1, "{id}");
    }
}

#[test]
fn a_saga_that_was_taken_back_says_what_was_and_what_stays() {
    let node = || "network.cen".to_owned();
    let page = page(&events(
        "a",
        "",
        vec![
            intended("network.cen"),
            Event::Completed {
                node: node(),
                origin: Origin::Made,
                output: json!({"cen": "cen-1"}),
                attempts: 1,
            },
            Event::RollbackBegun { by: "me".into(), actor: escrr_engine::Actor::default() },
            Event::UndoIntended { node: node(), items: Vec::new() },
            Event::Undone {
                node: node(),
                kept: Some("by decision".into()),
                attempts: 1,
                account: serde_json::Value::Null,
            },
            Event::Finished { outcome: escrr_engine::Outcome::RolledBack },
        ],
    ));
    well_formed(&page);
    for said in [
        "rolled back",
        "Everything that the saga made is taken back.",
        "stays: by decision",
        "cen-1",
        "rollback begun by me",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("takes back what was made</dd>"));
}
