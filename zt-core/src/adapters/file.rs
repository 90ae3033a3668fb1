//! Files: tables, local vault, audit segments.

mod vault;

pub use vault::{Listed, ListedVersion, LocalVault, VaultKey};
