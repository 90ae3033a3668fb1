//! What happens to the issuer's keys, in the audit log: which came and went, and since when they cannot be fetched.

use std::sync::{Arc, OnceLock, Weak};

use super::shared::Shared;
use crate::audit::{Durability, Kind, Outcome, Record};
use crate::identity::{KeyEvent, KeyNews, KeyObserver};

/// Writes into the log of a runtime, once there is one.
#[derive(Default)]
pub(super) struct KeyLog(OnceLock<Weak<Shared>>);

impl KeyLog {
    pub(super) fn is_of(&self, shared: &Arc<Shared>) {
        let _is_first = self.0.set(Arc::downgrade(shared));
    }
}

impl KeyObserver for KeyLog {
    fn observe(&self, event: &KeyEvent) {
        let Some(shared) = self.0.get().and_then(Weak::upgrade) else {
            return;
        };
        let outcome = match event.what {
            KeyNews::Changed { .. } | KeyNews::Recovered => Outcome::Ok,
            KeyNews::Failing { .. } => Outcome::Failed,
        };
        let now = shared.clock.now();
        let record = Record::new(Kind::Admin, now, "issuer-keys", "identity", outcome)
            .with_detail("tenant", event.tenant.to_string())
            .with_detail("ver", event.version.as_str());
        let record = match &event.what {
            KeyNews::Changed { added, dropped } => record
                .with_detail("added", added.join(" "))
                .with_detail("dropped", dropped.join(" ")),
            KeyNews::Failing { error } => record.with_detail("reason", error.as_str()),
            KeyNews::Recovered => record.with_detail("reason", "the keys can be fetched again"),
        };
        // Nobody waits for an answer here; a log that cannot be written refuses the next decision by itself.
        drop(shared.audit.append(record, Durability::Ordered));
    }
}

impl std::fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyLog")
    }
}
