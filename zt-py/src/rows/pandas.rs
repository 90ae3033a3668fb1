//! What pandas wrote into a schema, kept true.
//!
//! In: a batch, and what became of it. Out: the same, without what pandas said of columns that are of another type now: it
//! would read sealed text as the numbers that were there. Of a view also without the attributes of the frame and without how
//! many categories a column has, which tell what is hidden.

use arrow_array::RecordBatch;
use serde_json::Value;

/// Where pandas keeps its indexes and the types of columns.
const KEY: &str = "pandas";

pub(super) fn described(before: &RecordBatch, after: RecordBatch) -> RecordBatch {
    kept(before, after, false)
}

/// The same of what is shown of it.
pub(super) fn shown(before: &RecordBatch, after: RecordBatch) -> RecordBatch {
    kept(before, after, true)
}

fn kept(before: &RecordBatch, mut after: RecordBatch, is_view: bool) -> RecordBatch {
    let Some(text) = before.schema_ref().metadata().get(KEY) else {
        return after;
    };
    let is_the_same = |name: &str| {
        let (old, new) = (before.column_by_name(name), after.column_by_name(name));
        old.zip(new)
            .is_some_and(|(old, new)| old.data_type() == new.data_type())
    };
    // An index that is a range has no column; where rows are hidden it would tell how many.
    let is_whole = before.num_rows() == after.num_rows();
    let is_there = |index: &Value| match index.as_str() {
        Some(name) => after.column_by_name(name).is_some(),
        None => is_whole,
    };
    let kept = without(text, is_the_same, is_there, is_view);
    let metadata = after.schema_metadata_mut();
    match kept {
        Some(kept) => metadata.insert(KEY, kept),
        None => metadata.remove(KEY),
    };
    after
}

/// The text without the columns that are not to stay and the indexes whose column is not there; `None` if it is not what
/// pandas writes.
fn without(
    text: &str,
    stays: impl Fn(&str) -> bool,
    is_there: impl Fn(&Value) -> bool,
    is_view: bool,
) -> Option<String> {
    let mut described: Value = serde_json::from_str(text).ok()?;
    if is_view {
        described.as_object_mut()?.remove("attributes");
    }
    let columns = described.get_mut("columns")?.as_array_mut()?;
    columns.retain(|column| {
        let name = column.get("field_name").or_else(|| column.get("name"));
        name.and_then(Value::as_str).is_some_and(&stays)
    });
    if is_view {
        for told in columns.iter_mut().filter_map(|one| one.get_mut("metadata")) {
            if let Some(told) = told.as_object_mut() {
                told.remove("num_categories");
            }
        }
    }
    if let Some(indexes) = described.get_mut("index_columns") {
        indexes.as_array_mut()?.retain(is_there);
    }
    serde_json::to_string(&described).ok()
}
