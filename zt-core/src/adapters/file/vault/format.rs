//! The bytes of a vault file.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 11 | `zt-vault-1` and a line feed |
//! | 11 | 1 | where the master key comes from: 0 a key file, 1 a passphrase by Argon2id version 0x13 (RFC 9106) |
//! | 12 | 3 × 4 | Argon2id memory in KiB, passes, lanes; big-endian; 0 for a key file |
//! | 24 | 16 | salt, chosen when the file is made |
//! | 40 | 32 | key check |
//! | 72 | 12 | nonce, new at every write |
//! | 84 | n + 16 | AES-256-GCM ciphertext of the entries (JSON) and its tag; associated data: bytes 0 to 83 |
//!
//! HKDF-SHA-256 (RFC 5869) with the salt derives two keys from the master key: the encryption key (info
//! `zt-vault-1 body`) and the key check (info `zt-vault-1 check`). The check commits the file to one key, which GCM alone
//! does not, and tells a wrong key from a damaged body. A random nonce per write is safe for 2^32 writes of one file
//! (NIST SP 800-38D section 8.3).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, hkdf, rand};
use zeroize::{Zeroize, Zeroizing};

use crate::secrets::VaultError;

/// A master key, before HKDF.
pub(super) type MasterKey = Zeroizing<[u8; 32]>;
pub(super) type Salt = [u8; 16];

const FAMILY: &[u8] = b"zt-vault-";
const MAGIC: &[u8; 11] = b"zt-vault-1\n";
const HEADER_LEN: usize = 84;
const TAG_LEN: usize = 16;

/// Where a master key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kdf {
    KeyFile,
    Argon2id {
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
}

impl Kdf {
    /// For new files: OWASP's first recommendation ("Password Storage Cheat Sheet", Argon2id: 19 MiB, 2 passes, 1 lane) with
    /// three passes, about 50 ms once per process.
    pub(super) const PASSPHRASE: Self = Self::Argon2id {
        memory_kib: 19 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// Below, a passphrase is guessed too fast; above, a hostile file could eat the machine.
    const fn is_within_bounds(self) -> bool {
        match self {
            Self::KeyFile => true,
            Self::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => {
                19 * 1024 <= memory_kib
                    && memory_kib <= 256 * 1024
                    && 2 <= passes
                    && passes <= 10
                    && 1 <= lanes
                    && lanes <= 4
            }
        }
    }
}

/// The part of a file that says which key it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kdf: Kdf,
    pub(super) salt: Salt,
    check: [u8; 32],
    nonce: [u8; 12],
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it is too short to be a vault file")]
    TooShort,
    #[error("it is not a vault file, its first bytes are wrong")]
    Magic,
    #[error("its format has a version that this zt does not know")]
    Version,
    #[error("its key derivation is unknown")]
    Kdf,
    #[error("the parameters of its key derivation are out of bounds")]
    KdfBounds,
    #[error("the key is not the one it was written with, or its header is damaged")]
    Key,
    #[error("its body is damaged, or was changed by somebody without the key")]
    Body,
    #[error("its entries cannot be read or written")]
    Entries,
    #[error("the cryptographic library refused to work")]
    Crypto,
}

impl Flaw {
    pub(super) fn at(self, at: &str) -> VaultError {
        let reason = self.to_string();
        match self {
            Self::Key => VaultError::WrongKey {
                at: at.into(),
                reason: reason.into(),
            },
            Self::Crypto => VaultError::unavailable(&reason, None),
            Self::TooShort
            | Self::Magic
            | Self::Version
            | Self::Kdf
            | Self::KdfBounds
            | Self::Body
            | Self::Entries => VaultError::integrity(at, &reason),
        }
    }
}

impl Header {
    /// Reads what stands before the body. Tells what is wrong in the order in which a person would look.
    pub(super) fn read(file: &[u8]) -> Result<Self, Flaw> {
        let known = file.len().min(FAMILY.len());
        if file.get(..known) != FAMILY.get(..known) {
            return Err(Flaw::Magic);
        }
        let mut rest = file;
        let magic: [u8; 11] = take(&mut rest)?;
        if magic != *MAGIC {
            return Err(Flaw::Version);
        }
        let [kind] = take(&mut rest)?;
        let memory_kib = u32::from_be_bytes(take(&mut rest)?);
        let passes = u32::from_be_bytes(take(&mut rest)?);
        let lanes = u32::from_be_bytes(take(&mut rest)?);
        let header = Self {
            kdf: match kind {
                0 if (memory_kib, passes, lanes) == (0, 0, 0) => Kdf::KeyFile,
                0 => return Err(Flaw::KdfBounds),
                1 => Kdf::Argon2id {
                    memory_kib,
                    passes,
                    lanes,
                },
                _ => return Err(Flaw::Kdf),
            },
            salt: take(&mut rest)?,
            check: take(&mut rest)?,
            nonce: take(&mut rest)?,
        };
        if rest.len() < TAG_LEN {
            return Err(Flaw::TooShort);
        }
        if !header.kdf.is_within_bounds() {
            return Err(Flaw::KdfBounds);
        }
        Ok(header)
    }

    fn write(&self) -> Vec<u8> {
        let (kind, memory_kib, passes, lanes) = match self.kdf {
            Kdf::KeyFile => (0, 0, 0, 0),
            Kdf::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => (1, memory_kib, passes, lanes),
        };
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        bytes.extend_from_slice(MAGIC);
        bytes.push(kind);
        for number in [memory_kib, passes, lanes] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.check);
        bytes.extend_from_slice(&self.nonce);
        bytes
    }
}

/// The decrypted entries of a file with this header; wiped when dropped.
pub(super) fn open(
    file: &[u8],
    header: &Header,
    key: &MasterKey,
) -> Result<Zeroizing<Vec<u8>>, Flaw> {
    let (cipher, check) = derive(key, &header.salt)?;
    constant_time::verify_slices_are_equal(check.as_slice(), &header.check)
        .map_err(|_| Flaw::Key)?;
    let (associated, body) = file.split_at_checked(HEADER_LEN).ok_or(Flaw::TooShort)?;
    let mut body = Zeroizing::new(body.to_vec());
    let nonce = Nonce::assume_unique_for_key(header.nonce);
    let opened = cipher
        .open_in_place(nonce, Aad::from(associated), &mut body)
        .map_err(|_| Flaw::Body)?
        .len();
    body.truncate(opened);
    Ok(body)
}

/// A whole file around `body`, which is encrypted in place.
pub(super) fn seal(
    kdf: Kdf,
    salt: Salt,
    key: &MasterKey,
    mut body: Zeroizing<Vec<u8>>,
) -> Result<Vec<u8>, Flaw> {
    let (cipher, check) = derive(key, &salt)?;
    let mut nonce = [0; 12];
    rand::fill(&mut nonce).map_err(|_| Flaw::Crypto)?;
    let header = Header {
        kdf,
        salt,
        check: *check,
        nonce,
    };
    let mut file = header.write();
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = cipher
        .seal_in_place_separate_tag(nonce, Aad::from(file.as_slice()), &mut body)
        .map_err(|_| Flaw::Crypto)?;
    file.extend_from_slice(&body);
    file.extend_from_slice(tag.as_ref());
    Ok(file)
}

/// The encryption key and the key check of a master key.
fn derive(key: &MasterKey, salt: &Salt) -> Result<(LessSafeKey, Zeroizing<[u8; 32]>), Flaw> {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(key.as_slice());
    let expand = |info: &[u8]| {
        let mut out = Zeroizing::new([0; 32]);
        prk.expand(&[info], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(out.as_mut_slice()))
            .map(|()| out)
            .map_err(|_| Flaw::Crypto)
    };
    let mut body_key = expand(b"zt-vault-1 body")?;
    let cipher = UnboundKey::new(&AES_256_GCM, body_key.as_slice()).map_err(|_| Flaw::Crypto)?;
    body_key.zeroize();
    Ok((LessSafeKey::new(cipher), expand(b"zt-vault-1 check")?))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Flaw> {
    let (taken, left) = rest.split_first_chunk().ok_or(Flaw::TooShort)?;
    *rest = left;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(fill: u8) -> MasterKey {
        Zeroizing::new([fill; 32])
    }

    fn file() -> Vec<u8> {
        let body = Zeroizing::new(b"zt-needle-body".to_vec());
        seal(Kdf::KeyFile, [9; 16], &key(1), body).unwrap()
    }

    fn read(file: &[u8], key: &MasterKey) -> Result<Zeroizing<Vec<u8>>, Flaw> {
        open(file, &Header::read(file)?, key)
    }

    #[test]
    fn a_file_opens_with_its_own_key_alone() {
        assert!(*read(&file(), &key(1)).unwrap() == b"zt-needle-body");
        assert_eq!(read(&file(), &key(2)).unwrap_err(), Flaw::Key);
    }

    #[test]
    fn the_header_has_the_layout_that_is_documented() {
        let file = file();
        assert_eq!(file.len(), HEADER_LEN + b"zt-needle-body".len() + TAG_LEN);
        assert_eq!(&file[..11], b"zt-vault-1\n");
        assert_eq!(&file[11..24], &[0; 13]);
        assert_eq!(&file[24..40], &[9; 16]);
        assert!(!file.windows(6).any(|part| part == b"needle"));
    }

    #[test]
    fn two_writes_of_the_same_never_look_the_same() {
        assert_ne!(file(), file());
    }

    #[test]
    fn a_file_cut_at_any_byte_says_what_is_wrong() {
        let file = file();
        for len in 0..file.len() {
            let flaw = read(&file[..len], &key(1)).unwrap_err();
            let expected = if len < HEADER_LEN + TAG_LEN {
                Flaw::TooShort
            } else {
                Flaw::Body
            };
            assert_eq!(flaw, expected, "cut at {len}");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_found() {
        let file = file();
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut damaged = file.clone();
                damaged[at] ^= 1 << bit;
                let flaw = read(&damaged, &key(1)).unwrap_err();
                let expected: &[Flaw] = match at {
                    0..9 => &[Flaw::Magic],
                    9..11 => &[Flaw::Version],
                    11 => &[Flaw::Kdf, Flaw::KdfBounds],
                    12..24 => &[Flaw::KdfBounds],
                    24..72 => &[Flaw::Key],
                    _ => &[Flaw::Body],
                };
                assert!(expected.contains(&flaw), "bit {bit} of byte {at}: {flaw:?}");
            }
        }
    }

    #[test]
    fn a_file_cannot_ask_for_more_work_than_is_reasonable() {
        let sound = (19 * 1024, 3, 1);
        let hostile = [
            (u32::MAX, 3, 1),
            (256 * 1024 + 1, 3, 1),
            (8, 3, 1),
            (0, 0, 0),
            (sound.0, u32::MAX, 1),
            (sound.0, 1, 1),
            (sound.0, 3, u32::MAX),
            (sound.0, 3, 0),
        ];
        for (memory_kib, passes, lanes) in hostile {
            let kdf = Kdf::Argon2id {
                memory_kib,
                passes,
                lanes,
            };
            let file = seal(kdf, [0; 16], &key(1), Zeroizing::new(Vec::new())).unwrap();
            assert_eq!(Header::read(&file).unwrap_err(), Flaw::KdfBounds, "{kdf:?}");
        }
    }

    #[test]
    fn text_that_is_no_vault_is_not_taken_for_one() {
        assert_eq!(Header::read(b"").unwrap_err(), Flaw::TooShort);
        assert_eq!(Header::read(b"hello").unwrap_err(), Flaw::Magic);
        assert_eq!(Header::read(&[0; 200]).unwrap_err(), Flaw::Magic);
        let next = b"zt-vault-2\nwhatever comes next";
        assert_eq!(Header::read(next).unwrap_err(), Flaw::Version);
    }
    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(
            known in 0..=84_usize,
            rest in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut bytes = file();
            bytes.truncate(known);
            bytes.extend_from_slice(&rest);
            prop_assert!(read(&bytes, &key(1)).is_err());
        }
    }
}
