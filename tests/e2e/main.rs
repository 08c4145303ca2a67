//! The real binary, as a process, against the sandbox, as another one.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what it expects by failing"
)]

mod adopted;
mod allow_list;
mod bad_worlds;
mod blocks;
mod browser;
mod credentials;
mod damage;
mod doctor;
mod env;
mod envelope;
mod folders;
mod foreign_text;
mod golden;
mod imported;
mod impostor;
mod indices;
mod init;
mod input;
mod interrupted;
mod killed;
mod leader_address;
mod manner;
mod manual;
mod marks;
mod plan;
mod plan_file;
mod policy;
#[path = "../power/random.rs"]
mod random;
mod random_kills;
mod refused;
mod said;
mod schemas;
mod screens;
mod secrets;
mod seeing;
mod selftest;
mod store;
mod terminal;
mod tls;
mod together;
mod tutorial;
mod verify;
mod ways;
mod who;
mod whole;
mod worlds;
