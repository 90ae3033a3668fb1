//! Who calls: the bytes of an Entra access token become a verified [`Caller`], or one exact reason why not.
//!
//! In: a token, an [`EntraProfile`] (tenants, one application), the issuer's keys, the clock. Out: a [`Caller`] that no
//! code outside can make up, or an [`AuthError`] for our log; a remote caller sees its `public_message()` alone.
//! Never: I/O, a name or mail as identity, a key that came with the token, the URL of a groups overage.
//!
//! Layers, each usable without the next: `jws` (bytes to verified payload), `claims` (payload to typed claims), `entra`
//! (claims against the profile), `keys`, `caller`. Rules: RFC 7515, RFC 7519, RFC 8725 and Microsoft Learn, "Access tokens
//! in the Microsoft identity platform", "Access token claims reference", "Secure applications and APIs by validating claims".

mod authenticator;
mod base64url;
mod caller;
mod challenge;
mod claim;
mod claims;
mod client_proof;
mod cloud;
mod credential;
mod device_code;
mod entra;
mod error;
mod form;
mod groups;
mod json;
mod jws;
mod keys;
mod names;
mod on_behalf_of;
mod own;
mod profile;
mod revocation;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
mod token_endpoint;
mod token_facts;
#[cfg(test)]
mod vectors;
mod verified;

pub use authenticator::Authenticator;
pub(crate) use authenticator::without_scheme;
pub use caller::{
    AuthStrength, Caller, CallerKind, ClientApp, ClientAuth, Directory, Groups, Home, Mfa,
    Provenance, TokenInfo, TokenVersion,
};
pub use challenge::Challenge;
pub(crate) use claim::is_chosen;
pub use client_proof::{ClientAssertion, ClientProof};
pub use cloud::{Cloud, NotACloud};
pub use credential::{AccessToken, CredentialError, TokenCredential};
pub use device_code::{DeviceCode, DeviceCodeError, DeviceSignIn};
pub use error::{AuthError, TokenPart};
#[cfg(feature = "azure")]
pub(crate) use form::append as encode;
pub(crate) use groups::{GroupDirectory, Membership};
pub use groups::{GroupSource, GroupsError, Member};
pub use jws::MAX_TOKEN_BYTES;
pub(crate) use keys::{KeyCache, KeyEvent, KeyNews, KeyObserver, Surroundings};
pub use keys::{KeyError, KeyHealth, KeySet, KeyState, KeyStore, SkippedKey};
pub use on_behalf_of::OnBehalfOf;
#[cfg(feature = "azure")]
pub(crate) use own::ONE_REQUEST;
pub use own::OwnIdentity;
pub use profile::{EntraProfile, ProfileError};
pub(crate) use revocation::Revocations;
#[cfg(feature = "azure")]
pub(crate) use token_endpoint::{read_token, refusal, unreachable};
