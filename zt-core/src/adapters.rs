//! Implementations of the ports. Named by `runtime/builder.rs` alone.

#[cfg(feature = "azure")]
pub mod azure;
pub mod file;
mod key_wrap;
pub mod memory;
#[cfg(feature = "sqlite")]
pub mod sqlite;
