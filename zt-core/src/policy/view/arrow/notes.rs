//! The notes of fields, which say of a column what its cells need not say.
//!
//! Out: the same cells, at every depth without notes but those of Arrow's own extension types, which say what a cell means.

use arrow_array::{Array as _, ArrayRef, make_array};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field};

use crate::batch;
use crate::error::{Code, Error, Result};

const EXTENSION: &str = "ARROW:extension:";

/// The column whose type has no notes.
pub(super) fn without(array: &ArrayRef) -> Result<ArrayRef> {
    let bare = kind(array.data_type());
    if bare == *array.data_type() {
        return Ok(ArrayRef::clone(array));
    }
    data(array.to_data()).map(make_array)
}

/// The field for cells of this type.
pub(super) fn field(field: &Field, kind: DataType) -> Field {
    batch::field(field, kind, is_kept)
}

fn data(array: ArrayData) -> Result<ArrayData> {
    let children: Result<Vec<_>> = array.child_data().iter().cloned().map(data).collect();
    let bare = kind(array.data_type());
    let array = array.into_builder().data_type(bare).child_data(children?);
    array.build().map_err(|why| {
        Error::new(Code::Internal, "the visible cells do not make a column").with_source(why)
    })
}

fn kind(of: &DataType) -> DataType {
    batch::retaining(of, is_kept)
}

fn is_kept(name: &str) -> bool {
    name.starts_with(EXTENSION)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{Int32Builder, ListBuilder};

    use super::*;

    fn noted(name: &str, kind: DataType) -> Field {
        let told = [("words", "hidden"), ("ARROW:extension:name", "own.kind")];
        let told = told.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Field::new(name, kind, true).with_metadata(told)
    }

    #[test]
    fn notes_go_at_every_depth_and_cells_and_extensions_stay() {
        let item = noted("item", DataType::Int32);
        let mut list = ListBuilder::new(Int32Builder::new()).with_field(item.clone());
        list.append_value([Some(1), None]);
        list.append_null();
        let list: ArrayRef = Arc::new(list.finish());
        let bare = without(&list).unwrap();
        let kept = field(&item, DataType::Int32);
        assert_eq!(kept.metadata().len(), 1);
        assert_eq!(bare.data_type(), &DataType::List(Arc::new(kept)));
        assert_eq!((bare.len(), bare.null_count()), (2, 1));
        assert_eq!(
            bare.to_data().child_data().first(),
            list.to_data().child_data().first()
        );
        let again = without(&bare).unwrap();
        assert!(Arc::ptr_eq(&again, &bare));
    }
}
