//! Who asks a cluster, and the header that proves it.

use crate::redact::Redactor;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;

/// What proves to a cluster who is asking.
#[derive(Clone, Debug)]
pub enum Login {
    /// A user and a password.
    Basic {
        /// The user, for example `elastic`.
        username: String,
        /// The user's password.
        password: Secret,
    },
    /// An API key: `id:key`, or both in Base64 as release 7.16 and later call `encoded`.
    ApiKey(Secret),
}

impl Login {
    /// Lets a redactor know the password or the key, and the header that is made of it.
    pub fn teach(&self, redactor: &Redactor) {
        match self {
            Self::Basic { username, password } => redactor.learn_login(username, password),
            Self::ApiKey(key) => redactor.learn_api_key(key),
        }
    }

    /// The value of `Authorization`; marked as sensitive, so that no `Debug` shows it.
    pub(super) fn header(&self) -> Result<HeaderValue, String> {
        let (text, what) = match self {
            Self::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.reveal()));
                (format!("Basic {pair}"), "password")
            }
            // Base64 has no colon.
            Self::ApiKey(key) if key.reveal().contains(':') => {
                (format!("ApiKey {}", STANDARD.encode(key.reveal())), "API key")
            }
            Self::ApiKey(key) => (format!("ApiKey {}", key.reveal()), "API key"),
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| format!("the {what} cannot stand in an HTTP header"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Login;
    use crate::secret::Secret;

    fn header(login: &Login) -> String {
        login.header().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn passwords_and_both_spellings_of_a_key() {
        let basic =
            Login::Basic { username: "elastic".to_owned(), password: Secret::new("test-password") };
        assert_eq!(header(&basic), "Basic ZWxhc3RpYzp0ZXN0LXBhc3N3b3Jk");
        let encoded = header(&Login::ApiKey(Secret::new("aWQ6a2V5")));
        assert_eq!(encoded, "ApiKey aWQ6a2V5");
        assert_eq!(header(&Login::ApiKey(Secret::new("id:key"))), encoded);
    }

    #[test]
    fn a_header_is_never_shown() {
        let value = Login::ApiKey(Secret::new("id:key")).header().unwrap();
        assert!(!format!("{value:?}").contains("aWQ"), "{value:?}");
        let broken = Login::ApiKey(Secret::new("a\nb")).header().unwrap_err();
        assert_eq!(broken, "the API key cannot stand in an HTTP header");
    }
}
