//! The layers of settings: flag, environment, default. The only reader of the environment.

use crate::args::{CloudArgs, ColorWhen, Global, OutputForm, ProgressForm};
use crate::codes;
use crate::error::CommandError;
use crate::whereabouts::Whereabouts;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The environment, handed in so that a test can have its own.
pub trait Env {
    /// A variable; absent when it is not set or not text.
    fn get(&self, name: &str) -> Option<String>;

    /// A variable that names a path, which need not be text.
    fn path(&self, name: &str) -> Option<PathBuf> {
        self.filled(name).map(PathBuf::from)
    }

    /// A variable that says something.
    fn filled(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

/// The environment of this process.
#[derive(Clone, Copy, Debug)]
pub struct ProcessEnv;

/// Is a variable set and empty? Such a one counts as unset.
pub fn is_empty(name: &OsStr) -> bool {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let value = std::env::var_os(name);
    value.is_some_and(|value| value.is_empty())
}

impl Env for ProcessEnv {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn path(&self, name: &str) -> Option<PathBuf> {
        std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }
}

impl Env for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).cloned()
    }
}

/// What the three standard streams are connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Can a question be answered?
    pub stdin: bool,
    /// Is the result read by a person?
    pub stdout: bool,
    /// Is the progress read by a person?
    pub stderr: bool,
    /// Columns, where there is a terminal.
    pub columns: Option<usize>,
}

impl Terminal {
    /// Looks at the streams of this process.
    pub fn detect() -> Self {
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let size = rustix::termios::tcgetwinsize(&stdout)
            .or_else(|_| rustix::termios::tcgetwinsize(&stderr));
        Self {
            stdin: std::io::stdin().is_terminal(),
            stdout: stdout.is_terminal(),
            stderr: stderr.is_terminal(),
            columns: size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0),
        }
    }
}

/// Everything that is settled before a command begins.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are answers, not a state")]
pub struct Settings {
    /// Where the state is kept.
    pub home: Home,
    /// Form of the result.
    pub output: OutputForm,
    /// Form of the progress; never [`ProgressForm::Auto`].
    pub progress: ProgressForm,
    /// Colours on stdout?
    pub color_stdout: bool,
    /// Colours on stderr?
    pub color_stderr: bool,
    /// Only what went wrong is said.
    pub quiet: bool,
    /// How much more is said.
    pub verbose: u8,
    /// May a question be asked?
    pub interactive: bool,
    /// Can the terminal show more than ASCII?
    pub unicode: bool,
    /// May a result on stdout be drawn over again?
    pub redraws: bool,
    /// Columns for tables on stdout; absent when it is no terminal.
    pub columns: Option<usize>,
    /// The same for stderr.
    pub columns_stderr: Option<usize>,
    /// How the cloud is called, where it goes before the spec.
    pub cloud: CloudArgs,
    /// What a command that is printed has to name.
    pub whereabouts: Whereabouts,
}

impl Settings {
    /// Settles the layers.
    ///
    /// # Errors
    /// There is no place for the state.
    pub fn resolve(
        global: &Global,
        env: &dyn Env,
        terminal: Terminal,
    ) -> Result<Self, CommandError> {
        let dumb = env.get("TERM").is_some_and(|term| term == "dumb");
        let color = |is_terminal| color(global.color, env, is_terminal);
        let home = Home::resolve(global.home.as_deref(), env)?;
        let usual = Home::resolve(None, env).ok();
        Ok(Self {
            whereabouts: Whereabouts::of_home(&home, usual.as_ref()),
            home,
            output: global.output,
            progress: progress(global, terminal.stderr && !dumb),
            color_stdout: color(terminal.stdout) && global.output == OutputForm::Human,
            color_stderr: color(terminal.stderr),
            quiet: global.quiet,
            verbose: global.verbose,
            interactive: terminal.stdin && terminal.stderr && !global.no_input,
            unicode: unicode(env),
            redraws: terminal.stdout
                && !dumb
                && !matches!(global.progress, ProgressForm::Plain | ProgressForm::None),
            columns: terminal.columns.filter(|_| terminal.stdout),
            columns_stderr: terminal.columns.filter(|_| terminal.stderr),
            cloud: global.cloud,
        })
    }
}

/// Does a command line that cannot be parsed ask for JSON all the same? A program that reads the
/// document of every command gets one of this too.
pub fn json_is_wanted(words: impl IntoIterator<Item = OsString>, env: &dyn Env) -> bool {
    let words: Vec<OsString> = words.into_iter().skip(1).take_while(|word| word != "--").collect();
    let behind = words.iter().zip(words.iter().skip(1));
    let apart = behind.filter(|(flag, _)| *flag == "--output").map(|(_, form)| form.clone());
    let joined = words.iter().filter_map(|word| word.to_str()?.strip_prefix("--output="));
    let flags: Vec<OsString> = apart.chain(joined.map(OsString::from)).collect();
    match flags.as_slice() {
        [] => env.get("ESCRR_OUTPUT").is_some_and(|form| form == "json"),
        some => some.iter().any(|form| form == "json"),
    }
}

/// `--color`, then `NO_COLOR`, `CLICOLOR_FORCE`, `TERM=dumb`, then whether it is a terminal.
pub fn color(when: ColorWhen, env: &dyn Env, is_terminal: bool) -> bool {
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => {
            let forced = env.filled("CLICOLOR_FORCE").is_some_and(|value| value != "0");
            let dumb = env.get("TERM").is_some_and(|term| term == "dumb");
            env.filled("NO_COLOR").is_none() && (forced || (is_terminal && !dumb))
        }
    }
}

/// The first locale variable that says something decides, as in the C library.
fn unicode(env: &dyn Env) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env.filled(name));
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

fn progress(global: &Global, can_draw: bool) -> ProgressForm {
    match global.progress {
        _ if global.quiet => ProgressForm::None,
        ProgressForm::Auto if can_draw => ProgressForm::Tree,
        ProgressForm::Auto => ProgressForm::Plain,
        given @ (ProgressForm::Tree | ProgressForm::Plain | ProgressForm::None) => given,
    }
}

/// The directory that the state is kept in, and what lies where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// `--home` or `ESCRR_HOME`, `$XDG_STATE_HOME/escrr`, `~/.local/state/escrr`.
    fn resolve(given: Option<&Path>, env: &dyn Env) -> Result<Self, CommandError> {
        let absolute = |name: &str| {
            // The XDG specification has relative paths ignored.
            env.path(name).filter(|path| path.is_absolute())
        };
        if let Some(given) = given.filter(|given| !given.as_os_str().is_empty()) {
            return std::path::absolute(given)
                .map(Self)
                .map_err(|error| CommandError::file(codes::NO_HOME, "cannot find", given, &error));
        }
        absolute("XDG_STATE_HOME")
            .map(|state| state.join("escrr"))
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state/escrr")))
            .map(Self)
            .ok_or_else(|| {
                CommandError::new(codes::NO_HOME, "there is no place to keep the state")
                    .meaning("neither HOME nor XDG_STATE_HOME is set")
                    .hint("name a directory with --home DIR or ESCRR_HOME")
            })
    }

    /// Makes a directory of the home; nobody but its owner reads what is new.
    ///
    /// # Errors
    /// What the system said.
    pub fn make(directory: &Path) -> std::io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
    }

    /// A directory as the home; for tests and for tools.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the store is.
    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// The log file.
    pub fn log_file(&self) -> PathBuf {
        self.0.join("logs").join("escrr.log")
    }

    /// Where the sandbox keeps its world.
    pub fn world(&self) -> PathBuf {
        self.0.join("sandbox").join("world")
    }

    /// The addresses of the sandbox that runs.
    pub fn running(&self) -> PathBuf {
        self.0.join("sandbox").join("running.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use crate::exit::Exit;
    use clap::Parser as _;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn settle(args: &[&str], pairs: &[(&str, &str)], terminal: Terminal) -> Settings {
        let args = ["escrr"].iter().chain(args).chain(&["version"]).copied();
        let global = Args::parse_from(args.collect::<Vec<_>>()).global;
        Settings::resolve(&global, &env(pairs), terminal).unwrap()
    }

    const TTY: Terminal = Terminal { stdin: true, stdout: true, stderr: true, columns: Some(80) };
    const PIPES: Terminal = Terminal { stdin: false, stdout: false, stderr: false, columns: None };

    #[test]
    fn json_is_wanted_even_where_the_command_line_is_wrong() {
        let wanted = |line: &str, pairs: &[(&str, &str)]| {
            json_is_wanted(line.split(' ').map(OsString::from), &env(pairs))
        };
        assert!(wanted("escrr pla --output json", &[]));
        assert!(wanted("escrr --output=json --nonsense", &[]));
        assert!(wanted("escrr pla", &[("ESCRR_OUTPUT", "json")]));
        assert!(!wanted("escrr pla --output human", &[("ESCRR_OUTPUT", "json")]));
        for line in ["escrr pla", "escrr json", "escrr explain -- --output json", "json --output"] {
            assert!(!wanted(line, &[]), "{line}");
        }
    }

    #[test]
    fn the_home_is_the_first_that_is_named() {
        let all = [("XDG_STATE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(settle(&["--home", "/f"], &all, PIPES).home, Home::at("/f"));
        assert_eq!(settle(&[], &all, PIPES).home, Home::at("/x/escrr"));
        let relative = [("XDG_STATE_HOME", "x"), ("HOME", "/h")];
        assert_eq!(settle(&[], &relative, PIPES).home, Home::at("/h/.local/state/escrr"));
        assert!(settle(&["--home", "here"], &all, PIPES).home.path().is_absolute());
    }

    #[test]
    fn without_a_home_the_error_names_the_flag() {
        let global = Args::parse_from(["escrr", "version"]).global;
        let error = Settings::resolve(&global, &env(&[]), PIPES).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.hints[0].contains("--home"));
    }

    #[test]
    fn colours_follow_flag_then_environment_then_terminal() {
        use ColorWhen::{Always, Auto, Never};
        assert!(color(Always, &env(&[("NO_COLOR", "1")]), false));
        assert!(!color(Never, &env(&[("CLICOLOR_FORCE", "1")]), true));
        assert!(color(Auto, &env(&[]), true));
        assert!(!color(Auto, &env(&[]), false));
        assert!(!color(Auto, &env(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), true));
        assert!(color(Auto, &env(&[("NO_COLOR", "")]), true));
        assert!(color(Auto, &env(&[("CLICOLOR_FORCE", "1")]), false));
        assert!(!color(Auto, &env(&[("CLICOLOR_FORCE", "0")]), false));
        assert!(!color(Auto, &env(&[("TERM", "dumb")]), true));
    }

    #[test]
    fn progress_is_a_tree_only_where_one_can_be_drawn() {
        let home = ("HOME", "/h");
        assert_eq!(settle(&[], &[home], TTY).progress, ProgressForm::Tree);
        assert_eq!(settle(&[], &[home, ("TERM", "dumb")], TTY).progress, ProgressForm::Plain);
        assert_eq!(settle(&[], &[home], PIPES).progress, ProgressForm::Plain);
        assert_eq!(settle(&["-q"], &[home], TTY).progress, ProgressForm::None);
        assert_eq!(settle(&["--progress", "tree"], &[home], PIPES).progress, ProgressForm::Tree);
    }

    #[test]
    fn signs_beyond_ascii_are_for_locales_that_have_them() {
        let of = |pairs: &[(&str, &str)]| unicode(&env(pairs));
        assert!(of(&[("LANG", "de_DE.UTF-8")]) && of(&[("LC_ALL", ""), ("LANG", "C.utf8")]));
        assert!(!of(&[]) && !of(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
    }

    #[test]
    fn json_is_never_coloured_and_pipes_are_never_asked() {
        let home = [("HOME", "/h")];
        let args = ["--output", "json", "--color", "always"];
        assert!(!settle(&args, &home, TTY).color_stdout);
        assert!(settle(&args, &home, TTY).color_stderr);
        assert!(settle(&[], &home, TTY).interactive);
        assert!(!settle(&["--no-input"], &home, TTY).interactive);
        assert!(!settle(&[], &home, PIPES).interactive);
        assert_eq!(settle(&[], &home, PIPES).columns, None);
    }
}
