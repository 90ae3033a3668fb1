//! All attributes of one set of tables, found by their full names.
//!
//! In: the declared attributes. Out: [`AttributeSet`], in which no declared one takes the place of a built-in one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Attribute, BUILT_IN};

/// All attributes of a set of tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeSet {
    by_name: BTreeMap<String, Arc<Attribute>>,
}

impl Default for AttributeSet {
    fn default() -> Self {
        Self {
            by_name: BUILT_IN.clone(),
        }
    }
}

impl AttributeSet {
    /// All of them, in order of their names.
    pub fn all(&self) -> impl Iterator<Item = &Attribute> {
        self.by_name.values().map(|attribute| &**attribute)
    }

    /// The built-in attributes and the declared ones. A built-in name stays what it is.
    #[must_use]
    pub fn new(declared: impl IntoIterator<Item = Attribute>) -> Self {
        let mut set = Self::default();
        for attribute in declared {
            set.by_name
                .entry(attribute.to_string())
                .or_insert_with(|| Arc::new(attribute));
        }
        set
    }

    /// The attribute of this full name, `context.zone`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Attribute>> {
        self.by_name.get(name)
    }

    /// The full names of all attributes, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The attribute of this namespace that a person most likely meant.
    pub(in crate::policy) fn nearest(&self, namespace: &str, name: &str) -> Option<String> {
        let of_space = |full: &'_ str| -> Option<String> {
            let (space, own) = full.split_once('.')?;
            (space == namespace).then(|| own.to_owned())
        };
        let names: Vec<String> = self.names().filter_map(of_space).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let begun = names
            .iter()
            .find(|own| name.len() >= 3 && own.starts_with(name));
        let found = begun.map(|own| (*own).to_owned());
        let found = found.or_else(|| crate::text::nearest(name, &names))?;
        Some(format!("{namespace}.{found}"))
    }

    /// The attribute of this bare name, `zone`, in the first namespace that has it.
    pub(in crate::policy) fn of_bare_name(&self, name: &str) -> Option<&str> {
        self.names()
            .find(|full| full.split_once('.').is_some_and(|(_, own)| own == name))
    }

    /// Whether an attribute is built in.
    #[must_use]
    pub fn is_built_in(name: &str) -> bool {
        BUILT_IN.contains_key(name)
    }
}
