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
    /// refused, stands in the audit log.
    ///
    /// # Errors
    /// [`GrantError`], folded, as `Unauthenticated`: forged, over, not valid yet, for another caller, or issued by the caller
    /// itself. Else as [`check`](Self::check).
    pub fn with_grant(&self, grant: &Grant) -> Result<Self> {
        self.shared.refuse_closed()?;
        self.refuse_expired()?;
        let now = self.shared.clock.now();
        let resource = format!("job:{}", grant.job());
        let record = |outcome| {
            let record = Record::new(
                Kind::Authentication,
                now,
                "grant.present",
                &resource,
                outcome,
            );
            self.identify(record)
        };
        if let Err(why) = self.refuse_grant(grant, now) {
            let record = record(Outcome::Refused).with_detail("reason", why.to_string());
            self.shared.audit.append(record, Durability::Counted)?;
            return Err(why.into());
        }
        let record = record(Outcome::Ok)
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
        grant.refuse_other_kind(GrantKind::Stage)?;
        let skew = self.shared.profile.skew();
        grant.verify(&self.shared.grants.trusted(), now, skew)?;
        self.refuse_other_subject(grant)?;
        let caller = self.name();
        if grant.issuer() == caller {
            return Err(GrantError::OwnWord { issuer: caller });
        }
        Ok(())
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
        grant.refuse_other_kind(GrantKind::Executors)?;
        grant.verify_signature(&self.shared.grants.trusted())?;
        self.refuse_other_subject(grant)
    }

    /// By name and by object id: a name may mean somebody else in other tables.
    fn refuse_other_subject(&self, grant: &Grant) -> Result<(), GrantError> {
        let (subject, caller) = (grant.subject(), self.name());
        let object = self.caller.object().to_string();
        if subject == caller && grant.claims().object == object {
            return Ok(());
        }
        let subject = subject.to_owned();
        Err(GrantError::WrongSubject { subject, caller })
    }
}
