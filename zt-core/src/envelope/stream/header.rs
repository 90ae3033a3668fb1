//! What stands before the segments of a sealed file. Nothing in it is secret.
//!
//! `zt1file` and a line feed; the size of a segment as a power of 2, one byte; the key text behind its length, two bytes,
//! big-endian; the name likewise; 32 random bytes; the commitment of 32 bytes, over everything before it.

use std::io::{self, Read};

use aws_lc_rs::rand;

use super::{BITS_TAKEN, FileError, FilesKey, SEGMENT_BITS};
use crate::envelope::key_text::MOST_BYTES_2;
use crate::envelope::keys::is_same;
use crate::envelope::{Binding, Found, SealError, unseal};

const MAGIC: &[u8; 8] = b"zt1file\n";
/// The longest name, in bytes.
const MOST_NAME: usize = 1024;

/// The beginning of a sealed file: what an opener is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHeader {
    pub(super) segment_bits: u8,
    pub(super) key_text: String,
    pub(super) name: String,
    pub(super) salt: [u8; 32],
    pub(super) commitment: [u8; 32],
}

impl FileHeader {
    /// So many bytes a header has at most.
    pub const MOST_BYTES: usize = MAGIC.len() + 1 + 2 + MOST_BYTES_2 + 2 + MOST_NAME + 32 + 32;

    /// Reads the header and leaves the segments.
    ///
    /// # Errors
    /// `Integrity` for what is not a sealed file, `Invalid` for what cannot be read.
    pub fn read(mut from: impl Read) -> Result<Self, FileError> {
        let magic: [u8; 8] = array(&mut from)?;
        if magic != *MAGIC {
            let is_later = magic.starts_with(b"zt") && magic.ends_with(b"file\n");
            let what = "it does not begin with `zt1file`";
            return Err(match is_later {
                true => FileError::Version,
                false => FileError::NotSealed { what },
            });
        }
        let [segment_bits] = array(&mut from)?;
        if !BITS_TAKEN.contains(&segment_bits) {
            return Err(FileError::NotSealed {
                what: "its segments have no size that zt writes",
            });
        }
        let header = Self {
            segment_bits,
            key_text: text(&mut from, MOST_BYTES_2, "its key is no text")?,
            name: text(&mut from, MOST_NAME, "its name is no text")?,
            salt: array(&mut from)?,
            commitment: array(&mut from)?,
        };
        if !is_name(&header.name) {
            return Err(FileError::NotSealed {
                what: "its name is empty or has control characters",
            });
        }
        Ok(header)
    }

    /// The name that the file was sealed as. Nobody has vouched for it before the file is open.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn new(key_text: &str, name: &str, key: &FilesKey) -> crate::error::Result<Self> {
        let mut salt = [0; 32];
        rand::fill(&mut salt).map_err(|_| SealError::Crypto)?;
        Self::with_salt(key_text, name, key, salt)
    }

    /// The same with given random bytes, which must never have been used under this key.
    pub(in crate::envelope) fn with_salt(
        key_text: &str,
        name: &str,
        key: &FilesKey,
        salt: [u8; 32],
    ) -> crate::error::Result<Self> {
        if !is_name(name) {
            return Err(FileError::Name { most: MOST_NAME }.into());
        }
        let mut header = Self {
            segment_bits: SEGMENT_BITS,
            key_text: key_text.to_owned(),
            name: name.to_owned(),
            salt,
            commitment: [0; 32],
        };
        header.commitment = key.commitment(&header.committed(), &header.salt)?;
        Ok(header)
    }

    /// Whether this is what was written, under this key.
    pub(super) fn is_committed(&self, key: &FilesKey) -> Result<bool, SealError> {
        let commitment = key.commitment(&self.committed(), &self.salt)?;
        Ok(is_same(&commitment, &self.commitment))
    }

    /// Everything before the commitment.
    fn committed(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(self.segment_bits);
        for text in [&self.key_text, &self.name] {
            // Both are shorter than 65,536 bytes: they were checked when they were read or made.
            let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&self.salt);
        bytes
    }

    pub(in crate::envelope) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.committed();
        bytes.extend_from_slice(&self.commitment);
        bytes
    }

    /// The data key of the file, bound as it must be.
    pub(crate) fn found(&self, needs: &Binding) -> Result<Found, SealError> {
        unseal::found(&self.key_text, FILE, needs)
    }
}

/// Where rows are counted from 1, a file is this.
const FILE: usize = 0;

fn is_name(name: &str) -> bool {
    (1..=MOST_NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn array<const N: usize>(from: &mut impl Read) -> Result<[u8; N], FileError> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(short)?;
    Ok(bytes)
}

fn text(from: &mut impl Read, most: usize, what: &'static str) -> Result<String, FileError> {
    let length = usize::from(u16::from_be_bytes(array(from)?));
    if length > most {
        return Err(FileError::NotSealed { what });
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).map_err(short)?;
    String::from_utf8(bytes).map_err(|_| FileError::NotSealed { what })
}

fn short(why: io::Error) -> FileError {
    if why.kind() == io::ErrorKind::UnexpectedEof {
        return FileError::NotSealed {
            what: "it ends within its header",
        };
    }
    FileError::Read(why)
}
