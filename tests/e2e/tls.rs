//! As on the real cloud: HTTPS everywhere, by an authority that only the spec names, without the
//! sandbox's flag, and with keys from the environment.

use crate::env::{Cloud, Env, Output, bare, output};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority, as PEM, and a server's settings with a certificate of it for `localhost`.
fn authority() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    escrr_steps::install_tls();
    let config = ServerConfig::builder().with_no_client_auth();
    (issuer.pem(), Arc::new(config.with_single_cert(chain, key).unwrap()))
}

/// Opens connections and hands on what is inside; gives the address.
fn door(config: &Arc<ServerConfig>, inside: &str) -> String {
    let inside: SocketAddr = inside.strip_prefix("http://").unwrap().parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::clone(config));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Who does not trust the certificate goes away in the middle.
                    let Ok(mut outside) = acceptor.accept(stream).await else { return };
                    let mut inside = TcpStream::connect(inside).await.unwrap();
                    tokio::io::copy_bidirectional(&mut outside, &mut inside).await.ok();
                });
            }
        });
    });
    format!("https://localhost:{port}")
}

/// Plans with an environment of the real cloud.
fn plan(env: &Env, spec: &str) -> Output {
    let line = env.cloud.line();
    let mut command = bare(env.home.path());
    command.args(["plan", spec]);
    for (name, key) in [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "access_key_id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "access_key_secret"),
        ("CLUSTER_PASSWORD", "elastic_password"),
    ] {
        command.env(name, line[key].as_str().unwrap());
    }
    output(&mut command)
}

#[test]
fn https_with_an_authority_that_the_spec_names_and_not_without_it() {
    let (pem, config) = authority();
    let env = Env::over(Cloud::start(&[]));
    let line = env.cloud.line();
    let of = |name: &str| door(&config, line[name].as_str().unwrap());
    let (openapi, leader, follower) = (of("openapi"), of("leader"), of("follower"));
    let ca = env.write("authority.pem", &pem);
    let spec = |cloud_ca: &str, cluster_ca: &str| {
        let products = ["sts", "elasticsearch", "vpc", "cbn", "ecs", "nlb", "privatelink"];
        let endpoints: Vec<String> =
            products.iter().map(|product| format!("{product} = {openapi:?}")).collect();
        let endpoints = endpoints.join("\n");
        format!(
            "link = \"a-link\"\n[leader]\nregion = \"cn-shanghai\"\n\
             instance = \"es-cn-leader000001\"\n[leader.access]\nway = \"direct\"\nurl = {leader:?}\n\
             password = \"env:CLUSTER_PASSWORD\"\n{cluster_ca}\n[follower]\n\
             region = \"cn-hangzhou\"\ninstance = \"es-cn-follower0001\"\n[follower.access]\nway = \"direct\"\n\
             url = {follower:?}\npassword = \"env:CLUSTER_PASSWORD\"\n{cluster_ca}\n\
             [leader_address]\naddresses = [\"10.1.1.20\"]\n[replication]\n\
             patterns = [\"logs-*\"]\n[cloud]\nsignature = \"v3\"\n{cloud_ca}\n\
             [cloud.endpoints]\n{endpoints}\n"
        )
    };
    let trust = format!("ca_file = {ca:?}");
    let good = env.write("good.toml", &spec(&trust, &trust));
    let planned = plan(&env, &good).exits(0);
    drop(planned.says(&leader["https://".len()..]));
    for (name, cloud_ca, cluster_ca) in [("cloud", "", &*trust), ("cluster", &*trust, "")] {
        let bad = env.write(&format!("{name}.toml"), &spec(cloud_ca, cluster_ca));
        let refused = plan(&env, &bad);
        assert_ne!(refused.code, Some(0), "{name}: {}", refused.stdout);
        drop(refused.says("certificate"));
    }
    assert_eq!(env.changes(), Vec::<String>::new());
}
