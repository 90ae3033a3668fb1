//! Implementations of the ports. Named by `runtime/builder.rs` alone.

pub mod file;
mod key_wrap;
pub mod memory;
