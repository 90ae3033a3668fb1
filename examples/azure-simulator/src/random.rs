//! Random bytes as text, for ids that must not repeat.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// `N` random bytes. A system without randomness gives zeros: the simulator guards nothing.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let _filled = rand::fill(&mut bytes);
    bytes
}

/// 16 random bytes in base64url: `uti`, `aio`, codes.
pub(crate) fn text() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<16>())
}

/// A number below `limit`, nearly even.
pub(crate) fn below(limit: u32) -> u32 {
    u32::from_le_bytes(bytes()) % limit.max(1)
}

/// 32 random digits in lowercase: versions of secrets.
pub(crate) fn hex() -> String {
    bytes::<16>().iter().map(|b| format!("{b:02x}")).collect()
}

/// A random GUID.
pub(crate) fn guid() -> String {
    let hex = hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-4{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}
