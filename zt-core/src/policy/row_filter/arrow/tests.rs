use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array,
    Float64Array, Int8Array, Int64Array, LargeStringArray, NullArray, StringArray, StringViewArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt16Array, UInt64Array,
};
use arrow_schema::Field;
use proptest::prelude::*;

use super::super::tests::{
    Row, any_condition, any_row, request, rows_of, snapshot, stated, tagged,
};
use super::super::{granted, spared};
use super::*;
use crate::policy::Condition;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

fn passes(text: &str, wanted: bool, columns: Vec<(&str, ArrayRef)>) -> Vec<bool> {
    let mask = rows_of(text, &[], wanted).mask(&batch(columns)).unwrap();
    assert_eq!(mask.null_count(), 0);
    mask.values().iter().collect()
}

fn regions(rows: &[Row], form: usize) -> ArrayRef {
    let cells = rows.iter().map(|row| row.region.as_deref());
    match form % 4 {
        0 => Arc::new(StringArray::from_iter(cells)),
        1 => Arc::new(LargeStringArray::from_iter(cells)),
        2 => Arc::new(StringViewArray::from_iter(cells)),
        _ => Arc::new(DictionaryArray::<Int8Type>::from_iter(cells)),
    }
}

fn ages(rows: &[Row], form: usize) -> ArrayRef {
    let cells = rows.iter().map(|row| row.age);
    let small = |age: Option<i64>| age.map(|age| i8::try_from(age).unwrap());
    match form % 4 {
        0 => Arc::new(Int64Array::from_iter(cells)),
        1 => Arc::new(Int8Array::from_iter(cells.map(small))),
        2 => Arc::new(UInt16Array::from_iter(
            cells.map(|age| age.map(|age| u16::try_from(age).unwrap())),
        )),
        _ => Arc::new(Float64Array::from_iter(
            cells.map(|age| small(age).map(f64::from)),
        )),
    }
}

fn scores(rows: &[Row], form: usize) -> ArrayRef {
    let cells = rows.iter().map(|row| row.score);
    let decimals = |power, precision, scale| {
        let units = rows.iter().map(|row| row.score);
        let units = units.map(|score| score.map(|score| i128::from(score) * 10_i128.pow(power)));
        Decimal128Array::from_iter(units)
            .with_precision_and_scale(precision, scale)
            .unwrap()
    };
    match form % 3 {
        0 => Arc::new(Float64Array::from_iter(
            cells.map(|score| score.map(|score| score as f64 / 100.0)),
        )),
        1 => Arc::new(decimals(0, 10, 2)),
        _ => Arc::new(decimals(18, 38, 20)),
    }
}

fn moments(rows: &[Row], form: usize) -> ArrayRef {
    let times = |units| {
        rows.iter()
            .map(move |row| row.since.map(|since| since * units))
    };
    match form % 3 {
        0 => Arc::new(TimestampMillisecondArray::from_iter(times(1))),
        1 => Arc::new(TimestampMicrosecondArray::from_iter(times(1000)).with_timezone("+02:00")),
        _ => Arc::new(
            TimestampNanosecondArray::from_iter(times(1_000_000)).with_timezone("Europe/Amsterdam"),
        ),
    }
}

/// The same rows in one of the encodings that an engine may choose.
fn encoded(rows: &[Row], form: usize) -> RecordBatch {
    let tiers = DictionaryArray::<Int8Type>::from_iter(rows.iter().map(|row| row.tier));
    let active = BooleanArray::from_iter(rows.iter().map(|row| row.active));
    batch(vec![
        ("REGION", regions(rows, form)),
        ("Tier", Arc::new(tiers)),
        ("age", ages(rows, form)),
        ("score", scores(rows, form)),
        ("active", Arc::new(active)),
        ("since", moments(rows, form)),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]
    /// The condition with the cells as facts is the reference, whatever the encoding.
    #[test]
    fn a_row_of_arrow_passes_exactly_where_the_condition_says_so(
        text in any_condition(),
        rows in prop::collection::vec(any_row(), 0..6),
        home in prop::option::of(prop_oneof![Just("NL"), Just("BE")]),
        form in 0..12_usize,
    ) {
        let snapshot = snapshot();
        let home = home.map(|home| ("principal.home", Value::text(home)));
        let request = stated(request(), home.as_slice());
        let condition = Condition::parse(&text, snapshot.attributes()).unwrap();
        let as_facts = Condition::parse(&text.replace("row.", "context."), snapshot.attributes()).unwrap();
        let truth = |row: &Row| {
            let asked = request.clone().with_context(row.context());
            as_facts.evaluate(&asked.facts(&snapshot))
        };
        let asked = request.facts(&snapshot);
        for (filter, wanted) in [(granted(&condition, &asked), Truth::True), (spared(&condition, &asked), Truth::False)] {
            let mask = filter.mask(&encoded(&rows, form)).unwrap();
            let expected: Vec<bool> = rows.iter().map(|row| truth(row) == wanted).collect();
            prop_assert_eq!(mask.null_count(), 0);
            prop_assert_eq!(mask.values().iter().collect::<Vec<_>>(), expected, "{} as {}", text, filter);
        }
    }
}

#[test]
fn no_number_passes_where_a_cell_is_not_one() {
    let cells = || Float64Array::from(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 0.5]);
    for wanted in [true, false] {
        let seen = passes(
            "row.score > 0.7",
            wanted,
            vec![("score", Arc::new(cells()))],
        );
        assert_eq!(seen, [false, false, false, false, !wanted]);
    }
    let big = UInt64Array::from(vec![u64::MAX, 7]);
    assert_eq!(
        passes("has row.age", true, vec![("age", Arc::new(big))]),
        [false, true]
    );
    let halves = Float64Array::from(vec![2.5, 2.0]);
    assert_eq!(
        passes("row.age > 1", true, vec![("age", Arc::new(halves))]),
        [false, true]
    );
}

#[test]
fn decimals_are_exact_and_a_float_is_what_it_prints() {
    let exact = Decimal128Array::from(vec![100_000_000_000_000_000, 100_000_000_000_000_001])
        .with_precision_and_scale(38, 18)
        .unwrap();
    let text = "row.score <= 0.1";
    assert_eq!(
        passes(text, true, vec![("score", Arc::new(exact))]),
        [true, false]
    );
    let finer = Decimal128Array::from(vec![10, 1])
        .with_precision_and_scale(38, 19)
        .unwrap();
    assert_eq!(
        passes("has row.score", true, vec![("score", Arc::new(finer))]),
        [true, false]
    );
    let coarse = Decimal128Array::from(vec![7])
        .with_precision_and_scale(38, -2)
        .unwrap();
    assert_eq!(
        passes("row.score == 700", true, vec![("score", Arc::new(coarse))]),
        [true]
    );
    let huge = Decimal128Array::from(vec![i128::MAX, 10_i128.pow(20)])
        .with_precision_and_scale(38, 0)
        .unwrap();
    assert_eq!(
        passes("has row.score", true, vec![("score", Arc::new(huge))]),
        [false, false]
    );
    let binary = Float64Array::from(vec![0.1, 0.30000000000000004]);
    let text = "row.score == 0.1 or row.score == 0.3";
    assert_eq!(
        passes(text, true, vec![("score", Arc::new(binary))]),
        [true, false]
    );
    let short = Float32Array::from(vec![0.5, 0.1]);
    let text = "row.score == 0.5 or row.score == 0.1";
    assert_eq!(
        passes(text, true, vec![("score", Arc::new(short))]),
        [true, false]
    );
}

#[test]
fn moments_are_compared_to_the_nanosecond() {
    let text = "row.since <= '1970-01-01T00:00:01Z'";
    let fine = TimestampNanosecondArray::from(vec![1_000_000_000, 1_000_000_001]);
    assert_eq!(
        passes(text, true, vec![("since", Arc::new(fine))]),
        [true, false]
    );
    let fine = TimestampNanosecondArray::from(vec![Some(1_000_000_000), Some(1_000_000_001), None]);
    let text = "row.since == '1970-01-01T00:00:01Z'";
    assert_eq!(
        passes(text, false, vec![("since", Arc::new(fine))]),
        [false, true, false]
    );
    let seconds = TimestampSecondArray::from(vec![0, i64::MAX]);
    let text = "row.since > '1970-01-01T00:00:00Z'";
    assert_eq!(
        passes(text, true, vec![("since", Arc::new(seconds))]),
        [false, true]
    );
    let days = Date32Array::from(vec![0, 1]);
    let text = "row.since between '1970-01-02T00:00:00Z' and '1970-01-02T00:00:00Z'";
    assert_eq!(
        passes(text, true, vec![("since", Arc::new(days))]),
        [false, true]
    );
    let words = StringArray::from(vec!["1970-01-02T01:00:00+01:00", "yesterday"]);
    assert_eq!(
        passes(text, true, vec![("since", Arc::new(words))]),
        [true, false]
    );
}

#[test]
fn a_missing_member_of_a_set_may_be_any() {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("a")]);
    lists.append_value([Some("b")]);
    lists.append_value([Some("b"), None]);
    lists.append_value([Some("a"), None]);
    lists.append_value(Vec::<Option<&str>>::new());
    lists.append_null();
    let lists = batch(vec![("tags", Arc::new(lists.finish()))]);
    let mask = |wanted| {
        tagged("row.tags contains 'a'", wanted)
            .mask(&lists)
            .unwrap()
    };
    let is: Vec<bool> = mask(true).values().iter().collect();
    assert_eq!(is, [true, false, false, true, false, false]);
    let is_not: Vec<bool> = mask(false).values().iter().collect();
    assert_eq!(is_not, [false, true, false, false, true, false]);
}

#[test]
fn an_address_is_what_it_says_however_it_is_written() {
    let cells = StringArray::from(vec!["10.0.0.4", "::ffff:10.0.0.4", "10.0.0.04", "x"]);
    let rows = tagged("row.address == '10.0.0.4'", true);
    let mask = rows
        .mask(&batch(vec![("address", Arc::new(cells))]))
        .unwrap();
    assert_eq!(
        mask.values().iter().collect::<Vec<_>>(),
        [true, true, false, false]
    );
}

#[test]
fn a_column_without_values_passes_nothing_and_dictionaries_may_have_missing_values() {
    let nothing: ArrayRef = Arc::new(NullArray::new(2));
    for wanted in [true, false] {
        let seen = passes(
            "row.region == 'NL'",
            wanted,
            vec![("region", Arc::clone(&nothing))],
        );
        assert_eq!(seen, [false, false]);
    }
    let keys = Int8Array::from(vec![Some(0), Some(1), None]);
    let values = Arc::new(StringArray::from(vec![Some("NL"), None]));
    let column: ArrayRef = Arc::new(DictionaryArray::new(keys, values));
    assert_eq!(
        passes("row.region == 'NL'", true, vec![("region", column)]),
        [true, false, false]
    );
    let empty: ArrayRef = Arc::new(DictionaryArray::<Int8Type>::from_iter([None::<&str>; 2]));
    assert_eq!(
        passes("row.region != 'NL'", true, vec![("region", empty)]),
        [false, false]
    );
}

#[test]
fn text_that_is_not_in_form_c_is_unknown() {
    let cells = StringArray::from(vec!["cafe\u{301}", "caf\u{e9}"]);
    let seen = passes(
        "row.region == 'x'",
        false,
        vec![("region", Arc::new(cells))],
    );
    assert_eq!(seen, [false, true]);
}

#[test]
fn a_column_that_is_not_there_or_twice_or_of_another_type_is_an_error() {
    let rows = rows_of("row.region == 'NL'", &[], true);
    let says = |columns| rows.mask(&batch(columns)).unwrap_err().to_string();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["NL"]));
    assert_eq!(
        says(vec![("regio", Arc::clone(&text))]),
        "the filter of the policy reads column `region`, and the batch has none of this name; did you mean `regio`?"
    );
    assert_eq!(
        says(vec![("Region", Arc::clone(&text)), ("region", text)]),
        "two columns are called `region`, which the filter of the policy reads; case does not tell them apart"
    );
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    assert_eq!(
        says(vec![("region", numbers)]),
        "column `region` is of type Int64, in which no value is a text"
    );
    let noted = [("words".to_owned(), "HIDDENWORD".to_owned())];
    let item = Field::new("item", DataType::Utf8, true).with_metadata(noted);
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(item);
    lists.append_null();
    let lists: ArrayRef = Arc::new(lists.finish());
    assert!(lists.data_type().to_string().contains("HIDDENWORD"));
    assert_eq!(
        says(vec![("region", lists)]),
        "column `region` is of type List(Utf8), in which no value is a text"
    );
}

#[test]
fn every_row_or_none_needs_no_column() {
    let rows = batch(vec![("x", Arc::new(NullArray::new(3)))]);
    assert_eq!(Rows::All.mask(&rows).unwrap().true_count(), 3);
    assert_eq!(Rows::None.mask(&rows).unwrap().true_count(), 0);
}
