//! An inference service with zt inside: it scores car loans for whom the metadata tables allow it.
//!
//! In: a caller's token and loan applications. Out: scores, in plain or sealed. The caller is
//! authenticated and the model guarded before the body is read; the bureau's key and the sealing are rights of the service's
//! own identity, not of its callers. New tables are tried in shadow before they are taken. Never: an answer that policy does not allow or
//! that the audit log does not hold, or the value of a secret in any answer, log or metric.

mod admin;
mod bureau;
mod changes;
mod counters;
mod http;
mod in_flight;
mod models;
mod options;
mod own;
mod problem;
mod readiness;
mod rows;
mod scoring;
mod serve;
mod service;
mod signals;

pub use options::Options;
pub use serve::run;
