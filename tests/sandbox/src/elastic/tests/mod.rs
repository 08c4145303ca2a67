//! The clusters as their clients see them, over a network that can be cut and mended.

mod auto_follow;
mod cluster;
mod cycle;
mod leases;
mod pages;
mod refusals;
mod remotes;
mod world;
