//! Who may, on what, and what: every candidate is decided, none is guessed.
//!
//! In: a question that leaves one part open. Out: the candidates that are granted, in a stable order. Candidates are what the
//! tables and the settings name: principals, resources, and the actions of the vocabulary. Patterns of rows stand for names
//! beyond; those can be asked about one by one, not listed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::decide::{OnWhat, What, Who};
use super::page::Page;
use super::request::{Asked, Entity, Question, Sought, asked, entity, optional_object, required};
use super::{Answer, BadRequest, Sitting, json as form};
use crate::id::PrincipalId;
use crate::policy::{Action, Resource, named_resources};

/// One thing that may be granted: the key that pages go by, and its answer.
struct Candidate<T> {
    key: String,
    it: T,
    answer: Value,
}

/// What a search was about and how many it listed, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Searched {
    /// The subject, as the tables name it; none where subjects were searched.
    pub subject: Option<PrincipalId>,
    /// The action; none where actions were searched.
    pub action: Option<Action>,
    /// The resource; none where resources were searched.
    pub resource: Option<Resource>,
    /// How many results the page has.
    pub listed: usize,
}

impl Sitting<'_> {
    /// Subject Search: which subjects of a type may do this to that resource? Properties of the subject are not criteria
    /// and are ignored, as its `id` is.
    ///
    /// # Errors
    /// A member is missing or has the wrong type, or a page token belongs to another search.
    pub fn search_subject(&self, request: &Value) -> Result<Answer, BadRequest> {
        let members = form::object(request)?;
        let sought = required(entity(members, "subject", Sought::Searched)?, "subject")?;
        let action = required(asked(members)?, "action")?;
        let resource = required(entity(members, "resource", Sought::Given)?, "resource")?;
        let page = Page::read("subject", members)?;
        let question = context_of(members)?;
        let (Some(what), Some(on)) = (self.what(action).ok(), self.on_what(resource).ok()) else {
            return Ok(nothing(&page));
        };
        let answer = Self::page(&page, self.subjects(sought), |id| {
            let who = Who {
                id: id.clone(),
                properties: None,
            };
            self.outcome(&who, what, &on, &question).is_granted()
        });
        let searched = (None, Some(what.action), Some(on.resource));
        Ok(told(answer, searched))
    }

    /// Resource Search: to which resources of a type may this subject do this? Properties of the resource are not criteria
    /// and are ignored, as its `id` is.
    ///
    /// # Errors
    /// As [`search_subject`](Self::search_subject).
    pub fn search_resource(&self, request: &Value) -> Result<Answer, BadRequest> {
        let members = form::object(request)?;
        let subject = required(entity(members, "subject", Sought::Given)?, "subject")?;
        let action = required(asked(members)?, "action")?;
        let sought = required(entity(members, "resource", Sought::Searched)?, "resource")?;
        let page = Page::read("resource", members)?;
        let question = context_of(members)?;
        let (Some(who), Some(what)) = (self.who(subject).ok(), self.what(action).ok()) else {
            return Ok(nothing(&page));
        };
        let answer = Self::page(&page, self.resources(sought), |resource| {
            let on = OnWhat {
                resource: resource.clone(),
                properties: None,
            };
            self.outcome(&who, what, &on, &question).is_granted()
        });
        Ok(told(answer, (Some(who.id), Some(what.action), None)))
    }

    /// Action Search: what may this subject do to that resource? Answers in the order of the vocabulary. An action that
    /// depends on properties of its own is decided without them.
    ///
    /// # Errors
    /// As [`search_subject`](Self::search_subject).
    pub fn search_action(&self, request: &Value) -> Result<Answer, BadRequest> {
        let members = form::object(request)?;
        let subject = required(entity(members, "subject", Sought::Given)?, "subject")?;
        let resource = required(entity(members, "resource", Sought::Given)?, "resource")?;
        let page = Page::read("action", members)?;
        let question = context_of(members)?;
        let (Some(who), Some(on)) = (self.who(subject).ok(), self.on_what(resource).ok()) else {
            return Ok(nothing(&page));
        };
        let answer = Self::page(&page, self.actions(), |what| {
            self.outcome(&who, *what, &on, &question).is_granted()
        });
        Ok(told(answer, (Some(who.id), None, Some(on.resource))))
    }

    /// The candidates of one page that are granted, and how many they are.
    fn page<T>(
        page: &Page,
        candidates: impl IntoIterator<Item = Candidate<T>>,
        is_granted: impl Fn(&T) -> bool,
    ) -> (Value, usize) {
        let mut results = Vec::new();
        let (mut last, mut more) = (None, None);
        let left = candidates.into_iter().filter(|one| !page.is_past(&one.key));
        for candidate in left.filter(|one| is_granted(&one.it)) {
            if results.len() == page.limit() {
                more = Some(last);
                break;
            }
            last = Some(candidate.key);
            results.push(candidate.answer);
        }
        let count = results.len();
        let mut answer = json!({ "results": results });
        if let (Some(page), Some(members)) = (page.answer(count, more), answer.as_object_mut()) {
            members.insert("page".to_owned(), page);
        }
        (answer, count)
    }

    /// The principals of a type that tables or settings name.
    fn subjects(&self, sought: Entity<'_>) -> Vec<Candidate<PrincipalId>> {
        let Some(kind) = self.settings.vocabulary.subject_kind(sought.kind) else {
            return Vec::new();
        };
        let settings = self.settings;
        let rows = self.snapshot.tables().principals.iter().map(|row| &row.id);
        let grouped = settings.groups.iter().flat_map(BTreeMap::keys);
        let all: BTreeSet<&PrincipalId> = rows
            .chain(grouped)
            .chain(settings.known.principals.keys())
            .filter(|id| id.kind() == kind)
            .collect();
        let candidate = |id: &PrincipalId| Candidate {
            key: id.name().to_owned(),
            it: id.clone(),
            answer: json!({ "type": sought.kind, "id": id.name() }),
        };
        all.into_iter().map(candidate).collect()
    }

    /// The resources of a type that tables or settings name.
    fn resources(&self, sought: Entity<'_>) -> Vec<Candidate<Resource>> {
        let Some(place) = self.settings.vocabulary.place(sought.kind) else {
            return Vec::new();
        };
        let named = named_resources(&[&**self.snapshot]);
        let named = named.into_iter().filter(|named| !named.is_pattern());
        let named = named.map(|named| named.resource().clone());
        let all: BTreeSet<Resource> = named
            .chain(self.settings.known.resources.keys().cloned())
            .filter(|resource| (self.may_see)(resource))
            .collect();
        let candidate = |resource: Resource| {
            let id = place.id(&resource)?.to_owned();
            Some(Candidate {
                answer: json!({ "type": sought.kind, "id": id }),
                key: id,
                it: resource,
            })
        };
        let mut found: Vec<_> = all.into_iter().filter_map(candidate).collect();
        found.sort_by(|one, other| one.key.cmp(&other.key));
        found
    }

    /// The actions of the vocabulary.
    fn actions(&self) -> Vec<Candidate<What<'_>>> {
        let all = self.settings.vocabulary.actions().into_iter().enumerate();
        let mut found = Vec::new();
        for (at, (name, action)) in all {
            let properties = None;
            found.push(Candidate {
                key: format!("{at:08}"),
                answer: json!({ "name": name }),
                it: What {
                    action,
                    asked: Asked { name, properties },
                },
            });
        }
        found
    }
}

/// The circumstances alone: what is searched has no properties.
fn context_of(members: &Map<String, Value>) -> Result<Question<'_>, BadRequest> {
    Ok(Question {
        context: optional_object(members, "context", "context")?,
        ..Question::default()
    })
}

/// The answer about somebody or something that nobody knows.
fn nothing(page: &Page) -> Answer {
    let (answer, _) = Sitting::page(page, Vec::<Candidate<()>>::new(), |()| false);
    Answer::of_outcomes(answer, Vec::new())
}

type About = (Option<PrincipalId>, Option<Action>, Option<Resource>);

fn told((answer, listed): (Value, usize), (subject, action, resource): About) -> Answer {
    Answer::of_search(
        answer,
        Searched {
            subject,
            action,
            resource,
            listed,
        },
    )
}
