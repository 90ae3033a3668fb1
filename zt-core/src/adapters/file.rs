//! Files: the embedded default.

mod alerts;
mod audit_key;
mod audit_sink;
mod grant_key;
mod issuer_keys;
mod pem;
mod pseudonym_keys;
mod reference;
mod tables;
mod vault;

pub use alerts::FileAlerts;
pub use audit_key::FileAuditKey;
pub use audit_sink::FileAuditSink;
pub(crate) use grant_key::open_grant_key;
pub use issuer_keys::IssuerKeys;
pub(crate) use pseudonym_keys::{open_pseudonym_keys, read_pseudonym_keys, rotate_pseudonym_keys};
pub use reference::FileReference;
pub use tables::{FileTables, write_tables};
pub use vault::{Listed, ListedVersion, LocalVault, VaultKey};
