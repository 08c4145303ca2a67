//! Request signatures of the OpenAPI.
//!
//! Two schemes are spoken: [`rpc`] (one form of parameters, the signature among them) and
//! [`roa`] (REST paths, the signature in a header). Both are HMAC-SHA1 over a canonical
//! string, and both are pure: time and nonce are handed in.

pub(super) mod encode;
pub(super) mod roa;
pub(super) mod rpc;

pub(super) use encode::percent_encode;
