//! Behaviour through the public API and the `zt` command: one binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[cfg(feature = "arrow")]
mod arrow;
mod attacks;
mod authzen;
mod cli;
mod conditions;
mod csv_tables;
mod decisions;
mod described;
mod drafts;
mod faults;
mod fuzzing;
#[cfg(feature = "azure")]
mod guarded_http;
mod hostile_tokens;
mod impact;
mod index;
mod known_facts;
mod laws;
mod monitor;
#[cfg(feature = "azure")]
mod own_identity;
mod permits;
mod plans;
mod revocations;
mod rights;
mod sealing;
mod sessions;
#[cfg(feature = "sqlite")]
mod sinks;
mod staleness;
mod tables;
mod twins;
mod world;
