//! How the path to a server was proven, as the audit record says it.

use std::fmt;

/// What is known of the path on which an answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathProof {
    /// How strong it is.
    pub kind: PathKind,
    /// The private endpoint that the server names: its resource id, or what it wrote in that place.
    pub private_endpoint: Option<String>,
}

/// How strong a proof is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathKind {
    /// The server testifies that we came through a private endpoint, the row's own where the row names one.
    PrivateLink,
    /// The address that answered is inside the ranges of a row; the server says nothing of the path.
    Address,
    /// A public address, as a row or a built-in row expects it; or a vault that says so where a row expects another path.
    Public,
    /// Nothing proves it: the server says nothing, and the row names no addresses.
    Unproven,
}

impl PathKind {
    /// The word of audit records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrivateLink => "private_link",
            Self::Address => "address",
            Self::Public => "public",
            Self::Unproven => "unproven",
        }
    }
}

impl PathProof {
    /// A proof of this strength.
    #[must_use]
    pub const fn new(kind: PathKind) -> Self {
        Self {
            kind,
            private_endpoint: None,
        }
    }

    /// The same with the private endpoint that the server names.
    #[must_use]
    pub fn through(mut self, private_endpoint: impl Into<String>) -> Self {
        self.private_endpoint = Some(private_endpoint.into());
        self
    }
}

impl fmt::Display for PathKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
