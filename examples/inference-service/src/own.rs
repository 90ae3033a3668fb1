//! The service's own identity: what it reads and seals with, whoever calls.
//!
//! In: a file with a token, as an orchestrator renews it, or nothing. Out: a session of the service, in its job and stage.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use zeroize::Zeroizing;
use zt_core::clock::{Clock, Timestamp};
use zt_core::identity::{AccessToken, CredentialError, TokenCredential};
use zt_core::port::BoxFuture;
use zt_core::{Error, ErrorKind, Result, Runtime, Session};

/// A session is given up so long before its token ends.
const AHEAD: Duration = Duration::from_secs(60);

/// Who the service is and what it says it does. One session serves many requests, so that a secret that is read again and
/// again is released once and then counted.
#[derive(Debug)]
pub(crate) struct Own {
    zt: Runtime,
    clock: Arc<dyn Clock>,
    job: u32,
    stage: u32,
    kept: Mutex<Option<Session>>,
}

impl Own {
    pub(crate) fn new(zt: Runtime, clock: Arc<dyn Clock>, job: u32, stage: u32) -> Self {
        Self {
            zt,
            clock,
            job,
            stage,
            kept: Mutex::default(),
        }
    }

    /// # Errors
    /// As [`Runtime::workload`].
    pub(crate) async fn session(&self) -> Result<Session> {
        let kept = self.kept().clone();
        if let Some(session) = kept.filter(|session| self.lasts(session)) {
            return Ok(session);
        }
        let session = self.zt.workload().await?.claiming(self.job, self.stage);
        *self.kept() = Some(session.clone());
        Ok(session)
    }

    /// Signs in anew for the next request where an error says that the session proves nothing any more.
    pub(crate) fn heed(&self, error: &Error) {
        if matches!(error.kind(), ErrorKind::Unauthenticated) {
            *self.kept() = None;
        }
    }

    fn lasts(&self, session: &Session) -> bool {
        let soon = self.clock.now().after(AHEAD);
        session.caller().expires_at().is_none_or(|end| soon < end)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Session>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token in a file. It is verified like anyone's; only its end is read here.
pub(crate) struct TokenFile(PathBuf);

impl TokenFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    fn read(&self) -> Result<AccessToken, CredentialError> {
        let not_set_up = |reason: String| CredentialError::NotSetUp {
            credential: self.name().to_owned(),
            reason,
        };
        let text = std::fs::read_to_string(&self.0)
            .map_err(|why| not_set_up(format!("`{}`: {why}", self.0.display())))?;
        let text = Zeroizing::new(text);
        let token = Zeroizing::new(text.trim().to_owned());
        let end = end_of(&token)
            .ok_or_else(|| not_set_up(format!("`{}` holds no token", self.0.display())))?;
        Ok(AccessToken::new(token, end))
    }
}

impl TokenCredential for TokenFile {
    fn get_token<'a>(
        &'a self,
        _scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { self.read() })
    }

    fn name(&self) -> &str {
        "the service's token file"
    }
}

impl fmt::Debug for TokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenFile").field(&self.0).finish()
    }
}

/// The claim `exp`.
fn end_of(token: &str) -> Option<Timestamp> {
    let payload = token.split('.').nth(1)?;
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload).ok()?);
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get("exp")?.as_i64().map(Timestamp::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_token_is_read_and_what_is_none_has_none() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":1790000000}"#);
        let end = end_of(&format!("e30.{payload}.c2ln")).unwrap();
        assert_eq!(end, Timestamp::from_secs(1_790_000_000));
        for text in ["", "a.b.c", "e30.e30.e30", "no token"] {
            assert!(end_of(text).is_none(), "{text}");
        }
    }
}
