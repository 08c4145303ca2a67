//! Which plugins the settings and mappings of an index need.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What plugins of Elasticsearch and of the managed service provide: analysers, tokenizers,
/// filters and field types by name. A name that ends with `*` stands for all that begin so.
const PROVIDED: [(&str, &[&str]); 13] = [
    ("analysis-ik", &["ik_max_word", "ik_smart"]),
    ("analysis-aliws", &["aliws", "aliws_tokenizer"]),
    ("analysis-pinyin", &["pinyin", "pinyin_first_letter"]),
    ("analysis-stconvert", &["stconvert", "tsconvert", "stconvert_keep_both"]),
    ("analysis-smartcn", &["smartcn", "smartcn_*"]),
    ("analysis-icu", &["icu_*"]),
    ("analysis-kuromoji", &["kuromoji", "kuromoji_*", "ja_stop"]),
    ("analysis-nori", &["nori", "nori_*"]),
    ("analysis-phonetic", &["phonetic"]),
    ("analysis-stempel", &["polish", "polish_stem", "polish_stop"]),
    ("analysis-ukrainian", &["ukrainian"]),
    ("mapper-annotated-text", &["annotated_text"]),
    ("mapper-murmur3", &["murmur3"]),
];

/// Members of a field that name an analyser.
const ANALYSERS: [&str; 4] = ["analyzer", "search_analyzer", "search_quote_analyzer", "normalizer"];
/// Members of an analyser's settings that name something of a plugin.
const PARTS: [&str; 5] = ["type", "tokenizer", "filter", "char_filter", "normalizer"];

/// The plugins that an index needs: plugin to the names that it is needed for.
pub(crate) type Wanted = BTreeMap<&'static str, BTreeSet<String>>;

fn plugin_of(name: &str) -> Option<&'static str> {
    let provides = |known: &&str| {
        known.strip_suffix('*').map_or(*known == name, |head| name.starts_with(head))
    };
    PROVIDED.iter().find(|(_, names)| names.iter().any(provides)).map(|(plugin, _)| *plugin)
}

fn note(wanted: &mut Wanted, name: &str) {
    if let Some(plugin) = plugin_of(name) {
        wanted.entry(plugin).or_default().insert(name.to_owned());
    }
}

/// What the flat settings of an index need (`index.analysis.…`), without the names that they
/// define themselves.
pub(crate) fn of_settings(settings: &Value) -> (Wanted, BTreeSet<String>) {
    let (mut wanted, mut own) = (Wanted::new(), BTreeSet::new());
    let members = || settings.as_object().into_iter().flatten();
    let parts = |key: &str| -> Option<(String, String)> {
        // `index.analysis.<kind>.<name>.<member>`, and the name may have dots.
        let (_, rest) = key.strip_prefix("index.analysis.")?.split_once('.')?;
        let (name, member) = rest.rsplit_once('.')?;
        Some((name.to_owned(), member.to_owned()))
    };
    own.extend(members().filter_map(|(key, _)| Some(parts(key)?.0)));
    for (key, value) in members() {
        let Some((_, member)) = parts(key) else { continue };
        if !PARTS.contains(&member.as_str()) {
            continue;
        }
        let listed = value.as_array().into_iter().flatten().chain(Some(value));
        for name in listed.filter_map(Value::as_str) {
            // A type is never one of the index's own names.
            if member == "type" || !own.contains(name) {
                note(&mut wanted, name);
            }
        }
    }
    (wanted, own)
}

/// What the mappings of an index need; `own` are analysers that its settings define.
pub(crate) fn of_mapping(mapping: &Value, own: &BTreeSet<String>, wanted: &mut Wanted) {
    let Some(members) = mapping.as_object() else { return };
    for (key, value) in members {
        match value.as_str() {
            Some(name) if key == "type" => note(wanted, name),
            Some(name) if ANALYSERS.contains(&key.as_str()) && !own.contains(name) => {
                note(wanted, name);
            }
            Some(_) => {}
            None => of_mapping(value, own, wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_plugins_are_needed_for_is_found_wherever_it_is_named() {
        let settings = json!({
            "index.analysis.analyzer.text.type": "custom",
            "index.analysis.analyzer.text.tokenizer": "ik_smart",
            "index.analysis.analyzer.text.filter": ["lowercase", "icu_folding", "pinyin"],
            "index.analysis.filter.pinyin.type": "phonetic",
            "index.number_of_shards": "1",
        });
        let (mut wanted, own) = of_settings(&settings);
        let mapping = json!({"properties": {
            "title": {"type": "text", "analyzer": "text", "search_analyzer": "nori"},
            "hash": {"type": "murmur3"},
            "a": {"properties": {"b": {"type": "text", "fields": {"c": {"type": "icu_collation_keyword"}}}}},
        }});
        of_mapping(&mapping, &own, &mut wanted);
        let plugins: Vec<&str> = wanted.keys().copied().collect();
        // The index calls a filter of its own `pinyin`.
        let expected =
            ["analysis-icu", "analysis-ik", "analysis-nori", "analysis-phonetic", "mapper-murmur3"];
        assert_eq!(plugins, expected);
        assert_eq!(wanted["analysis-icu"].len(), 2);
    }

    #[test]
    fn built_in_analysis_needs_no_plugin() {
        let (mut wanted, own) = of_settings(&json!({"index.analysis.analyzer.a.type": "standard"}));
        of_mapping(&json!({"properties": {"polish": {"type": "keyword"}}}), &own, &mut wanted);
        assert_eq!(wanted, Wanted::new());
    }
}
