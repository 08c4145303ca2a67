//! Where a saga works: the real cloud, or a sandbox; and the clients for it.

use crate::Context;
use crate::args::SandboxArg;
use crate::args::SandboxChoice;
use crate::codes;
use crate::error::CommandError;
use crate::manner;
use crate::pretend::{Pretend, Publicity};
use crate::secrets::Secrets;
use escrr_engine::{Clock, SystemClock};
use escrr_steps::aliyun::{Cloud, Config, Credentials, Endpoints};
use escrr_steps::secret::Secret;
use escrr_steps::spec::{SideSpec, Spec};
use escrr_steps::{ClusterAccess, Memory, Resolution, World};
use std::sync::Arc;

/// The kind of world that a saga's journal names for the real cloud.
pub const CLOUD: &str = "cloud";
/// The kind of world that a saga's journal names for a sandbox.
pub const SANDBOX: &str = "sandbox";

/// The kind of world that is meant.
pub fn kind(choice: Option<&SandboxChoice>) -> &'static str {
    if choice.is_some() { SANDBOX } else { CLOUD }
}

/// The flag that leads to the same world again, with a space before it.
pub fn flag(choice: Option<&SandboxChoice>) -> String {
    match choice {
        Some(SandboxChoice::File(path)) => format!(" --sandbox={}", path.display()),
        Some(SandboxChoice::Own) => " --sandbox".to_owned(),
        Some(SandboxChoice::Off) | None => String::new(),
    }
}

/// The flag that leads to a world of this kind, with a space before it.
pub fn flag_of_kind(kind: &str) -> &'static str {
    if kind == SANDBOX { " --sandbox" } else { "" }
}

/// Where a saga works.
#[derive(Debug)]
pub enum Place {
    /// The real cloud.
    Cloud,
    /// A sandbox.
    Sandbox(Box<Pretend>),
}

impl Place {
    /// The place that was asked for.
    ///
    /// # Errors
    /// A sandbox was asked for and cannot be had.
    pub async fn reach(
        arg: &SandboxArg,
        publicity: Publicity,
        context: Context<'_>,
    ) -> Result<Self, CommandError> {
        match arg.choice() {
            None => Ok(Self::Cloud),
            choice @ Some(_) => {
                Pretend::reach(choice, publicity, context).await.map(Box::new).map(Self::Sandbox)
            }
        }
    }

    /// The place's time.
    ///
    /// # Errors
    /// The sandbox does not say what time it is.
    pub async fn clock(&self) -> Result<Arc<dyn Clock>, CommandError> {
        match self {
            Self::Cloud => Ok(Arc::new(SystemClock)),
            Self::Sandbox(pretend) => pretend.clock().await,
        }
    }

    /// The clients for a spec.
    ///
    /// What the spec names goes before everything, also in a sandbox; where it names
    /// nothing, a sandbox has keys of its own and never gets the environment's.
    ///
    /// # Errors
    /// A secret cannot be had, or an address cannot be used.
    pub async fn world(&self, spec: Spec, context: Context<'_>) -> Result<World, CommandError> {
        let mut secrets = Secrets::new(context.env);
        let credentials = self.credentials(&spec, &mut secrets).await?;
        let leader = self.access(&spec.leader, &mut secrets).await?;
        let follower = self.access(&spec.follower, &mut secrets).await?;
        for warning in secrets.into_warnings() {
            context.ui.warning(&warning);
        }
        let given = context.settings.cloud;
        let (endpoints, manner, resolution) = match self {
            Self::Cloud => (
                manner::endpoints(&spec.cloud),
                manner::of_cloud(given, &spec.cloud),
                Resolution::System,
            ),
            Self::Sandbox(pretend) => {
                let all = Some(pretend.addresses.openapi.clone());
                let endpoints = Endpoints { all, ..Endpoints::default() };
                (endpoints, manner::of_sandbox(given, &spec.cloud), Resolution::Remote)
            }
        };
        let cloud = Cloud::with(Config { credentials, endpoints }, manner)
            .map_err(|fault| CommandError::from(&fault))?;
        Ok(World { spec, cloud, leader, follower, resolution, memory: Memory::default() })
    }

    async fn credentials(
        &self,
        spec: &Spec,
        secrets: &mut Secrets<'_>,
    ) -> Result<Credentials, CommandError> {
        let named = spec.credentials.access_key_id.is_some();
        match self {
            Self::Sandbox(pretend) if !named => Ok(Credentials {
                access_key_id: pretend.addresses.access_key_id.clone(),
                access_key_secret: Secret::new(pretend.addresses.access_key_secret.clone()),
                security_token: None,
            }),
            Self::Cloud | Self::Sandbox(_) => secrets.access_key(&spec.credentials).await,
        }
    }

    async fn access(
        &self,
        side: &SideSpec,
        secrets: &mut Secrets<'_>,
    ) -> Result<ClusterAccess, CommandError> {
        let access = &side.access;
        let (own_url, own_password) = match self {
            Self::Cloud => (None, None),
            Self::Sandbox(pretend) => (
                pretend.addresses.instances.get(&side.instance).cloned(),
                Some(Secret::new(pretend.addresses.elastic_password.clone())),
            ),
        };
        let password = match &access.password {
            Some(reference) => Some(secrets.resolve(reference).await?),
            None => own_password,
        };
        Ok(ClusterAccess {
            url: access.url.clone().or(own_url),
            username: access.username.clone(),
            password,
            ca_file: access.ca_file.clone(),
        })
    }

    /// Leaves it; a sandbox of our own stops.
    pub async fn leave(self) {
        match self {
            Self::Cloud => {}
            Self::Sandbox(pretend) => pretend.leave().await,
        }
    }
}

/// Refuses to carry a saga on in another kind of world than it was begun in.
///
/// # Errors
/// The kinds differ.
pub fn same_world(
    link: &str,
    begun_in: &str,
    choice: Option<&SandboxChoice>,
    command: &str,
) -> Result<(), CommandError> {
    if begun_in == kind(choice) {
        return Ok(());
    }
    let said = match begun_in {
        SANDBOX => format!("the saga of {link} was begun in a sandbox, not in the real cloud"),
        _ => format!("the saga of {link} was begun in the real cloud, not in a sandbox"),
    };
    Err(CommandError::new(codes::OTHER_WORLD, said)
        .meaning("nothing was done")
        .next_command(format!("escrr {command} {link}{}", flag_of_kind(begun_in))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::OutputForm;
    use crate::commands::tests::Stage;
    use crate::exit::Exit;
    use escrr_steps::spec::defaults;

    async fn sandbox(stage: &Stage) -> Place {
        let choice = SandboxArg { sandbox: Some(SandboxChoice::Own) };
        Place::reach(&choice, Publicity::Silent, stage.context()).await.unwrap()
    }

    #[tokio::test]
    async fn a_sandbox_has_its_own_keys_and_the_spec_goes_before_them() {
        let stage = Stage::new(OutputForm::Human)
            .with_env("ALIBABA_CLOUD_ACCESS_KEY_ID", "id-of-environment")
            .with_env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret-of-environment")
            .with_env("PASSWORD", "of-spec");
        let place = sandbox(&stage).await;
        let Place::Sandbox(pretend) = &place else { panic!("no sandbox") };
        let spec = defaults::sandbox().unwrap();
        let keys = place.credentials(&spec, &mut Secrets::new(stage.context().env)).await.unwrap();
        assert_eq!(keys.access_key_id, pretend.addresses.access_key_id);
        let text = format!("{}\n[leader.access]\npassword = \"env:PASSWORD\"\n", defaults::SANDBOX);
        let spec = Spec::parse(&text, "t").unwrap();
        let world = place.world(spec, stage.context()).await.unwrap();
        assert_eq!(world.leader.password.unwrap().reveal(), "of-spec");
        assert_eq!(world.follower.password.unwrap().reveal(), pretend.addresses.elastic_password);
        assert_eq!(world.leader.url.as_ref(), Some(&pretend.addresses.leader));
        assert_eq!(world.resolution, Resolution::Remote);
        place.leave().await;
    }

    #[tokio::test]
    async fn a_reference_that_leads_nowhere_ends_with_two_also_in_a_sandbox() {
        let stage = Stage::new(OutputForm::Human);
        let place = sandbox(&stage).await;
        let text = format!("{}\n[leader.access]\npassword = \"env:ABSENT\"\n", defaults::SANDBOX);
        let error =
            place.world(Spec::parse(&text, "t").unwrap(), stage.context()).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.said.contains("env:ABSENT"), "{error}");
        place.leave().await;
    }

    #[test]
    fn a_saga_is_not_carried_on_elsewhere() {
        assert!(same_world("a", CLOUD, None, "resume").is_ok());
        let error = same_world("a", SANDBOX, None, "resume").unwrap_err();
        assert_eq!(error.next_command.as_deref(), Some("escrr resume a --sandbox"));
        let error = same_world("a", CLOUD, Some(&SandboxChoice::Own), "rollback").unwrap_err();
        assert_eq!(error.next_command.as_deref(), Some("escrr rollback a"));
    }
}
