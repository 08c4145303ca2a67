//! How the OpenAPI is called, apart from who calls and where.

use super::endpoint::Network;
use super::pace::Pace;
use super::sign::Signature;
use crate::again::Again;
use crate::limited;
use crate::redact::Redactor;
use escrr_engine::{Fault, Report};
use reqwest::Certificate;
use std::path::PathBuf;

/// How every call of an account's client is made; the default is the vendor's usual way.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// How requests are signed.
    pub signature: Signature,
    /// Which of the vendor's networks is called in, where no address is named.
    pub network: Network,
    /// PEM file with authorities that are trusted besides the usual ones, for a proxy that
    /// opens connections and signs them anew.
    pub ca_file: Option<PathBuf>,
    /// How many calls are made in a time; absent: as many as are wanted.
    pub pace: Option<Pace>,
    /// How a call that only looks is repeated; absent: it is sent once.
    pub again: Option<Again>,
    /// Knows what no report may say.
    pub redactor: Redactor,
}

impl Manner {
    /// Reads the authorities.
    ///
    /// # Errors
    /// A prerequisite: the file cannot be read, or it holds no certificate.
    pub(super) fn certificates(&self) -> Result<Vec<Certificate>, Fault> {
        let Some(file) = &self.ca_file else { return Ok(Vec::new()) };
        let unusable = |said: String| {
            let tried = format!("read the CA file `{}`", file.display());
            Fault::prerequisite(Report::new(tried, said).help("Name a file of PEM certificates."))
        };
        let pem = limited::read(file, crate::tls::MOST_PEM_BYTES)
            .map_err(|error| unusable(error.to_string()))?;
        let found =
            Certificate::from_pem_bundle(&pem).map_err(|error| unusable(error.to_string()))?;
        if found.is_empty() {
            return Err(unusable("it holds no certificate".to_owned()));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::Manner;
    use escrr_engine::{Class, Fault};

    #[test]
    fn a_file_without_certificates_is_refused_before_anything_is_sent() {
        assert!(Manner::default().certificates().unwrap().is_empty());
        for file in ["/nowhere/ca.pem", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
            let manner = Manner { ca_file: Some(file.into()), ..Manner::default() };
            let fault = manner.certificates().unwrap_err();
            assert!(
                matches!(fault, Fault::Refused { class: Class::Prerequisite, .. }),
                "{fault:?}"
            );
            assert!(fault.to_string().contains(file));
        }
    }
}
