//! Reading secrets: policy and audit at each read, in a few steps where nothing has changed since the last one.
//!
//! In: the id of a row of Secret_References. Out: a [`Secret`]. A read in full decides, looks for the row, takes the value
//! from its slot or the vault, decides again after a wait, and records the release before the value is handed out.
//! A repeat may be answered by what the last read in full found, as long as every fact that it rests on still holds: the same
//! snapshot, the same rights of the caller, within the decision's lease ([`Decision::lease`]), the same fetch in the slot,
//! and within the span in which the audit log counts repeats. It is counted as the read in full would count it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};

use super::question::{parse, reference_of};
use super::seen::LEASE;
use super::{Session, record};
use crate::audit::{Durability, Tally};
use crate::clock::{LAG, Timestamp};
use crate::error::{ErrorKind, Result};
use crate::identity::Authenticator;
use crate::numbered::Edition;
use crate::policy::{Action, Columns, Decision, Resource};
use crate::secrets::{Secret, SecretRequest, SecretVersion, SlotHandle, Warmed};

/// So many references are remembered by a session; beyond, all are forgotten.
const MOST: usize = 1024;
/// A longer reference is not remembered, so that refused reads of made-up names take no memory.
const LONGEST: usize = 256;

/// What a session was told a moment ago, by reference.
#[derive(Default)]
pub(super) struct Reads(ArcSwap<HashMap<Box<str>, Arc<Place>>>);

/// What is known of one reference; nothing before the first read in full.
type Place = ArcSwapOption<Known>;

/// All that the last read in full rests on.
struct Known {
    rests_on: Editions,
    /// Of the edition that it rests on.
    keys: Option<Arc<Authenticator>>,
    decided_at: Timestamp,
    lease: Option<Timestamp>,
    request: SecretRequest,
    slot: SlotHandle,
    fetch: u64,
    tally: Tally,
    recorded_at: Duration,
}

/// Which tables, which rights of the caller, and which keys of the issuer.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Editions {
    snapshot: Edition,
    resolved: Edition,
    keys: Edition,
}

/// A secret that is read again and again, by a session under its claims. Every read is decided and audited as
/// [`Session::secret`] is; the handle saves looking up the name.
///
/// ```
/// # use zt_core::{Result, Session};
/// async fn serve(job: &Session) -> Result<usize> {
///     let key = job.secret_handle("bureau-api-key");
///     let mut sent = 0;
///     for _request in 0..3 {
///         sent += key.get().await?.reveal().len();
///     }
///     Ok(sent)
/// }
/// ```
#[derive(Clone)]
pub struct SecretHandle {
    session: Session,
    reference: Box<str>,
    place: Arc<Place>,
}

impl SecretHandle {
    /// The secret, as [`Session::secret`] gives it.
    ///
    /// # Errors
    /// As [`Session::secret`].
    pub async fn get(&self) -> Result<Secret> {
        if let Some(secret) = self.session.again(&self.place)? {
            return Ok(secret);
        }
        self.session.read(&self.reference, None, &self.place).await
    }

    /// The id of the row.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }
}

impl fmt::Debug for SecretHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[handle of secret {}]", self.reference)
    }
}

impl Session {
    /// The secret of a row of Secret_References. Policy is checked and the read audited each time; a value that is
    /// fresh in the cache is served without waiting for the vault. After a wait the policy is asked again: what was
    /// withdrawn in the meantime is not handed out. While the vault cannot answer, a value may be served beyond its TTL for
    /// as long as its row allows (`max_stale_s`): [`Secret::stale_for`] says so, and so does the record.
    ///
    /// # Errors
    /// `Denied`; `NotFound` when the vault has no such secret; `Unavailable` when the vault or the audit log is down, or the
    /// rules of the network refuse the vault; `Integrity` for a damaged vault; else as [`check`](Self::check). Who is denied
    /// never learns whether it exists.
    pub async fn secret(&self, reference: &str) -> Result<Secret> {
        let place = self.reads.place(reference);
        if let Some(secret) = self.again(&place)? {
            return Ok(secret);
        }
        self.read(reference, None, &place).await
    }

    /// The same as [`secret`](Self::secret), for a caller that will hand the value on as plain text, which nothing protects
    /// any more: an effect with the detail `exposed_to` stands in the audit log, on disk, before this returns, each time.
    ///
    /// # Errors
    /// As [`secret`](Self::secret).
    pub async fn secret_to_expose(&self, reference: &str, exposed_to: &str) -> Result<Secret> {
        let secret = self.secret(reference).await?;
        let (action, resource) = parse("secret.get", &format!("secret:{reference}"))?;
        let (decision, _) = self.may_read(action, &resource, reference)?;
        self.record_effect(&decision, Durability::Durable, |record| {
            record
                .with_detail("version", secret.version().to_string())
                .with_detail("exposed_to", exposed_to)
        })?;
        Ok(secret)
    }

    /// One version of the secret of a row, whichever is the current one: under the same right and with the same record.
    ///
    /// # Errors
    /// As [`secret`](Self::secret); `Invalid` for a row that is pinned to another version.
    pub async fn secret_version(&self, reference: &str, version: SecretVersion) -> Result<Secret> {
        self.read(reference, Some(version), &Place::empty()).await
    }

    /// A handle for a secret that is read often. Nothing is asked yet, neither policy nor vault.
    #[must_use]
    pub fn secret_handle(&self, reference: &str) -> SecretHandle {
        SecretHandle {
            session: self.clone(),
            reference: reference.into(),
            place: self.reads.place(reference),
        }
    }

    /// The secret, asked of the vault now; at most once a second, else what is cached. Under the same right and with the same
    /// record as [`secret`](Self::secret).
    ///
    /// # Errors
    /// As [`secret`](Self::secret); the vault's error also where a value is held, which other readers are still served.
    pub async fn refresh_secret(&self, reference: &str) -> Result<Secret> {
        let (action, resource) = parse("secret.get", &format!("secret:{reference}"))?;
        let (_, request) = self.may_read(action, &resource, reference)?;
        let asked = self.shared.secrets.refresh(&request).await;
        let (decision, _) = self.may_read(action, &resource, reference)?;
        match asked {
            Ok(_) => {
                self.read(reference, None, &self.reads.place(reference))
                    .await
            }
            Err(error) => {
                self.record_failure(&decision, &error)?;
                Err(error)
            }
        }
    }

    /// Fetches secrets before they are read, all at once, and waits at most `budget`: what a job needs, while it starts.
    /// Nothing is handed out, and only what this session may read is fetched. Answers how many are there and which are not,
    /// by their place in `references`; a fetch that is not back in time goes on.
    ///
    /// # Errors
    /// As [`check`](Self::check). What is denied or cannot be fetched is in the answer and no error.
    pub async fn warm(&self, references: &[&str], budget: Duration) -> Result<Warmed> {
        self.shared.refuse_closed()?;
        let (mut places, mut requests, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (place, reference) in references.iter().enumerate() {
            let (action, resource) = parse("secret.get", &format!("secret:{reference}"))?;
            match self.may_read(action, &resource, reference) {
                Ok((decision, request)) => {
                    self.record(&decision)?;
                    places.push(place);
                    requests.push(request);
                }
                Err(error) => match error.kind() {
                    ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Invalid => {
                        refused.push((place, error));
                    }
                    ErrorKind::Unauthenticated
                    | ErrorKind::Unavailable { .. }
                    | ErrorKind::Integrity
                    | ErrorKind::Config
                    | ErrorKind::Cancelled
                    | ErrorKind::Internal => return Err(error),
                },
            }
        }
        let mut warmed = self.shared.secrets.warm(&requests, budget).await;
        for (place, _) in &mut warmed.failed {
            *place = places.get(*place).copied().unwrap_or(*place);
        }
        warmed.failed.extend(refused);
        warmed.failed.sort_by_key(|(place, _)| *place);
        Ok(warmed)
    }

    /// The read in full.
    async fn read(
        &self,
        reference: &str,
        version: Option<SecretVersion>,
        place: &Place,
    ) -> Result<Secret> {
        let (action, resource) = parse("secret.get", &format!("secret:{reference}"))?;
        let secrets = &self.shared.secrets;
        loop {
            let rests_on = self.editions();
            let (decision, request) = self.may_read(action, &resource, reference)?;
            if version.is_none()
                && let Some(secret) = secrets.peek(&request)
            {
                self.release(&decision, &request, &secret, (place, rests_on))?;
                return Ok(secret);
            }
            let found = match version {
                Some(version) => secrets.get_version(&request, version).await,
                None => secrets.get(&request).await,
            };
            let rests_on = self.editions();
            let (decision, wanted) = self.may_read(action, &resource, reference)?;
            if wanted != request {
                continue;
            }
            match found {
                Ok(secret) => {
                    self.release(&decision, &request, &secret, (place, rests_on))?;
                    return Ok(secret);
                }
                Err(error) => {
                    self.record_failure(&decision, &error)?;
                    return Err(error);
                }
            }
        }
    }

    /// Decides a read on the snapshot in force and finds its row; a refusal stands in the log.
    fn may_read(
        &self,
        action: Action,
        resource: &Resource,
        reference: &str,
    ) -> Result<(Decision, SecretRequest)> {
        let decision = self.decide(action, resource.clone(), self.context.clone())?;
        // A row about columns says nothing about a secret: validation refuses it, and so does this.
        if !decision.is_allowed() || *decision.columns() != Columns::All {
            let error = self.denied(&decision);
            self.record_refusal(&decision, &error)?;
            return Err(error);
        }
        match reference_of(&decision, reference) {
            Ok(row) => {
                let request = row.request();
                Ok((decision, request))
            }
            Err(error) => {
                self.record_failure(&decision, &error)?;
                Err(error)
            }
        }
    }

    /// Records a release, and remembers in its place what it rests on: what was in force before it was decided.
    fn release(
        &self,
        decision: &Decision,
        request: &SecretRequest,
        secret: &Secret,
        (place, rests_on): (&Place, Editions),
    ) -> Result<()> {
        let recorded = self.record_release(decision, secret)?;
        let slot = self.shared.secrets.slot(request);
        let known = match (recorded, slot, decision.request().now) {
            (Some((tally, recorded_at)), Some(slot), Some(decided_at))
                if secret.stale_for().is_none() && record::demanded(decision).is_none() =>
            {
                Some(Arc::new(Known {
                    rests_on,
                    keys: self.shared.authenticator.load_full(),
                    decided_at,
                    lease: decision.lease(),
                    request: request.clone(),
                    slot,
                    fetch: secret.fetch(),
                    tally,
                    recorded_at,
                }))
            }
            _ => None,
        };
        place.store(known);
        Ok(())
    }

    /// The answer of the last read in full, if all that it rests on still holds; counted like it.
    fn again(&self, place: &Place) -> Result<Option<Secret>> {
        let known = place.load();
        let Some(known) = &*known else {
            return Ok(None);
        };
        let (clock, tick) = (&self.shared.clock, self.shared.clock.tick());
        // The clock is read cheaply, and what ends is taken to end that much earlier: the read in full knows it exactly.
        let now = clock.lately();
        let latest = now.after(LAG);
        let holds = !self.shared.is_closed.load(Ordering::Acquire)
            // A directory may have answered anew: the read in full asks.
            && self.membership.is_none()
            && self.editions() == known.rests_on
            && self.is_proven_still(known.keys.as_deref(), latest, tick.saturating_add(LAG))
            && known.decided_at <= latest
            && known.lease.is_none_or(|end| latest < end)
            && tick.saturating_sub(known.recorded_at) < LEASE;
        if !holds {
            return Ok(None);
        }
        let secrets = &self.shared.secrets;
        let secret = secrets.peek_by(&known.slot, &known.request, tick);
        let Some(secret) =
            secret.filter(|secret| secret.fetch() == known.fetch && secret.stale_for().is_none())
        else {
            return Ok(None);
        };
        self.shared.audit.count(&known.tally, now)?;
        Ok(Some(secret))
    }

    fn editions(&self) -> Editions {
        Editions {
            snapshot: self.shared.snapshots.edition(),
            resolved: self.resolved.edition(),
            keys: self.shared.authenticator.edition(),
        }
    }
}

impl Reads {
    fn place(&self, reference: &str) -> Arc<Place> {
        if reference.len() > LONGEST {
            return Arc::new(Place::empty());
        }
        if let Some(place) = self.0.load().get(reference) {
            return Arc::clone(place);
        }
        let place = Arc::new(Place::empty());
        self.0.rcu(|reads| {
            let mut reads = if reads.len() < MOST {
                HashMap::clone(reads)
            } else {
                HashMap::new()
            };
            reads.insert(reference.into(), Arc::clone(&place));
            reads
        });
        place
    }
}
