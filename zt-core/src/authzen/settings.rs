//! Settings as a file: the words, groups, properties and trust of one deployment.
//!
//! In: TOML. Out: [`Authzen`], or the first mistake with what to do. A name that is not known is a mistake: a typing error
//! must not lower a guard.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Authzen, Vocabulary};
use crate::id::PrincipalKind;
use crate::policy::{Namespace, Resource, ResourceKind};

/// The text holds no settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotSettings(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    own_words_only: bool,
    #[serde(default)]
    subjects: BTreeMap<String, String>,
    #[serde(default)]
    actions: Vec<(String, String)>,
    #[serde(default)]
    resources: BTreeMap<String, String>,
    action_name_as: Option<String>,
    groups: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    principals: BTreeMap<String, Map<String, Value>>,
    #[serde(default)]
    known_resources: BTreeMap<String, Map<String, Value>>,
    #[serde(default)]
    trust: Vec<String>,
    #[serde(default)]
    enforces_obligations: bool,
    #[serde(default)]
    explains: bool,
}

impl Authzen {
    /// Reads settings from TOML.
    ///
    /// ```
    /// use zt_core::authzen::Authzen;
    ///
    /// let pdp = Authzen::from_toml(r#"
    ///     own_words_only = true
    ///     actions = [["can_read", "table.read"], ["can_write", "table.write"]]
    ///     trust = ["resource"]
    ///
    ///     [subjects]
    ///     identity = "user"
    ///
    ///     [resources]
    ///     dataset = "table"          # the id `gold.scores` is `table:gold.scores`
    ///     report = "table:reports"   # the id `q3` is `table:reports.q3`
    ///
    ///     [groups]
    ///     "user:maya" = ["group:grp-data-science"]
    /// "#)?;
    /// # Ok::<(), zt_core::authzen::NotSettings>(())
    /// ```
    ///
    /// # Errors
    /// The text is not TOML, has a name that is no setting, or a word that nobody knows.
    pub fn from_toml(text: &str) -> Result<Self, NotSettings> {
        let settings: Settings =
            toml::from_str(text).map_err(|why| NotSettings(why.to_string()))?;
        let mut authzen = Self::new(vocabulary(&settings)?);
        for namespace in &settings.trust {
            authzen = authzen.trusting(one_of("trust", namespace, Namespace::OPEN)?);
        }
        if let Some(told) = settings.groups {
            let mut groups = BTreeMap::new();
            for (id, names) in told {
                let names = names.iter().map(|name| read("groups", name));
                groups.insert(read("groups", &id)?, names.collect::<Result<_, _>>()?);
            }
            authzen = authzen.with_groups(groups);
        }
        for (id, properties) in settings.principals {
            authzen = authzen.with_principal(read("principals", &id)?, properties);
        }
        for (id, properties) in settings.known_resources {
            authzen = authzen.with_resource(read("known_resources", &id)?, properties);
        }
        authzen.enforces_obligations = settings.enforces_obligations;
        authzen.explains = settings.explains;
        Ok(authzen)
    }
}

fn vocabulary(settings: &Settings) -> Result<Vocabulary, NotSettings> {
    let mut words = if settings.own_words_only {
        Vocabulary::empty()
    } else {
        Vocabulary::new()
    };
    let kinds = [
        ("user", PrincipalKind::User),
        ("group", PrincipalKind::Group),
        ("sp", PrincipalKind::ServicePrincipal),
    ];
    for (word, kind) in &settings.subjects {
        words = words.with_subject_type(word, one_of("subjects", kind, &kinds)?);
    }
    for (word, action) in &settings.actions {
        words = words.with_action(word, read("actions", action)?);
    }
    for (word, place) in &settings.resources {
        words = if place.contains(':') {
            words.with_resource_type_below(word, read::<Resource>("resources", place)?)
        } else {
            let kinds: Vec<(&str, ResourceKind)> = ResourceKind::ALL
                .iter()
                .map(|kind| (kind.as_str(), *kind))
                .collect();
            words.with_resource_type(word, one_of("resources", place, &kinds)?)
        };
    }
    Ok(match &settings.action_name_as {
        Some(name) => words.telling_action_as(name),
        None => words,
    })
}

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(
    setting: &str,
    text: &str,
) -> Result<T, NotSettings> {
    text.parse()
        .map_err(|why: T::Err| NotSettings(format!("`{setting}`: `{text}`: {why}")))
}

fn one_of<T: Copy>(setting: &str, word: &str, known: &[(&str, T)]) -> Result<T, NotSettings> {
    let found = known.iter().find(|(name, _)| *name == word);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let names = names.join("`, `");
        NotSettings(format!("`{setting}`: `{word}` is not one of `{names}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_named_and_nothing_is_passed_over() {
        for (text, part) in [
            ("trusts = [\"resource\"]", "trusts"),
            (
                "trust = [\"token\"]",
                "`trust`: `token` is not one of `principal`, `resource`",
            ),
            (
                "actions = [[\"x\", \"table.reed\"]]",
                "`actions`: `table.reed`",
            ),
            ("[subjects]\nx = \"role\"", "`subjects`: `role`"),
            ("[resources]\nx = \"tabel\"", "`resources`: `tabel`"),
            ("[resources]\nx = \"tabel:y\"", "unknown kind"),
            ("[groups]\nmaya = []", "`groups`: `maya`"),
            ("[known_resources.x]\na = 1", "`known_resources`: `x`"),
        ] {
            let message = Authzen::from_toml(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn no_settings_are_the_careful_ones() {
        assert_eq!(
            Authzen::from_toml("").unwrap(),
            Authzen::new(Vocabulary::new())
        );
    }
}
