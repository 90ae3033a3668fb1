//! The numbers that functions answer with: those of [`zt_core::Code`], and the border's own above x900.
//!
//! They are written out because the header generator reads text; a test holds them against `Code::ALL`.

/// What a function answers: 0, or a number that never changes its meaning. A program must expect numbers that it does
/// not know: the thousands tell the kind (1 denied, 2 unauthenticated, 3 not found, 4 unavailable, 5 invalid,
/// 6 integrity, 7 configuration, 8 cancelled, 9 a defect of zt).
pub type zt_status = i32;

/// Done.
pub const ZT_STATUS_OK: zt_status = 0;
/// The policy denies the action.
pub const ZT_STATUS_DENIED: zt_status = 1001;
/// The policy would allow it to a caller who has signed in more strongly: zt_decision_step_up says how.
pub const ZT_STATUS_STEP_UP_REQUIRED: zt_status = 1002;
/// The policy allows it, but not like this: more rows than may be shown, or data that must be sealed and is not.
pub const ZT_STATUS_OBLIGATION_UNMET: zt_status = 1003;
/// The grant does not cover it.
pub const ZT_STATUS_OUT_OF_GRANT: zt_status = 1004;
/// The token is not acceptable; the exact reason is for the log of this process only.
pub const ZT_STATUS_INVALID_TOKEN: zt_status = 2001;
/// The token has expired: authenticate again with a new one.
pub const ZT_STATUS_TOKEN_EXPIRED: zt_status = 2002;
/// The token is not valid yet.
pub const ZT_STATUS_TOKEN_NOT_YET_VALID: zt_status = 2003;
/// No token was presented.
pub const ZT_STATUS_MISSING_CREDENTIALS: zt_status = 2004;
/// Entra asks the person for another sign-in before it gives a token on their behalf.
pub const ZT_STATUS_INTERACTION_REQUIRED: zt_status = 2005;
/// The person did not sign in: declined, too late, or nobody is there to ask.
pub const ZT_STATUS_SIGN_IN_FAILED: zt_status = 2006;
/// The grant is malformed, forged, of a key that is not trusted, or of the wrong kind.
pub const ZT_STATUS_INVALID_GRANT: zt_status = 2007;
/// The grant has expired.
pub const ZT_STATUS_GRANT_EXPIRED: zt_status = 2008;
/// The grant is not valid yet.
pub const ZT_STATUS_GRANT_NOT_YET_VALID: zt_status = 2009;
/// The grant is for another caller.
pub const ZT_STATUS_GRANT_OF_ANOTHER: zt_status = 2010;
/// No such secret, row, job or file.
pub const ZT_STATUS_NOT_FOUND: zt_status = 3001;
/// The vault cannot be reached or refuses to answer now.
pub const ZT_STATUS_VAULT_UNAVAILABLE: zt_status = 4001;
/// The audit log cannot be written: no audit, no access.
pub const ZT_STATUS_AUDIT_UNAVAILABLE: zt_status = 4002;
/// The issuer's signing keys are not known.
pub const ZT_STATUS_KEYS_UNAVAILABLE: zt_status = 4003;
/// The metadata tables were not confirmed within metadata.max_staleness_s.
pub const ZT_STATUS_METADATA_STALE: zt_status = 4004;
/// Alerts cannot be delivered.
pub const ZT_STATUS_ALERTS_UNAVAILABLE: zt_status = 4005;
/// Entra, Microsoft Graph or the metadata endpoint of the machine gives no answer now.
pub const ZT_STATUS_IDENTITY_UNAVAILABLE: zt_status = 4006;
/// A rule of Network_Rules, or the firewall of the vault, refuses the connection.
pub const ZT_STATUS_NETWORK_REFUSED: zt_status = 4007;
/// The operation has not ended yet: wait for it again.
pub const ZT_STATUS_PENDING: zt_status = 4901;
/// An argument is malformed, NULL where it must not be, or not UTF-8.
pub const ZT_STATUS_INVALID_ARGUMENT: zt_status = 5001;
/// The metadata tables have errors; zt_error_report lists all of them.
pub const ZT_STATUS_INVALID_METADATA: zt_status = 5002;
/// The buffer is too small: nothing was written to it, the needed length is told.
pub const ZT_STATUS_BUFFER_TOO_SMALL: zt_status = 5901;
/// A callback of the program gave up, or answered what it must not; the error's message has its answer.
pub const ZT_STATUS_CALLBACK_FAILED: zt_status = 5902;
/// The vault file is damaged, or the key is not the one it was written with.
pub const ZT_STATUS_VAULT_INTEGRITY: zt_status = 6001;
/// The audit log was changed, or is damaged elsewhere than at its end.
pub const ZT_STATUS_AUDIT_INTEGRITY: zt_status = 6002;
/// Sealed data was changed, moved or cut, or is sealed under another key.
pub const ZT_STATUS_SEAL_INTEGRITY: zt_status = 6003;
/// The configuration is wrong.
pub const ZT_STATUS_CONFIG: zt_status = 7001;
/// The process has no identity of its own, or the issuer refuses it.
pub const ZT_STATUS_NO_OWN_IDENTITY: zt_status = 7002;
/// The operation was given up before it ended.
pub const ZT_STATUS_CANCELLED: zt_status = 8001;
/// The runtime has been closed; no later call can succeed.
pub const ZT_STATUS_CLOSED: zt_status = 8002;
/// A defect of zt.
pub const ZT_STATUS_INTERNAL: zt_status = 9001;
/// A defect of zt: a panic, stopped at the border. Handles stay usable.
pub const ZT_STATUS_PANIC: zt_status = 9901;

#[cfg(test)]
mod tests {
    use super::*;
    use zt_core::Code;

    #[test]
    fn every_code_of_the_core_has_its_status() {
        let statuses = [
            (Code::Denied, ZT_STATUS_DENIED),
            (Code::StepUpRequired, ZT_STATUS_STEP_UP_REQUIRED),
            (Code::ObligationUnmet, ZT_STATUS_OBLIGATION_UNMET),
            (Code::OutOfGrant, ZT_STATUS_OUT_OF_GRANT),
            (Code::InvalidToken, ZT_STATUS_INVALID_TOKEN),
            (Code::TokenExpired, ZT_STATUS_TOKEN_EXPIRED),
            (Code::TokenNotYetValid, ZT_STATUS_TOKEN_NOT_YET_VALID),
            (Code::MissingCredentials, ZT_STATUS_MISSING_CREDENTIALS),
            (Code::InteractionRequired, ZT_STATUS_INTERACTION_REQUIRED),
            (Code::SignInFailed, ZT_STATUS_SIGN_IN_FAILED),
            (Code::InvalidGrant, ZT_STATUS_INVALID_GRANT),
            (Code::GrantExpired, ZT_STATUS_GRANT_EXPIRED),
            (Code::GrantNotYetValid, ZT_STATUS_GRANT_NOT_YET_VALID),
            (Code::GrantOfAnother, ZT_STATUS_GRANT_OF_ANOTHER),
            (Code::NotFound, ZT_STATUS_NOT_FOUND),
            (Code::VaultUnavailable, ZT_STATUS_VAULT_UNAVAILABLE),
            (Code::AuditUnavailable, ZT_STATUS_AUDIT_UNAVAILABLE),
            (Code::KeysUnavailable, ZT_STATUS_KEYS_UNAVAILABLE),
            (Code::MetadataStale, ZT_STATUS_METADATA_STALE),
            (Code::AlertsUnavailable, ZT_STATUS_ALERTS_UNAVAILABLE),
            (Code::IdentityUnavailable, ZT_STATUS_IDENTITY_UNAVAILABLE),
            (Code::NetworkRefused, ZT_STATUS_NETWORK_REFUSED),
            (Code::InvalidArgument, ZT_STATUS_INVALID_ARGUMENT),
            (Code::InvalidMetadata, ZT_STATUS_INVALID_METADATA),
            (Code::VaultIntegrity, ZT_STATUS_VAULT_INTEGRITY),
            (Code::AuditIntegrity, ZT_STATUS_AUDIT_INTEGRITY),
            (Code::SealIntegrity, ZT_STATUS_SEAL_INTEGRITY),
            (Code::Config, ZT_STATUS_CONFIG),
            (Code::NoOwnIdentity, ZT_STATUS_NO_OWN_IDENTITY),
            (Code::Cancelled, ZT_STATUS_CANCELLED),
            (Code::Closed, ZT_STATUS_CLOSED),
            (Code::Internal, ZT_STATUS_INTERNAL),
        ];
        let codes: Vec<Code> = statuses.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, Code::ALL, "a new code needs its status here");
        for (code, status) in statuses {
            assert_eq!(code.number(), status);
        }
    }

    #[test]
    fn the_borders_own_numbers_are_no_code_of_the_core() {
        for own in [
            ZT_STATUS_OK,
            ZT_STATUS_PENDING,
            ZT_STATUS_BUFFER_TOO_SMALL,
            ZT_STATUS_CALLBACK_FAILED,
            ZT_STATUS_PANIC,
        ] {
            assert!(Code::ALL.iter().all(|code| code.number() != own));
        }
    }
}
