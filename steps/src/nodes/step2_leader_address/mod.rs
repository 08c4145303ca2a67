//! Step 2 of the document: obtain the leader's private address.

mod private_ip;

pub use private_ip::{Addresses, PrivateIp};
