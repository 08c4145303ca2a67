//! What the tests share: a pretend cloud and an engine over it.

pub mod bench;
pub mod cases;
pub mod jump;
pub mod schema;
pub mod tape;
