//! For tests and examples: the development issuer, a clock that stands still, faulty fakes, contract suites.

pub mod alert_contract;
mod bare_opener;
mod dev_issuer;
mod faulty_vault;
pub mod key_contract;
mod manual_clock;
mod people;
pub mod signer_contract;
pub mod sink_contract;
mod slot;
pub mod vault_contract;

pub use bare_opener::BareOpener;
pub use dev_issuer::{DevIssuer, TokenRequest};
pub use faulty_vault::FaultyVault;
pub use manual_clock::ManualClock;
pub use people::{sign_in, sign_in_with};
pub use slot::BareSlot;
