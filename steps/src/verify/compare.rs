//! One document and its copy.

use crate::elastic::Document;

/// How a copy is like its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// The same operation wrote both, and they hold the same.
    Same,
    /// The same operation wrote both, and they do not hold the same.
    Altered,
    /// A later operation wrote the copy: the document was written again since it was read.
    Newer,
    /// An earlier operation wrote the copy: the later one is on its way, or lost.
    Older,
    /// There is no copy: it is on its way, deleted since, or lost.
    Absent,
}

/// Holds a document against its copy: a follower repeats its leader's operations under the same
/// numbers, so equal numbers have to mean equal contents.
pub(crate) fn liken(document: &Document, copy: Option<&Document>) -> Likeness {
    let Some(copy) = copy else { return Likeness::Absent };
    match copy.seq_no.cmp(&document.seq_no) {
        std::cmp::Ordering::Less => Likeness::Older,
        std::cmp::Ordering::Greater => Likeness::Newer,
        std::cmp::Ordering::Equal if copy.source == document.source => Likeness::Same,
        std::cmp::Ordering::Equal => Likeness::Altered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elastic::DocKey;
    use serde_json::json;

    #[test]
    fn numbers_first_then_contents() {
        let document = |seq_no, n| Document {
            key: DocKey { id: "a".into(), routing: None },
            seq_no,
            version: 1,
            source: json!({"n": n}),
        };
        let ours = document(5, 1);
        let cases = [
            (None, Likeness::Absent),
            (Some(document(5, 1)), Likeness::Same),
            (Some(document(5, 2)), Likeness::Altered),
            (Some(document(4, 1)), Likeness::Older),
            (Some(document(6, 1)), Likeness::Newer),
        ];
        for (copy, likeness) in cases {
            assert_eq!(liken(&ours, copy.as_ref()), likeness, "{copy:?}");
        }
    }
}
