//! What every typed call is made of: reading, writing, and lists to their end.

use super::answer::{Row, items};
use super::cloud::{Answer, Call, Caller, Effect, Origin, Rest, Style};
use super::error::DRY_RUN_PASSED;
use super::flatten::flatten;
use super::types::Tags;
use escrr_engine::{Fault, Report};
use serde_json::{Value, json};

/// More pages than any account has: a list that goes on is a fault, not a list.
pub(super) const MAX_PAGES: usize = 1_000;

impl Answer {
    /// The whole answer as an object.
    pub(super) fn row(&self) -> Row<'_> {
        Row::new(&self.value, &self.origin)
    }
}

/// How a list is cut into pages.
#[derive(Clone, Copy, Debug)]
pub(super) enum Paging {
    /// `PageNumber` and `PageSize`, `TotalCount` in the answer; the largest size allowed.
    Number(u64),
    /// `NextToken`, and the name and largest value of the size parameter.
    Token(&'static str, u64),
    /// `NextToken` alone: the service decides how long a page is.
    Unsized,
}

impl Caller<'_> {
    /// Asks without changing anything.
    pub(super) async fn read(&self, action: &'static str, params: Value) -> Result<Answer, Fault> {
        self.cloud.send(&self.rpc(action, Effect::Read, &params)).await
    }

    /// Changes something by an action that takes `DryRun`.
    pub(super) async fn write(
        &self,
        action: &'static str,
        mut params: Value,
    ) -> Result<Answer, Fault> {
        if self.cloud.is_dry_run() {
            put(&mut params, "DryRun", json!(true));
        }
        let call = self.rpc(action, Effect::Write, &params);
        let answer = self.cloud.send(&call).await?;
        self.not_rehearsed(answer)
    }

    /// Changes something by an action that cannot be rehearsed.
    pub(super) async fn write_only(
        &self,
        action: &'static str,
        params: Value,
    ) -> Result<Answer, Fault> {
        let call = self.rpc(action, Effect::Write, &params);
        if self.cloud.is_dry_run() {
            return Err(Fault::Bug(call.origin.report("this action has no dry run")));
        }
        self.cloud.send(&call).await
    }

    /// Reads every page of a list. `path` leads to the items.
    pub(super) async fn list<T>(
        &self,
        action: &'static str,
        params: Value,
        (paging, path): (Paging, &str),
        read: fn(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut found = Vec::new();
        let mut params = params;
        match paging {
            Paging::Number(size) => put(&mut params, "PageSize", json!(size)),
            Paging::Token(name, size) => put(&mut params, name, json!(size)),
            Paging::Unsized => {}
        }
        for page in 1..=MAX_PAGES {
            if let Paging::Number(_) = paging {
                put(&mut params, "PageNumber", json!(page));
            }
            let answer = self.read(action, params.clone()).await?;
            if answer.origin.request_id.is_none() {
                return Err(answer.origin.unreadable("a list without a request id"));
            }
            let rows = items(&answer.value, path);
            for value in rows {
                found.push(read(&Row::new(value, &answer.origin))?);
            }
            match next(paging, &answer, rows.len(), found.len()) {
                Next::Page => {}
                Next::Token(token) => put(&mut params, "NextToken", json!(token)),
                Next::End => return ended(&answer, found),
            }
        }
        let origin = self.rpc(action, Effect::Read, &params).origin;
        Err(origin.unreadable("the list does not end"))
    }

    /// Sends a ROA call that only looks.
    pub(super) async fn roa_read(&self, action: &'static str, rest: Rest) -> Result<Answer, Fault> {
        self.cloud.send(&self.roa(action, Effect::Read, rest)).await
    }

    /// Sends a ROA call that only looks, for somebody who repeats it in a way of its own.
    pub(super) async fn roa_read_once(
        &self,
        action: &'static str,
        rest: Rest,
    ) -> Result<Answer, Fault> {
        self.cloud.send_once(&self.roa(action, Effect::Read, rest)).await
    }

    /// Sends a ROA call that changes something; `dry_run` names the switch if it has one.
    pub(super) async fn roa_write(
        &self,
        action: &'static str,
        mut rest: Rest,
        dry_run: Option<&str>,
    ) -> Result<Answer, Fault> {
        let rehearse = self.cloud.is_dry_run();
        if let (true, Some(name)) = (rehearse, dry_run) {
            rest = rest.query(name, &true);
        }
        let call = self.roa(action, Effect::Write, rest);
        if rehearse && dry_run.is_none() {
            return Err(Fault::Bug(call.origin.report("this action has no dry run")));
        }
        let answer = self.cloud.send(&call).await?;
        self.not_rehearsed(answer)
    }

    fn not_rehearsed(&self, answer: Answer) -> Result<Answer, Fault> {
        if self.cloud.is_dry_run() {
            let report = answer.origin.report("the dry run passed").code(DRY_RUN_PASSED);
            return Err(Fault::refused(report));
        }
        Ok(answer)
    }

    fn origin(&self, action: &'static str, effect: Effect) -> Origin {
        let region = self.region.to_owned();
        Origin { product: self.product, action, region, effect, request_id: None }
    }

    fn rpc(&self, action: &'static str, effect: Effect, params: &Value) -> Call {
        let mut params = flatten(params);
        params.insert("Action".to_owned(), action.to_owned());
        params.insert("Version".to_owned(), self.product.version().to_owned());
        params.entry("RegionId".to_owned()).or_insert_with(|| self.region.to_owned());
        Call { origin: self.origin(action, effect), style: Style::Rpc { params } }
    }

    fn roa(&self, action: &'static str, effect: Effect, rest: Rest) -> Call {
        Call { origin: self.origin(action, effect), style: Style::Roa(rest) }
    }
}

enum Next {
    Page,
    Token(String),
    End,
}

fn next(paging: Paging, answer: &Answer, on_page: usize, so_far: usize) -> Next {
    let total = answer.row().number("TotalCount").and_then(|total| usize::try_from(total).ok());
    match paging {
        Paging::Token(..) | Paging::Unsized => {
            answer.row().given("NextToken").map_or(Next::End, Next::Token)
        }
        // The total moves while things come and go, so an empty page ends the list as well.
        Paging::Number(size) => {
            let more = total.map_or(on_page as u64 >= size, |total| so_far < total);
            if more && on_page > 0 { Next::Page } else { Next::End }
        }
    }
}

/// Refuses to call something absent when the answer itself says that there is something.
fn ended<T>(answer: &Answer, found: Vec<T>) -> Result<Vec<T>, Fault> {
    let total = answer.row().number("TotalCount").unwrap_or_default();
    if found.is_empty() && total > 0 {
        let said = format!("the list is empty but counts {total}");
        return Err(Fault::transient(answer.origin.report(said)));
    }
    Ok(found)
}

fn put(params: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = params {
        members.insert(key.to_owned(), value);
    }
}

/// Tags as the list of pairs that every product takes.
pub(super) fn tag_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// A text as a parameter; an empty one is left out, since no text parameter may be empty.
pub(super) fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The one object that a filter by id can find.
pub(super) fn only<T>(mut found: Vec<T>, origin: &str) -> Result<Option<T>, Fault> {
    if found.len() > 1 {
        let said = format!("{} objects have one id", found.len());
        return Err(Fault::Bug(Report::new(origin, said)));
    }
    Ok(found.pop())
}

/// Takes "active already" for a success; the vendor's code for it is misspelt.
pub(super) fn opened(outcome: Result<Answer, Fault>) -> Result<(), Fault> {
    match outcome {
        Err(Fault::Refused { report, .. })
            if report.code.as_deref().is_some_and(|code| code.contains("OPEND")) =>
        {
            Ok(())
        }
        outcome => outcome.map(drop),
    }
}
