//! The clients against a server that answers as it was told.

mod cloud;
mod cluster;
mod documents;
mod faults;
mod mutations;
mod secrets;
mod server;
mod typed;
