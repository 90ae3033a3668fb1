//! Rows of data that are chosen by a column which the tables seal: where the rows are stored, the cell is no value.

use super::row::{Row, resources};
use super::{Finding, Lint};
use crate::metadata::{EncryptionRule, OutputStorage, Snapshot};
use crate::policy::{Condition, Namespace, Resource};
use crate::text::fold;

pub(super) fn sealed_rows(snapshot: &Snapshot, rows: &[Row<'_>]) -> Vec<Finding> {
    let tables = snapshot.tables();
    let sealed = tables.output_storage.iter().filter_map(|output| {
        let rule = output.encryption.as_ref()?;
        let rule = tables.encryption_rules.iter().find(|row| row.id == *rule)?;
        let resource: Resource = format!("table:{}", output.table).parse().ok()?;
        Some((resource, output, rule))
    });
    let sealed: Vec<(Resource, &OutputStorage, &EncryptionRule)> = sealed.collect();
    let found = rows.iter().flat_map(|row| {
        let of_row = sealed.iter().filter(|(resource, ..)| {
            let mut patterns = resources(row.policy).iter();
            patterns.any(|pattern| pattern.matches(resource))
        });
        of_row.filter_map(|(_, output, rule)| smell(row, output, rule))
    });
    found.collect()
}

fn smell(row: &Row<'_>, output: &OutputStorage, rule: &EncryptionRule) -> Option<Finding> {
    let condition = row.policy.row_condition.as_ref();
    let tested = condition.into_iter().flat_map(Condition::attributes);
    let mut tested = tested.filter(|attribute| attribute.namespace == Namespace::Row);
    let column = tested.find_map(|attribute| {
        let is_tested = |column: &&String| fold(column) == fold(&attribute.name);
        rule.columns.iter().find(is_tested)
    })?;
    let reason = format!(
        "`rows` tests `{column}`, which {} seals in {}: in the stored rows its value is unknown, so an allow shows none of \
         them and a deny hides all; a filter in SQL would compare the sealed text",
        rule.id, output.table
    );
    let fix =
        "test a column that is in plain, or choose rows where they are opened, with `data.open`";
    Some(Finding::policy(Lint::SealedRows, &[row.policy]).because(reason, fix))
}
