//! Laws over the whole catalog, with the real clients over real HTTP against the sandbox.

mod clean;
