//! A whole runtime of zt from a folder, through its real guarded client over TLS, against the simulator.

mod audit_key;
mod configuration;
mod groups;
mod keys;
mod needles;
mod network;
pub(crate) mod office;
mod outages;
mod own_identity;
mod revocations;
mod sealing;
mod secrets;
mod sign_in;
mod step_up;
mod tenants;
