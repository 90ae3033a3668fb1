//! Types of Arrow without the notes of their fields.
//!
//! In: a type. Out: the same type, told in words that repeat nothing a library noted there: for a column of an enumeration all its
//! words, hidden rows' too. Messages and views are made of it.

use arrow_schema::{DataType, Field, FieldRef, Fields, UnionFields};

/// The type without the notes of its fields, at every depth: to be printed, since Arrow prints a field with its notes.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_schema::{DataType, Field};
/// # use zt_core::batch::bare_type;
/// let noted = [("words".to_owned(), "of hidden rows".to_owned())];
/// let item = Field::new("item", DataType::Utf8, true).with_metadata(noted);
/// let list = DataType::List(Arc::new(item));
/// assert!(list.to_string().contains("hidden"));
/// assert_eq!(bare_type(&list).to_string(), "List(Utf8)");
/// ```
#[must_use]
pub fn bare_type(of: &DataType) -> DataType {
    retaining(of, |_| false)
}

/// The type with the notes of these names alone.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other types of Arrow have no fields"
)]
pub(crate) fn retaining(of: &DataType, keep: fn(&str) -> bool) -> DataType {
    let bare = |own: &FieldRef| {
        let kind = retaining(own.data_type(), keep);
        FieldRef::new(field(own, kind, keep))
    };
    match of {
        DataType::List(own) => DataType::List(bare(own)),
        DataType::LargeList(own) => DataType::LargeList(bare(own)),
        DataType::ListView(own) => DataType::ListView(bare(own)),
        DataType::LargeListView(own) => DataType::LargeListView(bare(own)),
        DataType::FixedSizeList(own, size) => DataType::FixedSizeList(bare(own), *size),
        DataType::Map(own, is_sorted) => DataType::Map(bare(own), *is_sorted),
        DataType::Struct(own) => DataType::Struct(own.iter().map(bare).collect::<Fields>()),
        DataType::Dictionary(keys, values) => {
            DataType::Dictionary(keys.clone(), Box::new(retaining(values, keep)))
        }
        DataType::RunEndEncoded(ends, values) => DataType::RunEndEncoded(bare(ends), bare(values)),
        // The same type ids in the same order, so that what was valid is so.
        DataType::Union(own, mode) => {
            let own = own.iter().map(|(id, own)| (id, bare(own)));
            DataType::Union(own.collect::<UnionFields>(), *mode)
        }
        other => other.clone(),
    }
}

/// The field for cells of this type, with the notes of these names alone.
pub(crate) fn field(own: &Field, kind: DataType, keep: fn(&str) -> bool) -> Field {
    let mut told = own.metadata().clone();
    told.retain(|name, _| keep(name));
    own.clone().with_data_type(kind).with_metadata(told)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::UnionMode;

    use super::*;

    fn noted(kind: DataType) -> FieldRef {
        let told = ["_PL_ENUM_VALUES2", "ARROW:extension:metadata"];
        let told = told.map(|name| (name.to_owned(), "HIDDENWORD".to_owned()));
        Arc::new(Field::new("of", kind, true).with_metadata(told))
    }

    #[test]
    fn no_type_tells_what_its_fields_note() {
        let text = || noted(DataType::Utf8);
        let ends = Arc::new(Field::new("run_ends", DataType::Int32, false));
        let union: UnionFields = [(3, text())].into_iter().collect();
        let entries = noted(DataType::Struct(vec![text(), text()].into()));
        for kind in [
            DataType::List(text()),
            DataType::LargeList(text()),
            DataType::ListView(text()),
            DataType::LargeListView(text()),
            DataType::FixedSizeList(text(), 2),
            DataType::Map(entries, false),
            DataType::Struct(vec![text()].into()),
            DataType::RunEndEncoded(ends, text()),
            DataType::Union(union, UnionMode::Sparse),
            DataType::Dictionary(
                Box::new(DataType::Int8),
                Box::new(DataType::List(noted(DataType::Struct(vec![text()].into())))),
            ),
        ] {
            assert!(format!("{kind:?}").contains("HIDDENWORD"), "{kind:?}");
            let bare = bare_type(&kind);
            assert!(!format!("{bare:?} {bare}").contains("HIDDENWORD"), "{bare}");
            let kept = retaining(&kind, |name| name.starts_with("ARROW:"));
            let kept = format!("{kept:?}");
            assert!(kept.contains("ARROW:") && !kept.contains("_PL"), "{kept}");
        }
    }
}
