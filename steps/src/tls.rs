//! One cryptography provider for every client of the process, what a refused certificate is, and
//! which addresses need none.

use reqwest::Url;
use std::error::Error;
use std::net::IpAddr;

/// No file of authorities is longer; a name that leads to more leads to something else.
pub(crate) const MOST_PEM_BYTES: usize = 4 * 1024 * 1024;

/// Installs the provider; a second call changes nothing.
pub fn install_tls() {
    // It fails when one is installed already, and that one is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// Does a URL lead to this machine itself?
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
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
