//! Who calls the cloud: the spec's choice, the sandbox's own key, or the usual sources.
//!
//! A sandbox gets what the spec names in so many words, else its own key: nothing of the
//! environment goes there by itself, and nothing that is found is sent beyond loopback.

use crate::Context;
use crate::codes;
use crate::error::CommandError;
use crate::manner;
use crate::place::Place;
use crate::secrets::Secrets;
use escrr_steps::aliyun::Credentials;
use escrr_steps::aliyun::credential::{
    Held, Link, Links, Means, Passed, Resolved, RoleSession, Source, StsAt, Surroundings, chain,
    resolve,
};
use escrr_steps::secret::Secret;
use escrr_steps::spec::{CloudSpec, CredentialSource, CredentialsSpec};

/// The name of a session of the spec's role where the spec gives none.
const SESSION_NAME: &str = "escrr";

/// What asking the sources came to.
#[derive(Debug)]
pub struct Asked {
    /// The first that answered, or why each was passed over.
    pub outcome: Result<Resolved, Vec<Passed>>,
    /// What a person should know about the files that were read.
    pub warnings: Vec<String>,
}

impl Asked {
    /// The source that answered.
    ///
    /// # Errors
    /// None did: each is named with its reason.
    pub fn resolved(self) -> Result<Resolved, CommandError> {
        self.outcome.map_err(|passed| none_answers(&passed))
    }
}

/// No source answers.
pub fn none_answers(passed: &[Passed]) -> CommandError {
    let reasons: Vec<String> =
        passed.iter().map(|passed| format!("{}: {}", passed.name, passed.why)).collect();
    let said = match reasons.as_slice() {
        [one] => format!("no credentials: {one}"),
        _ => "no source of credentials answers".to_owned(),
    };
    let mut error = CommandError::new(codes::NO_CREDENTIALS, said);
    if reasons.len() > 1 {
        error = error.meaning(reasons.join("; "));
    }
    error
        .hint("`escrr auth check` shows every source and why it was passed over")
        .hint("set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET")
        .hint("or name a source, or references to a key, in [credentials] of the spec")
        .hint("`escrr run --sandbox` needs no account")
}

/// Asks the sources that are meant.
///
/// # Errors
/// A reference of the spec leads nowhere, or the sandbox does not say what time it is.
pub async fn ask(
    place: &Place,
    (spec, cloud): (&CredentialsSpec, &CloudSpec),
    secrets: &mut Secrets<'_>,
    context: Context<'_>,
) -> Result<Asked, CommandError> {
    let clock = place.clock().await?;
    let now_ms = clock.now_ms();
    let (endpoints, manner) = manner::of(place, cloud, secrets.redactor(), context);
    let means = Means { endpoints, manner, metadata: metadata(place), clock };
    let own = match place {
        Place::Cloud => None,
        Place::Sandbox(pretend) => Some(Credentials {
            access_key_id: pretend.addresses.access_key_id.clone(),
            access_key_secret: Secret::new(pretend.addresses.access_key_secret.clone()),
            security_token: None,
        }),
    };
    let links = match (secrets.access_key(spec).await?, own) {
        (Some(key), _) => known("spec", "[credentials] of the spec", key),
        (None, Some(key)) if spec.source.is_none() && spec.profile.is_none() => {
            known("sandbox", "the sandbox's own key", key)
        }
        (None, _) => meant(spec, now_ms, context),
    };
    let role = role(spec, secrets).await?;
    let outcome = resolve(links.links, role.as_ref(), &means).await;
    Ok(Asked { outcome, warnings: links.warnings })
}

/// A sandbox has metadata of its own; the steps refuse them beyond loopback.
fn metadata(place: &Place) -> Option<String> {
    match place {
        Place::Cloud => None,
        Place::Sandbox(pretend) => Some(pretend.addresses.metadata.clone()),
    }
}

fn known(name: &'static str, from: &str, key: Credentials) -> Links {
    let found = Ok(Source::Fixed(Held::endless(key)));
    Links { links: vec![Link { name, from: from.to_owned(), found }], warnings: Vec::new() }
}

/// The usual sources, or the one that the spec names.
fn meant(spec: &CredentialsSpec, now_ms: u64, context: Context<'_>) -> Links {
    let variable = |name: &str| context.env.get(name);
    let profile = spec.profile.as_deref();
    let mut all = chain(Surroundings { variable: &variable, profile, now_ms });
    let only = match (spec.source, profile) {
        (Some(CredentialSource::Default), _) | (None, None) => return all,
        (Some(source), _) => source,
        (None, Some(_)) => CredentialSource::Profile,
    };
    all.links.retain(|link| link.name == only.name());
    all
}

async fn role(
    spec: &CredentialsSpec,
    secrets: &mut Secrets<'_>,
) -> Result<Option<RoleSession>, CommandError> {
    let Some(role_arn) = spec.role_arn.clone() else { return Ok(None) };
    let external_id = match &spec.external_id {
        Some(reference) => Some(secrets.resolve(reference).await?),
        None => None,
    };
    Ok(Some(RoleSession {
        role_arn,
        session_name: spec.role_session_name.clone().unwrap_or_else(|| SESSION_NAME.to_owned()),
        seconds: spec.role_seconds,
        policy: None,
        external_id,
        sts: StsAt::default(),
    }))
}
