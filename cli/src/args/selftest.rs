//! Arguments of the self-test, and of the processes that it kills.

use crate::selftest::Point;
use clap::ArgAction;
use clap::builder::FalseyValueParser;
use escrr_engine::store::Moment;

/// `escrr selftest`
#[derive(Clone, Debug, clap::Args)]
pub struct SelftestArgs {
    /// Kills at every commit, before and after it, forward and backward; takes minutes
    #[arg(
        long,
        env = "ESCRR_SELFTEST_KILL_EVERYWHERE",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub kill_everywhere: bool,
    /// How many points to kill at, spread over the whole; not with --kill-everywhere
    #[arg(
        long,
        env = "ESCRR_SELFTEST_POINTS",
        value_name = "N",
        default_value_t = 12,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub points: u64,
    /// Kills at this point alone, for example `forward:before:17`; may be repeated
    #[arg(long, env = "ESCRR_SELFTEST_ONLY", value_name = "POINT", value_delimiter = ',')]
    pub only: Vec<Point>,
}

/// When the process is to kill itself: for `escrr selftest`, and in a sandbox alone.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DieArg {
    /// Kills this process before or after a commit, for example `before:17`
    #[arg(long, env = "ESCRR_DIE", value_name = "MOMENT", hide = true)]
    pub die: Option<Moment>,
}

#[cfg(test)]
mod tests {
    use crate::args::{Args, Command};
    use clap::Parser as _;

    #[test]
    fn points_are_listed_or_repeated() {
        for line in [
            ["--only", "forward:before:1,backward:after:2", "--points", "3"],
            ["--only", "forward:before:1", "--only", "backward:after:2"],
        ] {
            let args = Args::parse_from(["escrr", "selftest"].iter().chain(&line));
            let Command::Selftest(args) = args.command else { panic!("no selftest") };
            let points: Vec<String> = args.only.iter().map(ToString::to_string).collect();
            assert_eq!(points, ["forward:before:1", "backward:after:2"]);
        }
        assert!(Args::try_parse_from(["escrr", "selftest", "--points", "0"]).is_err());
        assert!(Args::try_parse_from(["escrr", "selftest", "--only", "before:1"]).is_err());
    }

    #[test]
    fn the_switch_to_die_is_not_in_the_manual() {
        let mut command = crate::args::command();
        for name in ["run", "resume", "rollback"] {
            let help = command.find_subcommand_mut(name).unwrap().render_long_help().to_string();
            assert!(!help.contains("die"), "{help}");
        }
        assert!(Args::try_parse_from(["escrr", "run", "--sandbox", "--die", "after:3"]).is_ok());
    }
}
