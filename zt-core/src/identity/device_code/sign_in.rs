//! A sign-in that waits for its person: asks at the interval that Entra set, until it has an answer or the code expires.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::network::HttpError;

use super::super::credential::AccessToken;
use super::answer::{Granted, Offer, Problem};
use super::{DeviceCode, DeviceCodeError};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What `slow_down` adds for good (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// Failures in a row after which waiting is given up.
const MOST_FAILURES: u32 = 5;
const MOST_PAUSE: Duration = Duration::from_secs(60);

/// A code that a person has to type elsewhere. Dropping it, or the future of [`wait`](Self::wait), gives it up.
pub struct DeviceSignIn {
    asked: DeviceCode,
    device_code: Zeroizing<String>,
    user_code: String,
    verification_uri: String,
    message: String,
    interval: Duration,
    expires_at: Timestamp,
    /// On the monotonic clock.
    ends: Duration,
}

impl DeviceSignIn {
    pub(super) fn new(asked: DeviceCode, offer: Offer) -> Self {
        Self {
            expires_at: asked.clock.now().after(offer.lifetime),
            ends: asked.clock.elapsed().saturating_add(offer.lifetime),
            asked,
            device_code: offer.device_code,
            user_code: offer.user_code,
            verification_uri: offer.verification_uri,
            message: offer.message,
            interval: offer.interval,
        }
    }

    /// What the person types: a few letters and digits.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where: an `https` address.
    #[must_use]
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// A sentence for the person with both, in plain text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Until when.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// How often Entra wants to be asked.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// Waits for the person, at most until the code expires. Needs the timer of a tokio runtime.
    ///
    /// # Errors
    /// The person declined or was too late, Entra refuses, or it could not be reached five times in a row.
    pub async fn wait(self) -> Result<AccessToken, DeviceCodeError> {
        let mut interval = self.interval;
        let mut pause = interval;
        let mut failures = 0;
        loop {
            let left = self.ends.saturating_sub(self.asked.clock.elapsed());
            if left <= pause {
                tokio::time::sleep(left).await;
                return Err(DeviceCodeError::Expired);
            }
            tokio::time::sleep(pause).await;
            match self.poll().await? {
                Polled::Granted(token) => return Ok(token),
                Polled::Pending => failures = 0,
                Polled::SlowDown => {
                    failures = 0;
                    interval = interval.saturating_add(SLOWER);
                }
                Polled::Busy { reason, retry_in } => {
                    failures += 1;
                    if failures == MOST_FAILURES {
                        return Err(DeviceCodeError::Unavailable { reason, retry_in });
                    }
                    // RFC 8628 §3.5: back off exponentially when a connection fails.
                    let longer = interval.saturating_mul(1 << failures).min(MOST_PAUSE);
                    pause = longer.max(retry_in.unwrap_or_default());
                    continue;
                }
            }
            pause = interval;
        }
    }

    async fn poll(&self) -> Result<Polled, DeviceCodeError> {
        let mut form = vec![
            ("grant_type", GRANT),
            ("client_id", self.asked.client_id.as_str()),
            ("device_code", self.device_code.as_str()),
        ];
        form.extend(
            self.asked
                .claims
                .as_deref()
                .map(|claims| ("claims", claims)),
        );
        let request = self.asked.post("token", &form);
        let response = match self.asked.http.send(request).await {
            Ok(response) => response,
            Err(error) if is_passing(&error) => {
                return Ok(Polled::Busy {
                    reason: error.to_string(),
                    retry_in: None,
                });
            }
            Err(error) => return Err(error.into()),
        };
        if response.status == 200 {
            let granted = Granted::read(&response.body)?;
            let expires_at = self.asked.clock.now().after(granted.lifetime);
            return Ok(Polled::Granted(AccessToken::new(granted.token, expires_at)));
        }
        match Problem::read(&response) {
            Problem::Pending => Ok(Polled::Pending),
            Problem::SlowDown => Ok(Polled::SlowDown),
            Problem::Busy { reason, retry_in } => Ok(Polled::Busy { reason, retry_in }),
            Problem::Final(error) => Err(error),
        }
    }
}

impl fmt::Debug for DeviceSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who has the user code can only give access away, not take it; the device code is the secret.
        f.debug_struct("DeviceSignIn")
            .field("user_code", &self.user_code)
            .field("verification_uri", &self.verification_uri)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

enum Polled {
    Granted(AccessToken),
    Pending,
    SlowDown,
    Busy {
        reason: String,
        retry_in: Option<Duration>,
    },
}

/// Whether asking again can help: a guard's refusal or a wrong certificate stays what it is.
const fn is_passing(error: &HttpError) -> bool {
    match error {
        HttpError::Resolve { .. }
        | HttpError::Connect { .. }
        | HttpError::Timeout { .. }
        | HttpError::Broken { .. } => true,
        HttpError::Refused { .. }
        | HttpError::Tls { .. }
        | HttpError::TooLong { .. }
        | HttpError::Malformed { .. } => false,
    }
}
