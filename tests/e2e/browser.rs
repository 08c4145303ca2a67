//! A page in a real browser, where one is found: nothing runs over the side, nothing is
//! complained about, nothing is asked for.
//!
//! The page stands in frames of a page of ours, which measures them: it is shown as it is.

use crate::env::{output, path};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// A telephone and a desk.
const WIDTHS: [u64; 2] = [400, 1400];

/// The browser, or a line that says that there is none.
#[expect(clippy::print_stderr, reason = "whoever reads the run has to know what was left out")]
pub(crate) fn or_skip() -> Option<PathBuf> {
    let found = find();
    if found.is_none() {
        eprintln!("skipped: no Chromium on the search path, pages are not shown in a browser");
    }
    found
}

fn find() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&path()).collect();
    let all = folders.iter().flat_map(|folder| NAMES.map(|name| folder.join(name)));
    all.into_iter().find(|path| path.exists())
}

/// What a browser made of a page.
pub(crate) struct Seen {
    /// For each width: how wide the page is, how wide its window, how high.
    pub(crate) sizes: Vec<(u64, u64, u64)>,
    /// What it wrote into its console.
    pub(crate) console: Vec<String>,
    /// Requests beyond the file itself.
    pub(crate) requests: Vec<String>,
}

fn escaped(page: &str) -> String {
    page.replace('&', "&amp;").replace('"', "&quot;")
}

/// Shows a page at every width.
pub(crate) fn show(browser: &PathBuf, page: &str) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let page = escaped(page);
    let frame = |width: &u64| {
        format!("<iframe width={width} height=900 style=\"border:0\" srcdoc=\"{page}\"></iframe>")
    };
    let frames = WIDTHS.iter().map(frame).collect::<Vec<_>>().concat();
    let measure = "onload = () => { const sizes = [...document.querySelectorAll('iframe')].map(f => { \
        const e = f.contentDocument.documentElement; \
        return [e.scrollWidth, f.clientWidth, e.scrollHeight]; }); \
        document.body.innerHTML = 'SIZES' + JSON.stringify(sizes) + 'END'; }";
    let host = format!("<!DOCTYPE html><body>{frames}<script>{measure}</script></body>");
    let (file, log) = (folder.path().join("host.html"), folder.path().join("net.json"));
    std::fs::write(&file, host).unwrap();
    let mut command = Command::new(browser);
    command
        .env_clear()
        .env("HOME", folder.path())
        .env("PATH", path())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
        // Whatever is asked for, nothing leaves the machine.
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--no-proxy-server"])
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("file://{}", file.display()))
        .stdin(Stdio::null());
    let shown = output(&mut command).exits(0);
    let (_, sizes) = shown.stdout.rsplit_once("SIZES").expect(&shown.stdout);
    let sizes: Value = serde_json::from_str(sizes.split("END").next().unwrap()).unwrap();
    let number = |row: &Value, at: usize| row[at].as_u64().unwrap();
    let rows = sizes.as_array().unwrap().iter();
    let console = shown.stderr.lines().filter(|line| line.contains(":CONSOLE"));
    Seen {
        sizes: rows.map(|row| (number(row, 0), number(row, 1), number(row, 2))).collect(),
        console: console.map(str::to_owned).collect(),
        requests: requests(&std::fs::read_to_string(&log).unwrap_or_default()),
    }
}

/// Hosts that the browser asks for its own sake; none of them is ever reached from here.
const HOUSEKEEPING: [&str; 3] = ["google.com", "googleapis.com", "gvt1.com"];

/// Addresses on the net that the browser's own log names.
fn requests(log: &str) -> Vec<String> {
    let urls = log.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let own = |url: &str| {
        let host = url.split('/').nth(2).unwrap_or_default();
        !url.starts_with("http") || HOUSEKEEPING.iter().any(|own| host.ends_with(own))
    };
    let mut urls: Vec<String> = urls.filter(|url| !own(url)).map(str::to_owned).collect();
    urls.sort();
    urls.dedup();
    urls
}

#[test]
fn a_page_that_asks_for_something_or_runs_over_the_side_is_caught() {
    let Some(browser) = or_skip() else { return };
    let page = "<!DOCTYPE html><html><head><meta http-equiv=\"Content-Security-Policy\" \
                content=\"default-src 'none'; style-src 'unsafe-inline'\"></head><body>\
                <img src=\"http://127.0.0.1:1/x.png\"><div style=\"width:700px\">x</div></body></html>";
    let seen = show(&browser, page);
    assert!(!seen.console.is_empty(), "what the policy stops is complained about");
    let over: Vec<bool> = seen.sizes.iter().map(|(page, window, _)| page > window).collect();
    assert_eq!(over, [true, false], "{:?}", seen.sizes);
    // Without the policy it is asked for.
    let seen = show(&browser, "<!DOCTYPE html><img src=\"http://127.0.0.1:1/x.png\">");
    assert!(
        seen.requests.iter().any(|url| url.contains("127.0.0.1:1/x.png")),
        "{:?}",
        seen.requests
    );
}
