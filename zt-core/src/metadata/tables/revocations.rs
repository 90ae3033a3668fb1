//! `Revocations`: which tokens are refused although they are valid: of somebody who left, of a stolen laptop, of everybody.

use crate::clock::Timestamp;
use crate::id::{Guid, PrincipalId, PrincipalKind};
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One refusal. Entra revokes sessions of its own and tells no other API, so the tables say it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revocation {
    /// The row's id.
    pub id: String,
    /// Whose tokens.
    pub target: RevocationTarget,
    /// Of this tenant alone; none for every tenant.
    pub tenant: Option<Guid>,
    /// Tokens that were issued before this are refused; none for every token.
    pub not_before: Option<Timestamp>,
    /// Why.
    pub why: Option<String>,
}

/// Whose tokens a row refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationTarget {
    /// Everybody's (`principal = "*"`).
    Everyone,
    /// A person's or a workload's, by the readable id (`principal`).
    Principal(PrincipalId),
    /// A caller's that no row of Principals need name, by the object id (`object`).
    Object(Guid),
    /// Those that an application asked for, by its client id (`client`).
    Client(Guid),
    /// One token, by its id (`token`, the claim `uti`).
    Token(String),
}

impl Row for Revocation {
    const TABLE: &'static str = "Revocations";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::text("principal"),
        Column::text("object"),
        Column::text("client"),
        Column::text("token"),
        Column::text("tenant"),
        Column::text("not_before"),
        Column::text("why"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let id = cells.required_text("id");
        let target = target(cells);
        let tenant = optional(cells, "tenant");
        let not_before = optional(cells, "not_before");
        let why = cells.optional_text("why");
        let (target, not_before) = (target?, not_before?);
        if not_before.is_none() && target == RevocationTarget::Everyone {
            let reason = "missing: without it nobody could ever sign in again";
            cells.problem("not_before", "", reason);
            return None;
        }
        Some(Self {
            id: id?,
            target,
            tenant: tenant?,
            not_before,
            why,
        })
    }
}

/// Exactly one of the columns that name a target.
fn target(cells: &mut RowReader<'_>) -> Option<RevocationTarget> {
    let columns = ["principal", "object", "client", "token"];
    let named: Vec<&str> = columns
        .into_iter()
        .filter(|column| cells.cell(column).is_some())
        .collect();
    let [column] = named.as_slice() else {
        let reason = "name exactly one of `principal`, `object`, `client` and `token`";
        cells.problem(named.get(1).unwrap_or(&"principal"), "", reason);
        return None;
    };
    match *column {
        "principal" => principal(cells),
        "object" => cells.required("object", &[]).map(RevocationTarget::Object),
        "client" => cells.required("client", &[]).map(RevocationTarget::Client),
        _ => cells.required_text("token").map(RevocationTarget::Token),
    }
}

fn principal(cells: &mut RowReader<'_>) -> Option<RevocationTarget> {
    let text = cells.required_text("principal")?;
    if text == "*" {
        return Some(RevocationTarget::Everyone);
    }
    match text.parse::<PrincipalId>() {
        Ok(id) if id.kind() != PrincipalKind::Group => Some(RevocationTarget::Principal(id)),
        Ok(_) | Err(_) => {
            let reason = "expected `user:NAME`, `sp:NAME` or `*`: groups hold no tokens";
            cells.problem("principal", &text, reason);
            None
        }
    }
}

fn optional<T: std::str::FromStr<Err: std::fmt::Display>>(
    cells: &mut RowReader<'_>,
    column: &str,
) -> Option<Option<T>> {
    match cells.cell(column) {
        None => Some(None),
        Some(_) => cells.required(column, &[]).map(Some),
    }
}
