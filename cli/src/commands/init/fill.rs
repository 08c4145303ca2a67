//! The commented example with somebody's own clusters in it.

use escrr_steps::spec::EXAMPLE;

/// What of the example is replaced: what stands there, in the order of [`Filling::values`].
const STANDS: [&str; 5] =
    ["shanghai-hangzhou", "es-cn-leader000001", "es-cn-follower0001", "cn-shanghai", "cn-hangzhou"];

/// What a new spec says of its two clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filling {
    pub(super) link: String,
    /// Region and instance id of the leader.
    pub(super) leader: (String, String),
    /// Region and instance id of the follower.
    pub(super) follower: (String, String),
    /// A sandbox has passwords of its own: those of the example lead to variables nobody set.
    pub(super) own_passwords: bool,
}

impl Filling {
    /// What takes the place of what stands in the example.
    fn values(&self) -> [&str; 5] {
        [&self.link, &self.leader.1, &self.follower.1, &self.leader.0, &self.follower.0]
    }

    /// The example, filled in; its examples in comments follow.
    pub(super) fn text(&self) -> String {
        // By way of marks, so that nothing is replaced twice when the regions are exchanged.
        let marks = ['\u{e000}', '\u{e001}', '\u{e002}', '\u{e003}', '\u{e004}'];
        let pairs = || marks.into_iter().zip(STANDS).zip(self.values());
        let marked = pairs().fold(EXAMPLE.to_owned(), |text, ((mark, stands), _)| {
            text.replace(stands, &mark.to_string())
        });
        let text = pairs().fold(marked, |text, ((mark, _), value)| text.replace(mark, value));
        if self.own_passwords { text.replace("\npassword = ", "\n# password = ") } else { text }
    }
}

/// A link's name from two regions: `cn-shanghai` and `ap-southeast-1` make
/// `shanghai-southeast-1`.
pub(super) fn link(leader_region: &str, follower_region: &str) -> String {
    let place = |region: &str| match region.split_once('-') {
        Some((_, place)) => place.to_ascii_lowercase(),
        None => region.to_ascii_lowercase(),
    };
    let name = format!("{}-{}", place(leader_region), place(follower_region));
    name.chars().take(40).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use escrr_steps::spec::Spec;

    fn exchanged(own_passwords: bool) -> Filling {
        let side = |region: &str, id: &str| (region.to_owned(), id.to_owned());
        Filling {
            link: "there-and-back".to_owned(),
            leader: side("cn-hangzhou", "es-cn-aaa"),
            follower: side("cn-shanghai", "es-cn-bbb"),
            own_passwords,
        }
    }

    #[test]
    fn a_filled_example_says_what_was_chosen_and_nothing_of_the_example() {
        let text = exchanged(false).text();
        let spec = Spec::parse(&text, "t").unwrap();
        assert_eq!(spec.link, "there-and-back");
        assert_eq!(
            (spec.leader.region.as_str(), spec.leader.instance.as_str()),
            ("cn-hangzhou", "es-cn-aaa")
        );
        assert_eq!(
            (spec.follower.region.as_str(), spec.follower.instance.as_str()),
            ("cn-shanghai", "es-cn-bbb")
        );
        assert!(spec.leader.access.password.is_some());
        for stands in &STANDS[..3] {
            assert!(EXAMPLE.contains(stands) && !text.contains(stands), "{stands}");
        }
    }

    #[test]
    fn for_a_sandbox_the_passwords_are_its_own() {
        let spec = Spec::parse(&exchanged(true).text(), "t").unwrap();
        assert!(spec.leader.access.password.is_none() && spec.follower.access.password.is_none());
    }

    #[test]
    fn a_link_is_named_after_its_regions() {
        assert_eq!(link("cn-shanghai", "cn-hangzhou"), "shanghai-hangzhou");
        assert_eq!(link("ap-southeast-1", "eu-central-1"), "southeast-1-central-1");
        let long = link("cn-a-region-with-a-very-long-name-indeed", "cn-hangzhou-acdr-ut-1");
        assert!(long.len() <= 40 && !long.ends_with('-'), "{long}");
    }
}
