//! What may follow after something went wrong.
//!
//! A [`Fault`] does not classify errors by their cause but by the only thing the
//! engine has to know: may the same call be made again, must a look come first,
//! or does a person have to act?

use serde::{Deserialize, Serialize};
use std::fmt;

/// A call or a look that did not do what it should, and what may follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happened (throttled, refused connection, 5xx before the work): back off, try again.
    Transient {
        /// The other side's own hint, in milliseconds; it wins over our schedule.
        retry_after_ms: Option<u64>,
        /// What was tried and what came back.
        report: Report,
    },
    /// The object, or one beside it, is being changed right now: try again at polling pace.
    Busy(Report),
    /// It may have happened (the answer was lost): look before anything else.
    Unknown(Report),
    /// Never, as asked: the node fails.
    Refused {
        /// Which kind of failure it is for people and exit codes.
        class: Class,
        /// What was tried and what came back.
        report: Report,
    },
    /// A person has to act (permission, quota, activation, credentials): the saga is parked.
    Blocked {
        /// Which kind of obstacle.
        class: Class,
        /// What was tried, what came back and what helps.
        report: Report,
    },
    /// Our own mistake, for example an answer that cannot be read: the node fails.
    Bug(Report),
}

/// The kind of a failure: it decides the exit code and the words, never the machine's next move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The other side said no.
    Refused,
    /// A prerequisite does not hold.
    Prerequisite,
    /// Credentials or permissions are missing, wrong or expired.
    Permission,
    /// A quota is used up, a service is not activated, an approval is missing.
    Approval,
    /// The replicated data is not as it should be.
    Verification,
    /// There, but not as the spec says.
    Drift,
    /// Nobody answers at the address.
    Unreachable,
    /// It took longer than the node's patience.
    Overdue,
    /// Our own mistake.
    Bug,
}

/// What was tried, what came back, what it means and what helps: everything an error owes a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What was tried, for example `CreateCen (Cbn, cn-shanghai)`.
    pub tried: String,
    /// The other side's own code, for example `Operation.Blocking`.
    #[serde(default)]
    pub code: Option<String>,
    /// What came back, in one sentence fragment.
    pub said: String,
    /// The request's id at the other side, for its support.
    #[serde(default)]
    pub request_id: Option<String>,
    /// What it means, when that is not plain.
    #[serde(default)]
    pub meaning: Option<String>,
    /// What helps: a sentence, best with the next command.
    #[serde(default)]
    pub help: Option<String>,
}

impl Report {
    /// A report of what was tried and what came back.
    pub fn new(tried: impl Into<String>, said: impl Into<String>) -> Self {
        Self { tried: tried.into(), said: said.into(), ..Self::default() }
    }

    /// Adds the other side's code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Adds the request id.
    #[must_use]
    pub fn request_id(mut self, id: Option<String>) -> Self {
        self.request_id = id;
        self
    }

    /// Adds what it means.
    #[must_use]
    pub fn meaning(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = Some(meaning.into());
        self
    }

    /// Adds what helps.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tried, self.said)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        Ok(())
    }
}

impl Fault {
    /// A refusal of the plain kind.
    pub fn refused(report: Report) -> Self {
        Self::Refused { class: Class::Refused, report }
    }

    /// A prerequisite that does not hold.
    pub fn prerequisite(report: Report) -> Self {
        Self::Refused { class: Class::Prerequisite, report }
    }

    /// Something transient without a hint.
    pub fn transient(report: Report) -> Self {
        Self::Transient { retry_after_ms: None, report }
    }

    /// The same fault with another report.
    #[must_use]
    pub fn map_report(self, change: impl FnOnce(Report) -> Report) -> Self {
        match self {
            Self::Transient { retry_after_ms, report } => {
                Self::Transient { retry_after_ms, report: change(report) }
            }
            Self::Busy(report) => Self::Busy(change(report)),
            Self::Unknown(report) => Self::Unknown(change(report)),
            Self::Refused { class, report } => Self::Refused { class, report: change(report) },
            Self::Blocked { class, report } => Self::Blocked { class, report: change(report) },
            Self::Bug(report) => Self::Bug(change(report)),
        }
    }

    /// The report inside.
    pub fn report(&self) -> &Report {
        match self {
            Self::Transient { report, .. }
            | Self::Busy(report)
            | Self::Unknown(report)
            | Self::Refused { report, .. }
            | Self::Blocked { report, .. }
            | Self::Bug(report) => report,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(f)
    }
}

impl std::error::Error for Fault {}
