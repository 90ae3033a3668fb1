//! Behaviour through the public API and the `zt` command: one binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[cfg(feature = "arrow")]
mod arrow;
mod attacks;
mod audit_commands;
mod authzen;
mod cli;
mod conditions;
mod csv_tables;
mod decisions;
mod described;
mod drafts;
mod faults;
mod fuzzing;
mod grants;
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
#[cfg(feature = "arrow")]
mod sealed_arrow;
mod sealed_files;
mod sealed_forms;
mod sealing;
mod secret_calls;
mod sessions;
mod shadow;
#[cfg(feature = "sqlite")]
mod sinks;
mod soon;
mod staleness;
mod status_file;
mod tables;
mod twins;
mod world;
