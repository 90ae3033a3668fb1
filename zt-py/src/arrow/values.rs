//! Whether values are what their type says, which a producer that hands on what a file said does not know.
//!
//! In: an array of anybody's. Out: whether it may be read. Arrow's own look goes value by value; for what nearly every column of
//! text is, one pass over its bytes and its numbers says the same.

use arrow_array::cast::AsArray as _;
use arrow_array::types::ArrowDictionaryKeyType;
use arrow_array::{
    Array, ArrayRef, GenericStringArray, OffsetSizeTrait, PrimitiveArray, downcast_integer_array,
};
use arrow_buffer::ArrowNativeType as _;
use arrow_schema::ArrowError;

/// # Errors
/// As those of `ArrayData::validate_full`.
pub(super) fn validate(array: &ArrayRef) -> Result<(), ArrowError> {
    let data = array.to_data();
    data.validate()?;
    if is_plain(array) {
        data.validate_nulls()
    } else {
        data.validate_full()
    }
}

/// False where Arrow has to look itself.
fn is_plain(array: &dyn Array) -> bool {
    if let Some(texts) = array.as_string_opt::<i32>() {
        return is_ascii(texts);
    }
    if let Some(texts) = array.as_string_opt::<i64>() {
        return is_ascii(texts);
    }
    array.as_any_dictionary_opt().is_some_and(|dictionary| {
        let (keys, values) = (dictionary.keys(), dictionary.values());
        let are_inside = downcast_integer_array!(
            keys => are_below(keys, values.len()),
            _other => false
        );
        are_inside && validate(values).is_ok()
    })
}

/// Wherever ASCII is cut, its pieces are text. The passes have no early end, so that they take many values at once.
fn is_ascii<O: OffsetSizeTrait>(texts: &GenericStringArray<O>) -> bool {
    let offsets = texts.value_offsets();
    let later = offsets.get(1..).unwrap_or_default();
    let pairs = offsets.iter().zip(later);
    let is_ordered = pairs.fold(true, |so_far, (one, next)| so_far & (one <= next));
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else {
        return false;
    };
    // What is negative is beyond every end.
    let bytes = texts.value_data().get(first.as_usize()..last.as_usize());
    is_ordered && bytes.is_some_and(<[u8]>::is_ascii)
}

fn are_below<K: ArrowDictionaryKeyType>(keys: &PrimitiveArray<K>, end: usize) -> bool {
    let keys = keys.values().iter();
    keys.fold(true, |so_far, key| so_far & (key.as_usize() < end))
}
