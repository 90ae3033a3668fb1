//! Files: the embedded default.

mod tables;
mod vault;

pub use tables::{FileTables, write_tables};
pub use vault::{Listed, ListedVersion, LocalVault, VaultKey};
