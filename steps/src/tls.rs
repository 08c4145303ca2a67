//! One cryptography provider for every client of the process, and what a refused certificate is.

use std::error::Error;

/// Installs the provider; a second call changes nothing.
pub fn install_tls() {
    // It fails when one is installed already, and that one is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// Does an error come from a certificate that is not trusted?
///
/// That does not pass by itself, unlike every other way in which a connection fails.
pub(crate) fn distrusts(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        if let Some(rustls::Error::InvalidCertificate(_)) = cause.downcast_ref() {
            return true;
        }
        // An I/O error gives its inside's source as its own, and so hides the inside.
        let inside = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside),
            None => cause.source(),
        };
    }
    false
}
