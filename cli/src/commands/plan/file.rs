//! The plan file: what `plan --out` keeps and `run --plan` holds the world against.
//!
//! It is JSON with a schema, the spec's digest, the catalog's edition and a digest of what the
//! survey found at each node. Outputs themselves and the spec's text are not in it, so that
//! nothing in it is secret. Its checksum finds damage; it is no signature.

use super::Plan;
use super::verdicts::Row;
use crate::codes;
use crate::error::CommandError;
use crate::ui::words::{ids, time};
use escrr_engine::survey::Verdict;
use escrr_steps::limited;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// No plan file comes near to this.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What every plan file's schema begins with.
pub(super) const FAMILY: &str = "escrr.plan-file/";
/// The schema that this version writes and reads.
const SCHEMA: &str = "escrr.plan-file/1";
/// Fields of outputs that say how something was asked and not what is there: another way into
/// the same cluster or another user of the same account is no other world.
const NOT_THE_WORLD: [&str; 3] = ["access", "arn", "found_by"];

/// A plan as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commands) struct PlanFile {
    schema: String,
    /// The program and its version.
    made_by: String,
    /// When, RFC 3339.
    made: String,
    link: String,
    /// The kind of world: the real cloud or a sandbox.
    world: String,
    spec_digest: String,
    catalog_edition: String,
    /// SHA-256 over the digests of all nodes, in order.
    world_digest: String,
    pub(super) nodes: Vec<Planned>,
    /// SHA-256 of everything else, as compact JSON with sorted keys.
    checksum: String,
}

/// One node of a plan file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Planned {
    pub(super) node: String,
    /// The verdict in one word, for example `make` or `found`.
    pub(super) verdict: String,
    /// What would be made, where that could be seen.
    pub(super) items: Option<Vec<String>>,
    /// Ids of what is there, for people.
    pub(super) what: String,
    /// SHA-256 of what the look found.
    pub(super) digest: String,
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// An output without what is not of the world.
fn steady(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !NOT_THE_WORLD.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), steady(value)))
            .collect(),
        Value::Array(items) => items.iter().map(steady).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

impl Planned {
    fn of(row: Row<'_>) -> Self {
        let items = match row.verdict {
            Verdict::Make(items) => Some(items.clone()),
            Verdict::Found(_)
            | Verdict::Checked(_)
            | Verdict::Unneeded(_)
            | Verdict::Differs(_)
            | Verdict::Waits(_)
            | Verdict::After(_)
            | Verdict::Blocked(..)
            | Verdict::Unlooked => None,
        };
        let output = row.verdict.output().map(steady).unwrap_or_default();
        let looked_at = !matches!(row.verdict, Verdict::After(_));
        let seen = json!([row.word(), looked_at, items, output]);
        Self {
            node: row.about.id.to_string(),
            verdict: row.word().to_owned(),
            items,
            what: row.verdict.output().map(ids).unwrap_or_default(),
            digest: sha256(seen.to_string()),
        }
    }
}

impl PlanFile {
    fn sum(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("checksum");
        }
        sha256(value.to_string())
    }

    /// What was found when it was made.
    pub(super) fn world_digest(&self) -> &str {
        &self.world_digest
    }

    /// Reads a plan file.
    ///
    /// # Errors
    /// It cannot be read, is none, is damaged, or a newer version made it.
    pub(in crate::commands) fn read(path: &Path) -> Result<Self, CommandError> {
        let bytes = limited::read(path, MOST_BYTES)
            .map_err(|error| CommandError::file(codes::UNREADABLE, "cannot read", path, &error))?;
        let shown = path.display();
        let refused = |said: String, meaning: &str| {
            CommandError::new(codes::PLAN_FILE, said)
                .meaning(meaning)
                .hint(format!("make a new one: `escrr plan --out {shown}`"))
        };
        let schema = schema_of(&bytes);
        let Some(schema) = schema.filter(|schema| schema.starts_with(FAMILY)) else {
            let said = format!("{shown} is not a plan file, or it is damaged");
            return Err(refused(said, "nothing was done"));
        };
        if schema != SCHEMA {
            let said = format!("{shown} has the schema {schema}, and this version reads {SCHEMA}");
            return Err(refused(said, "another version of escrr made it; nothing was done"));
        }
        let damaged = |why: &str| {
            refused(
                format!("{shown} is damaged: {why}"),
                "a plan file is carried out as it was made, or not at all; nothing was done",
            )
        };
        let file: Self =
            serde_json::from_slice(&bytes).map_err(|error| damaged(&error.to_string()))?;
        if file.sum() != file.checksum {
            return Err(damaged("its checksum does not fit what stands in it"));
        }
        Ok(file)
    }

    /// Refuses to be carried out for anything but what it was made for.
    ///
    /// # Errors
    /// Another link, another kind of world, another spec, or other steps.
    pub(in crate::commands) fn fits(
        &self,
        spec: &escrr_steps::spec::Spec,
        world: &str,
        edition: &str,
    ) -> Result<(), CommandError> {
        let mut reasons = Vec::new();
        if self.link != spec.link {
            reasons.push(format!("it is for the link {}, not for {}", self.link, spec.link));
        } else if self.spec_digest != spec.digest() {
            let name = spec.name();
            reasons.push(format!("the spec has changed: {name} is not the text it was made from"));
        }
        if self.world != world {
            let place = |kind: &str| {
                if kind == crate::place::SANDBOX { "a sandbox" } else { "the real cloud" }
            };
            reasons.push(format!("it is for {}, not for {}", place(&self.world), place(world)));
        }
        if self.catalog_edition != edition {
            reasons.push(format!(
                "the steps have changed: it was made with their edition {} by {}, this is {edition}",
                self.catalog_edition, self.made_by
            ));
        }
        if reasons.is_empty() {
            return Ok(());
        }
        let said = format!("the plan file does not fit\n  {}", reasons.join("\n  "));
        Err(CommandError::new(codes::PLAN_OTHER, said)
            .meaning("nothing was done")
            .hint("plan again, look at it, and run what you have seen"))
    }
}

/// The schema that a JSON document names.
pub(super) fn schema_of(bytes: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    Some(value.get("schema")?.as_str()?.to_owned())
}

impl Plan {
    /// What a plan file keeps of every node.
    pub(super) fn planned(&self) -> Vec<Planned> {
        self.rows().map(Planned::of).collect()
    }

    /// SHA-256 over what the survey found at each node; how far the data is does not count.
    pub(super) fn world_digest(&self) -> String {
        let steady = self.rows().filter(|row| row.about.phase != super::VERIFY);
        let all: Vec<String> = steady.map(|row| Planned::of(row).digest).collect();
        sha256(all.join("\n"))
    }

    /// The plan as it is kept.
    pub(super) fn to_file(&self, world: &str, now_ms: u64) -> PlanFile {
        let mut file = PlanFile {
            schema: SCHEMA.to_owned(),
            made_by: format!("escrr {}", env!("CARGO_PKG_VERSION")),
            made: time(now_ms),
            link: self.spec.link.clone(),
            world: world.to_owned(),
            spec_digest: self.spec.digest(),
            catalog_edition: self.catalog.edition(),
            world_digest: self.world_digest(),
            nodes: self.planned(),
            checksum: String::new(),
        };
        file.checksum = file.sum();
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use escrr_engine::{About, Class, Report};

    /// The digest of the node of the follower's cluster, seen so.
    fn digest(verdict: &Verdict) -> String {
        let catalog = crate::session::catalog().unwrap();
        let at = catalog.find("follower.cluster").unwrap();
        let about: &About = &catalog.about()[at];
        Planned::of(Row { at, about, verdict, ours: false }).digest
    }

    #[test]
    fn how_it_was_asked_is_not_the_world_and_what_is_there_is() {
        let seen = |uuid: &str, access: &str| {
            let side = json!({ "uuid": uuid, "access": access });
            digest(&Verdict::Checked(json!({ "uuid": uuid, "access": access, "sides": [side] })))
        };
        assert_eq!(seen("u1", "direct (127.0.0.1:1)"), seen("u1", "kibana (127.0.0.1:2)"));
        assert_ne!(seen("u1", "direct"), seen("u2", "direct"));
    }

    #[test]
    fn no_two_verdicts_have_one_digest_except_how_it_waits_and_fails() {
        let report = |said: &str| Report::new("looking", said);
        let one = Verdict::Make(vec!["a".into()]);
        let two = Verdict::Make(vec!["b".into()]);
        assert_ne!(digest(&one), digest(&two));
        let all = [
            one,
            Verdict::Found(Value::Null),
            Verdict::Checked(Value::Null),
            Verdict::Unneeded(Value::Null),
            Verdict::Differs(report("other")),
            Verdict::Waits("Attaching".into()),
            Verdict::After(Vec::new()),
            Verdict::Blocked(Class::Prerequisite, report("none")),
            Verdict::Unlooked,
        ];
        let digests: std::collections::BTreeSet<String> = all.iter().map(digest).collect();
        assert_eq!(digests.len(), all.len());
        assert_eq!(digest(&Verdict::Waits("Creating".into())), digest(&Verdict::Waits("x".into())));
    }
}
