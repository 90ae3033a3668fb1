//! Why a grant is not good for what it is presented for.

use crate::clock::Timestamp;
use crate::error::{Code, Error};

/// Why a grant is not good for what it is presented for. No message repeats the grant's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The text is no grant, or not the one spelling of it.
    #[error("the text is not a grant: {0}")]
    Malformed(&'static str),
    /// It was signed by a key that nobody here trusts.
    #[error("the grant is signed by the key `{key}`, which is not trusted here")]
    #[non_exhaustive]
    UnknownKey {
        /// The name of the key.
        key: String,
    },
    /// The signature is not that of the claims.
    #[error("the grant is forged: its signature does not fit its claims")]
    Forged,
    /// It is not valid yet.
    #[error("the grant is not valid before {from}")]
    #[non_exhaustive]
    NotYetValid {
        /// From when on it is.
        from: Timestamp,
    },
    /// It is over.
    #[error("the grant expired at {until}")]
    #[non_exhaustive]
    Expired {
        /// When it ended.
        until: Timestamp,
    },
    /// It says something about somebody else.
    #[error("the grant is for `{subject}`, not for `{caller}`")]
    #[non_exhaustive]
    WrongSubject {
        /// Whom it is for.
        subject: String,
        /// Who presented it.
        caller: String,
    },
    /// It counts for runtimes of another application.
    #[error("the grant is for runtimes of the application `{audience}`, not of `{own}`")]
    #[non_exhaustive]
    WrongAudience {
        /// Of which.
        audience: String,
        /// Which this one is of.
        own: String,
    },
    /// A principal vouched for itself.
    #[error("`{issuer}` issued the grant to itself: that proves nothing")]
    #[non_exhaustive]
    OwnWord {
        /// Who.
        issuer: String,
    },
    /// A grant for executors where one for a stage is needed, or the other way round.
    #[error("the grant is for {found}, and one for {needed} is needed")]
    #[non_exhaustive]
    WrongKind {
        /// What it is for.
        found: &'static str,
        /// What is needed.
        needed: &'static str,
    },
    /// It does not cover what is asked.
    #[error("the grant does not cover `{action}` on `{resource}`; it covers {covers}")]
    #[non_exhaustive]
    OutOfScope {
        /// What was asked.
        action: String,
        /// On what.
        resource: String,
        /// What it does cover.
        covers: String,
    },
    /// It does not cover a column.
    #[error("the grant does not cover the column `{column}`; it covers {covers}")]
    #[non_exhaustive]
    ColumnOutOfScope {
        /// Which.
        column: String,
        /// Those that it does cover.
        covers: String,
    },
}

impl GrantError {
    /// The reason in words of ours alone where the claims are anybody's: what no trusted key signed is not repeated.
    pub(crate) fn unsigned(&self) -> Option<&'static str> {
        match self {
            Self::UnknownKey { .. } => {
                Some("the grant is signed by a key that is not trusted here")
            }
            Self::Forged => Some("the grant is forged"),
            Self::Malformed(why) => Some(why),
            Self::NotYetValid { .. }
            | Self::Expired { .. }
            | Self::WrongSubject { .. }
            | Self::WrongAudience { .. }
            | Self::OwnWord { .. }
            | Self::WrongKind { .. }
            | Self::OutOfScope { .. }
            | Self::ColumnOutOfScope { .. } => None,
        }
    }

    const fn code(&self) -> Code {
        match self {
            Self::Malformed(_)
            | Self::UnknownKey { .. }
            | Self::Forged
            | Self::OwnWord { .. }
            | Self::WrongAudience { .. }
            | Self::WrongKind { .. } => Code::InvalidGrant,
            Self::WrongSubject { .. } => Code::GrantOfAnother,
            Self::NotYetValid { .. } => Code::GrantNotYetValid,
            Self::Expired { .. } => Code::GrantExpired,
            Self::OutOfScope { .. } | Self::ColumnOutOfScope { .. } => Code::OutOfGrant,
        }
    }

    const fn help(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Forged => "pass the text on as it was issued",
            Self::UnknownKey { .. } => {
                "name the issuer's public key in `identity.grant_keys`, for executors in `ZT_EXECUTOR_GRANT_KEYS`"
            }
            Self::NotYetValid { .. } => "the clocks of the two machines differ",
            Self::Expired { .. } => "issue a new one; a grant lasts an hour at most",
            Self::WrongSubject { .. } => "have one issued for this caller",
            Self::WrongAudience { .. } => {
                "who issues it and who takes it name the same application in `identity.audience`"
            }
            Self::OwnWord { .. } => "the orchestrator of the job vouches for its stages",
            Self::WrongKind { .. } => "`for_stage` and `for_executors` make the two kinds",
            Self::OutOfScope { .. } | Self::ColumnOutOfScope { .. } => {
                "name it when the grant is issued"
            }
        }
    }
}

impl From<GrantError> for Error {
    fn from(why: GrantError) -> Self {
        Self::new(why.code(), why.to_string())
            .with_help(why.help())
            .with_source(why)
    }
}
