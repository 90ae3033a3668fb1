//! Issues grants: what the session may right now, signed for another process.
//!
//! In: a [`GrantRequest`]. Out: a [`Grant`], which is in the audit log before it is out. Everything in it was decided for this
//! very session and recorded; one deny fails the whole. Its end is not later than anything that it rests on.

mod request;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use request::GrantRequest;
use request::{About, invalid, issued, refuse_senseless, travelling};

use super::question::{Output, parse, parse_action};
use super::{Session, obligations};
use crate::audit::Durability;
use crate::clock::Timestamp;
use crate::envelope::PublicHalf;
use crate::error::{Code, Error, Result};
use crate::grant::{self, Claims, Grant, GrantKind, MOST, Right, Seal};
use crate::id::{Guid, PrincipalId, PrincipalKind};
use crate::metadata::Snapshot;
use crate::policy::{
    Action, AuditLevel, Columns, Decision, ListQuery, Obligations, Resource, ResourcePattern,
};

/// What was decided for a grant.
struct Scope {
    /// First the right to issue it.
    decisions: Vec<Decision>,
    /// Tenant and object id of the subject.
    subject: (Guid, Guid),
    rights: Vec<Right>,
    columns: Option<Vec<String>>,
    outputs: Vec<(String, Output)>,
}

impl Scope {
    fn is_same(&self, other: &Self) -> bool {
        let same = |one: &Decision, other: &Decision| {
            one.snapshot().version() == other.snapshot().version()
        };
        self.subject == other.subject
            && self.rights == other.rights
            && self.columns == other.columns
            && self.outputs == other.outputs
            && (self.decisions.iter().zip(&other.decisions)).all(|(one, two)| same(one, two))
    }
}

impl Session {
    /// A signed statement of what this session may now, for a process that has no runtime of its own or does not know this
    /// one's caller. See [`crate::grant`].
    ///
    /// ```
    /// # use zt_core::{Result, Session, grant::Grant, session::GrantRequest};
    /// async fn start_stage(orchestrator: &Session) -> Result<Grant> {
    ///     let subject = "sp:sp-score-201".parse().unwrap();
    ///     orchestrator.grant(&GrantRequest::for_stage(subject, 201, Some(2))).await
    /// }
    /// async fn for_executors(job: &Session) -> Result<Grant> {
    ///     let wanted = GrantRequest::for_executors().with("model.infer", "model:car_loan_scorer");
    ///     job.grant(&wanted).await
    /// }
    /// ```
    ///
    /// # Errors
    /// `Denied` where the policy does not let this session issue it or use one of the rights, or lets it only under
    /// obligations that executors do not carry out; `Invalid` for a right that does not travel, a job that is not claimed,
    /// or more than an hour; else as [`sealer`](Self::sealer).
    pub async fn grant(&self, request: &GrantRequest) -> Result<Grant> {
        refuse_senseless(request)?;
        loop {
            let before = self.scope(request, false)?;
            let mut seals = Vec::with_capacity(before.outputs.len());
            let mut key_ends = None;
            for (output, found) in &before.outputs {
                let half = self.shared.keys.public_half(&found.key).await;
                let half = half.map_err(Error::from)?;
                let ends = half.as_ref().and_then(|half| half.expires);
                key_ends = key_ends.into_iter().chain(ends).min();
                seals.push(seal(output, found, half)?);
            }
            // After the wait for the vault the policy is asked again.
            let scope = self.scope(request, true)?;
            if scope.is_same(&before) {
                return self.issue(request, scope, (seals, key_ends));
            }
        }
    }

    /// Decides everything on the snapshot in force.
    fn scope(&self, request: &GrantRequest, is_last: bool) -> Result<Scope> {
        let (action, job) = match request.about {
            About::Stage { job, .. } => (Action::GrantIssue, job),
            About::Executors => (Action::GrantDelegate, self.own_job()?),
        };
        let (action, resource) = parse(action.as_str(), &format!("job:{job}"))?;
        let issue = self.may(action, resource, is_last)?;
        let subject = match &request.about {
            About::Stage { subject, .. } => self.subject_of(subject, issue.snapshot())?,
            About::Executors => (self.caller.tenant(), self.caller.object()),
        };
        let mut scope = Scope {
            decisions: vec![issue],
            subject,
            rights: Vec::new(),
            columns: request.columns.clone(),
            outputs: Vec::new(),
        };
        for (action, resource) in &request.rights {
            let action = travelling(parse_action(action)?)?;
            for resource in self.resources(action, resource)? {
                self.add(&mut scope, Right::new(action, resource), is_last)?;
            }
        }
        Ok(scope)
    }

    fn add(&self, scope: &mut Scope, right: Right, is_last: bool) -> Result<()> {
        if scope.rights.contains(&right) {
            return Ok(());
        }
        if scope.rights.len() >= MOST {
            return Err(invalid("a grant carries 64 rights at most"));
        }
        let Right { action, resource } = &right;
        if *action == Action::DataSeal {
            let output = resource.path().to_owned();
            let (decision, found) = self.may_use(*action, resource, &output)?;
            if is_last {
                self.record(&decision)?;
            }
            self.refuse_unrecorded(&decision)?;
            scope.outputs.push((output, found));
            scope.decisions.push(decision);
        } else {
            let decision = self.may(*action, resource.clone(), is_last)?;
            self.refuse_unrecorded(&decision)?;
            self.narrow(&decision, &mut scope.columns)?;
            scope.decisions.push(decision);
        }
        scope.rights.push(right);
        Ok(())
    }

    fn may(&self, action: Action, resource: Resource, is_last: bool) -> Result<Decision> {
        let decision = self.decide(action, resource, self.context.clone())?;
        if decision.is_allowed() && !is_last {
            return Ok(decision);
        }
        self.record(&decision)?;
        if decision.is_allowed() {
            Ok(decision)
        } else {
            Err(self.denied(&decision))
        }
    }

    /// The resources that a text names: itself, or those that it matches as a pattern and the session may use.
    fn resources(&self, action: Action, text: &str) -> Result<Vec<Resource>> {
        if !text.contains('*') {
            return Ok(vec![parse(action.as_str(), text)?.1]);
        }
        let pattern: ResourcePattern = text
            .parse()
            .map_err(|_| invalid(&format!("`{text}` is no pattern of resources")))?;
        let mut query = ListQuery::new().of_action(action);
        let mut found = BTreeSet::new();
        loop {
            let page = self.list(&query)?;
            for cell in page.cells {
                let resource = cell.resource.resource();
                if !cell.resource.is_pattern()
                    && pattern.matches(resource)
                    && cell.decision.is_allowed()
                {
                    found.insert(resource.as_str().to_owned());
                }
            }
            match page.next {
                Some(next) => query = query.after(next),
                None => break,
            }
        }
        if found.is_empty() {
            let message = format!("nothing that `{action}` is allowed on matches `{text}`");
            return Err(Error::new(Code::Denied, message));
        }
        let parsed = found.iter().map(|text| Ok(parse(action.as_str(), text)?.1));
        parsed.collect()
    }

    /// What an executor does is in the log after it was done, and not surely: a right whose uses must be there before does
    /// not travel.
    fn refuse_unrecorded(&self, decision: &Decision) -> Result<()> {
        if decision.obligations().audit <= AuditLevel::Ordered {
            return Ok(());
        }
        let right = decision.request();
        let message = format!(
            "each use of `{}` on `{}` must stand in the audit log before it, and those of executors come after",
            right.action, right.resource
        );
        let help = "do it on the driver: rows with `obligations.audit` hold there";
        let error = obligations::unmet(decision, &message, help);
        self.record_refusal(decision, &error)?;
        Err(error)
    }

    /// An executor answers yes or no: it filters no rows and masks no cells. Columns it can be held to.
    fn narrow(&self, decision: &Decision, columns: &mut Option<Vec<String>>) -> Result<()> {
        let asked = Obligations {
            audit: decision.obligations().audit,
            ..Obligations::default()
        };
        let is_bare = decision.masks().is_empty()
            && decision.shows_every_row_whole()
            && *decision.obligations() == asked;
        if !is_bare {
            let right = decision.request();
            let message = format!(
                "`{}` on `{}` is allowed under obligations that executors do not carry out",
                right.action, right.resource
            );
            let help = "do it on the driver: `Permit::apply` carries them out";
            let error = obligations::unmet(decision, &message, help);
            self.record_refusal(decision, &error)?;
            return Err(error);
        }
        let visible = match (decision.columns(), &columns) {
            (_, Some(wanted)) => {
                let hidden = wanted
                    .iter()
                    .find(|name| !decision.columns().contains(name));
                match hidden {
                    Some(hidden) => Err(hidden.clone()),
                    None => return Ok(()),
                }
            }
            (Columns::All, None) => return Ok(()),
            (Columns::Only(only), None) => Ok(only.clone()),
            (Columns::AllBut(_), None) => Err("*".to_owned()),
        };
        match visible {
            Ok(only) if only.len() > MOST => Err(invalid(
                "a grant names 64 columns at most, and the session may see more: name those that are needed",
            )),
            Ok(only) => {
                *columns = Some(only);
                Ok(())
            }
            Err(hidden) => {
                let right = decision.request();
                let message = format!(
                    "`{}` on `{}` does not cover the column `{hidden}`",
                    right.action, right.resource
                );
                let help = "name the columns that are needed, each of them visible";
                let error = obligations::unmet(decision, &message, help);
                self.record_refusal(decision, &error)?;
                Err(error)
            }
        }
    }

    /// `seals` with the first end of a key in them: executors wrap with none beyond it.
    fn issue(
        &self,
        request: &GrantRequest,
        scope: Scope,
        (seals, key_ends): (Vec<Seal>, Option<Timestamp>),
    ) -> Result<Grant> {
        let Some(decision) = scope.decisions.first() else {
            return Err(Error::new(Code::Internal, "a grant without a decision"));
        };
        let (kind, subject, job, stage) = match &request.about {
            About::Stage {
                subject,
                job,
                stage,
            } => (GrantKind::Stage, subject.to_string(), *job, *stage),
            About::Executors => {
                let stage = self.context.stage();
                (GrantKind::Executors, self.name(), self.own_job()?, stage)
            }
        };
        let (from, until) = self.times(request.lasts, &scope, key_ends)?;
        let key = self.shared.grants.key()?;
        let grant = Grant::sign(
            &Claims {
                id: decision.id().to_string(),
                nonce: nonce()?,
                kind,
                key: key.public().name(),
                audience: self.shared.profile.client_id().to_string(),
                issuer: self.name(),
                issuer_tenant: self.caller.tenant().to_string(),
                issuer_object: self.caller.object().to_string(),
                subject,
                tenant: scope.subject.0.to_string(),
                object: scope.subject.1.to_string(),
                job,
                stage,
                from_ms: from.as_millis(),
                until_ms: until.as_millis(),
                snapshot: decision.snapshot().hash().to_string(),
                rights: scope.rights.iter().map(ToString::to_string).collect(),
                columns: scope.columns,
                seals,
            },
            key,
        )?;
        self.record_effect(decision, Durability::Durable, |record| {
            issued(record.with_detail("key", key.public().name()), &grant)
        })?;
        Ok(grant)
    }

    /// From now until the first of: as long as was asked for, the session's end, and what ends by time alone.
    fn times(
        &self,
        lasts: Duration,
        scope: &Scope,
        key_ends: Option<Timestamp>,
    ) -> Result<(Timestamp, Timestamp)> {
        let now = self.shared.clock.now();
        let leases = scope.decisions.iter().filter_map(Decision::lease);
        let own = self.proof.as_ref().map(|proof| proof.until);
        let ends = leases.chain(self.caller.expires_at()).chain(own);
        let ends = ends.chain(key_ends);
        let until = ends.fold(now.after(lasts), Timestamp::min);
        if until <= now {
            let message = "the right to this grant ends now";
            return Err(Error::new(Code::GrantExpired, message));
        }
        Ok((now, until))
    }

    fn own_job(&self) -> Result<u32> {
        self.context.job().ok_or_else(|| {
            invalid("a grant for executors needs the job that they work on")
                .with_help("claim it first: `Session::claiming`")
        })
    }

    /// A principal cannot vouch for itself, and for nobody who is no caller.
    fn subject_of(&self, subject: &PrincipalId, snapshot: &Snapshot) -> Result<(Guid, Guid)> {
        if subject.as_str() == self.name() {
            let message = format!("`{subject}` cannot vouch for itself");
            return Err(invalid(&message));
        }
        let mut rows = snapshot.tables().principals.iter();
        let row = rows.find(|row| row.id == *subject && subject.kind() != PrincipalKind::Group);
        let row = row.ok_or_else(|| {
            let message = format!("no row of Principals names `{subject}` as a caller");
            Error::new(Code::NotFound, message)
        })?;
        let home = self.shared.profile.tenant();
        Ok((row.tenant.unwrap_or(home), row.oid))
    }
}

fn seal(output: &str, found: &Output, half: Option<PublicHalf>) -> Result<Seal> {
    let binding = &found.scope.binding;
    if found.deterministic.is_some() {
        let message = format!(
            "rule `{}` has deterministic columns, whose key is a secret: executors cannot seal them",
            binding.rule
        );
        return Err(invalid(&message).with_help("seal this output on the driver"));
    }
    let half = half.ok_or_else(|| grant::no_public_half(binding.key.as_str()))?;
    Ok(Seal {
        output: output.to_owned(),
        rule: binding.rule.clone(),
        table: binding.table.clone(),
        reference: binding.key.as_str().to_owned(),
        columns: found.scope.columns.clone(),
        row_key: found.scope.form.row_key.clone(),
        version: half.version.to_string(),
        public_key: URL_SAFE_NO_PAD.encode(half.spki),
    })
}

fn nonce() -> Result<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)
        .map_err(|_| Error::new(Code::Internal, "the operating system gives no random bytes"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
