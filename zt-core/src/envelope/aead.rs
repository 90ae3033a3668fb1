//! The ciphers of sealed data behind one trait, so that another library can do the same bytes where it is faster.
//!
//! In: a key of 256 bits, a nonce of 96, what is authenticated beside the text. Out: the text sealed in its place with a tag of
//! 128 bits, or opened again. AWS-LC does it, and with feature `ring` that library where it is faster. AES-256-GCM is NIST SP 800-38D, AES-256-GCM-SIV is RFC 8452.

#[cfg(feature = "ring")]
pub(super) mod ring;

use aws_lc_rs::aead::{
    AES_256_GCM, AES_256_GCM_SIV, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey,
};

use super::SealError;

pub(super) const NONCE_LEN: usize = 12;
pub(super) const TAG_LEN: usize = 16;

/// One key of one cipher. Safe across threads.
pub(super) trait Aead: Send + Sync {
    /// Seals in place and gives the tag.
    fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        bound_to: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_LEN], SealError>;

    /// Opens `ciphertext | tag` in place; `None` if it was not sealed like this, and then the bytes may be anything.
    fn open<'a>(
        &self,
        nonce: [u8; NONCE_LEN],
        bound_to: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a [u8]>;

    /// Opens into another buffer, as long as the text; `false` if it was not sealed like this, and then that may hold anything.
    fn open_apart(
        &self,
        nonce: [u8; NONCE_LEN],
        bound_to: &[u8],
        sealed: &[u8],
        text: &mut [u8],
    ) -> bool;
}

/// AES-256-GCM. A nonce must never come twice.
pub(super) fn gcm(key: &[u8; 32]) -> Result<Box<dyn Aead>, SealError> {
    #[cfg(feature = "ring")]
    if ring::is_faster() {
        return Ok(Box::new(ring::Ring::new(key)?));
    }
    aws_lc_gcm(key)
}

/// The same by AWS-LC on every machine.
pub(super) fn aws_lc_gcm(key: &[u8; 32]) -> Result<Box<dyn Aead>, SealError> {
    Ok(Box::new(AwsLc::new(&AES_256_GCM, key)?))
}

/// AES-256-GCM-SIV. Under one nonce it shows which texts are equal, and nothing else.
pub(super) fn gcm_siv(key: &[u8; 32]) -> Result<Box<dyn Aead>, SealError> {
    Ok(Box::new(AwsLc::new(&AES_256_GCM_SIV, key)?))
}

struct AwsLc(LessSafeKey);

impl AwsLc {
    fn new(algorithm: &'static Algorithm, key: &[u8; 32]) -> Result<Self, SealError> {
        let key = UnboundKey::new(algorithm, key).map_err(|_| SealError::Crypto)?;
        Ok(Self(LessSafeKey::new(key)))
    }
}

impl Aead for AwsLc {
    fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        bound_to: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_LEN], SealError> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(bound_to), text)
            .map_err(|_| SealError::Crypto)?;
        tag.as_ref().try_into().map_err(|_| SealError::Crypto)
    }

    fn open<'a>(
        &self,
        nonce: [u8; NONCE_LEN],
        bound_to: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a [u8]> {
        if sealed.len() < TAG_LEN {
            return None;
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(bound_to), sealed);
        opened.ok().map(|plain| &*plain)
    }

    fn open_apart(
        &self,
        nonce: [u8; NONCE_LEN],
        bound_to: &[u8],
        sealed: &[u8],
        text: &mut [u8],
    ) -> bool {
        let Some((sealed, tag)) = sealed.split_last_chunk::<TAG_LEN>() else {
            return false;
        };
        let nonce = Nonce::assume_unique_for_key(nonce);
        sealed.len() == text.len()
            && self
                .0
                .open_separate_gather(nonce, Aad::from(bound_to), sealed, tag, text)
                .is_ok()
    }
}
