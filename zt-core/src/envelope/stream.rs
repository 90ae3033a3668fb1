//! Files and streams of any length: sealed in segments, each of which is verified before a byte of it is released.
//!
//! In: bytes, the name of the file, a data key. Out: a header ([`FileHeader`]) and segments of 64 KiB by AES-256-GCM, after
//! STREAM ("Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015): the nonce is a prefix of
//! 7 bytes, a counter of 4 and a flag for the last segment, so that cut, moved and added segments are found. Each file has a
//! key of its own, from 32 random bytes and its name. Format: page "Sealed data" of the book.

mod error;
mod files;
mod header;
mod open;
mod plain;
mod seal;
mod segments;
mod whole;

pub use error::FileError;
pub use files::Draft;
pub use header::FileHeader;
pub use plain::PlainBytes;

use super::aead::{Aead, NONCE_LEN, TAG_LEN, gcm};
use super::format::fields;
use super::{Binding, DataKey, SealError};

/// How many bytes of the file one segment holds, as a power of 2: 64 KiB.
const SEGMENT_BITS: u8 = 16;
/// The least and the most that a reader takes: 64 KiB to 1 MiB.
const BITS_TAKEN: std::ops::RangeInclusive<u8> = 16..=20;
/// The bytes of a nonce that say which file it is.
const PREFIX_LEN: usize = 7;

/// From this the keys of the files of one data key are derived.
pub(super) struct FilesKey(DataKey);

impl FilesKey {
    pub(super) fn new(dek: &DataKey, binding: &Binding) -> Result<Self, SealError> {
        let (rule, table) = (binding.rule.as_bytes(), binding.table.as_bytes());
        let derived = dek.derive(&[b"zt1 files", rule, table])?;
        let key = DataKey::copy_of(derived.as_slice()).ok_or(SealError::Crypto)?;
        Ok(Self(key))
    }

    /// What the header carries to prove which key and which header it is.
    fn commitment(&self, header: &[u8], salt: &[u8; 32]) -> Result<[u8; 32], SealError> {
        let derived = self
            .0
            .derive_salted(salt, &[b"zt1 file commitment", header])?;
        Ok(*derived)
    }

    fn file(&self, header: &FileHeader) -> Result<FileKey, SealError> {
        let name = header.name.as_bytes();
        let key = self
            .0
            .derive_salted(&header.salt, &[b"zt1 file key", name])?;
        let nonce = self
            .0
            .derive_salted(&header.salt, &[b"zt1 file nonce", name])?;
        let (prefix, _) = nonce
            .split_first_chunk::<PREFIX_LEN>()
            .ok_or(SealError::Crypto)?;
        Ok(FileKey {
            cipher: gcm(&key)?,
            prefix: *prefix,
            bound_to: fields(&[b"zt1 file", &header.commitment]),
        })
    }
}

/// The key of one file.
struct FileKey {
    cipher: Box<dyn Aead>,
    prefix: [u8; PREFIX_LEN],
    bound_to: Vec<u8>,
}

impl FileKey {
    fn nonce(&self, segment: u32, is_last: bool) -> [u8; NONCE_LEN] {
        let [a, b, c, d, e, f, g] = self.prefix;
        let [w, x, y, z] = segment.to_be_bytes();
        [a, b, c, d, e, f, g, w, x, y, z, u8::from(is_last)]
    }

    /// Seals a segment in its place and gives its tag.
    fn seal(
        &self,
        segment: u32,
        is_last: bool,
        text: &mut [u8],
    ) -> Result<[u8; TAG_LEN], SealError> {
        self.cipher
            .seal(self.nonce(segment, is_last), &self.bound_to, text)
    }

    /// Opens a segment behind what is there; `false` if it was not sealed like this, and then nothing is added.
    fn append(&self, segment: u32, is_last: bool, sealed: &[u8], plain: &mut Vec<u8>) -> bool {
        let start = plain.len();
        plain.extend_from_slice(sealed);
        let place = plain.get_mut(start..).unwrap_or_default();
        let nonce = self.nonce(segment, is_last);
        let opened = self.cipher.open(nonce, &self.bound_to, place);
        let length = opened.map(<[u8]>::len);
        plain.truncate(start + length.unwrap_or_default());
        length.is_some()
    }

    /// Opens a segment into another place, as long as the text; `false` if it was not sealed like this, and then that may hold
    /// anything.
    fn open_apart(&self, segment: u32, is_last: bool, sealed: &[u8], text: &mut [u8]) -> bool {
        let nonce = self.nonce(segment, is_last);
        self.cipher.open_apart(nonce, &self.bound_to, sealed, text)
    }
}
