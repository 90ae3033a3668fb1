//! The credentials of the process itself.
//!
//! In: what the environment says, through a lookup that is passed in. Out: a [`CredentialChain`] of implementations of
//! [`TokenCredential`](crate::identity::TokenCredential), none of which keeps a token: `OwnIdentity` does.
//!
//! Client secret, workload identity and the command lines are those of `azure_identity`, made anew for each token: their own
//! cache would hand out the same token until five minutes before its end, so that nothing could be asked for ahead of time
//! and a revoked token could not be forgotten. Managed identities are asked for by our own few lines: `azure_identity` reads
//! the process's environment itself, and repeats a request to a metadata endpoint that is not there for more than a minute.

mod chain;
mod client;
mod command_line;
mod federated_token;
mod managed_identity;
#[cfg(test)]
#[cfg(unix)]
mod tests;

pub use chain::CredentialChain;
pub use client::ClientCredential;
pub use command_line::CommandLine;
pub use federated_token::FederatedTokenFile;
pub use managed_identity::ManagedIdentity;
