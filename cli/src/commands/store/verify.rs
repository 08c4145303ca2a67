//! `escrr store verify`

use super::{count, size};
use crate::Context;
use crate::args::OutputForm;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::store;
use escrr_engine::store::care::{self, Finding, IndexSeen, Remark, Verified};
use serde_json::{Value, json};

/// Reads everything; changes nothing.
pub(super) async fn run(context: Context<'_>) -> Result<Exit, CommandError> {
    let home = context.settings.home.path();
    let (lock, unwritable) = match store::lock(context, "store verify").await {
        Ok(lock) => (Some(lock), None),
        Err(error) if error.code == codes::STORE_IN_USE => (None, None),
        // A full or a read-only disk: it is wanted there most, and reading needs no room.
        Err(error) if [codes::STORE_FULL, codes::STORE_IO].contains(&error.code) => {
            (None, Some(error))
        }
        Err(error) => return Err(error),
    };
    let mut verified = care::verify(home, lock.as_ref())?;
    if let Some(error) = &unwritable {
        context.ui.warning(&format!("it is checked without the lock: {}", error.said));
        if verified.index == IndexSeen::Held {
            verified.index = IndexSeen::Unwritable;
        }
    }
    let exit = if verified.findings.is_empty() { Exit::Done } else { Exit::StoreDamaged };
    match context.ui.form() {
        OutputForm::Human => people(&verified, context),
        OutputForm::Json => {
            let mut document = summary(&verified, exit);
            if let Some(fields) = document.as_object_mut() {
                fields.insert("findings".to_owned(), list(&verified.findings, finding));
                fields.insert("remarks".to_owned(), list(&verified.remarks, remark));
            }
            context.ui.document(&document);
        }
        OutputForm::Ndjson => {
            let parts = verified.findings.iter().map(|one| ("finding", finding(one)));
            let remarks = verified.remarks.iter().map(|one| ("remark", remark(one)));
            let last = std::iter::once(("summary", summary(&verified, exit)));
            for (kind, mut line) in parts.chain(remarks).chain(last) {
                if let Some(fields) = line.as_object_mut() {
                    fields.insert("type".to_owned(), kind.into());
                }
                context.ui.line(&line);
            }
        }
    }
    if exit != Exit::Done {
        context.ui.problem(&damaged(&verified));
    }
    Ok(exit)
}

fn list<T>(all: &[T], one: impl Fn(&T) -> Value) -> Value {
    all.iter().map(one).collect()
}

fn finding(finding: &Finding) -> Value {
    json!({
        "file": finding.file.display().to_string(),
        "byte": finding.at,
        "frame": finding.frame,
        "saga": finding.saga,
        "entry": finding.version,
        "what": finding.what,
    })
}

fn remark(remark: &Remark) -> Value {
    let (kind, file) = match remark {
        Remark::Torn { file, .. } => ("torn", file),
        Remark::Cut { file, .. } => ("cut", file),
        Remark::Leftover { file } => ("leftover", file),
    };
    json!({ "kind": kind, "file": file.display().to_string(), "what": told(remark) })
}

fn told(remark: &Remark) -> String {
    let name = |file: &std::path::Path| {
        file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    };
    match remark {
        Remark::Torn { file, at } => format!(
            "{}, byte {at}: the last frame never arrived as a whole; nobody was told that it had, \
             and the next command drops it",
            name(file)
        ),
        Remark::Cut { file, found, made } => format!(
            "{} is {found} bytes long and was made with {made}: somebody cut it; what stands in \
             it is whole",
            name(file)
        ),
        Remark::Leftover { file } => {
            format!("{}: nothing of it is wanted any more; the next command removes it", name(file))
        }
    }
}

const fn index(seen: IndexSeen) -> (&'static str, &'static str) {
    match seen {
        IndexSeen::Agrees => ("agrees", "the index says what the journal says"),
        IndexSeen::Disagrees => ("disagrees", "the index contradicts the journal"),
        IndexSeen::Absent => ("absent", "there is no index; the next command makes it"),
        IndexSeen::Held => ("held", "the index was not looked at: another process has it open"),
        IndexSeen::Unwritable => {
            ("unwritable", "the index was not looked at: nothing can be written here")
        }
        IndexSeen::NoJournal => {
            ("not_checked", "the index was not looked at: there is no sound journal to hold it to")
        }
    }
}

fn summary(verified: &Verified, exit: Exit) -> Value {
    let counts = verified.counts;
    let next = (exit != Exit::Done).then(|| repair(verified));
    json!({
        "store": verified.store.display().to_string(),
        "exit_code": exit.code(),
        "class": exit.class(),
        "next_command": next,
        "files": counts.files,
        "frames": counts.frames,
        "entries": counts.entries,
        "sagas": counts.sagas,
        "bytes": counts.bytes,
        "index": index(verified.index).0,
        "damaged": verified.findings.len(),
    })
}

fn people(verified: &Verified, context: Context<'_>) {
    let ui = context.ui;
    for finding in &verified.findings {
        ui.result(&finding.to_string());
    }
    for remark in &verified.remarks {
        ui.status(&told(remark));
    }
    let counts = verified.counts;
    ui.result(&format!(
        "{} with {} and {} of {}, {}",
        count(counts.files, "file", "files"),
        count(counts.frames, "frame", "frames"),
        count(counts.entries, "entry", "entries"),
        count(counts.sagas, "saga", "sagas"),
        size(counts.bytes),
    ));
    ui.result(index(verified.index).1);
    if verified.findings.is_empty() {
        ui.result("nothing is wrong");
    }
}

/// The command that repairs it.
fn repair(verified: &Verified) -> &'static str {
    match verified.index {
        // A journal that ends too early is no matter of the index alone.
        IndexSeen::Disagrees if verified.findings.iter().all(|one| one.frame.is_none()) => {
            "escrr store rebuild"
        }
        IndexSeen::Agrees
        | IndexSeen::Disagrees
        | IndexSeen::Absent
        | IndexSeen::Held
        | IndexSeen::Unwritable
        | IndexSeen::NoJournal => "escrr store rebuild --salvage",
    }
}

fn damaged(verified: &Verified) -> CommandError {
    let found = count(verified.findings.len() as u64, "finding", "findings");
    let said = format!("the store in {} is damaged: {found}", verified.store.display());
    CommandError::new(codes::STORE_DAMAGED, said)
        .meaning("nothing was changed")
        .hint(format!("copy it before anything else: cp -a {0} {0}.copy", verified.store.display()))
        .next_command(repair(verified))
}
