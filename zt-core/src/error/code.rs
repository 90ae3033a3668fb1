//! The stable codes: what they mean, and the HTTP status of each.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $class:ident, $http:literal;)+) => {
        /// A stable code: the number never changes and is never used again. Numbers that end in 900 to 999 belong to the
        /// borders (C, Python), never to the core.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum Code {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Code {
            /// Every code, in order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as it is printed: `ZT-1001`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => concat!("ZT-", stringify!($number)),)+ }
            }

            /// The number alone; the status of the C ABI.
            #[must_use]
            pub const fn number(self) -> i32 {
                match self { $(Self::$name => $number,)+ }
            }

            /// The HTTP status that a service should answer with.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$name => $http,)+ }
            }

            pub(super) const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)+ }
            }
        }
    };
}

codes! {
    /// The policy denies the action.
    Denied = 1001, Denied, 403;
    /// The policy would allow it to a caller who has signed in more strongly: [`Decision::step_up`](crate::policy::Decision::step_up) says how.
    StepUpRequired = 1002, Denied, 401;
    /// The policy allows it, but not like this: more rows than may be shown, or data that must be sealed and is not.
    ObligationUnmet = 1003, Denied, 403;
    /// The grant does not cover it.
    OutOfGrant = 1004, Denied, 403;
    /// The token is not acceptable; the exact reason is in the log only.
    InvalidToken = 2001, Unauthenticated, 401;
    /// The token has expired.
    TokenExpired = 2002, Unauthenticated, 401;
    /// The token is not valid yet.
    TokenNotYetValid = 2003, Unauthenticated, 401;
    /// No token was presented.
    MissingCredentials = 2004, Unauthenticated, 401;
    /// Entra asks the person for another sign-in before it gives a token on their behalf.
    InteractionRequired = 2005, Unauthenticated, 401;
    /// The person did not sign in: declined, too late, or nobody is there to ask.
    SignInFailed = 2006, Unauthenticated, 401;
    /// The grant is malformed, forged, of a key that is not trusted, or of the wrong kind.
    InvalidGrant = 2007, Unauthenticated, 401;
    /// The grant has expired.
    GrantExpired = 2008, Unauthenticated, 401;
    /// The grant is not valid yet.
    GrantNotYetValid = 2009, Unauthenticated, 401;
    /// The grant is for another caller.
    GrantOfAnother = 2010, Unauthenticated, 401;
    /// No such secret, row, job or file.
    NotFound = 3001, NotFound, 404;
    /// The vault cannot be reached or refuses to answer now.
    VaultUnavailable = 4001, Unavailable, 503;
    /// The audit log cannot be written: no audit, no access.
    AuditUnavailable = 4002, Unavailable, 503;
    /// The issuer's signing keys are not known.
    KeysUnavailable = 4003, Unavailable, 503;
    /// The metadata tables were not confirmed within `metadata.max_staleness_s`.
    MetadataStale = 4004, Unavailable, 503;
    /// Alerts cannot be delivered.
    AlertsUnavailable = 4005, Unavailable, 503;
    /// Entra, Microsoft Graph or the metadata endpoint of the machine cannot be reached, or gives no answer now.
    IdentityUnavailable = 4006, Unavailable, 503;
    /// A rule of `Network_Rules`, or the firewall of the vault, refuses the connection.
    NetworkRefused = 4007, Unavailable, 503;
    /// An argument is malformed.
    InvalidArgument = 5001, Invalid, 400;
    /// The metadata tables have errors; [`Error::report`](super::Error::report) lists all of them.
    InvalidMetadata = 5002, Invalid, 500;
    /// The vault file is damaged, or the key is not the one it was written with.
    VaultIntegrity = 6001, Integrity, 500;
    /// The audit log was changed, or is damaged elsewhere than at its end.
    AuditIntegrity = 6002, Integrity, 500;
    /// Sealed data was changed, moved or cut, or is sealed under another key.
    SealIntegrity = 6003, Integrity, 500;
    /// The configuration is wrong.
    Config = 7001, Config, 500;
    /// The process has no identity of its own, or the issuer refuses it.
    NoOwnIdentity = 7002, Config, 500;
    /// The operation was given up before it ended.
    Cancelled = 8001, Cancelled, 499;
    /// The runtime or its audit log has been closed; no later call can succeed.
    Closed = 8002, Cancelled, 503;
    /// A defect of zt.
    Internal = 9001, Internal, 500;
}

/// What a caller can do about a code.
#[derive(Clone, Copy)]
pub(super) enum Class {
    Denied,
    Unauthenticated,
    NotFound,
    Unavailable,
    Invalid,
    Integrity,
    Config,
    Cancelled,
    Internal,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
