//! The marks that everything carries which a link makes.
//!
//! Every product takes tag keys of letters, digits, `.`, `_` and `-` that begin with a letter,
//! and some take no others. Version 0.1.0 wrote a colon; what carries its marks is still ours.

use crate::aliyun::Tags;
use escrr_engine::{Fault, SagaId};
use sha2::{Digest as _, Sha256};

/// The tag that names the link.
pub const TAG_LINK: &str = "escrr-link";
/// The tag that names the saga.
pub const TAG_SAGA: &str = "escrr-saga";
/// The tag that names the node.
pub const TAG_NODE: &str = "escrr-node";
/// How the keys of our marks begin; the spec's own tags may not.
pub(crate) const RESERVED: [&str; 2] = ["escrr-", "escrr:"];

/// The key as 0.1.0 wrote it.
fn older(key: &str) -> String {
    key.replacen("escrr-", "escrr:", 1)
}

/// The value of a mark, whichever version wrote it.
pub fn mark<'a>(tags: &'a Tags, key: &str) -> Option<&'a str> {
    tags.get(key).or_else(|| tags.get(&older(key))).map(String::as_str)
}

/// The same marks as this version and as 0.1.0 writes them.
pub fn spellings(marks: Tags) -> [Tags; 2] {
    let old = marks.iter().map(|(key, value)| (older(key), value.clone())).collect();
    [marks, old]
}

/// Everything that carries these marks, whichever version wrote them.
///
/// # Errors
/// A list cannot be read.
pub(crate) async fn by_marks<T, F>(marks: Tags, list: impl Fn(Tags) -> F) -> Result<Vec<T>, Fault>
where
    F: Future<Output = Result<Vec<T>, Fault>>,
{
    let [now, before] = spellings(marks);
    let mut all = list(now).await?;
    match list(before).await {
        Ok(older) => all.extend(older),
        Err(fault) if no_such_key(&fault) => {}
        Err(fault) => return Err(fault),
    }
    Ok(all)
}

/// Where a key of 0.1.0 is refused even in a list, nothing can carry it.
fn no_such_key(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused { report, .. }
        if report.code.as_deref().is_some_and(|code| code.contains("Tag")))
}

/// The longest part of a group's name that stands for the link.
const LINK_PART: usize = 17;

/// The group in an allow list that a saga of the link makes: lower-case letters, digits and `_`,
/// at most 32 of them, and no two sagas share one.
pub(crate) fn group_name(link: &str, saga: SagaId) -> String {
    let saga = saga.to_string();
    let tail = saga.get(saga.len().saturating_sub(8)..).unwrap_or_default();
    format!("{}{tail}", group_prefix(link))
}

/// How the names of all groups of a link begin.
pub(crate) fn group_prefix(link: &str) -> String {
    let name = link.replace('-', "_");
    if name.len() <= LINK_PART {
        return format!("escrr_{name}_");
    }
    let digest = Sha256::digest(link.as_bytes());
    let hash = digest.iter().take(4).fold(0_u32, |hash, byte| hash << 8 | u32::from(*byte));
    format!("escrr_{}_{hash:08x}_", name.get(..LINK_PART - 9).unwrap_or_default())
}

/// The group that 0.1.0 made, whichever saga it was.
pub(crate) fn older_group_name(link: &str) -> String {
    format!("escrr_{link}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use escrr_engine::Report;

    fn tags(key: &str) -> Tags {
        Tags::from([(key.to_owned(), "x".to_owned())])
    }

    #[test]
    fn marks_of_both_versions_are_read() {
        assert_eq!(mark(&tags("escrr-link"), TAG_LINK), Some("x"));
        assert_eq!(mark(&tags("escrr:link"), TAG_LINK), Some("x"));
        assert_eq!(mark(&tags("escrr:saga"), TAG_LINK), None);
        assert_eq!(spellings(tags(TAG_NODE)), [tags("escrr-node"), tags("escrr:node")]);
    }

    #[test]
    fn a_group_has_a_legal_name_of_its_own_for_every_saga() {
        let sagas = [SagaId::new(1, [5; 10]), SagaId::new(1, [6; 10])];
        let links = ["a1", "shanghai-hangzhou", &"a-".repeat(20), &format!("{}b", "a-".repeat(19))];
        let mut names = std::collections::BTreeSet::new();
        for link in links {
            for saga in sagas {
                let name = group_name(link, saga);
                let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                assert!((2..=32).contains(&name.len()) && name.chars().all(fine), "{name}");
                assert!(name.starts_with(&group_prefix(link)), "{name}");
                assert!(names.insert(name));
            }
        }
        assert_eq!(group_name("shanghai-hangzhou", sagas[0]), "escrr_shanghai_hangzhou_05050505");
    }

    #[tokio::test]
    async fn a_refused_key_of_0_1_0_hides_nothing_else() {
        let list = async |marks: Tags, code: &'static str| {
            if marks.contains_key("escrr-link") {
                return Ok(vec![1]);
            }
            Err(Fault::refused(Report::new("listing", "no").code(code)))
        };
        let found = |code| by_marks(tags(TAG_LINK), move |marks| list(marks, code));
        assert_eq!(found("InvalidTagKey").await.ok(), Some(vec![1]));
        assert!(found("Forbidden.RAM").await.is_err());
    }
}
