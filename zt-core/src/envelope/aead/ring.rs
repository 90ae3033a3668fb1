//! AES-256-GCM by ring, feature `ring`: the same bytes, faster where it has a kernel that AWS-LC lacks.
//!
//! ring 0.17 uses VAES with AVX2; AWS-LC 1.19 uses AES-NI or, with AVX-512, VAES. So ring is asked on processors with VAES and
//! without AVX-512, such as AMD Zen 3.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

use zt_memory::Overwritten;

use super::{Aead, NONCE_LEN, TAG_LEN};
use crate::envelope::SealError;

/// Whether ring is the faster one on this machine.
#[cfg(target_arch = "x86_64")]
pub(super) fn is_faster() -> bool {
    use std::arch::is_x86_feature_detected;
    is_x86_feature_detected!("vaes")
        && is_x86_feature_detected!("avx2")
        && !is_x86_feature_detected!("avx512f")
}

/// Whether ring is the faster one on this machine.
#[cfg(not(target_arch = "x86_64"))]
pub(super) const fn is_faster() -> bool {
    false
}

/// Its key schedule is overwritten when it is dropped, which ring leaves to who uses it.
pub(in crate::envelope) struct Ring(Overwritten<LessSafeKey>);

impl Ring {
    pub(in crate::envelope) fn new(key: &[u8; 32]) -> Result<Self, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| SealError::Crypto)?;
        Ok(Self(Overwritten::new(LessSafeKey::new(key))))
    }
}

impl Aead for Ring {
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
        if sealed.len() != text.len() {
            return false;
        }
        text.copy_from_slice(sealed);
        let (nonce, tag) = (Nonce::assume_unique_for_key(nonce), Tag::from(*tag));
        let opened = self
            .0
            .open_in_place_separate_tag(nonce, Aad::from(bound_to), tag, text, 0..);
        opened.is_ok()
    }
}
