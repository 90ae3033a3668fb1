//! Azure: HTTP through the guard, the credentials of the process itself, and groups from Microsoft Graph.
//!
//! In: a [`Guard`](crate::network::Guard) and what the environment says. Out: implementations of
//! [`HttpClient`](crate::network::HttpClient) and [`TokenCredential`](crate::identity::TokenCredential).
//! Never: a client with a transport or a TLS provider of its own; features of `azure_core` and `reqwest` unify across a
//! build, so nothing here relies on a default of theirs.

mod credential;
mod doctor;
mod graph;
mod http;
mod transport;

pub use credential::{
    ClientCredential, CommandLine, CredentialChain, FederatedTokenFile, ManagedIdentity,
};
pub use doctor::NetworkDoctor;
pub use graph::GraphGroups;
pub use http::{GuardedHttp, SystemResolver};
pub use transport::{GuardedTransport, redaction_is_armed};
