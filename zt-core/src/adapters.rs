//! Implementations of the ports. Named by `runtime/builder.rs` alone.

pub mod file;
pub mod memory;
