//! Whether the service can do its work: which of metadata, identity, vault and audit stand.
//!
//! In: what the runtime says of itself, and what came of the service's last look at its own secret. Out: a part each, with the
//! reason of what does not stand. For operators: no caller sees it. Never the value of a secret.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use zt_core::{Code, Error};

use crate::http::set;
use crate::serve::say;
use crate::service::Service;

/// What came of the last look.
#[derive(Debug)]
pub(crate) struct Readiness(Mutex<Seen>);

#[derive(Debug, Clone)]
struct Seen {
    identity: Option<String>,
    vault: Option<String>,
}

impl Default for Readiness {
    fn default() -> Self {
        let not_yet = Some("nobody looked yet".to_owned());
        Self(Mutex::new(Seen {
            identity: not_yet.clone(),
            vault: not_yet,
        }))
    }
}

/// One part: its name, why it does not stand, and what else there is to say.
struct Part(&'static str, Option<String>, Value);

impl Service {
    /// Looks at the service's own identity and secret, as a request would: by its rights, and in the audit log.
    pub(crate) async fn look_at_itself(&self) {
        let seen = match self.own.session().await {
            Err(why) => self.judge(&why, true),
            Ok(own) => match own.secret(&self.options.secret).await {
                Err(why) => self.judge(&why, false),
                Ok(_there) => Some(Seen {
                    identity: None,
                    vault: None,
                }),
            },
        };
        if let Some(seen) = seen {
            self.readiness.note(seen);
        }
    }

    /// What an error says of identity and vault; nothing where it speaks of the tables or the log, which stand for themselves.
    fn judge(&self, why: &Error, is_of_identity: bool) -> Option<Seen> {
        self.own.heed(why);
        let code = why.code();
        if [Code::MetadataStale, Code::AuditUnavailable, Code::Closed].contains(&code) {
            return None;
        }
        let (before, why) = (self.readiness.seen(), Some(why.to_string()));
        Some(match is_of_identity {
            true => Seen {
                identity: why,
                ..before
            },
            false => Seen {
                identity: None,
                vault: why,
            },
        })
    }

    /// The answer of `/readyz`, and whether the service is ready.
    pub(crate) fn ready(&self) -> (bool, Value) {
        let (seen, status) = (self.readiness.seen(), self.zt.status());
        let is_draining = self
            .counters
            .is_draining
            .load(std::sync::atomic::Ordering::Relaxed);
        let of_keys = self
            .zt
            .ready()
            .err()
            .filter(|why| why.code() == Code::KeysUnavailable);
        let of_keys = of_keys.map(|why| why.message().to_owned());
        let audit = match status.audit.is_writable {
            true => None,
            false => Some(
                status
                    .audit
                    .last_error
                    .unwrap_or_else(|| "it cannot be written".to_owned()),
            ),
        };
        let parts = [
            self.metadata(),
            Part("identity", of_keys.or(seen.identity), json!({})),
            Part("vault", seen.vault, json!({})),
            Part("audit", audit, json!({ "queued": status.audit.queued })),
        ];
        let is_ready = !is_draining && parts.iter().all(|Part(_, why, _)| why.is_none());
        let mut body = json!({ "ready": is_ready, "draining": is_draining });
        for Part(name, why, mut told) in parts {
            set(&mut told, "ready", why.is_none());
            if let Some(why) = why {
                set(&mut told, "reason", why);
            }
            set(&mut body, name, told);
        }
        (is_ready, body)
    }

    /// Tables that nobody could confirm for too long; beside that, what is tried or kept back, which is no reason to be unready.
    fn metadata(&self) -> Part {
        let age = self.zt.snapshot_age();
        let limit = self.zt.config().max_staleness();
        let is_stale = limit.is_some_and(|limit| age > limit);
        let why =
            is_stale.then(|| format!("the tables were last confirmed {} s ago", age.as_secs()));
        let mut told = json!({
            "version": self.zt.snapshot().version(),
            "confirmed_s": age.as_secs(),
        });
        if let Some(why) = self.changes.last_error() {
            set(&mut told, "last_look", why);
        }
        if let Some(shadow) = self.zt.in_shadow() {
            set(&mut told, "shadow", self.changes.describe(&shadow));
        }
        Part("metadata", why, told)
    }
}

impl Readiness {
    fn seen(&self) -> Seen {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, now: Seen) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, before, after) in [
            ("identity", &seen.identity, &now.identity),
            ("vault", &seen.vault, &now.vault),
        ] {
            if let Some(why) = after.as_ref().filter(|_| before != after) {
                say(&format!("{name} does not stand: {why}"));
            }
        }
        *seen = now;
    }
}
