//! Who asks: an enforcement point, known by the token that it shares with this service.
//!
//! In: the header `Authorization`. Out: whether it is right. The comparison takes as long for a wrong token as for the right
//! one, whatever their lengths.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use zt_core::audit::Record;

/// Fewer characters can be guessed.
const LEAST_BYTES: usize = 16;

/// The token that enforcement points present, kept as its digest.
pub struct Token(Digest);

impl Token {
    /// Of this text.
    ///
    /// # Errors
    /// It has fewer than 16 bytes.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() < LEAST_BYTES {
            return Err(format!("a token has at least {LEAST_BYTES} bytes"));
        }
        Ok(Self(digest(&SHA256, text.as_bytes())))
    }

    /// Whether a header `Authorization` presents it.
    #[must_use]
    pub fn is_in(&self, authorization: &[u8]) -> bool {
        let (scheme, rest) = authorization.split_at(authorization.len().min(7));
        let presented = digest(&SHA256, rest.trim_ascii());
        let is_same = verify_slices_are_equal(presented.as_ref(), self.0.as_ref()).is_ok();
        is_same && scheme.eq_ignore_ascii_case(b"bearer ")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// An enforcement point in one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pep {
    request_id: Option<String>,
}

impl Pep {
    /// With the id that it gave its request.
    #[must_use]
    pub const fn new(request_id: Option<String>) -> Self {
        Self { request_id }
    }

    /// Adds who asked, and under which id, to a record.
    pub(crate) fn sign(&self, record: Record) -> Record {
        let record = record.with_detail("asked_by", "authzen");
        match &self.request_id {
            Some(id) => record.with_detail("request_id", id),
            None => record,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token = Token::new("zt-needle-pep-token").unwrap();
        for right in ["Bearer zt-needle-pep-token", "bearer  zt-needle-pep-token"] {
            assert!(token.is_in(right.as_bytes()), "{right}");
        }
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "zt-needle-pep-token",
            "Basic zt-needle-pep-token",
            "Bearer zt-needle-pep-toke",
            "Bearer zt-needle-pep-tokenx",
        ] {
            assert!(!token.is_in(wrong.as_bytes()), "{wrong}");
        }
        assert_eq!(format!("{token:?}"), "[token]");
        assert!(Token::new("short").is_err());
    }
}
