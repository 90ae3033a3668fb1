//! Takes grants: job and stage turn from asserted to proven.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use crate::audit::{Durability, Kind, Outcome, Record};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::grant::{Grant, GrantError, GrantKind, GrantPublicKey};
use crate::policy::Context;

/// What a grant proves to one session.
#[derive(Debug)]
pub(super) struct Proof {
    job: u32,
    stage: Option<u32>,
    pub(super) until: Timestamp,
    /// The same on the monotonic tick: a wall clock set back does not revive it.
    pub(super) ends: Duration,
}

impl Proof {
    /// Whether it says what a context says.
    pub(super) fn is_of(&self, context: &Context) -> bool {
        context.job() == Some(self.job) && context.stage() == self.stage
    }
}

impl Session {
    /// The same caller, in the job and stage that a grant proves, as `context.proven` says in conditions. Ends with the grant,
    /// if not before with the token. Rights are decided as always: the grant itself allows nothing. That it was presented, or
    /// refused, stands in the audit log; of a grant that nobody trusted signed, none of its words.
    ///
    /// # Errors
    /// [`GrantError`], folded, as `Unauthenticated`: forged, over, not valid yet, for another caller or application, or issued
    /// by the caller itself. `Unavailable` after a thousand refusals of a caller in 10 s. Else as [`check`](Self::check).
    pub fn with_grant(&self, grant: &Grant) -> Result<Self> {
        self.shared.refuse_closed()?;
        self.refuse_expired()?;
        let now = self.shared.clock.now();
        let resource = format!("job:{}", grant.job());
        let record = |resource: &str, outcome| {
            let kind = Kind::Authentication;
            self.identify(Record::new(kind, now, "grant.present", resource, outcome))
        };
        if let Err(why) = self.refuse_grant(grant, now) {
            let caller = (self.caller.tenant(), self.caller.object());
            let tick = self.shared.clock.elapsed();
            self.shared.budget.spend(caller, tick)?;
            let record = match why.unsigned() {
                Some(reason) => record("identity", Outcome::Refused).with_detail("reason", reason),
                None => record(&resource, Outcome::Refused).with_detail("reason", why.to_string()),
            };
            self.shared.audit.append(record, Durability::Counted)?;
            return Err(why.into());
        }
        let record = record(&resource, Outcome::Ok)
            .with_detail("grant", grant.id())
            .with_detail("issuer", grant.issuer())
            .with_detail("key", &grant.claims().key)
            .with_detail("until", grant.expires_at().to_string());
        self.shared.audit.append(record, Durability::Ordered)?;
        let left = grant.expires_at().as_millis() - now.as_millis();
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        let context = self.context.clone().without_stage().with_job(grant.job());
        let context = match grant.stage() {
            Some(stage) => context.with_stage(stage),
            None => context,
        };
        Ok(Self {
            proof: Some(Arc::new(Proof {
                job: grant.job(),
                stage: grant.stage(),
                until: grant.expires_at(),
                ends: self.shared.clock.elapsed().saturating_add(left),
            })),
            ..self.in_context(context.with_proof(true))
        })
    }

    fn refuse_grant(&self, grant: &Grant, now: Timestamp) -> Result<(), GrantError> {
        let skew = self.shared.profile.skew();
        grant.verify(&self.shared.grants.trusted(), now, skew)?;
        grant.refuse_other_kind(GrantKind::Stage)?;
        self.refuse_other_subject(grant)?;
        let (claims, caller) = (grant.claims(), self.name());
        // Other tables may give one caller two names.
        let issuer = (claims.issuer_tenant.as_str(), claims.issuer_object.as_str());
        let is_own = self.is_caller(issuer) || claims.issuer == caller;
        match is_own {
            true => Err(GrantError::OwnWord { issuer: caller }),
            false => Ok(()),
        }
    }

    /// A context is as proven as this session's own grant makes it, wherever it comes from.
    pub(super) fn proving(&self, context: Context) -> Context {
        let is_proven = context.is_proven();
        let is_own = self
            .proof
            .as_ref()
            .is_some_and(|proof| proof.is_of(&context));
        context.with_proof(is_proven && is_own)
    }

    /// The key by which others know grants of this process. In a forked child it is another than in its parent.
    ///
    /// # Errors
    /// `Internal` if the system gives no random numbers.
    pub fn grant_key(&self) -> Result<GrantPublicKey> {
        Ok(self.shared.grants.key()?.public())
    }

    pub(super) fn refuse_foreign(&self, grant: &Grant) -> Result<(), GrantError> {
        grant.verify_signature(&self.shared.grants.trusted())?;
        grant.refuse_other_kind(GrantKind::Executors)?;
        self.refuse_other_subject(grant)
    }

    /// By name, tenant and object id: a name may mean somebody else in other tables. What another world issued, as one of
    /// tests that shares a key, names another application.
    fn refuse_other_subject(&self, grant: &Grant) -> Result<(), GrantError> {
        let (claims, caller) = (grant.claims(), self.name());
        let own = self.shared.profile.client_id().to_string();
        if claims.audience != own {
            let audience = claims.audience.clone();
            return Err(GrantError::WrongAudience { audience, own });
        }
        if claims.subject == caller && self.is_caller((&claims.tenant, &claims.object)) {
            return Ok(());
        }
        let subject = claims.subject.clone();
        Err(GrantError::WrongSubject { subject, caller })
    }

    fn is_caller(&self, (tenant, object): (&str, &str)) -> bool {
        self.caller.tenant().to_string() == tenant && self.caller.object().to_string() == object
    }
}
