//! The simulator as its clients see it: over TLS and HTTP, and with zt's own verifier.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod client;
mod control;
mod device;
mod faults;
mod graph;
mod keys;
mod managed;
mod monitor;
mod own;
mod runtime;
mod token_endpoint;
mod tokens;
mod vault;
mod zt;
