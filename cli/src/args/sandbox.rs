//! Arguments that have to do with the pretend cloud.

use clap::builder::{FalseyValueParser, OsStringValueParser, TypedValueParser as _};
use clap::{ArgAction, ArgGroup, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// `--sandbox[=FILE]`
#[derive(Clone, Debug, clap::Args)]
pub struct SandboxArg {
    /// Speaks to the pretend cloud instead of the real one; FILE is what `escrr sandbox start`
    /// printed
    #[arg(
        long,
        env = "ESCRR_SANDBOX",
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = OsStringValueParser::new().map(SandboxChoice::from)
    )]
    pub sandbox: Option<SandboxChoice>,
}

impl SandboxArg {
    /// The choice; none for the real cloud.
    pub fn choice(&self) -> Option<&SandboxChoice> {
        self.sandbox.as_ref().filter(|choice| **choice != SandboxChoice::Off)
    }
}

/// Which sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxChoice {
    /// None, the real cloud; `ESCRR_SANDBOX=0` says so.
    Off,
    /// The one that runs, or one of the command's own.
    Own,
    /// The one whose addresses are in a file.
    File(PathBuf),
}

impl From<OsString> for SandboxChoice {
    fn from(text: OsString) -> Self {
        // A path need not be text; what is none is no word of these.
        match text.to_ascii_lowercase().to_str() {
            Some("" | "0" | "false" | "no" | "off") => Self::Off,
            Some("1" | "true" | "yes" | "on") => Self::Own,
            Some(_) | None => Self::File(PathBuf::from(text)),
        }
    }
}

/// `escrr sandbox …`
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Serves the pretend cloud until it is interrupted
    Start(SandboxStartArgs),
    /// Lists everything that exists in it
    Inventory(RunningArgs),
    /// Lists every request it was asked
    Log(RunningArgs),
    /// Orders something to go wrong
    Fault(Box<FaultArgs>),
    /// Lets something befall a pretend Elasticsearch instance, without a call
    Befall(BefallArgs),
    /// Puts the world back to its beginning
    Reset(RunningArgs),
}

/// `escrr sandbox befall`
#[derive(Clone, Debug, clap::Args)]
pub struct BefallArgs {
    /// The instance, for example `es-cn-leader000001`
    #[arg(value_name = "INSTANCE")]
    pub instance: String,
    /// Its nodes are replaced: its domain leads to other addresses
    #[arg(
        long,
        env = "ESCRR_OTHER_ADDRESSES",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub other_addresses: bool,
    /// Its status from now on: `active`, `inactive`, `invalid`
    #[arg(long, env = "ESCRR_STATUS", value_name = "STATUS")]
    pub status: Option<String>,
    /// Minutes that pass afterwards, so that it can be noticed
    #[arg(long, env = "ESCRR_MINUTES", value_name = "NUMBER", default_value_t = 2)]
    pub minutes: u32,
    /// Which sandbox.
    #[command(flatten)]
    pub running: RunningArgs,
}

/// `escrr sandbox start`
#[derive(Clone, Debug, clap::Args)]
pub struct SandboxStartArgs {
    /// TOML file the world is made from [default: the document's example, Shanghai to Hangzhou]
    #[arg(long, env = "ESCRR_SANDBOX_WORLD", value_name = "FILE")]
    pub world: Option<PathBuf>,
    /// How many times faster than real time it runs
    #[arg(long, env = "ESCRR_SANDBOX_SPEED", value_name = "N", value_parser = speed)]
    pub speed: Option<f64>,
}

/// `escrr sandbox inventory`, `log`, `reset`
#[derive(Clone, Debug, clap::Args)]
pub struct RunningArgs {
    /// Which sandbox.
    #[command(flatten)]
    pub sandbox: SandboxArg,
}

/// `escrr sandbox fault`
#[derive(Clone, Debug, clap::Args)]
#[command(group = ArgGroup::new("what").required(true).args([
    "refuse", "throttle", "expire_credentials", "delay_ms", "lost", "cut", "stale", "stuck",
    "kill", "json", "clear", "list",
]))]
#[expect(clippy::struct_excessive_bools, reason = "every one is a flag of its own")]
pub struct FaultArgs {
    /// Which sandbox.
    #[command(flatten)]
    pub sandbox: SandboxArg,
    /// Refuses the request with a vendor code
    #[arg(long, env = "ESCRR_FAULT_REFUSE", value_name = "CODE")]
    pub refuse: Option<String>,
    /// HTTP status of the refusal [default: the one that goes with the code]
    #[arg(
        long,
        env = "ESCRR_FAULT_STATUS",
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(400..=599)
    )]
    pub status: Option<u16>,
    /// Text of the refusal
    #[arg(long, env = "ESCRR_FAULT_MESSAGE", value_name = "TEXT", default_value = "")]
    pub message: String,
    /// Answers that there were too many requests
    #[arg(long, env = "ESCRR_FAULT_THROTTLE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub throttle: bool,
    /// Answers that the credentials have run out
    #[arg(long, env = "ESCRR_FAULT_EXPIRE_CREDENTIALS", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub expire_credentials: bool,
    /// Answers this many milliseconds later
    #[arg(long, env = "ESCRR_FAULT_DELAY_MS", value_name = "N")]
    pub delay_ms: Option<u64>,
    /// Does it, then closes the connection without an answer
    #[arg(long, env = "ESCRR_FAULT_LOST", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub lost: bool,
    /// Closes the connection without doing it
    #[arg(long, env = "ESCRR_FAULT_CUT", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub cut: bool,
    /// Answers a read as it was before the last change
    #[arg(long, env = "ESCRR_FAULT_STALE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub stale: bool,
    /// Does it, but what it starts never ends
    #[arg(long, env = "ESCRR_FAULT_STUCK", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub stuck: bool,
    /// Stops the calling process with SIGKILL, before or after doing it
    #[arg(long, env = "ESCRR_FAULT_KILL", value_name = "WHEN", value_enum)]
    pub kill: Option<Kill>,
    /// Orders what a JSON file says; `-` is stdin
    #[arg(long, env = "ESCRR_FAULT_JSON", value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Takes every order back
    #[arg(long, env = "ESCRR_FAULT_CLEAR", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub clear: bool,
    /// Lists the orders and how often each struck
    #[arg(long, env = "ESCRR_FAULT_LIST", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub list: bool,
    /// Which requests.
    #[command(flatten)]
    pub which: WhichRequests,
}

/// Which requests a fault strikes; what is left out matches all.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Which requests")]
pub struct WhichRequests {
    /// Product: Cbn, Vpc, Ecs, Nlb, PrivateLink, Elasticsearch, Sts, Es for a cluster, or Kibana
    #[arg(long, env = "ESCRR_FAULT_PRODUCT", value_name = "NAME")]
    pub product: Option<String>,
    /// Action, for example `CreateCen`
    #[arg(long, env = "ESCRR_FAULT_ACTION", value_name = "NAME")]
    pub action: Option<String>,
    /// Only requests that change something
    #[arg(long, env = "ESCRR_FAULT_MUTATING", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub mutating: bool,
    /// From the N-th one on, counted from 1; once, unless --times says more
    #[arg(long, env = "ESCRR_FAULT_NTH", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub nth: Option<u32>,
    /// How often
    #[arg(long, env = "ESCRR_FAULT_TIMES", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub times: Option<u32>,
    /// With this chance, from 0 to 1
    #[arg(long, env = "ESCRR_FAULT_CHANCE", value_name = "P", value_parser = chance)]
    pub chance: Option<f64>,
}

/// On which side of doing what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kill {
    /// The request is not done
    Before,
    /// The request is done
    After,
}

fn chance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(chance) if (0.0..=1.0).contains(&chance) => Ok(chance),
        _ => Err("a chance is a number from 0 to 1".to_owned()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(speed),
        _ => Err("a speed is a number above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Args, Command};
    use super::*;
    use clap::Parser as _;

    fn sandbox_of(args: &[&str]) -> Option<SandboxChoice> {
        let Command::Resume(it) = Args::parse_from(args).command else { panic!("not resume") };
        it.sandbox.choice().cloned()
    }

    #[test]
    fn the_sandbox_is_chosen_with_and_without_a_file() {
        assert_eq!(sandbox_of(&["escrr", "resume"]), None);
        assert_eq!(sandbox_of(&["escrr", "resume", "--sandbox"]), Some(SandboxChoice::Own));
        assert_eq!(sandbox_of(&["escrr", "resume", "--sandbox", "link"]), Some(SandboxChoice::Own));
        let file = SandboxChoice::File("a.json".into());
        assert_eq!(sandbox_of(&["escrr", "resume", "--sandbox=a.json"]), Some(file));
        assert_eq!(sandbox_of(&["escrr", "resume", "--sandbox=0"]), None);
    }

    #[test]
    fn a_fault_has_exactly_one_effect() {
        let parse = |more: &[&str]| {
            let args: Vec<&str> =
                ["escrr", "sandbox", "fault"].iter().chain(more).copied().collect();
            Args::try_parse_from(args)
        };
        assert!(parse(&["--nth", "3"]).is_err());
        assert!(parse(&["--lost", "--cut"]).is_err());
        assert!(parse(&["--kill", "after", "--nth", "3", "--mutating"]).is_ok());
        assert!(parse(&["--refuse", "Forbidden.RAM", "--status", "403"]).is_ok());
        assert!(parse(&["--throttle", "--chance", "1.5"]).is_err());
        assert!(parse(&["--throttle", "--nth", "0"]).is_err());
        assert!(parse(&["--refuse", "x", "--status", "200"]).is_err());
    }

    #[test]
    fn a_speed_is_above_nothing() {
        assert!(speed("0").is_err() && speed("-1").is_err() && speed("inf").is_err());
        assert_eq!(speed("60"), Ok(60.0));
    }
}
