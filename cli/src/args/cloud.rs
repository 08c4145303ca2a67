//! How the cloud is called: what goes before the spec's `[cloud]`.

use clap::ValueEnum;

/// How the cloud is called; each goes before the spec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct CloudArgs {
    /// How requests to the cloud are signed; goes before the spec's `cloud.signature`
    #[arg(long, env = "ESCRR_SIGNATURE", value_name = "SCHEME", value_enum, global = true)]
    pub signature: Option<SignatureArg>,

    /// Which of the cloud's networks is called in; goes before the spec's `cloud.network`
    #[arg(long, env = "ESCRR_NETWORK", value_name = "NETWORK", value_enum, global = true)]
    pub network: Option<NetworkArg>,
}

/// How requests to the cloud are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignatureArg {
    /// HMAC-SHA1
    V1,
    /// ACS3-HMAC-SHA256
    V3,
}

/// Which of the cloud's networks is called in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NetworkArg {
    /// The internet
    Public,
    /// The cloud's own, from a machine in a VPC of the region
    Vpc,
}
