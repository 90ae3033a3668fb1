//! Azure: HTTP through the guard, the credentials of the process itself, groups from Microsoft Graph, secrets and
//! keys of Key Vault, audit records into Azure Monitor.
//!
//! In: a [`Guard`](crate::network::Guard) and what the environment says. Out: implementations of
//! [`HttpClient`](crate::network::HttpClient), [`TokenCredential`](crate::identity::TokenCredential),
//! [`SecretVault`](crate::secrets::SecretVault), [`RemoteKeys`](crate::envelope::RemoteKeys),
//! [`CheckpointSigner`](crate::audit::CheckpointSigner) and [`AuditSink`](crate::audit::AuditSink).
//! Never: a client with a transport or a TLS provider of its own; features of `azure_core` and `reqwest` unify across a
//! build, so nothing here relies on a default of theirs.

mod credential;
mod doctor;
mod graph;
mod http;
mod key_vault;
mod key_vault_audit_key;
mod key_vault_keys;
mod key_vault_secrets;
mod monitor;
mod transport;

pub use credential::{
    ClientCredential, CommandLine, CredentialChain, FederatedTokenFile, ManagedIdentity,
};
pub use doctor::NetworkDoctor;
pub use graph::GraphGroups;
pub use http::{GuardedHttp, SystemResolver};
pub use key_vault_audit_key::KeyVaultAuditKey;
pub use key_vault_keys::{KeySignature, KeyVaultKeyWriter, KeyVaultKeys, NewKey, SigningKey};
pub use key_vault_secrets::{KeyVaultSecrets, KeyVaultWriter};
pub use monitor::MonitorSink;
pub use transport::{GuardedTransport, redaction_is_armed};
