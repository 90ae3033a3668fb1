//! The certificates that a client must refuse.

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misfit {
    /// It is for another host.
    OtherName,
    /// It has expired.
    Expired,
    /// Nobody knows who signed it.
    UnknownAuthority,
}

impl Misfit {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "other_name" => Self::OtherName,
            "expired" => Self::Expired,
            "unknown_authority" => Self::UnknownAuthority,
            _ => return None,
        })
    }
}
