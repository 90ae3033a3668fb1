//! A draft of the row that a refused caller lacks, to propose and not to trust: somebody else approves it.
//!
//! In: a default deny. Out: a row of Access_Policies in TOML, exactly as wide as what was asked: this caller, this action,
//! this resource, the stated job and stage. It says nothing that the caller did not say, so the caller may see it.

use super::Decision;
use super::DecisionKind;
use crate::metadata::{Cell, RawRow, RawTables, Snapshot};

impl Decision {
    /// The row of Access_Policies that would have allowed this, as TOML; `None` unless no row decided and the caller is
    /// known: against a deny row no further row helps, and nobody grants to a stranger.
    ///
    /// ```
    /// # use zt_core::{Result, Session};
    /// fn ask(maya: &Session) -> Result<Option<String>> {
    ///     let decision = maya.check("secret.get", "secret:adb-token")?;
    ///     Ok(decision.draft()) // [[Access_Policies]] … principal = "user:maya" …
    /// }
    /// ```
    #[must_use]
    pub fn draft(&self) -> Option<String> {
        if self.kind() != DecisionKind::DefaultDeny {
            return None;
        }
        let request = self.request();
        let caller = request.caller.as_ref()?;
        let text = |text: &str| Cell::Text(text.to_owned());
        let mut cells = vec![
            ("id".to_owned(), Cell::Text(free_id(self.snapshot()))),
            ("principal".to_owned(), text(caller.as_str())),
            ("action".to_owned(), text(request.action.as_str())),
            ("resource".to_owned(), text(request.resource.as_str())),
            ("effect".to_owned(), text("allow")),
        ];
        let facts = [
            ("job", request.context.job()),
            ("stage", request.context.stage()),
        ];
        let mut facts: Vec<(String, Cell)> = facts
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Cell::Integer(value?.into()))))
            .collect();
        // A row on what was proven: the same words without it would let in who merely claims them.
        if request.context.is_proven() {
            facts.push(("proven".to_owned(), Cell::Bool(true)));
        }
        if !facts.is_empty() {
            cells.push(("when".to_owned(), Cell::Map(facts)));
        }
        let mut tables = RawTables::new("draft".to_owned());
        tables.push("Access_Policies", RawRow::new(None, cells));
        tables.to_toml().ok()
    }
}

/// The next number behind the ids of the table: `AP-28` after `AP-27`. Ids of other forms leave it at `NEW-1`.
fn free_id(snapshot: &Snapshot) -> String {
    let ids = snapshot
        .tables()
        .access_policies
        .iter()
        .map(|row| row.id.as_str());
    let numbered = ids.filter_map(|id| {
        let (prefix, number) = id.rsplit_once('-')?;
        Some((number.parse::<u32>().ok()?, prefix, number.len()))
    });
    match numbered.max() {
        Some((number, prefix, width)) => {
            // Ten digits hold every number; a greater width could be more than the formatter takes.
            let width = width.min(10);
            format!("{prefix}-{:0width$}", number.saturating_add(1))
        }
        None => "NEW-1".to_owned(),
    }
}
