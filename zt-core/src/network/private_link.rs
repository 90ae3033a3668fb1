//! Private Link: which DNS zone stands behind a public name, and what a vault says about the way by which we came.
//!
//! In: the host of a row, the header of an answer. Out: the [`Service`] that owns the host, the [`Testimony`].
//! Never: a decision. The guard decides, by what the row demands.

mod testimony;
mod zones;

pub(crate) use testimony::name_of;
pub use testimony::{TESTIMONY, Testimony};
pub use zones::Service;
pub(crate) use zones::{is_key_vault, testifies};
