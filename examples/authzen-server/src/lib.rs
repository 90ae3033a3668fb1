//! The AuthZEN Authorization API 1.0 over HTTP, from zt's metadata tables.
//!
//! In: requests of enforcement points (gateways, services). Out: the answers of `zt_core::authzen`, each decision in the audit
//! log first, with the request's id. Bodies and errors are those of the specification's HTTPS binding; TLS ends in front of
//! this service. Never: an answer that could not be written down.

mod audited;
mod http;
mod pep;

pub use audited::{Answering, NotAnswered};
pub use http::{MOST_BYTES, router};
pub use pep::{Pep, Token};
