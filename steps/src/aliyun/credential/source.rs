//! One source of credentials, and asking it once.

use super::held::Held;
use super::{Provider, external, web};
use crate::aliyun::transport::Wire;
use crate::aliyun::{Cloud, Endpoints, Manner, Product};
use crate::secret::Secret;
use escrr_engine::{Class, Clock, Fault, Report};
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

/// Where credentials come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// They are known; nothing renews them.
    Fixed(Held),
    /// A role that the credentials of another source may assume (`AssumeRole`).
    Role(Box<Source>, RoleSession),
    /// A role that an identity provider's token may assume (`AssumeRoleWithOIDC`).
    Oidc(OidcRole),
    /// The role of the ECS instance that this runs on, from its metadata.
    Instance {
        /// The role; absent: the metadata say which.
        role: Option<String>,
        /// Is the metadata service to be asked with a token only (version 2)?
        token_only: bool,
    },
    /// An address that answers with credentials. It may hold a key itself.
    Uri(Secret),
    /// A command that prints credentials. It may hold a key itself.
    External(Secret),
}

/// How a role is assumed.
#[derive(Clone, Debug, Default)]
pub struct RoleSession {
    /// `acs:ram::ACCOUNT:role/NAME`.
    pub role_arn: String,
    /// The name that the session has in the account's records; 2 to 64 characters.
    pub session_name: String,
    /// Length of the session in seconds, 900 to the role's maximum; absent: 3600.
    pub seconds: Option<u32>,
    /// A policy, as JSON, that narrows the role's rights for this session.
    pub policy: Option<String>,
    /// What the role's owner asks for besides.
    pub external_id: Option<Secret>,
    /// Which address of the token service is asked.
    pub sts: StsAt,
}

/// A role for an identity provider's token.
#[derive(Clone, Debug, Default)]
pub struct OidcRole {
    /// The role and its session; an external id is not sent.
    pub session: RoleSession,
    /// `acs:ram::ACCOUNT:oidc-provider/NAME`.
    pub provider_arn: String,
    /// The file with the token, read anew each time.
    pub token_file: PathBuf,
}

/// Which address of the token service is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StsAt {
    /// A host; goes before the region.
    pub endpoint: Option<String>,
    /// A region whose own host is asked; absent: the central one.
    pub region: Option<String>,
    /// Is the host inside the VPC meant?
    pub vpc: bool,
}

/// The region that is named where the caller names none; the central host takes any.
const ANY_REGION: &str = "cn-hangzhou";

impl StsAt {
    fn region(&self) -> &str {
        self.region.as_deref().unwrap_or(ANY_REGION)
    }

    /// The address, unless somebody has said where everything is: a sandbox, a proxy.
    pub(super) fn endpoints(&self, given: &Endpoints) -> Endpoints {
        let mut endpoints = given.clone();
        let key = Product::Sts.key();
        if given.all.is_some() || given.product.contains_key(key) {
            return endpoints;
        }
        let infix = if self.vpc { "-vpc" } else { "" };
        let regional =
            self.region.as_ref().map(|region| format!("sts{infix}.{region}.aliyuncs.com"));
        if let Some(host) = self.endpoint.clone().or(regional) {
            endpoints.product.insert(key.to_owned(), host);
        }
        endpoints
    }
}

/// What asking a source needs.
#[derive(Clone)]
pub struct Means {
    /// Addresses that win over the vendor's.
    pub endpoints: Endpoints,
    /// How the token service is called.
    pub manner: Manner,
    /// Another address of the instance metadata, on loopback; absent: the vendor's.
    pub metadata: Option<String>,
    /// What time it is, for the end of credentials.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoints, manner, metadata, clock: _ } = self;
        f.debug_struct("Means")
            .field("endpoints", endpoints)
            .field("manner", manner)
            .field("metadata", metadata)
            .finish_non_exhaustive()
    }
}

/// A source with the clients that asking it needs.
#[derive(Debug)]
pub(super) struct Asking {
    source: Source,
    means: Means,
    /// Asks with the credentials of the source below, for a role.
    below: Option<Cloud>,
    wire: Wire,
}

/// One answer to come. Roles can stand on roles, so its size is not known.
pub(super) type Answering<'a> = Pin<Box<dyn Future<Output = Result<Held, Fault>> + Send + 'a>>;

impl Asking {
    pub(super) fn new(source: Source, means: Means) -> Result<Self, Fault> {
        let below = match &source {
            Source::Role(base, session) => {
                let endpoints = session.sts.endpoints(&means.endpoints);
                let provider = Provider::new((**base).clone(), means.clone())?;
                Some(Cloud::renewing(provider, endpoints, means.manner.clone())?)
            }
            Source::Fixed(_)
            | Source::Oidc(_)
            | Source::Instance { .. }
            | Source::Uri(_)
            | Source::External(_) => None,
        };
        let wire = match &source {
            Source::Instance { .. } => {
                means.metadata.as_deref().map_or(Ok(()), web::check_metadata)?;
                Wire::near()
            }
            Source::Oidc(_) => Wire::trusting(means.manner.certificates()?),
            Source::Fixed(_) | Source::Role(..) | Source::Uri(_) | Source::External(_) => {
                Wire::default()
            }
        };
        Ok(Self { source, means, below, wire })
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.means.clock.now_ms()
    }

    /// May asking again give other credentials?
    pub(super) fn renews(&self) -> bool {
        !matches!(self.source, Source::Fixed(_))
    }

    /// How long before their end credentials are asked for anew, and how long they are kept at most.
    pub(super) fn pace(&self) -> (u64, u64) {
        const MINUTE: u64 = 60_000;
        match self.source {
            Source::External(_) => (3 * MINUTE, u64::MAX),
            Source::Instance { .. } => (15 * MINUTE, 60 * MINUTE),
            Source::Fixed(_) | Source::Role(..) | Source::Oidc(_) | Source::Uri(_) => {
                (15 * MINUTE, u64::MAX)
            }
        }
    }

    /// Asks once.
    pub(super) fn ask(&self) -> Answering<'_> {
        Box::pin(async move {
            match (&self.source, &self.below) {
                (Source::Fixed(held), _) => Ok(held.clone()),
                (Source::Role(_, session), Some(cloud)) => {
                    session.external_id.iter().for_each(|id| cloud.redactor().learn(id));
                    cloud.sts(session.sts.region()).assume_role(session).await
                }
                (Source::Role(..), None) => Err(cannot("assume a role", "there is no base")),
                (Source::Oidc(role), _) => web::oidc(&self.wire, role, &self.means).await,
                (Source::Instance { role, token_only }, _) => {
                    let at = self.means.metadata.as_deref();
                    web::instance(&self.wire, at, role.as_deref(), *token_only).await
                }
                (Source::Uri(uri), _) => web::uri(&self.wire, uri.reveal()).await,
                (Source::External(command), _) => external::ask(command.reveal())
                    .await
                    .map_err(|why| cannot("run the command of an External profile", why)),
            }
        })
    }
}

/// Credentials cannot be had, and asking again at once would not help.
pub(super) fn cannot(tried: &str, said: impl Into<String>) -> Fault {
    let report = Report::new(tried, said).help("Put the credentials right, then resume.");
    Fault::Blocked { class: Class::Permission, report }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_service_is_asked_where_it_was_said() {
        let none = Endpoints::default();
        let host = |at: &StsAt| at.endpoints(&none).product.get("sts").cloned();
        assert_eq!(host(&StsAt::default()), None);
        let regional = StsAt { region: Some("cn-beijing".into()), ..StsAt::default() };
        assert_eq!(host(&regional).as_deref(), Some("sts.cn-beijing.aliyuncs.com"));
        let inside = StsAt { vpc: true, ..regional.clone() };
        assert_eq!(host(&inside).as_deref(), Some("sts-vpc.cn-beijing.aliyuncs.com"));
        let named = StsAt { endpoint: Some("sts.example.com".into()), ..inside.clone() };
        assert_eq!(host(&named).as_deref(), Some("sts.example.com"));
        // Nothing leads out of a sandbox.
        let sandbox = Endpoints { all: Some("http://127.0.0.1:1".into()), ..none };
        assert_eq!(named.endpoints(&sandbox), sandbox);
    }

    #[test]
    fn a_source_shows_no_secret() {
        let source = Source::Uri(Secret::new("http://127.0.0.1/canary"));
        let command = Source::External(Secret::new("echo canary"));
        assert!(!format!("{source:?} {command:?}").contains("canary"));
    }
}
