//! What pandas wrote into a schema, kept true.
//!
//! In: a batch, and what became of it. Out: the same, without what pandas said of columns that are of another type now: it
//! would read sealed text as the numbers that were there.

use arrow_array::RecordBatch;
use serde_json::Value;

/// Where pandas keeps its indexes and the types of columns.
const KEY: &str = "pandas";

pub(super) fn described(before: &RecordBatch, mut after: RecordBatch) -> RecordBatch {
    let Some(text) = after.schema_ref().metadata().get(KEY) else {
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
    let kept = without(text, is_the_same, is_there);
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
) -> Option<String> {
    let mut described: Value = serde_json::from_str(text).ok()?;
    let columns = described.get_mut("columns")?.as_array_mut()?;
    columns.retain(|column| {
        let name = column.get("field_name").or_else(|| column.get("name"));
        name.and_then(Value::as_str).is_some_and(&stays)
    });
    if let Some(indexes) = described.get_mut("index_columns") {
        indexes.as_array_mut()?.retain(is_there);
    }
    serde_json::to_string(&described).ok()
}
