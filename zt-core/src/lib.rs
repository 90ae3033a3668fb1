//! zt: an embeddable zero-trust runtime for AI pipelines on Azure.
//!
//! A team puts its security into metadata tables: who may do what, where secrets live, which hosts may be reached. zt runs
//! inside the notebook, job or inference service and makes those tables true there: a caller's token becomes a verified
//! [`Caller`](identity::Caller), the policy decides (deny by default, every answer explained), a secret comes out of a vault
//! only for whom the policy allows, and every act stands in a tamper-evident audit log before it is answered.
//!
//! ```no_run
//! use std::time::Duration;
//! use zt_core::{Result, Runtime};
//!
//! # async fn example(token: &str) -> Result<()> {
//! let zt = Runtime::open("examples/world").await?;
//! let job = zt.authenticate(token).await?.claiming(201, 2);
//! let _permit = job.require("model.infer", "model:car_loan_scorer")?; // Err(Denied), or a permit
//! let key = job.secret("bureau-api-key").await?;                      // policy and audit, each time
//! println!("{key:?}, {} bytes", key.reveal().len());                  // [secret bureau-api-key@…], 24 bytes
//! zt.close(Duration::from_secs(5)).await
//! # }
//! ```
//!
//! # Where things are
//!
//! | module | what it is for |
//! |---|---|
//! | [`runtime`], [`session`] | the way in: open, authenticate, check, require, secret |
//! | [`metadata`] | tables to an immutable snapshot, all problems at once |
//! | [`identity`] | the bytes of a token to a verified caller |
//! | [`network`] | no row, no connection: the guard, and the port to HTTP behind it |
//! | [`policy`] | a request on a snapshot to a decision, and why |
//! | [`authzen`] | the AuthZEN Authorization API 1.0 on JSON values |
//! | [`grant`] | signed statements: a stage that is proven, rights for executors |
//! | [`plan`] | all that one run of a job needs, and all that it lacks |
//! | [`secrets`] | unprintable values, slots with a TTL, the port to a vault |
//! | [`audit`] | the hash-chained log: append, recover, verify, tail |
//! | [`batch`] | rows in memory, by column: what is masked, sealed and measured |
//! | [`envelope`] | chosen columns sealed under a key that never leaves its vault, and unsealed |
//! | [`monitor`] | metrics of models and jobs, alert rules, where alerts and reference data are |
//! | [`adapters`] | implementations of the ports: files, memory, Azure |
//!
//! Data flows one way: tables → snapshot → decision → effect → audit. Features only add: `cli` the `zt` command, `ring` a second library that seals to the same bytes, `testing`
//! the development issuer, fakes and contract suites. Without features there is no TLS stack and no network.

#![forbid(unsafe_code)]

pub mod adapters;
pub mod audit;
pub mod authzen;
pub mod batch;
pub mod clock;
mod durable;
pub mod envelope;
pub mod error;
pub mod grant;
pub mod id;
pub mod identity;
pub mod metadata;
pub mod monitor;
pub mod network;
mod numbered;
pub mod plan;
pub mod policy;
pub mod port;
mod process;
pub mod runtime;
pub mod secrets;
pub mod session;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;

pub use error::{Code, Error, ErrorKind, Result};
pub use runtime::Runtime;
pub use session::{Permit, Session};

/// The examples of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
