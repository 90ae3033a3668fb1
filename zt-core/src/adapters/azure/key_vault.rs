//! What the clients of Key Vault share: one attempt for each call, through the official SDK and our own transport.
//!
//! In: what to ask about and an attempt. Out: the answer, or exactly why there is none.
//! Never: a retry, a sleep, a token for another service than the vault's own, a text that the vault sent.

mod answer;
mod call;
mod client;
#[cfg(test)]
#[cfg(feature = "testing")]
pub(super) mod fake;
mod own_time;
mod refusal;
mod token;
mod vaults;

pub(super) use answer::{Attributes, Kind, described, is_json, version_of};
pub(super) use call::Call;
#[cfg(test)]
#[cfg(feature = "testing")]
pub(super) use client::MOST_BYTES;
pub(super) use client::{Client, SdkClient, Setup, options};
pub(super) use token::VaultToken;
#[cfg(test)]
#[cfg(feature = "testing")]
pub(super) use vaults::MOST_VAULTS;
pub(super) use vaults::{Vaults, explain, sdk_failed};
