//! Step 2 of the document: obtain the leader's private address.

mod private_ip;

pub(crate) use private_ip::addresses_now;
pub use private_ip::{Addresses, PrivateIp};
