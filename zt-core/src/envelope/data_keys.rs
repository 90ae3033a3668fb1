//! Data keys in use.

pub(crate) mod oaep;
