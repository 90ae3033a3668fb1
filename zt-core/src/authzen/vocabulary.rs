//! A gateway's words for ours: types of subjects and resources, names of actions.
//!
//! In: the words of a request. Out: our principals, actions and resources, and the way back for searches. A word that is not
//! known is no error: nobody may do it. Never: a value of a request.

use crate::id::{PrincipalId, PrincipalKind};
use crate::policy::{Action, Resource, ResourceKind};

/// Which words an enforcement point uses.
///
/// Own words come first; then, unless they are [`empty`](Self::empty) otherwise, ours as the tables write them: the subject
/// types `user`, `group` and `sp`, the actions `table.read` and so on, the resource types `table`, `secret` and so on.
///
/// ```
/// use zt_core::authzen::Vocabulary;
/// use zt_core::id::PrincipalKind;
/// use zt_core::policy::Action;
///
/// let words = Vocabulary::empty()
///     .with_subject_type("user", PrincipalKind::User)
///     .with_action("can_read_todos", Action::TableRead)
///     .with_resource_type_below("todo", "table:todos".parse()?); // `7` is `table:todos.7`
/// # Ok::<(), zt_core::policy::NotAResource>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Vocabulary {
    is_closed: bool,
    subjects: Vec<(String, PrincipalKind)>,
    actions: Vec<(String, Action)>,
    resources: Vec<(String, Place)>,
    asked_as: Option<String>,
}

/// Where the resources of a type stand: all of a kind, or what is below one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    kind: ResourceKind,
    below: Option<Resource>,
}

impl Place {
    const fn all(kind: ResourceKind) -> Self {
        Self { kind, below: None }
    }

    /// The resource of this id; none when it has no such form.
    pub(super) fn resource(&self, id: &str) -> Option<Resource> {
        let text = match &self.below {
            None => format!("{}:{id}", self.kind),
            Some(root) => format!("{root}{}{id}", self.kind.separator()),
        };
        text.parse().ok()
    }

    /// The id of a resource; none for one of another place.
    pub(super) fn id<'a>(&self, resource: &'a Resource) -> Option<&'a str> {
        if resource.kind() != self.kind {
            return None;
        }
        let Some(root) = &self.below else {
            return Some(resource.path());
        };
        resource
            .path()
            .strip_prefix(root.path())?
            .strip_prefix(self.kind.separator())
    }
}

impl Vocabulary {
    /// Our own words.
    pub fn new() -> Self {
        Self::default()
    }

    /// No words at all: only those that are added count.
    pub fn empty() -> Self {
        Self {
            is_closed: true,
            ..Self::default()
        }
    }

    /// Subjects of this type are principals of this kind. An id `alice` of a type for users is `user:alice`. A group stands
    /// for any member of whom nothing else is known.
    pub fn with_subject_type(mut self, word: &str, kind: PrincipalKind) -> Self {
        self.subjects.push((word.to_owned(), kind));
        self
    }

    /// This name asks for this action. Several names may ask for one; [`telling_action_as`](Self::telling_action_as) tells
    /// them apart. Searches for actions answer in the order in which they were added.
    pub fn with_action(mut self, word: &str, action: Action) -> Self {
        self.actions.push((word.to_owned(), action));
        self
    }

    /// Resources of this type are resources of this kind. An id `gold.scores` of a type for tables is `table:gold.scores`.
    pub fn with_resource_type(mut self, word: &str, kind: ResourceKind) -> Self {
        self.resources.push((word.to_owned(), Place::all(kind)));
        self
    }

    /// Resources of this type stand below this one. With `table:todos`, the id `7` is `table:todos.7`.
    pub fn with_resource_type_below(mut self, word: &str, root: Resource) -> Self {
        let place = Place {
            kind: root.kind(),
            below: Some(root),
        };
        self.resources.push((word.to_owned(), place));
        self
    }

    /// The name by which an action was asked counts as this attribute, `action.NAME`. A row of Attributes declares it as text or
    /// enum with provenance `request`. Without it, a policy about an action is about all names that ask for it.
    pub fn telling_action_as(mut self, name: &str) -> Self {
        self.asked_as = Some(name.to_owned());
        self
    }

    /// The attribute that holds an action's name, without its namespace.
    pub(super) fn asked_as(&self) -> Option<&str> {
        self.asked_as.as_deref()
    }

    pub(super) fn subject_kind(&self, word: &str) -> Option<PrincipalKind> {
        const OURS: [(&str, PrincipalKind); 3] = [
            ("user", PrincipalKind::User),
            ("group", PrincipalKind::Group),
            ("sp", PrincipalKind::ServicePrincipal),
        ];
        let own = self.subjects.iter().find(|(known, _)| known == word);
        let own = own.map(|(_, kind)| *kind);
        own.or_else(|| {
            let ours = OURS.iter().find(|(known, _)| *known == word);
            ours.map(|(_, kind)| *kind).filter(|_| !self.is_closed)
        })
    }

    pub(super) fn action(&self, word: &str) -> Option<Action> {
        let own = self.actions.iter().find(|(known, _)| known == word);
        let own = own.map(|(_, action)| *action);
        own.or_else(|| word.parse().ok().filter(|_| !self.is_closed))
    }

    pub(super) fn place(&self, word: &str) -> Option<Place> {
        let own = self.resources.iter().find(|(known, _)| known == word);
        own.map(|(_, place)| place.clone()).or_else(|| {
            let ours = ResourceKind::ALL.iter().find(|kind| kind.as_str() == word);
            ours.copied().map(Place::all).filter(|_| !self.is_closed)
        })
    }

    /// Every name that asks for an action, each once, in the order in which searches answer.
    pub(super) fn actions(&self) -> Vec<(&str, Action)> {
        let own = self.actions.iter();
        let own = own.map(|(word, action)| (word.as_str(), *action));
        let ours = Action::ALL.iter().filter(|_| !self.is_closed);
        let ours = ours.map(|action| (action.as_str(), *action));
        let mut all: Vec<(&str, Action)> = Vec::new();
        for (word, action) in own.chain(ours) {
            if all.iter().all(|(known, _)| *known != word) {
                all.push((word, action));
            }
        }
        all
    }
}

/// The principal of this kind and name; none when it has no such form.
pub(super) fn principal(kind: PrincipalKind, name: &str) -> Option<PrincipalId> {
    format!("{}{name}", kind.prefix()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_below_a_resource_leads_there_and_back() {
        let words =
            Vocabulary::empty().with_resource_type_below("todo", "table:todos".parse().unwrap());
        let place = words.place("todo").unwrap();
        let resource = place.resource("7").unwrap();
        assert_eq!(resource.as_str(), "table:todos.7");
        assert_eq!(place.id(&resource), Some("7"));
        for other in ["table:todos", "table:todosx.7", "view:todos.7"] {
            assert_eq!(place.id(&other.parse().unwrap()), None, "{other}");
        }
    }

    #[test]
    fn an_id_cannot_leave_the_place_of_its_type() {
        let words =
            Vocabulary::empty().with_resource_type_below("todo", "model:todos".parse().unwrap());
        let place = words.place("todo").unwrap();
        for id in ["", "..//x", "a b", "*", "**", "x/**"] {
            assert_eq!(place.resource(id), None, "{id}");
        }
        let resource = place.resource("../secret").unwrap();
        assert_eq!(resource.as_str(), "model:todos/../secret");
    }

    #[test]
    fn an_empty_vocabulary_knows_no_word_of_ours() {
        let (ours, none) = (Vocabulary::new(), Vocabulary::empty());
        assert!(ours.subject_kind("sp").is_some() && none.subject_kind("sp").is_none());
        assert!(ours.action("table.read").is_some() && none.action("table.read").is_none());
        assert!(ours.place("secret").is_some() && none.place("secret").is_none());
        assert!(none.actions().is_empty());
        assert_eq!(ours.actions().len(), Action::ALL.len());
    }
}
