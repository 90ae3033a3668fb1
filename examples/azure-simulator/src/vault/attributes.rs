//! The attributes of a version of a secret or a key.

use serde_json::{Map, Value, json};

/// What is set, and when. Seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) enabled: bool,
    pub(crate) not_before: Option<i64>,
    pub(crate) expires: Option<i64>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// For this long a deleted object can be recovered.
pub(super) const RECOVERABLE_DAYS: i64 = 90;
/// What vaults are made with today: soft delete, without protection from purging.
const RECOVERY_LEVEL: &str = "Recoverable+Purgeable";

impl Attributes {
    pub(crate) const fn new(now: i64) -> Self {
        Self {
            enabled: true,
            not_before: None,
            expires: None,
            created: now,
            updated: now,
        }
    }

    /// Takes over what a body says in `attributes`; what it does not say stays.
    pub(crate) fn change(&mut self, asked: Option<&Value>, now: i64) {
        let asked = |name: &str| asked.and_then(|all| all.get(name));
        if let Some(enabled) = asked("enabled").and_then(Value::as_bool) {
            self.enabled = enabled;
        }
        if let Some(not_before) = asked("nbf").and_then(Value::as_i64) {
            self.not_before = Some(not_before);
        }
        if let Some(expires) = asked("exp").and_then(Value::as_i64) {
            self.expires = Some(expires);
        }
        self.updated = now;
    }

    pub(super) fn json(&self) -> Value {
        let mut all = Map::new();
        all.insert("enabled".to_owned(), self.enabled.into());
        for (name, moment) in [("nbf", self.not_before), ("exp", self.expires)] {
            if let Some(moment) = moment {
                all.insert(name.to_owned(), moment.into());
            }
        }
        if let Value::Object(more) = json!({
            "created": self.created,
            "updated": self.updated,
            "recoveryLevel": RECOVERY_LEVEL,
            "recoverableDays": RECOVERABLE_DAYS,
        }) {
            all.extend(more);
        }
        Value::Object(all)
    }
}
