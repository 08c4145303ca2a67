//! Where a saga works: the real cloud, or a sandbox; and the clients for it.

use crate::Context;
use crate::args::SandboxArg;
use crate::args::SandboxChoice;
use crate::credentials;
use crate::error::CommandError;
use crate::manner;
use crate::pretend::{Pretend, Publicity};
use crate::secrets::Secrets;
use crate::shell::word;
use escrr_engine::{Clock, Saga, SystemClock};
use escrr_steps::aliyun::Cloud;
use escrr_steps::aliyun::elasticsearch::EsCredential;
use escrr_steps::elastic::Login;
use escrr_steps::secret::Secret;
use escrr_steps::spec::{SideSpec, Spec, defaults};
use escrr_steps::{ClusterAccess, Memory, Resolution, Which, World, is_plain_http};
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
        Some(SandboxChoice::File(path)) => format!(" --sandbox={}", word(path)),
        Some(SandboxChoice::Own) => " --sandbox".to_owned(),
        Some(SandboxChoice::Off) | None => String::new(),
    }
}

/// The flag that leads to the world that a saga works in, with a space before it.
pub fn flag_of(saga: &Saga) -> String {
    match &saga.sandbox {
        _ if saga.world != SANDBOX => String::new(),
        Some(file) => format!(" --sandbox={file}"),
        None => " --sandbox".to_owned(),
    }
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

    /// Which of the worlds of its kind it is, where they have an identity.
    pub fn world_id(&self) -> Option<&str> {
        match self {
            Self::Cloud => None,
            Self::Sandbox(pretend) => pretend.world.as_deref(),
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
        let asked =
            credentials::ask(self, (&spec.credentials, &spec.cloud), &mut secrets, context).await?;
        asked.warnings.iter().for_each(|warning| context.ui.warning(warning));
        let resolved = asked.resolved()?;
        for passed in resolved.passed.iter().filter(|passed| passed.meant) {
            let used = resolved.name;
            context.ui.warning(&format!(
                "credentials come from `{used}`: `{}` was passed over: {}",
                passed.name, passed.why
            ));
        }
        let leader = self.access(&spec.leader, &mut secrets).await?;
        let follower = self.access(&spec.follower, &mut secrets).await?;
        let resolution = match self {
            Self::Cloud => Resolution::System,
            Self::Sandbox(_) => Resolution::Remote,
        };
        for access in [&leader, &follower] {
            access.login.iter().for_each(|login| login.teach(secrets.redactor()));
        }
        self.warn_of_plain_http(&spec, context);
        let (endpoints, manner) = manner::of(self, &spec.cloud, secrets.redactor(), context);
        let again = manner::again(self);
        for warning in secrets.into_warnings() {
            context.ui.warning(&warning);
        }
        let cloud = Cloud::renewing(resolved.provider, endpoints, manner)
            .map_err(|fault| CommandError::from(&fault))?;
        let memory = Memory::default();
        let heads = crate::store::read(&context.settings.home)?.heads()?;
        let known_sagas = heads.iter().map(|head| head.saga.to_string()).collect();
        Ok(World { spec, cloud, leader, follower, resolution, again, memory, known_sagas })
    }

    /// Says for which clusters a password may travel unencrypted, because the spec allows it.
    fn warn_of_plain_http(&self, spec: &Spec, context: Context<'_>) {
        for which in [Which::Leader, Which::Follower] {
            let access = &spec.side(which).access;
            let named = [&access.url, &access.kibana_url];
            let is_plain = |url: &&Option<String>| url.as_deref().is_some_and(is_plain_http);
            let derived = matches!(self, Self::Cloud) && access.url.is_none();
            if access.allow_plain_http && (derived || named.iter().any(is_plain)) {
                context.ui.warning(&format!(
                    "[{which}.access] has allow_plain_http = true: the password of this cluster \
                     may travel unencrypted"
                ));
            }
        }
    }

    async fn access(
        &self,
        side: &SideSpec,
        secrets: &mut Secrets<'_>,
    ) -> Result<ClusterAccess, CommandError> {
        let access = &side.access;
        let (own_url, own_kibana, own_password) = match self {
            Self::Cloud => (None, None, None),
            Self::Sandbox(pretend) => (
                pretend.addresses.instances.get(&side.instance).cloned(),
                pretend.addresses.kibana.get(&side.instance).cloned(),
                Some(Secret::new(pretend.addresses.elastic_password.clone())),
            ),
        };
        let basic = |password| Login::Basic { username: access.username.clone(), password };
        let login = match (&access.api_key, &access.password) {
            (Some(reference), _) => Some(Login::ApiKey(secrets.resolve(reference).await?)),
            (None, Some(reference)) => Some(basic(secrets.resolve(reference).await?)),
            (None, None) => own_password.map(basic),
        };
        Ok(ClusterAccess {
            way: access.way,
            url: access.url.clone().or(own_url),
            kibana_url: access.kibana_url.clone().or(own_kibana),
            openapi_credential: match access.openapi_credential.as_str() {
                defaults::OPENAPI_CREDENTIAL => EsCredential::Default,
                "system" => EsCredential::System,
                id => EsCredential::Stored(id.to_owned()),
            },
            login,
            ca_file: access.ca_file.clone(),
            allow_plain_http: access.allow_plain_http,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::OutputForm;
    use crate::commands::tests::Stage;
    use crate::exit::Exit;

    /// The password that a side is spoken to with.
    fn password(access: &ClusterAccess) -> String {
        match &access.login {
            Some(Login::Basic { password, .. }) => password.reveal().to_owned(),
            Some(Login::ApiKey(_)) | None => panic!("no password: {access:?}"),
        }
    }

    async fn sandbox(stage: &Stage) -> Place {
        let choice = SandboxArg { sandbox: Some(SandboxChoice::Own) };
        Place::reach(&choice, Publicity::Silent, stage.context()).await.unwrap()
    }

    /// The source that a spec with these lines leads to, and its key's id.
    async fn keys(
        place: &Place,
        more: &str,
        stage: &Stage,
    ) -> Result<(&'static str, String), CommandError> {
        let spec = Spec::parse(&format!("{}\n{more}", defaults::SANDBOX), "t").unwrap();
        let mut secrets = Secrets::new(stage.context().env);
        let asked = credentials::ask(
            place,
            (&spec.credentials, &spec.cloud),
            &mut secrets,
            stage.context(),
        );
        let resolved = asked.await?.resolved()?;
        Ok((resolved.name, resolved.held.credentials.access_key_id))
    }

    #[tokio::test]
    async fn each_source_of_the_chain_answers_by_name() {
        let stage = Stage::new(OutputForm::Human)
            .with_env("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:9");
        let place = sandbox(&stage).await;
        let Place::Sandbox(pretend) = &place else { panic!("no sandbox") };
        let named = |source: &str| format!("[credentials]\nsource = \"{source}\"\n");
        let (source, id) = keys(&place, &named("default"), &stage).await.unwrap();
        assert!(source == "instance-role" && id.starts_with("STS."), "{source} {id}");
        let error = keys(&place, &named("credentials-uri"), &stage).await.unwrap_err();
        assert!(error.said.contains("127.0.0.1:9"), "{error}");
        assert_eq!(error.exit(), Exit::Permission);
        let error = keys(&place, &named("environment"), &stage).await.unwrap_err();
        assert!(error.said.contains("ALIBABA_CLOUD_ACCESS_KEY_ID is not set"), "{error}");
        let role = format!("[credentials]\nrole_arn = \"{}\"\n", pretend.addresses.role_arn);
        let (source, id) = keys(&place, &role, &stage).await.unwrap();
        assert!(source == "sandbox" && id.starts_with("STS."), "{source} {id}");
        place.leave().await;
    }

    #[tokio::test]
    async fn a_sandbox_has_its_own_keys_and_the_spec_goes_before_them() {
        let stage = Stage::new(OutputForm::Human)
            .with_env("ALIBABA_CLOUD_ACCESS_KEY_ID", "id-of-environment")
            .with_env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret-of-environment")
            .with_env("PASSWORD", "of-spec");
        let place = sandbox(&stage).await;
        let Place::Sandbox(pretend) = &place else { panic!("no sandbox") };
        let own = keys(&place, "", &stage).await.unwrap();
        assert_eq!((own.0, own.1), ("sandbox", pretend.addresses.access_key_id.clone()));
        let spec = "[credentials]\nsource = \"default\"\n";
        let named = keys(&place, spec, &stage).await.unwrap();
        assert_eq!((named.0, named.1.as_str()), ("environment", "id-of-environment"));
        let text = format!("{}\n[leader.access]\npassword = \"env:PASSWORD\"\n", defaults::SANDBOX);
        let spec = Spec::parse(&text, "t").unwrap();
        let world = place.world(spec, stage.context()).await.unwrap();
        assert_eq!(password(&world.leader), "of-spec");
        assert_eq!(password(&world.follower), pretend.addresses.elastic_password);
        assert_eq!(world.leader.url.as_ref(), Some(&pretend.addresses.leader));
        assert_eq!(
            world.leader.kibana_url.as_ref(),
            pretend.addresses.kibana.get("es-cn-leader000001")
        );
        assert_eq!(world.resolution, Resolution::Remote);
        place.leave().await;
    }

    #[tokio::test]
    async fn an_api_key_takes_the_place_of_the_password() {
        let stage = Stage::new(OutputForm::Human).with_env("KEY", "id:key");
        let place = sandbox(&stage).await;
        let access = "way = \"kibana\"\napi_key = \"env:KEY\"\nopenapi_credential = \"c-1\"\n";
        let text = format!("{}\n[leader.access]\n{access}", defaults::SANDBOX);
        let world = place.world(Spec::parse(&text, "t").unwrap(), stage.context()).await.unwrap();
        assert_eq!(world.leader.way, Some(escrr_steps::Way::Kibana));
        assert!(
            matches!(&world.leader.login, Some(Login::ApiKey(key)) if key.reveal() == "id:key")
        );
        assert_eq!(world.leader.openapi_credential, EsCredential::Stored("c-1".to_owned()));
        assert_eq!(world.follower.openapi_credential, EsCredential::Default);
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
}
