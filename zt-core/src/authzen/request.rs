//! The members of a request: subject, action, resource and context, checked for their form.
//!
//! In: a JSON object. Out: what it says, borrowed, or a [`BadRequest`] that names the member. Members that are not known are
//! passed over, as the specification demands; an optional member that is `null` is taken as absent.

use serde_json::{Map, Value};

use super::json;
use crate::error::{Code, Error};

/// A request that has not the form that the specification demands (status 400).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member} {reason}")]
pub struct BadRequest {
    member: String,
    reason: String,
}

impl BadRequest {
    pub(super) fn new(member: &str, reason: impl Into<String>) -> Self {
        Self {
            member: format!("`{member}`"),
            reason: reason.into(),
        }
    }

    pub(super) fn whole(reason: impl Into<String>) -> Self {
        Self {
            member: "the request".to_owned(),
            reason: reason.into(),
        }
    }

    /// The member that is wrong, such as `` `subject.id` ``, or `the request`.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// What is wrong with it. It repeats nothing of the request but a short word.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl From<BadRequest> for Error {
    fn from(bad: BadRequest) -> Self {
        Self::new(Code::InvalidArgument, bad.to_string())
            .with_help("the OpenID AuthZEN Authorization API 1.0 has the form of requests")
    }
}

type Members = Map<String, Value>;

/// A subject or resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entity<'a> {
    pub(super) kind: &'a str,
    /// Empty in what is searched for.
    pub(super) id: &'a str,
    pub(super) properties: Option<&'a Members>,
}

/// An action.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) properties: Option<&'a Members>,
}

/// A whole question, or the defaults of many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Question<'a> {
    pub(super) subject: Option<Entity<'a>>,
    pub(super) action: Option<Asked<'a>>,
    pub(super) resource: Option<Entity<'a>>,
    pub(super) context: Option<&'a Members>,
}

/// Whether an entity is known or looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sought {
    /// It has an id.
    Given,
    /// Its id is what is searched for; one that is there is ignored.
    Searched,
}

impl<'a> Question<'a> {
    /// Reads the members that are there.
    pub(super) fn read(members: &'a Members) -> Result<Self, BadRequest> {
        Ok(Self {
            subject: entity(members, "subject", Sought::Given)?,
            action: asked(members)?,
            resource: entity(members, "resource", Sought::Given)?,
            context: optional_object(members, "context", "context")?,
        })
    }

    /// The same with the defaults for what is absent: whole members, never parts of one.
    pub(super) fn or(self, defaults: Self) -> Self {
        Self {
            subject: self.subject.or(defaults.subject),
            action: self.action.or(defaults.action),
            resource: self.resource.or(defaults.resource),
            context: self.context.or(defaults.context),
        }
    }
}

/// A member that must be there.
pub(super) fn required<T>(found: Option<T>, name: &str) -> Result<T, BadRequest> {
    found.ok_or_else(|| BadRequest::new(name, "is missing"))
}

pub(super) fn entity<'a>(
    members: &'a Members,
    name: &str,
    sought: Sought,
) -> Result<Option<Entity<'a>>, BadRequest> {
    let Some(entity) = optional_object(members, name, name)? else {
        return Ok(None);
    };
    Ok(Some(Entity {
        kind: text(entity, name, "type")?,
        id: match sought {
            Sought::Given => text(entity, name, "id")?,
            Sought::Searched => "",
        },
        properties: optional_object(entity, "properties", &format!("{name}.properties"))?,
    }))
}

pub(super) fn asked(members: &Members) -> Result<Option<Asked<'_>>, BadRequest> {
    let Some(action) = optional_object(members, "action", "action")? else {
        return Ok(None);
    };
    Ok(Some(Asked {
        name: text(action, "action", "name")?,
        properties: optional_object(action, "properties", "action.properties")?,
    }))
}

/// An object that may be absent; `full` is its name in messages.
pub(super) fn optional_object<'a>(
    members: &'a Members,
    name: &str,
    full: &str,
) -> Result<Option<&'a Members>, BadRequest> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(other) => {
            let reason = format!("is {}, expected an object", json::kind(other));
            Err(BadRequest::new(full, reason))
        }
    }
}

fn text<'a>(members: &'a Members, of: &str, name: &str) -> Result<&'a str, BadRequest> {
    let full = format!("{of}.{name}");
    match members.get(name) {
        None => Err(BadRequest::new(&full, "is missing")),
        Some(Value::String(text)) => Ok(text),
        Some(other) => {
            let reason = format!("is {}, expected a string", json::kind(other));
            Err(BadRequest::new(&full, reason))
        }
    }
}
