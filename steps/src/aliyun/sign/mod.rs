//! Request signatures of the OpenAPI.
//!
//! Two generations are spoken, by [`Signature`]. The first has two schemes: [`rpc`] (one form
//! of parameters, the signature among them) and [`roa`] (REST paths, the signature in a
//! header), both HMAC-SHA1 over a canonical string. The newer one, [`v3`], is HMAC-SHA256 for
//! both styles. All are pure: time and nonce are handed in.

pub(super) mod encode;
pub(super) mod roa;
pub(super) mod rpc;
pub(super) mod v3;

pub(super) use encode::percent_encode;

/// Which generation of signatures is sent; every product takes both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// HMAC-SHA1, as the vendor's older clients and the Terraform provider sign.
    #[default]
    V1,
    /// ACS3-HMAC-SHA256, as the vendor's current clients sign.
    V3,
}
