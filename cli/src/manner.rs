//! How the cloud is called: flag or environment, spec, default.

use crate::Context;
use crate::args::{CloudArgs, NetworkArg, SignatureArg};
use crate::place::Place;
use escrr_engine::SystemClock;
use escrr_steps::Again;
use escrr_steps::aliyun::{Endpoints, Manner, Network, Pace, Signature};
use escrr_steps::redact::Redactor;
use escrr_steps::spec::{CloudNetwork, CloudSpec, SignatureScheme};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Addresses that win over the vendor's, and the manner in which they are called.
pub fn of(
    place: &Place,
    spec: &CloudSpec,
    redactor: &Redactor,
    context: Context<'_>,
) -> (Endpoints, Manner) {
    let given = context.settings.cloud;
    let (endpoints, manner) = match place {
        Place::Cloud => (endpoints(spec), of_cloud(given, spec)),
        Place::Sandbox(pretend) => {
            let all = Some(pretend.addresses.openapi.clone());
            (Endpoints { all, ..Endpoints::default() }, of_sandbox(given, spec))
        }
    };
    (endpoints, Manner { again: Some(again(place)), redactor: redactor.clone(), ..manner })
}

/// How reads are repeated, from the cloud and from the clusters.
pub fn again(place: &Place) -> Again {
    match place {
        Place::Cloud => Again::default(),
        // Its time stands still while somebody works.
        Place::Sandbox(_) => Again::at_once(),
    }
}

/// The manner in which the real cloud is called.
fn of_cloud(given: CloudArgs, spec: &CloudSpec) -> Manner {
    let clock = Arc::new(SystemClock);
    let pace = NonZeroU32::new(spec.calls_per_second).map(|limit| Pace::new(limit, clock));
    let network = match given.network {
        Some(NetworkArg::Public) => Network::Public,
        Some(NetworkArg::Vpc) => Network::Vpc,
        None => match spec.network {
            CloudNetwork::Public => Network::Public,
            CloudNetwork::Vpc => Network::Vpc,
        },
    };
    let signature = signature(given, spec);
    Manner { signature, network, ca_file: spec.ca_file.clone(), pace, ..Manner::default() }
}

/// The manner in which a sandbox is called: it verifies signatures as the cloud does, but it
/// has one address, no certificate, and time that does not pass while somebody works.
fn of_sandbox(given: CloudArgs, spec: &CloudSpec) -> Manner {
    Manner { signature: signature(given, spec), ..Manner::default() }
}

/// The addresses of the real cloud that the spec names.
fn endpoints(spec: &CloudSpec) -> Endpoints {
    let named = spec.endpoints.named();
    let product = named.map(|(key, address)| (key.to_owned(), address.to_owned())).collect();
    Endpoints { all: None, product }
}

fn signature(given: CloudArgs, spec: &CloudSpec) -> Signature {
    match given.signature {
        Some(SignatureArg::V1) => Signature::V1,
        Some(SignatureArg::V3) => Signature::V3,
        None => match spec.signature {
            SignatureScheme::V1 => Signature::V1,
            SignatureScheme::V3 => Signature::V3,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_goes_before_the_spec_and_the_spec_before_the_default() {
        let silent = CloudSpec::default();
        let told = CloudSpec {
            signature: SignatureScheme::V3,
            network: CloudNetwork::Vpc,
            ..CloudSpec::default()
        };
        let none = CloudArgs::default();
        let given =
            CloudArgs { signature: Some(SignatureArg::V1), network: Some(NetworkArg::Public) };
        let manner = |given, spec| of_cloud(given, spec);
        assert_eq!(manner(none, &silent).signature, Signature::V1);
        assert_eq!(manner(none, &told).signature, Signature::V3);
        assert_eq!(manner(given, &told).signature, Signature::V1);
        assert_eq!(manner(none, &told).network, Network::Vpc);
        assert_eq!(manner(given, &told).network, Network::Public);
        assert!(manner(none, &silent).pace.is_some());
    }

    #[test]
    fn a_sandbox_is_the_only_address_of_its_world() {
        let mut spec = CloudSpec { ca_file: Some("/x.pem".into()), ..CloudSpec::default() };
        spec.endpoints.nlb = Some("nlb.example".to_owned());
        let manner = of_sandbox(CloudArgs::default(), &spec);
        assert!(manner.ca_file.is_none() && manner.pace.is_none());
        assert_eq!(endpoints(&spec).product["nlb"], "nlb.example");
    }
}
