//! One cryptography provider for every client of the process.

/// Installs the provider; a second call changes nothing.
pub fn install_tls() {
    // It fails when one is installed already, and that one is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
}
