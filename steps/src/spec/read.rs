//! Text to [`Spec`].

use super::{Problem, Spec, SpecErrors, check, distance};
use toml::de::{DeTable, Error};

/// More syntax errors than this are echoes of the first ones.
const MOST_SYNTAX_ERRORS: usize = 10;

/// Reads and checks; the errors of the first stage that has any.
pub(super) fn read(text: &str, name: &str) -> Result<Spec, SpecErrors> {
    let failed = |problems, more| SpecErrors { name: name.to_owned(), problems, more };
    let (table, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        let first = syntax.iter().take(MOST_SYNTAX_ERRORS);
        return Err(failed(first.map(|error| broken(text, error)).collect(), 0));
    }
    let mut spec: Spec =
        toml::from_str(text).map_err(|error| failed(vec![explain(text, &error)], 0))?;
    let (problems, more) = check::check(&spec, text, table.get_ref());
    if !problems.is_empty() {
        return Err(failed(problems, more));
    }
    text.clone_into(&mut spec.text);
    name.clone_into(&mut spec.name);
    Ok(spec)
}

/// A place where the text is no TOML. No key can be trusted there, so no value is shown.
fn broken(text: &str, error: &Error) -> Problem {
    Problem::hidden(text, error.span().unwrap_or(0..0), &first_sentence(error), None)
}

fn first_sentence(error: &Error) -> String {
    error.message().lines().next().unwrap_or_default().to_owned()
}

/// The library's error in our words: without values, and with what helps.
fn explain(text: &str, error: &Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let said = error.message();
    if let Some((key, expected)) = said.strip_prefix("unknown field ").and_then(split_expected) {
        let help = match nearest(key.trim_matches('`'), expected) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here are {}", listed(expected)),
        };
        // A mistyped `password` has a password for a value.
        return Problem::hidden(text, span, &format!("unknown key {key}"), Some(help));
    }
    if let Some((value, expected)) = said.strip_prefix("unknown variant ").and_then(split_expected)
    {
        let help = format!("it is {}", listed(expected).replace(", ", " or "));
        return Problem::at(text, span, &format!("unknown value {value}"), Some(help));
    }
    if let Some(key) = said.strip_prefix("missing field ") {
        let help = Some("`escrr init` writes a commented example".to_owned());
        return Problem::at(
            text,
            first_line(text, span),
            &format!("the key {key} is missing"),
            help,
        );
    }
    if let Some((found, expected)) = said
        .strip_prefix("invalid type: ")
        .or_else(|| said.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    {
        let message = format!("expected {}, found {}", plain(expected), kind(found));
        return Problem::at(text, span, &message, None);
    }
    let help = help_for(said).map(str::to_owned);
    Problem::at(text, span, &first_sentence(error), help)
}

/// The library gives a missing key the span of its whole table: its first line is enough.
fn first_line(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let length = text.get(span.clone()).and_then(|covered| covered.find('\n'));
    span.start..length.map_or(span.end, |length| span.start + length)
}

/// `` `a`, expected one of `b`, `c` `` into its two halves.
fn split_expected(rest: &str) -> Option<(&str, &str)> {
    rest.split_once(", ").map(|(found, expected)| {
        (found, expected.trim_start_matches("expected ").trim_start_matches("one of "))
    })
}

fn listed(expected: &str) -> String {
    expected.replace(" or ", ", ")
}

/// `string "x"` is a string: the value itself is left out, it may be a secret.
fn kind(found: &str) -> &str {
    let end = found.find(['"', '`']).unwrap_or(found.len());
    found.get(..end).unwrap_or_default().trim_end()
}

/// Rust's names for types in a person's words.
fn plain(expected: &str) -> &str {
    match expected {
        "u16" => "a number from 0 to 65535",
        "u32" | "u64" => "a number that is not negative",
        "a boolean" => "true or false",
        "a sequence" => "a list in brackets",
        _ if expected.starts_with("struct ") => "a table",
        "a map" => "a table",
        other => other,
    }
}

fn help_for(said: &str) -> Option<&'static str> {
    match said {
        _ if said.contains("secret stands in the spec") => {
            Some("put the secret into an environment variable and write \"env:ITS_NAME\" here")
        }
        _ if said.contains("IPv4 address") => Some("an address looks like 10.1.1.20"),
        _ if said.contains("socket address") => Some("write address and port, like 10.1.1.2:53"),
        _ => None,
    }
}

/// What is longer than this is no slip of a key.
const MOST_KEY: usize = 64;

/// The name in a list of `` `names` `` that is nearest, if it is near.
fn nearest<'a>(key: &str, expected: &'a str) -> Option<&'a str> {
    if key.len() > MOST_KEY {
        return None;
    }
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|name| (distance(key, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 4)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::super::EXAMPLE;
    use super::*;
    use proptest::prelude::*;

    const LEAST: &str = "link = \"a-b\"\n[leader]\nregion = \"cn-shanghai\"\ninstance = \
                         \"es-cn-1\"\n[follower]\nregion = \"cn-hangzhou\"\ninstance = \
                         \"es-cn-2\"\n";

    fn first(text: &str) -> Problem {
        Spec::parse(text, "s.toml").unwrap_err().problems.remove(0)
    }

    #[test]
    fn the_example_and_the_least_spec_are_read() {
        let example = Spec::parse(EXAMPLE, "example").unwrap();
        assert_eq!(example.text(), EXAMPLE);
        let spec = Spec::parse(LEAST, "least").unwrap();
        assert_eq!(spec.patterns(), ["*"]);
        assert_eq!(spec.exclusions(), [".*"]);
        assert_eq!(spec.network.bandwidth_mbps, 100);
        assert_eq!(spec.digest().len(), 64);
        assert_ne!(spec.digest(), example.digest());
    }

    #[test]
    fn the_example_shows_every_key() {
        // Taking the comment signs away from the keys must leave a text whose keys are all known.
        let open: String = EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => {
                    format!("{rest}\n")
                }
                Some(rest) if rest.starts_with('[') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let spec: Spec = toml::from_str(&open).unwrap_or_else(|error| panic!("{error}\n{open}"));
        let shown: toml::Table = toml::from_str(&open).unwrap();
        let known = serde_json::to_value(&spec).unwrap();
        for (table, keys) in known.as_object().unwrap() {
            for key in keys.as_object().into_iter().flat_map(|keys| keys.keys()) {
                assert!(shown[table].get(key).is_some(), "{table}.{key} is not in the example");
            }
        }
    }

    #[test]
    fn an_unknown_key_points_at_itself_and_names_the_nearest() {
        let problem = first(&format!("{LEAST}[network]\nbandwith_mbps = 3\n"));
        assert_eq!((problem.line, problem.column), (9, 1));
        assert_eq!(problem.message, "unknown key `bandwith_mbps`");
        assert_eq!(problem.help.as_deref(), Some("did you mean `bandwidth_mbps`?"));
        assert!(first(&format!("shade = 1\n{LEAST}")).help.unwrap().contains("`leader`"));
    }

    #[test]
    fn a_place_is_counted_in_characters_and_a_tab_is_one() {
        let problem = first(&format!("{LEAST}[verify]\n\tprobe\t= \"ja, früh\" # früh\n"));
        assert_eq!((problem.line, problem.column, problem.width), (9, 10, 10), "{problem}");
        let marker = format!("| \t     \t  {}", "^".repeat(10));
        assert!(problem.to_string().ends_with(&marker), "{problem}");
        let text = format!("{LEAST}[tags]\n\"größe 数据\" = \"ü\"\t\nowner = 3\n");
        let problem = first(&text);
        assert_eq!((problem.line, problem.column, problem.width), (10, 9, 1), "{problem}");
        let text = format!("{LEAST}[replication]\npatterns = [\"日志-*\", 7]\r\n");
        let problem = first(&text);
        assert_eq!((problem.line, problem.column, problem.width), (9, 21, 1), "{problem}");
    }

    #[test]
    fn a_missing_key_points_at_its_table() {
        let problem = first("link = \"a-b\"\n[leader]\nregion = \"cn-shanghai\"\n");
        assert_eq!(problem.line, 2, "{problem}");
        assert_eq!(problem.message, "the key `instance` is missing");
    }

    #[test]
    fn types_and_values_are_explained_in_plain_words() {
        let problem = first(&format!("{LEAST}[load_balancer]\nend_port = 70000\n"));
        assert_eq!(problem.message, "expected a number from 0 to 65535, found integer");
        assert_eq!((problem.line, problem.column, problem.width), (9, 12, 5));
        let problem = first(&format!("{LEAST}[network]\nlink_type = \"silver\"\n"));
        assert_eq!(problem.help.as_deref(), Some("it is `gold` or `platinum`"));
        let problem = first(&format!("{LEAST}[private_link]\nzone_affinity = 1\n"));
        assert_eq!(problem.message, "expected true or false, found integer");
    }

    #[test]
    fn a_spec_full_of_mistakes_says_the_first_ones() {
        let bad = "\"A*\", ".repeat(4000);
        let text = format!("{LEAST}[replication]\npatterns = [{bad}]\n");
        let errors = Spec::parse(&text, "s.toml").unwrap_err();
        let said = errors.to_string();
        assert!(said.len() < 20_000, "{}", said.len());
        // Each is no pattern, and all but the first stand there twice.
        assert!(said.ends_with(&format!("and {} more like these", 7999 - 20)), "{said}");
        let key = format!("{}\n{LEAST}", format_args!("{} = 1", "k".repeat(1 << 20)));
        assert!(Spec::parse(&key, "s.toml").unwrap_err().to_string().len() < 2000);
    }

    #[test]
    fn all_syntax_errors_are_listed() {
        let errors = Spec::parse("link = \nleader = [\n", "s.toml").unwrap_err();
        assert!(errors.problems.len() >= 2, "{errors}");
    }

    #[test]
    fn no_error_repeats_a_secret() {
        for broken in [
            "[leader.access]\npassword = \"hunter2\"",
            "[leader.access]\npasswort = \"hunter2\"",
            "[leader.access]\npassword = \"hunter2",
            "[leader.access]\npassword = \"\"\"\nhunter2",
            "[leader.access]\npassword = hunter2",
            "[leader.access]\npassword = [\"hunter2\"]",
            "[leader]\naccess = \"hunter2\"",
            "[leader]\naccess = { password = \"hunter2\" }",
            "[leader]\npassword = \"hunter2\"",
            "[leader.access]\nurl = \"https://elastic:hunter2@es.example:9200\"",
            "[credentials]\naccess_key_secret = \"hunter2\"",
            "[credentials]\nsecurity_token = 'hunter2'",
            "password = \"hunter2\"",
            "credentials = \"hunter2\"",
        ] {
            for text in [format!("{broken}\n{LEAST}"), format!("{LEAST}{broken}\n")] {
                let errors = Spec::parse(&text, "s.toml").unwrap_err();
                assert!(!errors.to_string().contains("hunter2"), "{errors}");
                assert!(!format!("{errors:?}").contains("hunter2"), "{errors:?}");
            }
        }
    }

    /// The text with some characters cut out and others put in.
    fn mutated(text: &str, cuts: Vec<(prop::sample::Index, usize, String)>) -> String {
        let mut text: Vec<char> = text.chars().collect();
        for (place, length, insert) in cuts {
            let start = place.index(text.len().max(1)).min(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, insert.chars());
        }
        text.into_iter().collect()
    }

    fn cuts(
        most: std::ops::Range<usize>,
    ) -> impl Strategy<Value = Vec<(prop::sample::Index, usize, String)>> {
        let insert = prop_oneof![".{0,6}", "[\n\"'=\\[\\]#.]{0,3}"];
        prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, insert), most)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn a_mutated_example_never_panics(cuts in cuts(1..6)) {
            if let Err(errors) = Spec::parse(&mutated(EXAMPLE, cuts), "mutated") {
                prop_assert!(!errors.problems.is_empty());
                prop_assert!(!errors.to_string().is_empty());
            }
        }

        #[test]
        fn a_slip_in_a_spec_with_plain_secrets_never_shows_them(cuts in cuts(1..2)) {
            let text = format!(
                "{LEAST}[follower.access]\npassword = \"hunter2\"\n[credentials]\n\
                 access_key_id = \"env:ID\"\naccess_key_secret = \"hunter2\"\n[network]\n"
            );
            if let Err(errors) = Spec::parse(&mutated(&text, cuts), "mutated") {
                prop_assert!(!errors.to_string().contains("hunter2"), "{errors}");
            }
        }
    }
}
