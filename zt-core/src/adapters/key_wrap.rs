//! Wrapping by keys that an adapter holds itself: AES key wrap (RFC 3394, NIST SP 800-38F) with 256 bits, or RSA-OAEP-256.
//!
//! A key of 32 bytes is one of AES; a longer one is an RSA key in PKCS#8.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap as _};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use zeroize::Zeroizing;

use crate::envelope::{DataKey, KeyError, PublicHalf, WrapAlgorithm, WrappedKey, oaep};
use crate::secrets::{SecretBytes, SecretId, SecretVersion, VaultError};

/// How much longer a wrapped key is, in bytes.
const OVERHEAD: usize = 8;

/// A new key of 256 random bits.
pub(super) fn random_key() -> Result<SecretBytes, VaultError> {
    let mut key = Zeroizing::new([0; 32]);
    rand::fill(key.as_mut_slice())
        .map_err(|_| VaultError::unavailable("the system gave no random bytes", None))?;
    Ok(SecretBytes::copy_of(key.as_slice()))
}

/// A new RSA key, in PKCS#8.
pub(super) fn random_rsa_key() -> Result<SecretBytes, VaultError> {
    let refused = || VaultError::unavailable("the cryptographic library makes no RSA key", None);
    let key = PrivateDecryptingKey::generate(KeySize::Rsa3072).map_err(|_| refused())?;
    let der = key.as_der().map_err(|_| refused())?;
    // The library overwrites what it gives out when it is dropped.
    Ok(SecretBytes::copy_of(der.as_ref()))
}

/// The public half of a key of RSA; none of AES has one.
pub(super) fn public_half(
    key: &SecretBytes,
    version: SecretVersion,
) -> Result<Option<PublicHalf>, KeyError> {
    if is_aes(key) {
        return Ok(None);
    }
    let spki = rsa(key)?.public_key().as_der().map_err(|_| refused())?;
    Ok(Some(PublicHalf::new(version, spki.as_ref().to_vec())))
}

fn is_aes(key: &SecretBytes) -> bool {
    key.len() == 32
}

fn rsa(key: &SecretBytes) -> Result<PrivateDecryptingKey, KeyError> {
    PrivateDecryptingKey::from_pkcs8(key.reveal()).map_err(|_| refused())
}

/// `dek` under this version of a key.
pub(super) fn wrap(
    key: &SecretBytes,
    version: SecretVersion,
    dek: &DataKey,
) -> Result<WrappedKey, KeyError> {
    if let Some(half) = public_half(key, version)? {
        return oaep::wrap(&half.spki, version, dek).ok_or_else(refused);
    }
    let mut wrapped = vec![0; DataKey::LEN + OVERHEAD];
    kek(key)?
        .wrap(dek.reveal(), &mut wrapped)
        .map_err(|_| refused())?;
    Ok(WrappedKey::new(WrapAlgorithm::Aes256Kw, version, wrapped))
}

/// What [`wrap`] gave, back; `id` is for the message.
pub(super) fn unwrap(
    key: &SecretBytes,
    id: &SecretId,
    wrapped: &WrappedKey,
) -> Result<DataKey, KeyError> {
    let is_own = match wrapped.algorithm {
        WrapAlgorithm::Aes256Kw => is_aes(key) && wrapped.bytes.len() == DataKey::LEN + OVERHEAD,
        WrapAlgorithm::RsaOaep256 if is_aes(key) => false,
        WrapAlgorithm::RsaOaep256 => return unwrap_rsa(&rsa(key)?, id, wrapped),
    };
    if !is_own {
        return Err(KeyError::unwrap(id));
    }
    let mut dek = Zeroizing::new([0; DataKey::LEN]);
    let opened = kek(key)?.unwrap(&wrapped.bytes, dek.as_mut_slice());
    let opened = opened.map_err(|_| KeyError::unwrap(id))?;
    DataKey::copy_of(opened).ok_or_else(|| KeyError::unwrap(id))
}

fn unwrap_rsa(
    key: &PrivateDecryptingKey,
    id: &SecretId,
    wrapped: &WrappedKey,
) -> Result<DataKey, KeyError> {
    let key = OaepPrivateDecryptingKey::new(key.clone()).map_err(|_| refused())?;
    let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
    let opened = key.decrypt(&OAEP_SHA256_MGF1SHA256, &wrapped.bytes, &mut plain, None);
    let opened = opened.map_err(|_| KeyError::unwrap(id))?;
    DataKey::copy_of(opened).ok_or_else(|| KeyError::unwrap(id))
}

fn kek(key: &SecretBytes) -> Result<AesKek, KeyError> {
    AesKek::new(&AES_256, key.reveal()).map_err(|_| refused())
}

fn refused() -> KeyError {
    VaultError::unavailable(
        "the cryptographic library refused to wrap with its key",
        None,
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.map(byte).collect()
    }

    #[test]
    fn the_vector_of_rfc_3394_section_4_6_comes_out() {
        let key = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        let dek = hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
        let expected = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326\
                        cbc7f0e71a99f43bfb988b9b7a02dd21";
        let key = SecretBytes::copy_of(&key);
        let dek = DataKey::copy_of(&dek).unwrap();
        let wrapped = wrap(&key, SecretVersion::from_u128(1), &dek).unwrap();
        assert_eq!(wrapped.bytes, hex(expected));
        let vault = "https://kv.vault.azure.net".parse().unwrap();
        let id = SecretId::new(vault, "kek".parse().unwrap());
        assert!(unwrap(&key, &id, &wrapped).unwrap().reveal() == dek.reveal());
    }
}
