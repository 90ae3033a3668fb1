//! Azure on loopback: Entra ID, Microsoft Graph, managed identities, Key Vault, Azure Monitor, with faults on demand.
//!
//! In: requests to Azure's own host names, dialled to a port of this machine, under TLS of an authority that the client is told
//! to trust. Out: answers in the shape of the real services, tokens signed with keys that exist for this run alone. A client
//! keeps its production URLs; only the address that it connects to, and the authority that it trusts, differ.
//! Never: an address beyond loopback, a token that real Azure would accept.
//!
//! [`Simulator`] is the library; the program of this crate starts it for people.

mod answer;
mod app_service;
mod asked;
mod cloud;
mod control;
mod directory;
mod dispatch;
mod entra;
mod error;
mod fault;
mod federated;
mod graph;
mod imds;
mod issue;
mod jwt;
mod keys;
mod monitor;
mod options;
mod random;
mod request_log;
mod server;
mod simulator;
mod state;
mod time;
mod tls;
mod token;
mod vault;

pub use cloud::Cloud;
pub use directory::{
    Application, Directory, Group, ManagedIdentity, ServicePrincipal, Tenant, User,
};
pub use error::Error;
pub use fault::{Denial, Fault, Misfit};
pub use monitor::LogsIngestion;
pub use options::Options;
pub use request_log::Request;
pub use simulator::Simulator;
pub use token::TokenOptions;
pub use vault::{KeyKind, KeyVault, NetworkInfo, Right, SecretOptions};

/// The README's example runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
