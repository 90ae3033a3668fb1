//! One call on its way through the SDK: it judges what comes back, and keeps the answer out of the SDK's hands.
//!
//! It travels in the SDK's context. The SDK gets to see challenges, and of an answer the status alone: it would copy the
//! body twice and wipe neither copy.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::refusal::{MESSAGE_OF_401, is_bad_parameter, refusal};
use crate::network::HttpResponse;
use crate::secrets::{SecretId, VaultError};

/// A call about one secret or key.
#[derive(Debug)]
pub(in crate::adapters::azure) struct Call {
    id: SecretId,
    /// Whether only answers of this machine count.
    on_loopback: bool,
    /// The status of success.
    wanted: u16,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    is_challenged: bool,
    token: Token,
    is_bad_parameter: bool,
    answer: Option<HttpResponse>,
}

/// What became of the token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::adapters::azure) enum Token {
    /// It was not sent, or nobody answered.
    #[default]
    Untried,
    /// The vault knows us.
    Taken,
    /// The vault does not take it.
    Refused,
}

impl Call {
    pub(in crate::adapters::azure) fn new(id: SecretId, on_loopback: bool) -> Self {
        Self {
            id,
            on_loopback,
            wanted: 200,
            seen: Mutex::default(),
        }
    }

    /// The same where success has another status than 200.
    pub(in crate::adapters::azure) const fn wanting(mut self, status: u16) -> Self {
        self.wanted = status;
        self
    }

    /// What the SDK may see of an answer. A refusal is told in our own words, and nothing of its text goes on.
    pub(in crate::adapters::azure) fn judge(
        &self,
        with_token: bool,
        answer: HttpResponse,
    ) -> Result<HttpResponse, VaultError> {
        let at = self.id.vault().as_str();
        let is_here = |peer: std::net::SocketAddr| peer.ip().is_loopback();
        if self.on_loopback && !answer.peer.is_some_and(is_here) {
            let reason = "without a check of its challenge a vault must be an emulator on loopback";
            return Err(VaultError::integrity(at, reason));
        }
        let mut seen = self.lock();
        match (answer.status, with_token) {
            (401, false) if answer.header("www-authenticate").is_some() => {
                seen.is_challenged = true;
                Ok(answer)
            }
            (401, true) => {
                seen.token = Token::Refused;
                Err(VaultError::unauthenticated(MESSAGE_OF_401))
            }
            (status, true) if status == self.wanted => {
                seen.token = Token::Taken;
                seen.answer = Some(answer);
                Ok(HttpResponse::new(status, ""))
            }
            (_, with_token) => {
                if with_token {
                    seen.token = Token::Taken;
                    seen.is_bad_parameter = is_bad_parameter(&answer);
                }
                Err(refusal(&self.id, &answer))
            }
        }
    }

    pub(in crate::adapters::azure) fn was_challenged(&self) -> bool {
        self.lock().is_challenged
    }

    pub(in crate::adapters::azure) fn token(&self) -> Token {
        self.lock().token
    }

    /// Whether the vault said that the bytes which it was given are not what it takes.
    pub(in crate::adapters::azure) fn is_bad_parameter(&self) -> bool {
        self.lock().is_bad_parameter
    }

    /// The answer of success, once.
    pub(in crate::adapters::azure) fn take_answer(&self) -> Option<HttpResponse> {
        self.lock().answer.take()
    }

    /// A panic cannot leave it half changed: every change is one assignment.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
