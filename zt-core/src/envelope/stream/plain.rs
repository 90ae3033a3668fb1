//! The bytes of an opened file.

use std::fmt;
use std::ops::Deref;

use zeroize::Zeroize as _;

/// The bytes of a file in plain, which are overwritten when they are dropped. Its `Debug` says how many they are.
///
/// ```
/// use zt_core::envelope::PlainBytes;
///
/// let plain = PlainBytes::from(b"0.91".to_vec());
/// assert_eq!(&plain[..], b"0.91");
/// assert_eq!(format!("{plain:?}"), "[4 bytes in plain]");
/// ```
#[derive(Clone, Default)]
pub struct PlainBytes(Vec<u8>);

impl PlainBytes {
    pub(super) const fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl From<Vec<u8>> for PlainBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for PlainBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PlainBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes in plain]", self.0.len())
    }
}

impl Drop for PlainBytes {
    fn drop(&mut self) {
        // What is spare is overwritten at once, and not byte by byte.
        self.0.clear();
        self.0.zeroize();
    }
}
