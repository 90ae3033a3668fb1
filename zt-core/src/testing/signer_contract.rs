//! The contract of [`CheckpointSigner`], which every audit key keeps: ours and yours.
//!
//! Give [`run`] a signer; it panics where the contract is broken and never prints a key. Where the key can be rotated and
//! switched off, the two other checks take functions that do so.
#![expect(
    clippy::panic,
    reason = "a contract suite speaks by panicking, like any test"
)]

use crate::audit::{CheckpointSigner, PublicKey};

/// Every part of the contract that needs no change of the key, one after the other.
///
/// # Panics
/// Where the signer breaks the contract.
pub fn run(signer: &dyn CheckpointSigner) {
    a_signature_verifies(signer);
    nothing_else_verifies(signer);
}

/// What is signed verifies by the public part that is told, the empty message and a long one too.
///
/// # Panics
/// Where the signer breaks the contract.
pub fn a_signature_verifies(signer: &dyn CheckpointSigner) {
    let public = public(signer);
    for message in [&b"a checkpoint"[..], b"", &[7; 5000]] {
        let signature = sign(signer, message);
        assert!(public.verifies_es256(message, &signature));
    }
}

/// No other message and no changed signature verifies.
///
/// # Panics
/// Where the signer breaks the contract.
pub fn nothing_else_verifies(signer: &dyn CheckpointSigner) {
    let public = public(signer);
    let signature = sign(signer, b"a checkpoint");
    assert!(!public.verifies_es256(b"another", &signature));
    for at in 0..signature.len() {
        let mut changed = signature;
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 1;
        }
        assert!(!public.verifies_es256(b"a checkpoint", &changed));
    }
}

/// After `rotate` made a newer key, what signs is the key whose public part was told last: old signatures verify by the old
/// one, and none by the other.
///
/// # Panics
/// Where the signer breaks the contract.
pub fn what_signs_is_what_was_told(signer: &dyn CheckpointSigner, rotate: impl FnOnce()) {
    let old = public(signer);
    let first = sign(signer, b"a checkpoint");
    rotate();
    assert!(old.verifies_es256(b"more", &sign(signer, b"more")));
    let new = public(signer);
    assert_ne!(old, new, "the newest key is not told");
    let second = sign(signer, b"a checkpoint");
    assert!(old.verifies_es256(b"a checkpoint", &first));
    assert!(new.verifies_es256(b"a checkpoint", &second));
    assert!(!old.verifies_es256(b"a checkpoint", &second));
    assert!(!new.verifies_es256(b"a checkpoint", &first));
}

/// After `disable` switched the key off, it signs nothing.
///
/// # Panics
/// Where the signer breaks the contract.
pub fn what_is_switched_off_signs_nothing(signer: &dyn CheckpointSigner, disable: impl FnOnce()) {
    let _it_signs_before = sign(signer, b"a checkpoint");
    disable();
    assert!(signer.sign(b"a checkpoint").is_err());
}

fn public(signer: &dyn CheckpointSigner) -> PublicKey {
    match signer.public_key() {
        Ok(key) => key,
        Err(why) => panic!("{signer:?} has no public part: {why}"),
    }
}

fn sign(signer: &dyn CheckpointSigner, message: &[u8]) -> [u8; 64] {
    match signer.sign(message) {
        Ok(signature) => signature,
        Err(why) => panic!("{signer:?} does not sign: {why}"),
    }
}
