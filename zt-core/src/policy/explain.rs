//! Why a request was decided as it was, and what would have been needed: computed off the hot path.
//!
//! Near misses tell an attacker what to claim, so an explanation goes to the audit log and to holders of
//! `policy.explain` only; everybody else gets the decision id and the row's `why`.

use std::fmt;

use serde::Serialize;

use super::oracle::{condition_of, window};
use super::{Decision, Effect, Facts, Mode, Request, Truth};
use crate::metadata::{AccessPolicy, Held, Snapshot};

/// At most this many near misses are listed, the nearest first.
const MOST: usize = 16;

/// A decision in full. Prints as a few lines of text; serializes to JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The decision's id.
    pub decision: String,
    /// `allow`, `explicit_deny` or `default_deny`.
    pub kind: String,
    /// The caller's readable id, or `unknown`.
    pub caller: String,
    /// Everything the caller holds: groups and roles.
    pub holds: Vec<String>,
    /// What was asked.
    pub action: String,
    /// On what.
    pub resource: String,
    /// The stated facts, `name=value`; values of secret and of undeclared attributes are not shown.
    pub facts: Vec<String>,
    /// The rows that decided.
    pub policies: Vec<String>,
    /// The reason in words that these rows give.
    pub why: Option<String>,
    /// Facts that nobody stated and that deciding denies test: an unknown never disarms a deny.
    pub unknown: Vec<String>,
    /// The version of the snapshot that decided.
    pub snapshot: u64,
    /// What rows in shadow mode would have made of it: `explicit_deny by AP-30`; none when no such row applies.
    pub would: Option<String>,
    /// Allow rows that nearly applied, the nearest first.
    pub near_misses: Vec<NearMiss>,
}

/// An allow row that speaks of nearly this request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NearMiss {
    /// The row of Access_Policies.
    pub policy: String,
    /// What it needs and does not find; never empty for a default deny.
    pub unmet: Vec<Unmet>,
}

/// One need of a row that the request does not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unmet {
    /// The caller does not hold the row's principal.
    Principal {
        /// The row's principal.
        needs: String,
    },
    /// The row is about another resource.
    Resource {
        /// The row's resource.
        needs: String,
        /// The resource asked for.
        is: String,
    },
    /// A fact is missing or has another value.
    Fact {
        /// `job`, `stage`, `author`, or the attribute's full name: `context.zone`.
        fact: String,
        /// What the row needs, in words; `[secret]` where nobody may know.
        needs: String,
        /// Its value, or `[secret]`; none when it is unknown.
        is: Option<String>,
    },
}

/// Explains a decision on the snapshot that made it. For tools of whoever owns the tables: it asks nobody's right. What
/// answers callers uses [`Session::explain`](crate::Session::explain).
#[must_use]
pub fn explain(decision: &Decision) -> Explanation {
    let request = decision.request();
    let snapshot = decision.snapshot();
    let held = request.held(snapshot);
    Explanation {
        decision: decision.id().to_string(),
        kind: decision.kind().to_string(),
        caller: request
            .caller
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string),
        holds: held.names(),
        action: request.action.to_string(),
        resource: request.resource.to_string(),
        facts: request
            .stated(snapshot.attributes())
            .into_iter()
            .map(|(name, value, _)| format!("{name}={value}"))
            .collect(),
        policies: decision.policies().map(ToString::to_string).collect(),
        why: decision.why().map(str::to_owned),
        unknown: unknown_facts(decision),
        snapshot: snapshot.version(),
        would: decision.would().map(|would| would.to_string()),
        near_misses: if decision.is_allowed() {
            Vec::new()
        } else {
            near_misses(snapshot, request, &held)
        },
    }
}

fn unknown_facts(decision: &Decision) -> Vec<String> {
    let request = decision.request();
    let held = request.held(decision.snapshot());
    let facts = request.facts(decision.snapshot());
    let mut unknown = Vec::new();
    for row in decision.rows().filter(|row| row.effect == Effect::Deny) {
        if held.matches(&row.principal) == Truth::Unknown {
            unknown.push("groups".to_owned());
        }
        if condition_of(row, &facts) == Truth::Unknown {
            unknown.extend(row.when.unknown(&facts));
        }
        if window(row, request.now) == Truth::Unknown {
            unknown.push(NOW.to_owned());
        }
    }
    unknown.sort();
    unknown.dedup();
    unknown
}

/// The fact that a row's window is about.
const NOW: &str = "time.now";

fn near_misses(snapshot: &Snapshot, request: &Request, held: &Held<'_>) -> Vec<NearMiss> {
    let allows = snapshot
        .tables()
        .access_policies
        .iter()
        .filter(|row| row.effect == Effect::Allow && row.mode == Mode::Enforce);
    let facts = request.facts(snapshot);
    let mut misses: Vec<NearMiss> = allows
        .filter_map(|policy| near_miss(policy, request, &facts, held))
        .collect();
    misses.sort_by_key(|miss| miss.unmet.len());
    misses.truncate(MOST);
    misses
}

/// A row is near when it speaks of the action and resource, or when the resource is all that differs.
fn near_miss(
    policy: &AccessPolicy,
    request: &Request,
    facts: &Facts<'_>,
    held: &Held<'_>,
) -> Option<NearMiss> {
    if !policy.action.matches(request.action) {
        return None;
    }
    let mut unmet = Vec::new();
    if held.matches(&policy.principal) != Truth::True {
        unmet.push(Unmet::Principal {
            needs: policy.principal.to_string(),
        });
    }
    unmet.extend(policy.when.unmet(facts));
    if window(policy, request.now) != Truth::True {
        let from = policy.valid_from.map(|from| format!("from {from} on"));
        let to = policy.valid_to.map(|to| format!("before {to}"));
        let needs: Vec<String> = from.into_iter().chain(to).collect();
        unmet.push(Unmet::Fact {
            fact: NOW.to_owned(),
            needs: needs.join(" and "),
            is: request.now.map(|now| now.to_string()),
        });
    }
    if !policy.resource.matches(&request.resource) {
        let same_kind = policy.resource.kind() == Some(request.resource.kind());
        if !unmet.is_empty() || !same_kind {
            return None;
        }
        unmet.push(Unmet::Resource {
            needs: policy.resource.to_string(),
            is: request.resource.to_string(),
        });
    }
    Some(NearMiss {
        policy: policy.id.to_string(),
        unmet,
    })
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal { needs } => write!(f, "caller is not {needs}"),
            Self::Resource { needs, is } => write!(f, "resource is {is}, needs {needs}"),
            Self::Fact {
                fact,
                needs,
                is: Some(is),
            } => write!(f, "{fact} is {is}, needs {needs}"),
            Self::Fact {
                fact,
                needs,
                is: None,
            } => write!(f, "{fact} is unknown, needs {needs}"),
        }
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} would allow", self.policy)?;
        for (at, unmet) in self.unmet.iter().enumerate() {
            write!(f, "{}{unmet}", if at == 0 { ": " } else { "; " })?;
        }
        if self.unmet.is_empty() {
            f.write_str(", were it not denied")?;
        }
        Ok(())
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}: {}",
            self.caller, self.action, self.resource, self.kind
        )?;
        if !self.policies.is_empty() {
            write!(f, " by {}", self.policies.join(", "))?;
        }
        if let Some(why) = &self.why {
            write!(f, " ({why})")?;
        }
        if !self.unknown.is_empty() {
            write!(
                f,
                "\n  unknown, so the deny stands: {}",
                self.unknown.join(", ")
            )?;
        }
        if !self.facts.is_empty() {
            write!(f, "\n  stated: {}", self.facts.join(", "))?;
        }
        if let Some(would) = &self.would {
            write!(f, "\n  with shadow rows: {would}")?;
        }
        let holds = if self.holds.is_empty() {
            "nothing".to_owned()
        } else {
            self.holds.join(", ")
        };
        write!(f, "\n  caller holds: {holds}")?;
        for miss in &self.near_misses {
            write!(f, "\n  {miss}")?;
        }
        Ok(())
    }
}
