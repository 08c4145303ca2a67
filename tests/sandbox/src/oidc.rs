//! `AssumeRoleWithOIDC`: an identity provider's token for a role, and tokens to try it with.
//!
//! A real provider signs with a private key (RS256); this one with the account's own secret
//! (HS256), so that only tokens that it gave out itself are taken.

use crate::verify::hmac;
use crate::{Answer, Call, Refusal, World, sts};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};

/// The provider's name in the account.
const PROVIDER: &str = "sandbox-oidc";
/// Whom the tokens are for.
const AUDIENCE: &str = "sts.aliyuncs.com";
/// Who gives them out.
const ISSUER: &str = "https://oidc.sandbox.invalid";

/// The provider's resource name.
pub(crate) fn provider_arn(world: &World) -> String {
    format!("acs:ram::{}:oidc-provider/{PROVIDER}", world.file.account.id)
}

/// A token that is good for some seconds of the world's time.
pub(crate) fn token(world: &World, seconds: u64) -> String {
    let now_s = world.now_ms / 1000;
    let encode = |value: Value| BASE64URL.encode(value.to_string());
    let claims = json!({
        "iss": ISSUER, "aud": [AUDIENCE], "sub": "system:serviceaccount:sandbox:escrr",
        "iat": now_s, "exp": now_s + seconds,
    });
    let signed = format!("{}.{}", encode(json!({"alg": "HS256", "typ": "JWT"})), encode(claims));
    format!("{signed}.{}", signature(world, &signed))
}

fn signature(world: &World, signed: &str) -> String {
    BASE64URL.encode(hmac(&world.file.account.access_key_secret, signed))
}

/// Answers the call.
pub(crate) fn assume_role(world: &mut World, call: &Call) -> Answer {
    let asked = sts::read(world, call)?;
    if call.need("OIDCProviderArn")? != provider_arn(world) {
        return Err(Refusal::missing(
            "EntityNotExist.OIDCProvider",
            "The OIDC provider does not exist.",
        ));
    }
    let claims = claims(world, call.need("OIDCToken")?)?;
    let end_s = claims.get("exp").and_then(Value::as_u64).unwrap_or_default();
    if world.now_ms / 1000 >= end_s {
        return Err(refused("Expired", "This JSON Web Token has expired."));
    }
    let mut answer = sts::granted(world, &asked);
    if let Value::Object(members) = &mut answer {
        members.insert(
            "OIDCTokenInfo".into(),
            json!({
                "ClientIds": AUDIENCE,
                "Issuer": ISSUER,
                "Subject": claims.get("sub"),
                "VerificationInfo": "Success",
            }),
        );
    }
    Ok(answer)
}

fn refused(how: &str, text: &str) -> Refusal {
    Refusal::bad(format!("AuthenticationFail.OIDCToken.{how}"), text)
}

fn claims(world: &World, token: &str) -> Result<Value, Refusal> {
    let invalid = || refused("Invalid", "This JSON Web Token is invalid.");
    let (signed, signature) = token.rsplit_once('.').ok_or_else(invalid)?;
    if signature != self::signature(world, signed) {
        return Err(invalid());
    }
    let (_, claims) = signed.split_once('.').ok_or_else(invalid)?;
    let bytes = BASE64URL.decode(claims).map_err(|_| invalid())?;
    serde_json::from_slice(&bytes).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Product, WorldFile};

    #[test]
    fn a_token_is_taken_while_it_holds_and_if_it_is_whole() {
        let mut world = World::from_file(&WorldFile::default(), 5_000).unwrap();
        let (token, arn) = (token(&world, 60), sts::role_arn(&world, "escrr"));
        let provider = provider_arn(&world);
        let ask = |world: &mut World, token: &str, provider: &str| {
            let params = [
                ("RoleArn", arn.as_str()),
                ("RoleSessionName", "s-1"),
                ("OIDCProviderArn", provider),
                ("OIDCToken", token),
            ];
            let call = Call {
                product: Product::Sts,
                action: "AssumeRoleWithOIDC".into(),
                params: params.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
                path: std::collections::BTreeMap::new(),
                body: Value::Null,
            };
            sts::handle(world, &call).map_err(|refusal| refusal.code)
        };
        assert!(ask(&mut world, &token, &provider).is_ok());
        let invalid = Err("AuthenticationFail.OIDCToken.Invalid".to_owned());
        for other in ["a.b.c", "abc", &format!("x{token}")] {
            assert_eq!(ask(&mut world, other, &provider), invalid);
        }
        assert_eq!(ask(&mut world, &token, "acs:x"), Err("EntityNotExist.OIDCProvider".to_owned()));
        world.now_ms += 60_000;
        assert_eq!(
            ask(&mut world, &token, &provider),
            Err("AuthenticationFail.OIDCToken.Expired".to_owned())
        );
    }
}
