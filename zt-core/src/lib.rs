//! zt: an embeddable zero-trust runtime for AI pipelines on Azure.
//!
//! A team puts its security into metadata tables; zt runs inside the notebook, job or inference service and makes those
//! tables true there: a caller's token becomes a verified [`identity::Caller`], the policy decides (deny by default, every
//! answer explained), secrets come out of a vault only for whom the policy allows, and every act stands in a
//! tamper-evident audit log.

#![forbid(unsafe_code)]

pub mod adapters;
pub mod audit;
pub mod clock;
pub mod error;
pub mod id;
pub mod identity;
pub mod metadata;
pub mod policy;
pub mod port;
pub mod runtime;
pub mod secrets;
pub mod session;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::{Code, Error, ErrorKind, Result};
pub use runtime::Runtime;
pub use session::{Permit, Session};
