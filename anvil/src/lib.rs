//! medlock-anvil

pub mod exec;
pub mod executor;
pub mod stylus;
