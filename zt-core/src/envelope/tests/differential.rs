//! The ciphers against another library: RustCrypto's AES-256-GCM and AES-256-GCM-SIV seal to the same bytes.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};

#[cfg(feature = "ring")]
use super::super::aead::ring::Ring;
use super::super::aead::{Aead, aws_lc_gcm, gcm, gcm_siv};
use super::*;

type Case = ([u8; 32], [u8; 12], Vec<u8>, Vec<u8>);

fn case() -> impl Strategy<Value = Case> {
    let bytes = |most| proptest::collection::vec(any::<u8>(), 0..most);
    (any::<[u8; 32]>(), any::<[u8; 12]>(), bytes(100), bytes(300))
}

/// Seals and opens what another library sealed, in place and apart, and no byte of it changed.
fn agrees(own: &dyn Aead, expected: &[u8], (_, nonce, beside, text): &Case) {
    let mut sealed = text.clone();
    let tag = own.seal(*nonce, beside, &mut sealed).unwrap();
    sealed.extend_from_slice(&tag);
    assert_eq!(sealed, expected);
    let mut apart = vec![0; text.len()];
    assert!(own.open_apart(*nonce, beside, &sealed, &mut apart) && apart == *text);
    assert_eq!(
        own.open(*nonce, beside, &mut sealed.clone()),
        Some(text.as_slice())
    );
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(!own.open_apart(*nonce, beside, &changed, &mut apart));
        assert_eq!(own.open(*nonce, beside, &mut changed), None);
    }
    assert!(!own.open_apart(*nonce, b"other", &sealed, &mut apart));
    assert_eq!(own.open(*nonce, beside, &mut [0; 15]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn aes_256_gcm_is_the_same_in_both(case in case()) {
        let (key, nonce, aad, msg) = &case;
        let other = aes_gcm::Aes256Gcm::new(&(*key).into());
        let expected = other.encrypt(&(*nonce).into(), Payload { msg, aad }).unwrap();
        agrees(&*gcm(key).unwrap(), &expected, &case);
        agrees(&*aws_lc_gcm(key).unwrap(), &expected, &case);
        #[cfg(feature = "ring")]
        agrees(&Ring::new(key).unwrap(), &expected, &case);
    }

    #[test]
    fn aes_256_gcm_siv_is_the_same_in_both(case in case()) {
        let (key, nonce, aad, msg) = &case;
        let other = aes_gcm_siv::Aes256GcmSiv::new(&(*key).into());
        let expected = other.encrypt(&(*nonce).into(), Payload { msg, aad }).unwrap();
        agrees(&*gcm_siv(key).unwrap(), &expected, &case);
    }
}

#[cfg(feature = "ring")]
#[test]
fn a_whole_segment_of_a_file_is_the_same_by_both_libraries() {
    let (aws_lc, ring) = (aws_lc_gcm(&[7; 32]).unwrap(), Ring::new(&[7; 32]).unwrap());
    let both: [&dyn Aead; 2] = [&*aws_lc, &ring];
    for length in [65_535, 65_536, 65_537] {
        let text: Vec<u8> = (0..=255).cycle().take(length).collect();
        let [one, other] = both.map(|own| {
            let mut sealed = text.clone();
            let tag = own.seal([1; 12], b"beside", &mut sealed).unwrap();
            sealed.extend_from_slice(&tag);
            sealed
        });
        assert!(one == other, "{length}");
        for own in both {
            let mut apart = vec![0; length];
            assert!(own.open_apart([1; 12], b"beside", &one, &mut apart) && apart == text);
            let mut place = one.clone();
            assert!(own.open([1; 12], b"beside", &mut place) == Some(text.as_slice()));
        }
    }
}
