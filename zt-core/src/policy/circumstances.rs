//! What the audit log says of a decision beside its rows and facts: the restrictions that it is under, what they ask for,
//! and by which activations it came.

use std::collections::BTreeMap;

use super::oracle::Asking;
use super::request::{Veil, behind, nothing_of};
use super::{Attribute, Condition, Decision, Facts, PolicyKind, Provenance};

/// How a fact is known that nothing says: the row of Attributes has a default.
pub(crate) const DEFAULT: &str = "default";

impl Decision {
    /// Names and texts, for the audit log alone: reasons and tickets of activations are in them.
    pub(crate) fn circumstances(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut add = |name, words: Vec<String>| {
            if !words.is_empty() {
                found.push((name, words.join(" ")));
            }
        };
        add(
            "restrictions",
            self.restrictions().map(ToString::to_string).collect(),
        );
        if self.is_allowed() && !self.row_filter().is_all() {
            add("rows", vec![self.row_filter().to_string()]);
        }
        let obligations = self.obligations();
        add(
            "max_rows",
            obligations
                .max_rows
                .iter()
                .map(ToString::to_string)
                .collect(),
        );
        add("encrypt", obligations.encrypt.iter().cloned().collect());
        add(
            "step_up",
            self.step_up().iter().map(ToString::to_string).collect(),
        );
        let activations: Vec<String> = self.activations().collect();
        if !activations.is_empty() {
            found.push(("activations", activations.join("; ")));
        }
        found
    }

    /// What a token or a store says that the deciding rows and restrictions look at: name, value, how it is known, and
    /// `default` where nothing says it. What the request states itself is not repeated. Values of secret attributes are
    /// not shown.
    pub(crate) fn known_facts(&self) -> Vec<(String, String, &'static str)> {
        self.known_facts_behind(&nothing_of)
    }

    /// The same with what `veil` makes of secret values.
    pub(crate) fn known_facts_behind(&self, veil: Veil<'_>) -> Vec<(String, String, &'static str)> {
        let facts = self.request().facts(self.snapshot());
        let mut known = BTreeMap::new();
        let restricts = self.restricting_rows();
        for row in self.rows().chain(restricts) {
            let conditions = std::iter::once(&row.when).chain(&row.row_condition);
            let mut looked_at: Vec<&Attribute> =
                conditions.flat_map(Condition::attributes).collect();
            looked_at.extend(row.obligations.step_up.and_then(Facts::strength_attribute));
            for attribute in looked_at {
                let is_better =
                    matches!(attribute.provenance, Provenance::Token | Provenance::Store);
                // The caller and what it is stand in the record anyway.
                if !is_better || attribute.is_caller() {
                    continue;
                }
                let how = match facts.known(attribute) {
                    Some(_) => attribute.provenance.as_str(),
                    None => DEFAULT,
                };
                if let Some(value) = facts.value(attribute) {
                    known.insert(attribute.to_string(), (behind(veil, attribute, value), how));
                }
            }
        }
        let stated = &self.request().attributes;
        let known = known
            .into_iter()
            .filter(|(name, _)| stated.iter().all(|(own, _, _)| own != name));
        known
            .map(|(name, (value, how))| (name, value, how))
            .collect()
    }

    /// How the rows that are not standing came to apply.
    pub(super) fn activations(&self) -> impl Iterator<Item = String> {
        let activated: Vec<_> = self
            .rows()
            .filter(|row| row.kind != PolicyKind::Standing)
            .collect();
        let asking = (!activated.is_empty()).then(|| Asking::of(self.snapshot(), self.request()));
        let texts: Vec<String> = asking
            .iter()
            .flat_map(|asking| activated.iter().flat_map(|row| asking.activated_by(row)))
            .map(|row| {
                let ticket = row.ticket.as_deref().unwrap_or("no ticket");
                let approver = row.approver.as_ref();
                let approver = approver.map_or_else(|| "nobody".to_owned(), ToString::to_string);
                format!(
                    "{} for {} until {}: {} ({ticket}, approved by {approver})",
                    row.policy, row.principal, row.to, row.reason
                )
            })
            .collect();
        texts.into_iter()
    }
}
