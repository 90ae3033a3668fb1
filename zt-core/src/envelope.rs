//! Envelope encryption of chosen columns: a table of rows becomes a table of sealed text, and back.
//!
//! In: a [`Batch`](crate::batch::Batch), a row of Encryption_Rules, a key that never leaves its vault ([`KeyWrapper`]).
//! Out: the same batch with the rule's columns sealed cell by cell under a fresh data encryption key (DEK), and the column
//! [`KEY_COLUMN`] with that key, wrapped by the key encryption key (KEK). Rows may be reordered, split and appended.
//! [`Session::sealer`](crate::Session::sealer) and [`Session::opener`](crate::Session::opener) give a [`Sealer`] and an
//! [`Opener`] to whom the policy allows; key I/O happens there, sealing and unsealing are pure computation.
//!
//! The format is version 1 of the book's page "Sealed data": AES-256-GCM (NIST SP 800-38D), HKDF-SHA-256 (RFC 5869), AES
//! key wrap (RFC 3394). No error and no `Debug` shows a cell or a key.

mod aead;
#[cfg(feature = "arrow")]
mod arrow;
mod column_key;
mod data_keys;
mod deterministic;
mod error;
mod explain;
mod form;
mod format;
mod key_text;
mod keys;
mod seal;
mod stream;
mod unseal;
mod workers;
mod wrapper;

#[cfg(feature = "arrow")]
pub use arrow::Store;
#[cfg(feature = "arrow")]
pub(crate) use arrow::{compacted, is_sealed_under, key_texts as arrow_key_texts};
pub(crate) use column_key::ColumnKey;
pub use data_keys::DataKeysHealth;
pub(crate) use data_keys::oaep;
pub(crate) use data_keys::{DataKeys, Public, Source, Unwrapped};
pub(crate) use deterministic::Sealed;
pub use deterministic::{DeterministicKey, NotADeterministicKey};
pub use error::SealError;
pub(crate) use form::Form;
pub(crate) use format::{is_sealed, looks_sealed};
pub(crate) use key_text::KeyText;
pub(crate) use keys::Binding;
pub use keys::DataKey;
pub(crate) use seal::Scope;
pub use seal::Sealer;
pub use stream::{Draft, FileError, FileHeader, PlainBytes};
pub use unseal::Opener;
pub(crate) use unseal::{Found, Held, key_texts};
pub use wrapper::{
    KeyError, KeyWrapper, NotAWrapAlgorithm, PublicHalf, RemoteKeys, WrapAlgorithm, WrappedKey,
};

/// The column of a sealed batch that holds the wrapped data key of each row.
pub const KEY_COLUMN: &str = "_zt_key";

#[cfg(test)]
mod tests;
