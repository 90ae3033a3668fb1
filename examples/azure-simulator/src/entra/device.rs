//! Open device sign-ins: who may ask when, and what people said (RFC 8628).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cloud::Cloud;
use crate::error::Error;
use crate::random;

/// All of them, by device code, which is a secret: there is no `Debug`.
pub(crate) struct Devices {
    open: BTreeMap<String, Device>,
    interval_s: i64,
    lifetime_s: i64,
}

/// One sign-in.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) user_code: String,
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    pub(crate) cloud: Cloud,
    pub(crate) expires_at: i64,
    pub(crate) interval_s: i64,
    pub(crate) state: DeviceState,
    last_asked: Option<i64>,
}

/// What the person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeviceState {
    Pending,
    /// Signed in as this person (object id).
    Approved(String),
    Declined,
}

/// What the client hears.
#[derive(Debug)]
pub(crate) enum Polled {
    Unknown,
    Expired,
    TooSoon,
    Pending,
    Declined,
    Approved { device: Device, object_id: String },
}

impl Devices {
    pub(crate) fn new(interval: Duration, lifetime: Duration) -> Self {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Self {
            open: BTreeMap::new(),
            interval_s: seconds(interval),
            lifetime_s: seconds(lifetime),
        }
    }

    /// A new sign-in: its secret code, and the rest.
    pub(crate) fn begin(
        &mut self,
        tenant: &str,
        client_id: &str,
        scope: &str,
        cloud: Cloud,
        now: i64,
    ) -> (String, Device) {
        let device = Device {
            user_code: user_code(),
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            cloud,
            expires_at: now.saturating_add(self.lifetime_s),
            interval_s: self.interval_s,
            state: DeviceState::Pending,
            last_asked: None,
        };
        let code = format!("{}{}", random::text(), random::text());
        self.open.insert(code.clone(), device.clone());
        (code, device)
    }

    /// What the person said about a code that stands on the screen.
    pub(crate) fn settle(&mut self, user_code: &str, state: DeviceState) -> Result<(), Error> {
        let typed = user_code.trim().to_ascii_uppercase();
        let mut pending = self.open.values_mut();
        let device = pending
            .find(|device| device.user_code == typed && device.state == DeviceState::Pending)
            .ok_or_else(|| Error::new("no sign-in waits for this code"))?;
        device.state = state;
        Ok(())
    }

    /// Codes that wait for a person.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let pending = self.open.values();
        pending
            .filter(|device| device.state == DeviceState::Pending)
            .map(|device| device.user_code.clone())
            .collect()
    }

    /// The client asks. A code that gave its token is used up.
    pub(crate) fn poll(&mut self, code: &str, client_id: &str, now: i64) -> Polled {
        let found = self.open.get_mut(code);
        let Some(device) = found.filter(|device| device.client_id == client_id) else {
            return Polled::Unknown;
        };
        if device.expires_at <= now {
            return Polled::Expired;
        }
        let last = device.last_asked.replace(now);
        let is_soon = last.is_some_and(|last| now - last < device.interval_s);
        match device.state.clone() {
            DeviceState::Declined => Polled::Declined,
            DeviceState::Pending if is_soon => {
                // RFC 8628 §3.5: the interval grows by five seconds for this and all later requests.
                device.interval_s += 5;
                Polled::TooSoon
            }
            DeviceState::Pending => Polled::Pending,
            DeviceState::Approved(object_id) => {
                let device = device.clone();
                self.open.remove(code);
                Polled::Approved { device, object_id }
            }
        }
    }
}

/// Nine letters and digits that are hard to confuse.
fn user_code() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    random::bytes::<9>()
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
        .map(|&byte| char::from(byte))
        .collect()
}
