//! Durable sagas over any world.

pub mod fault;

pub use fault::{Class, Fault, Report};
