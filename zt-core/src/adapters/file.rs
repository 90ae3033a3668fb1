//! Files: the embedded default.

mod tables;
mod vault;

pub use tables::FileTables;
pub use vault::{Listed, ListedVersion, LocalVault, VaultKey};
