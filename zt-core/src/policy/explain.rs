//! Why a request was decided as it was, and what would have been needed: computed off the hot path.
//!
//! Near misses tell an attacker what to claim, so an explanation goes to the audit log and to holders of
//! `policy.explain` only; everybody else gets the decision id and the row's `why`.

mod near;

use std::fmt;

use serde::Serialize;

use self::near::near_misses;
use super::oracle::{Asking, condition_of};
use super::{Decision, Effect, Truth};
use crate::metadata::AccessPolicy;

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
    /// The reasons that the deciding rows give for whoever may see explanations (`reason_admin`), with the row's id.
    pub reasons: Vec<String>,
    /// The restrictions that an allow is under.
    pub restrictions: Vec<String>,
    /// Which deciding rows apply only because they are activated: until when, why, and who approved it.
    pub activations: Vec<String>,
    /// How the caller must sign in to be allowed, where nothing else is missing.
    pub step_up: Vec<String>,
    /// Until when the decision cannot change on this snapshot, as RFC 3339; none when time alone never changes it.
    pub lease: Option<String>,
    /// Allow rows that nearly applied, the nearest first, at most 8.
    pub near_misses: Vec<NearMiss>,
    /// Whether there may be more near misses than those.
    pub has_more: bool,
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
    /// The row applies while it is activated, and it is not for this caller now.
    Activation {
        /// `jit` or `break_glass`.
        needs: String,
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
    let asking = Asking::of(snapshot, request);
    let rows: Vec<&AccessPolicy> = decision.rows().collect();
    let (near_misses, has_more) = if decision.is_allowed() {
        (Vec::new(), false)
    } else {
        near_misses(&asking)
    };
    Explanation {
        decision: decision.id().to_string(),
        kind: decision.kind().to_string(),
        caller: request
            .caller
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string),
        holds: asking.held.names(),
        action: request.action.to_string(),
        resource: request.resource.to_string(),
        facts: request
            .stated(snapshot.attributes())
            .into_iter()
            .chain(decision.known_facts())
            .map(|(name, value, _)| format!("{name}={value}"))
            .collect(),
        policies: decision.policies().map(ToString::to_string).collect(),
        why: decision.why().map(str::to_owned),
        unknown: unknown_facts(&asking, &rows),
        snapshot: snapshot.version(),
        would: decision.would().map(|would| would.to_string()),
        reasons: rows
            .iter()
            .filter_map(|row| Some(format!("{}: {}", row.id, row.reason_admin.as_ref()?)))
            .collect(),
        restrictions: decision.restrictions().map(ToString::to_string).collect(),
        activations: decision.activations().collect(),
        step_up: decision.step_up().iter().map(ToString::to_string).collect(),
        lease: decision.lease().map(|end| end.to_string()),
        near_misses,
        has_more,
    }
}

fn unknown_facts(asking: &Asking<'_>, rows: &[&AccessPolicy]) -> Vec<String> {
    let mut unknown = Vec::new();
    for row in rows.iter().filter(|row| row.effect != Effect::Allow) {
        if asking.held.matches_any(&row.principals) == Truth::Unknown {
            unknown.push("groups".to_owned());
        }
        if condition_of(row, &asking.facts) == Truth::Unknown {
            unknown.extend(row.when.unknown(&asking.facts));
        }
        if row.window().holds(asking.request.now) == Truth::Unknown {
            unknown.push(NOW.to_owned());
        }
    }
    unknown.sort();
    unknown.dedup();
    unknown
}

/// The fact that a row's window is about.
const NOW: &str = "time.now";

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal { needs } => write!(f, "caller is not {needs}"),
            Self::Activation { needs } => write!(f, "row is not activated ({needs})"),
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
        let lists = [
            ("reasons", &self.reasons),
            ("under", &self.restrictions),
            ("activated", &self.activations),
            ("a stronger sign-in would do", &self.step_up),
        ];
        for (name, words) in lists.iter().filter(|(_, words)| !words.is_empty()) {
            write!(f, "\n  {name}: {}", words.join("; "))?;
        }
        if let Some(lease) = &self.lease {
            write!(f, "\n  holds until {lease}")?;
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
        if self.has_more {
            f.write_str("\n  and others")?;
        }
        Ok(())
    }
}
