//! One question as a request of policy, and its decision.
//!
//! In: the members of a question and what the settings know. Out: a decision, or why no policy can speak of it: a word that
//! nobody knows is nobody's right.

use std::sync::Arc;

use super::facts::Facts;
use super::json::shorten;
use super::request::{Asked, Entity, Question, required};
use super::vocabulary::principal;
use super::{BadRequest, Sitting};
use crate::id::{PrincipalId, PrincipalKind};
use crate::policy::{self, Action, Decision, Namespace, Provenance, Request, Resource, Value};

/// What became of one question.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The policy was asked. It is granted when the decision allows it and the asker can do what comes with it.
    Decided { decision: Decision, granted: bool },
    /// It is about something that no policy can speak of.
    Unknown(String),
}

impl Outcome {
    pub(super) const fn is_granted(&self) -> bool {
        match self {
            Self::Decided { granted, .. } => *granted,
            Self::Unknown(_) => false,
        }
    }
}

/// Who is asked about.
#[derive(Debug, Clone)]
pub(super) struct Who<'a> {
    pub(super) id: PrincipalId,
    pub(super) properties: Option<&'a serde_json::Map<String, serde_json::Value>>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct What<'a> {
    pub(super) action: Action,
    pub(super) asked: Asked<'a>,
}

/// On what.
#[derive(Debug, Clone)]
pub(super) struct OnWhat<'a> {
    pub(super) resource: Resource,
    pub(super) properties: Option<&'a serde_json::Map<String, serde_json::Value>>,
}

impl Sitting<'_> {
    /// Decides one whole question.
    pub(super) fn decide(&self, question: &Question<'_>) -> Result<Outcome, BadRequest> {
        let subject = required(question.subject, "subject")?;
        let action = required(question.action, "action")?;
        let resource = required(question.resource, "resource")?;
        let found = self.who(subject).and_then(|who| {
            let what = self.what(action)?;
            let on = self.on_what(resource)?;
            Ok((who, what, on))
        });
        Ok(match found {
            Ok((who, what, on)) => self.outcome(&who, what, &on, question),
            Err(unknown) => Outcome::Unknown(unknown),
        })
    }

    pub(super) fn outcome(
        &self,
        who: &Who<'_>,
        what: What<'_>,
        on: &OnWhat<'_>,
        question: &Question<'_>,
    ) -> Outcome {
        if !what.action.takes(on.resource.kind()) {
            let kind = on.resource.kind();
            return Outcome::Unknown(format!("`{}` does not take a {kind}", what.action));
        }
        let request = self.request(who, what, on, question);
        let decision = policy::decide(self.snapshot, request, (self.ids)());
        let is_limited = policy::Ruling::of(&decision).is_limited();
        Outcome::Decided {
            granted: decision.is_allowed() && (!is_limited || self.settings.enforces_obligations),
            decision,
        }
    }

    /// The subject as a principal.
    pub(super) fn who<'q>(&self, subject: Entity<'q>) -> Result<Who<'q>, String> {
        let kind = self.settings.vocabulary.subject_kind(subject.kind);
        let kind = kind.ok_or_else(|| unknown("subject type", subject.kind))?;
        let id = principal(kind, subject.id);
        let id = id.ok_or_else(|| unknown("subject", subject.id))?;
        let properties = subject.properties;
        Ok(Who { id, properties })
    }

    pub(super) fn what<'q>(&self, asked: Asked<'q>) -> Result<What<'q>, String> {
        let action = self.settings.vocabulary.action(asked.name);
        let action = action.ok_or_else(|| unknown("action", asked.name))?;
        Ok(What { action, asked })
    }

    pub(super) fn on_what<'q>(&self, resource: Entity<'q>) -> Result<OnWhat<'q>, String> {
        let place = self.settings.vocabulary.place(resource.kind);
        let place = place.ok_or_else(|| unknown("resource type", resource.kind))?;
        let found = place.resource(resource.id);
        let found = found.ok_or_else(|| unknown("resource", resource.id))?;
        Ok(OnWhat {
            resource: found,
            properties: resource.properties,
        })
    }

    /// The request that policy decides. What a store knows comes last: it counts before what is asserted.
    fn request(
        &self,
        who: &Who<'_>,
        what: What<'_>,
        on: &OnWhat<'_>,
        question: &Question<'_>,
    ) -> Request {
        let settings = self.settings;
        let facts = Facts {
            attributes: self.snapshot.attributes(),
            request: self.of_subject(who, what.action, &on.resource),
        };
        let asserted = |namespace| settings.provenance(namespace);
        let facts = facts
            .add(
                Namespace::Principal,
                who.properties,
                asserted(Namespace::Principal),
            )
            .add(
                Namespace::Resource,
                on.properties,
                asserted(Namespace::Resource),
            )
            .add(
                Namespace::Action,
                what.asked.properties,
                asserted(Namespace::Action),
            )
            .add_context(question.context, asserted(Namespace::Context))
            .add(
                Namespace::Principal,
                settings.known.principals.get(&who.id),
                Provenance::Store,
            )
            .add(
                Namespace::Resource,
                settings.known.resources.get(&on.resource),
                Provenance::Store,
            );
        let request = facts.request.at(self.now);
        match settings.vocabulary.asked_as() {
            // Last, so that no property of the action passes for its name.
            Some(name) => request.with_attribute(
                &format!("{}.{name}", Namespace::Action.as_str()),
                Value::text(what.asked.name),
                Provenance::Runtime,
            ),
            None => request,
        }
    }

    /// A request of this subject. Whom Principals does not name holds what everybody holds. Where nobody says who is in which
    /// group, denies on groups stand; so they do for a member of a group, who may be in others.
    fn of_subject(&self, who: &Who<'_>, action: Action, resource: &Resource) -> Request {
        let is_named = self.snapshot.object_id(&who.id).is_some();
        let resource = resource.clone();
        if who.id.kind() == PrincipalKind::Group {
            let groups: Vec<PrincipalId> = is_named.then(|| who.id.clone()).into_iter().collect();
            return Request::new(None, action, resource)
                .with_groups(Arc::from(groups))
                .with_incomplete_groups();
        }
        let request = Request::new(is_named.then(|| who.id.clone()), action, resource);
        match &self.settings.groups {
            Some(told) => {
                let groups = told.get(&who.id).cloned().unwrap_or_default();
                request.with_groups(Arc::from(groups))
            }
            None => request.with_incomplete_groups(),
        }
    }
}

fn unknown(what: &str, word: &str) -> String {
    format!("the {what} `{}` is not known", shorten(word))
}
