//! Sts 2015-04-01: who is calling, and credentials of a role.

use super::cloud::Caller;
use super::credential::{Held, RoleSession};
use crate::secret::Secret;
use escrr_engine::Fault;
use serde_json::{Value, json};

/// Security Token Service; made by [`Cloud::sts`](super::Cloud::sts).
#[derive(Clone, Copy, Debug)]
pub struct Sts<'a>(pub(super) Caller<'a>);

/// The caller, as the vendor sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account that pays and owns.
    pub account_id: String,
    /// The principal's resource name, for example `acs:ram::1234:user/ops`.
    pub arn: String,
    /// `Account`, `RAMUser` or `AssumedRoleUser`.
    pub identity_type: String,
    /// The principal's id.
    pub principal_id: String,
}

impl Sts<'_> {
    /// Asks who the credentials belong to (`GetCallerIdentity`).
    pub async fn get_caller_identity(&self) -> Result<Identity, Fault> {
        let answer = self.0.read("GetCallerIdentity", json!({})).await?;
        let row = answer.row();
        Ok(Identity {
            account_id: row.need("AccountId")?,
            arn: row.text("Arn"),
            identity_type: row.text("IdentityType"),
            principal_id: row.text("PrincipalId"),
        })
    }

    /// Gets credentials of a role (`AssumeRole`); asking twice gives two sessions and harms nothing.
    pub async fn assume_role(&self, session: &RoleSession) -> Result<Held, Fault> {
        let params = json!({
            "RoleArn": session.role_arn,
            "RoleSessionName": session.session_name,
            "DurationSeconds": session.seconds,
            "Policy": session.policy,
            "ExternalId": session.external_id.as_ref().map(Secret::reveal),
        });
        let answer = self.0.read("AssumeRole", params).await?;
        let credentials = answer.value.get("Credentials").unwrap_or(&Value::Null);
        Held::from_answer(credentials).map_err(|why| answer.origin.unreadable(&why))
    }
}
