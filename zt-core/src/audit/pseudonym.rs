//! Pseudonyms: what stands in the log for a value that nobody may read there, so that equal values are found together.
//!
//! In: the name of an attribute and its value as text. Out: `[secret:KEY:PSEUDONYM]`, HMAC-SHA-256 (RFC 2104) truncated to
//! 128 bits (its section 5), in hexadecimal, with an id of the key before it. Equal values of one attribute give equal
//! pseudonyms as long as the key lives; those of two attributes never do. Whoever has the key can try values out: it lies
//! apart from the log, as the audit key does. Never: a value or a key in a message.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::chain::hex;

/// The keys of a log's pseudonyms: the newest makes them, and all are tried in a search.
#[derive(Clone)]
pub struct Pseudonyms {
    newest: Named,
    older: Vec<Named>,
}

#[derive(Clone)]
struct Named {
    id: String,
    key: hmac::Key,
}

/// A key has so many bytes.
pub(crate) const KEY_BYTES: usize = 32;
/// So many bytes of the HMAC are kept.
const KEPT: usize = 16;

impl Pseudonyms {
    /// With a key of 32 random bytes.
    #[must_use]
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self {
            newest: Named::new(key),
            older: Vec::new(),
        }
    }

    /// The same with a newer key, which makes pseudonyms from now on.
    #[must_use]
    pub fn with_newer(mut self, key: &[u8; KEY_BYTES]) -> Self {
        let old = std::mem::replace(&mut self.newest, Named::new(key));
        self.older.push(old);
        self
    }

    /// A key for [`new`](Self::new); none where the system gives no random bytes.
    pub(crate) fn generate() -> Option<Zeroizing<[u8; KEY_BYTES]>> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(key.as_mut_slice()).ok()?;
        Some(key)
    }

    /// What stands in the log for this value of this attribute.
    ///
    /// ```
    /// # use zt_core::audit::Pseudonyms;
    /// let pseudonyms = Pseudonyms::new(&[7; 32]);
    /// let one = pseudonyms.of("context.case", "\"4711\"");
    /// assert_eq!(one, pseudonyms.of("context.case", "\"4711\""));
    /// assert!(one.starts_with("[secret:") && !one.contains("4711"));
    /// assert_ne!(one, pseudonyms.of("context.client", "\"4711\""));
    /// ```
    #[must_use]
    pub fn of(&self, name: &str, value: &str) -> String {
        self.newest.of(name, value)
    }

    /// What stood there under each of the keys, the newest first.
    #[must_use]
    pub fn all_of(&self, name: &str, value: &str) -> Vec<String> {
        let newest = std::iter::once(&self.newest);
        let keys = newest.chain(self.older.iter().rev());
        keys.map(|key| key.of(name, value)).collect()
    }
}

impl Named {
    fn new(key: &[u8; KEY_BYTES]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let id = hmac::sign(&key, b"zt-audit-pseudonym-key");
        let id = hex(id.as_ref().get(..4).unwrap_or_default());
        Self { id, key }
    }

    fn of(&self, name: &str, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"zt-audit-pseudonym-v1");
        context.update(&(name.len() as u64).to_be_bytes());
        context.update(name.as_bytes());
        context.update(value.as_bytes());
        let tag = context.sign();
        let kept = hex(tag.as_ref().get(..KEPT).unwrap_or_default());
        format!("[secret:{}:{kept}]", self.id)
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonyms({})", self.newest.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_stable_bound_to_its_attribute_and_to_its_key() {
        let one = Pseudonyms::new(&[1; 32]);
        let two = Pseudonyms::new(&[2; 32]);
        let said = one.of("context.case", "\"zt-needle\"");
        assert_eq!(said.len(), "[secret:00000000:]".len() + 2 * KEPT);
        assert!(!said.contains("needle"));
        assert_eq!(
            said,
            Pseudonyms::new(&[1; 32]).of("context.case", "\"zt-needle\"")
        );
        for other in [
            one.of("context.case", "\"zt-needle2\""),
            one.of("context.cas", "e\"zt-needle\""),
            two.of("context.case", "\"zt-needle\""),
        ] {
            assert_ne!(said, other);
        }
        assert!(!format!("{one:?}").contains("0101"));
    }

    /// Computed with Python's `hmac`.
    #[test]
    fn a_pseudonym_is_what_the_page_says() {
        let said = Pseudonyms::new(&[7; 32]).of("context.case", "\"4711\"");
        assert_eq!(said, EXPECTED);
    }

    #[test]
    fn after_a_rotation_old_pseudonyms_are_still_found() {
        let old = Pseudonyms::new(&[1; 32]);
        let before = old.of("context.case", "7");
        let now = old.with_newer(&[2; 32]);
        let after = now.of("context.case", "7");
        assert_ne!(before, after);
        assert_eq!(now.all_of("context.case", "7"), [after, before]);
    }

    const EXPECTED: &str = "[secret:bda69929:800dba8c6314dd0baae5a1f2c4095a93]";
}
