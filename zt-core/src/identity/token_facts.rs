//! What a token says beside who calls: which application asked for it, how strongly the person signed in, when it ends.

use std::fmt;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::id::Guid;

/// The application that asked for a token (`azp` or `appid`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientApp {
    /// Its client id.
    pub id: Guid,
    /// How it proved to be that application.
    pub auth: ClientAuth,
}

/// How a client authenticated (`azpacr` or `appidacr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientAuth {
    /// It did not: anybody can say to be this client (`0`).
    Public,
    /// With a secret (`1`).
    Secret,
    /// With a certificate, a federated credential or a managed identity (`2`).
    Certificate,
    /// The token does not say, or says something new.
    Unknown,
}

/// How strongly a person proved to be themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthStrength {
    /// Whether with a second factor.
    pub mfa: Mfa,
}

/// Whether a second factor was used (`amr`, which only v1.0 tokens carry by default).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mfa {
    /// The token says so.
    Yes,
    /// The token lists the methods, and a second factor is not among them.
    No,
    /// The token does not say. It never satisfies a demand for MFA.
    Unknown,
}

/// About the verified token: for audit, expiry and revocation.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// The token's own id (`uti`), if it has one.
    pub uti: Option<Box<str>>,
    /// Issued at.
    pub iat: Timestamp,
    /// Not valid before.
    pub nbf: Timestamp,
    /// Not valid from then on.
    pub exp: Timestamp,
    /// Format.
    pub ver: TokenVersion,
    /// The key that signed it.
    pub kid: Arc<str>,
}

impl fmt::Debug for TokenInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenInfo")
            .field("uti", &self.uti)
            .field("exp", &self.exp)
            .field("ver", &self.ver)
            .finish_non_exhaustive()
    }
}

/// Entra's two formats of access tokens; the application's manifest chooses (`requestedAccessTokenVersion`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenVersion {
    /// `ver` is `1.0`.
    V1,
    /// `ver` is `2.0`.
    V2,
}

impl TokenVersion {
    /// As `ver` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }
}
