//! What the process itself may do to its cached secrets: forget one, and hear that one has changed. Neither hands out a value.

use super::Runtime;
use crate::audit::{Durability, Kind, Outcome, Record};
use crate::error::{Code, Error, Result};
use crate::id::SecretRef;
use crate::metadata::SecretKind;
use crate::secrets::Delivery;

impl Runtime {
    /// Wipes what is cached for a row of Secret_References, also what was said of it: the next reader asks the vault. Of a key
    /// these are its public part and every data key that it unwrapped, so a new version wraps at once. On disk before it is
    /// done.
    ///
    /// # Errors
    /// `NotFound` when no row is called so; `Unavailable` when the audit log cannot be written.
    pub fn invalidate(&self, reference: &str) -> Result<()> {
        self.0.refuse_closed()?;
        let snapshot = self.snapshot();
        let row = snapshot.secret_reference(&SecretRef::new(reference));
        let row = row.ok_or_else(|| {
            let message = format!("no row of Secret_References is called `{reference}`");
            Error::new(Code::NotFound, message)
        })?;
        let (now, resource) = (self.0.clock.now(), format!("secret:{reference}"));
        let record = Record::new(
            Kind::Admin,
            now,
            "invalidate-secret",
            &resource,
            Outcome::Ok,
        );
        self.0.audit.append(record, Durability::Durable)?;
        match row.kind {
            SecretKind::Secret => self.0.secrets.invalidate(&row.name),
            SecretKind::Key => self.0.keys.invalidate(&row.name),
        }
        Ok(())
    }

    /// Takes in a delivery of Event Grid about secrets (new version, near expiry, expired): the slots that know such a secret
    /// ask their vault now, once a second at most. An event is a hint and proves nothing: a forged one costs a call. Answer a
    /// new subscription with [`Delivery::validation_code`] as `validationResponse`.
    ///
    /// # Errors
    /// `Invalid` for what is no delivery; `Unavailable` when the audit log cannot be written.
    pub fn on_secret_event(&self, body: &[u8]) -> Result<Delivery> {
        self.0.refuse_closed()?;
        let delivery = self.0.secrets.on_event(body)?;
        for event in &delivery.taken {
            let (now, secret) = (self.0.clock.now(), event.id.to_string());
            let record = Record::new(Kind::Effect, now, "secret-event", &secret, Outcome::Ok);
            let record = record.with_detail("change", event.change.as_str());
            self.0.audit.append(record, Durability::Counted)?;
        }
        Ok(delivery)
    }
}
