//! The one error of zt: what happened, where, and what to do, never a secret inside.
//!
//! In: a module's own `thiserror` enum, folded by `From`. Out: [`Error`], one word wide, whose [`kind`](Error::kind) a
//! caller can act on and whose [`code`](Error::code) never changes. The same codes serve Rust, Python, C and the log.
//! A remote caller may see [`public_message`](Error::public_message) and [`http_status`](Error::http_status), nothing else.

mod code;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::identity::Challenge;
use crate::metadata::Report;
use crate::policy::{Decision, DecisionId};

use code::Class;
pub use code::Code;

/// A `Result` with zt's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any failure of zt. One word wide; the detail is behind a pointer.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: String,
    help: Option<String>,
    retry_in: Option<Duration>,
    decision: Option<Decision>,
    report: Option<Report>,
    challenge: Option<Challenge>,
    recorded_as: Option<DecisionId>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a caller can do about an [`Error`]. Exhaustive on purpose: a new kind must stop the build where it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers match on it to act; a new kind is a breaking change"
)]
pub enum ErrorKind {
    /// The policy says no. [`Error::decision`] has the decision.
    Denied,
    /// The presented token does not prove who is calling.
    Unauthenticated,
    /// The thing named does not exist.
    NotFound,
    /// A dependency is down; the same call may succeed later.
    Unavailable {
        /// When to try again, if that is known.
        retry_in: Option<Duration>,
    },
    /// The arguments or the metadata tables are malformed.
    Invalid,
    /// Stored or received bytes are not what was written: damage or tampering.
    Integrity,
    /// The configuration is wrong.
    Config,
    /// The operation was given up before it ended.
    Cancelled,
    /// A defect of zt itself.
    Internal,
}

impl Error {
    /// An error with a code and a message. The message is lowercase, has no final period, puts user's text in backticks
    /// and never holds a secret, a token or a key.
    #[cold]
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            help: None,
            retry_in: None,
            decision: None,
            report: None,
            challenge: None,
            recorded_as: None,
            source: None,
        }))
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn with_retry_in(mut self, retry_in: Duration) -> Self {
        self.0.retry_in = Some(retry_in);
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_decision(mut self, decision: Decision) -> Self {
        self.0.decision = Some(decision);
        self
    }

    pub(crate) fn with_report(mut self, report: Report) -> Self {
        self.0.report = Some(report);
        self
    }

    pub(crate) fn recorded_as(mut self, id: DecisionId) -> Self {
        self.0.recorded_as = Some(id);
        self
    }

    pub(crate) fn with_challenge(mut self, challenge: Challenge) -> Self {
        self.0.challenge = Some(challenge);
        self
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self.0.code.class() {
            Class::Denied => ErrorKind::Denied,
            Class::Unauthenticated => ErrorKind::Unauthenticated,
            Class::NotFound => ErrorKind::NotFound,
            Class::Unavailable => ErrorKind::Unavailable {
                retry_in: self.0.retry_in,
            },
            Class::Invalid => ErrorKind::Invalid,
            Class::Integrity => ErrorKind::Integrity,
            Class::Config => ErrorKind::Config,
            Class::Cancelled => ErrorKind::Cancelled,
            Class::Internal => ErrorKind::Internal,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What happened and where, without the code and the help.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, if zt knows.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The decision behind a [`ErrorKind::Denied`].
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        self.0.decision.as_ref()
    }

    /// The id under which the audit log holds the exact reason: of the decision, or of a token that was refused. A remote caller
    /// may see it and tell it to whoever reads the log. None for what is not recorded one by one, such as a flood of refusals.
    #[must_use]
    pub fn decision_id(&self) -> Option<DecisionId> {
        let decided = self.decision().map(Decision::id);
        decided.or(self.0.recorded_as)
    }

    /// Every problem of the tables, behind a [`Code::InvalidMetadata`].
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.0.report.as_ref()
    }

    /// Whether the policy said no.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.kind(), ErrorKind::Denied)
    }

    /// Whether the same call may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable { .. })
    }

    /// The HTTP status that a service should answer its remote caller with. A stronger sign-in is asked for (401) only where
    /// [`challenge`](Self::challenge) can say how; to other clients it is a plain refusal (403).
    #[must_use]
    pub fn http_status(&self) -> u16 {
        if self.0.code == Code::StepUpRequired && self.challenge().is_none() {
            return 403;
        }
        self.0.code.http_status()
    }

    /// What belongs into the header `WWW-Authenticate` of that answer; none where the status needs none, and for a caller whose
    /// client does not understand a claims challenge.
    #[must_use]
    pub fn challenge(&self) -> Option<Challenge> {
        if let Some(own) = &self.0.challenge {
            return Some(own.clone());
        }
        let code = self.0.code;
        if code == Code::MissingCredentials {
            return Some(Challenge::token());
        }
        let is_of_token = matches!(
            code,
            Code::InvalidToken | Code::TokenExpired | Code::TokenNotYetValid
        );
        is_of_token.then(Challenge::invalid_token)
    }

    /// How long the remote caller should wait before the next try: the header `Retry-After`, in whole seconds.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        let retry_in = self.0.retry_in?;
        Some(retry_in.as_secs() + u64::from(retry_in.subsec_nanos() > 0))
    }

    /// The text that a remote caller may see: it helps to act and tells an attacker nothing.
    #[must_use]
    pub fn public_message(&self) -> String {
        let text = match self.0.code {
            Code::TokenExpired => "token_expired",
            Code::TokenNotYetValid => "token_not_yet_valid",
            Code::InvalidToken => "invalid_token",
            Code::MissingCredentials => "missing_credentials",
            Code::InteractionRequired => "interaction_required",
            Code::SignInFailed => "sign_in_failed",
            Code::InvalidGrant | Code::GrantOfAnother => "invalid_grant",
            Code::GrantExpired => "grant_expired",
            Code::GrantNotYetValid => "grant_not_yet_valid",
            Code::Denied | Code::ObligationUnmet | Code::OutOfGrant => {
                return self.decision().map_or_else(
                    || "access denied".to_owned(),
                    |decision| format!("access denied, decision {}", decision.id()),
                );
            }
            // The word of RFC 9470, "OAuth 2.0 Step Up Authentication Challenge Protocol".
            Code::StepUpRequired => "insufficient_user_authentication",
            Code::NotFound => "not found",
            Code::InvalidArgument => "invalid request",
            Code::VaultUnavailable
            | Code::AuditUnavailable
            | Code::KeysUnavailable
            | Code::MetadataStale
            | Code::AlertsUnavailable
            | Code::IdentityUnavailable
            | Code::NetworkRefused => "temporarily unavailable",
            Code::Cancelled => "cancelled",
            Code::Closed => "closed",
            Code::InvalidMetadata
            | Code::VaultIntegrity
            | Code::AuditIntegrity
            | Code::SealIntegrity
            | Code::Config
            | Code::NoOwnIdentity
            | Code::Internal => "internal error",
        };
        text.to_owned()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.0.code, self.0.message)?;
        if let Some(help) = &self.0.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code.as_str())
            .field("message", &self.0.message)
            .field("help", &self.0.help)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn codes_are_distinct_and_print_their_number() {
        let mut numbers: Vec<i32> = Code::ALL.iter().map(|code| code.number()).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(code.as_str(), format!("ZT-{}", code.number()));
        }
    }

    #[test]
    fn a_remote_caller_never_sees_the_reason_of_a_refused_token() {
        let error = Error::new(Code::InvalidToken, "audience is `api://other`");
        assert_eq!(error.public_message(), "invalid_token");
        assert_eq!(error.http_status(), 401);
    }
}
