//! `obligations`: what a restriction asks of every allow that it matches, beside masks and rows.

use super::columns::refuse_without_columns;
use crate::metadata::reader::RowReader;
use crate::metadata::{Cell, Problem};
use crate::policy::{ActionPattern, AuditLevel, Effect, ResourcePattern, StepUp};

/// What a row with `effect = "restrict"` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Duties {
    /// At most so many rows are shown at once.
    pub max_rows: Option<u32>,
    /// How strongly the caller must have signed in.
    pub step_up: Option<StepUp>,
    /// The row of Encryption_Rules under which the data must be sealed before it is shown or leaves.
    pub encrypt: Option<String>,
    /// How surely each decision stands in the audit log.
    pub audit: AuditLevel,
}

impl Duties {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

const NAMES: [&str; 4] = ["max_rows", "step_up", "encrypt", "audit"];

/// Reads `obligations`. Only a restriction has them: of two allows each would have its own, and the caller the better of
/// both.
pub(super) fn read_duties(
    cells: &mut RowReader<'_>,
    effect: Option<Effect>,
    actions: Option<&[ActionPattern]>,
    resources: Option<&[ResourcePattern]>,
) -> Option<Duties> {
    let mut duties = Duties::default();
    let named = match cells.cell("obligations") {
        None => return Some(duties),
        Some(Cell::Map(named)) => named,
        Some(other) => {
            let reason = "expected a table such as { max_rows = 1000 }";
            cells.problem("obligations", &other.to_string(), reason);
            return None;
        }
    };
    if effect.is_some_and(|effect| effect != Effect::Restrict) {
        let reason = "only a row with effect \"restrict\" has obligations: write one beside it";
        cells.push("obligations", Problem::new(reason));
    }
    for (name, value) in named {
        read_duty(cells, &mut duties, name, value);
    }
    if let (Some(actions), Some(resources)) = (actions, resources)
        && (duties.max_rows.is_some() || duties.encrypt.is_some())
    {
        refuse_without_columns(cells, "obligations", actions, resources);
    }
    Some(duties)
}

fn read_duty(cells: &mut RowReader<'_>, duties: &mut Duties, name: &str, value: &Cell) {
    let expected = match (name, value) {
        ("max_rows", Cell::Integer(number)) if (0..=u32::MAX.into()).contains(number) => {
            duties.max_rows = u32::try_from(*number).ok();
            return;
        }
        ("max_rows", _) => "a whole number from 0 to 4294967295",
        ("step_up", Cell::Text(text)) if text.parse::<StepUp>().is_ok() => {
            duties.step_up = text.parse().ok();
            return;
        }
        ("step_up", _) => "\"mfa\", or an authentication context of Entra from \"c1\" to \"c99\"",
        ("encrypt", Cell::Text(rule)) if !rule.is_empty() => {
            duties.encrypt = Some(rule.clone());
            return;
        }
        ("encrypt", _) => "the id of a row of Encryption_Rules",
        ("audit", Cell::Text(word)) if AuditLevel::of(word).is_some() => {
            duties.audit = AuditLevel::of(word).unwrap_or_default();
            return;
        }
        ("audit", _) => "\"ordered\", \"durable\" or \"remote\"",
        (unknown, _) => {
            let problem = Problem::new("not an obligation").text(unknown);
            cells.push("obligations", problem.nearest(&NAMES));
            return;
        }
    };
    let reason = format!("`{name}` must be {expected}");
    cells.problem("obligations", &value.to_string(), reason);
}
