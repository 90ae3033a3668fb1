//! Files: the embedded default.

mod alerts;
mod audit_sink;
mod issuer_keys;
mod reference;
mod tables;
mod vault;

pub use alerts::FileAlerts;
pub use audit_sink::FileAuditSink;
pub use issuer_keys::IssuerKeys;
pub use reference::FileReference;
pub use tables::{FileTables, write_tables};
pub use vault::{Listed, ListedVersion, LocalVault, VaultKey};
