use proptest::prelude::*;

use super::*;
use crate::batch::{Batch, Cells, Column};
use crate::clock::Timestamp;
use crate::metadata::{Cell, RawRow, RawTables, Snapshot};
use crate::policy::{Action, Condition, Context, Provenance, Request, Truth, Value};

/// Columns and, under the same names, facts of the context: what is said of a row can be said of a request too.
const COLUMNS: [(&str, &str); 6] = [
    ("region", "text"),
    ("tier", "enum"),
    ("age", "int"),
    ("score", "decimal"),
    ("active", "bool"),
    ("since", "datetime"),
];

pub(super) fn snapshot() -> Snapshot {
    let mut raw = RawTables::new("test".to_owned());
    let text = |text: &str| Cell::Text(text.to_owned());
    for (space, provenance) in [("row", "store"), ("context", "request")] {
        for (name, kind) in COLUMNS {
            let mut row = vec![
                ("namespace".to_owned(), text(space)),
                ("name".to_owned(), text(name)),
                ("type".to_owned(), text(kind)),
                ("provenance".to_owned(), text(provenance)),
            ];
            if kind == "enum" {
                let words = Cell::List(vec![text("gold"), text("iron")]);
                row.push(("values".to_owned(), words));
            }
            raw.push("Attributes", RawRow::new(None, row));
        }
    }
    for (name, kind) in [("home", "text"), ("regions", "set"), ("limit", "int")] {
        let row = [
            ("namespace", "principal"),
            ("name", name),
            ("type", kind),
            ("provenance", "token"),
        ];
        let row = row.map(|(name, value)| (name.to_owned(), text(value)));
        raw.push("Attributes", RawRow::new(None, row.to_vec()));
    }
    Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap()
}

pub(super) fn request() -> Request {
    let resource = "table:gold.x".parse().unwrap();
    Request::new(None, Action::TableRead, resource)
}

pub(super) fn stated(request: Request, facts: &[(&str, Value)]) -> Request {
    facts.iter().fold(request, |request, (name, value)| {
        request.with_attribute(name, value.clone(), Provenance::Token)
    })
}

pub(super) fn rows_of(text: &str, facts: &[(&str, Value)], wanted: bool) -> Rows {
    let snapshot = snapshot();
    let condition = Condition::parse(text, snapshot.attributes()).unwrap();
    let request = stated(request(), facts);
    let facts = request.facts(&snapshot);
    if wanted {
        granted(&condition, &facts)
    } else {
        spared(&condition, &facts)
    }
}

fn shown(text: &str) -> String {
    rows_of(text, &[("principal.home", Value::text("NL"))], true).to_string()
}

#[test]
fn what_is_known_beside_the_row_is_settled() {
    assert_eq!(
        shown("row.region == principal.home"),
        "row.region == \"NL\""
    );
    assert_eq!(
        shown("principal.home == row.region"),
        "row.region == \"NL\""
    );
    assert_eq!(shown("row.age < 7 or principal.home == 'NL'"), "all rows");
    assert_eq!(shown("row.age < 7 and principal.home == 'BE'"), "no row");
    assert_eq!(
        shown("not (row.region == principal.home and row.age < 7)"),
        "not row.region == \"NL\" or not row.age < 7"
    );
    let set = [("principal.regions", Value::set(["NL", "BE"]))];
    let rows = rows_of("row.region in principal.regions", &set, true);
    assert_eq!(rows.to_string(), "row.region in [\"BE\", \"NL\"]");
}

#[test]
fn what_is_unknown_beside_the_row_counts_against_the_caller_both_times() {
    for (text, wanted, expected) in [
        ("row.region == principal.home", true, "no row"),
        ("row.region == principal.home", false, "no row"),
        (
            "row.region == principal.home or row.age < 7",
            true,
            "row.age < 7",
        ),
        (
            "row.region == principal.home and row.age < 7",
            false,
            "not row.age < 7",
        ),
        ("row.age between 3 and principal.limit", true, "no row"),
        (
            "row.age between 3 and principal.limit",
            false,
            "row.age < 3",
        ),
        (
            "row.age between principal.limit and 9",
            false,
            "row.age > 9",
        ),
        ("has row.age", false, "no row"),
    ] {
        assert_eq!(rows_of(text, &[], wanted).to_string(), expected, "{text}");
    }
}

/// One row and the facts that say the same.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) region: Option<String>,
    pub(super) tier: Option<&'static str>,
    pub(super) age: Option<i64>,
    pub(super) score: Option<i64>,
    pub(super) active: Option<bool>,
    pub(super) since: Option<i64>,
}

impl Row {
    pub(super) fn batch(&self) -> Batch {
        let text = |text: Option<&str>| Cells::Text(vec![text.map(str::to_owned)]);
        let score = self.score.map(|hundredths| hundredths as f64 / 100.0);
        let since = self.since.map(|ms| Timestamp::from_millis(ms).to_string());
        Batch::new(vec![
            Column::new("Region", text(self.region.as_deref())),
            Column::new("tier", text(self.tier)),
            Column::new("AGE", Cells::Integer(vec![self.age])),
            Column::new("score", Cells::Number(vec![score])),
            Column::new("active", Cells::Bool(vec![self.active])),
            Column::new("since", text(since.as_deref())),
        ])
        .unwrap()
    }

    pub(super) fn context(&self) -> Context {
        let hundredths = |number: i64| {
            let sign = if number < 0 { "-" } else { "" };
            let number = number.abs();
            let text = format!("{sign}{}.{:02}", number / 100, number % 100);
            Value::Decimal(text.parse().unwrap())
        };
        let moment = |ms| Value::Datetime(Timestamp::from_millis(ms));
        let facts = [
            ("region", self.region.as_deref().map(Value::text)),
            ("tier", self.tier.map(Value::text)),
            ("age", self.age.map(Value::Int)),
            ("score", self.score.map(hundredths)),
            ("active", self.active.map(Value::Bool)),
            ("since", self.since.map(moment)),
        ];
        let known = facts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        known.fold(Context::new(), |context, (name, value)| {
            context.with(name, value)
        })
    }
}

pub(super) fn any_row() -> impl Strategy<Value = Row> {
    let region = prop_oneof![
        Just("NL"),
        Just("BE"),
        Just("NL "),
        Just("nl"),
        Just("a'b\\%_")
    ];
    (
        prop::option::of(region.prop_map(str::to_owned)),
        prop::option::of(prop_oneof![Just("gold"), Just("iron"), Just("lead")]),
        prop::option::of(0..12_i64),
        prop::option::of(-150..150_i64),
        prop::option::of(any::<bool>()),
        prop::option::of(0..3000_i64),
    )
        .prop_map(|(region, tier, age, score, active, since)| Row {
            region,
            tier,
            age,
            score,
            active,
            since,
        })
}

fn any_test() -> impl Strategy<Value = String> {
    let tests = [
        "row.region == 'NL'",
        "row.region != 'NL'",
        "row.region in ['NL', 'BE']",
        "row.region startsWith 'N'",
        "row.region endsWith ' '",
        "row.region contains '%'",
        "row.region like '*b*_'",
        "row.region == principal.home",
        "row.tier == 'gold'",
        "row.tier in ['iron']",
        "row.age < 7",
        "row.age between 3 and 9",
        "row.age >= principal.limit",
        "7 == row.age",
        "row.score > 0.5",
        "row.score <= row.age",
        "row.active",
        "row.active == false",
        "row.since < '1970-01-01T00:00:01Z'",
        "has row.age",
        "principal.home == 'NL'",
    ];
    prop::sample::select(tests.to_vec()).prop_map(str::to_owned)
}

pub(super) fn any_condition() -> impl Strategy<Value = String> {
    any_test().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| format!("not ({one})")),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("({one}) and ({two})")),
            (inner.clone(), inner).prop_map(|(one, two)| format!("({one}) or ({two})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    /// The condition with the cells as facts is the reference: a row passes an allow where it is true, escapes a deny where
    /// it is false.
    #[test]
    fn a_row_passes_exactly_where_the_condition_says_so(
        text in any_condition(),
        row in any_row(),
        home in prop::option::of(prop_oneof![Just("NL"), Just("BE")]),
        limit in prop::option::of(0..12_i64),
    ) {
        let snapshot = snapshot();
        let facts = [
            ("principal.home", home.map(Value::text)),
            ("principal.limit", limit.map(Value::Int)),
        ];
        let facts: Vec<_> = facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let request = stated(request(), &facts).with_context(row.context());
        let asked = request.facts(&snapshot);
        let as_facts = Condition::parse(&text.replace("row.", "context."), snapshot.attributes()).unwrap();
        let truth = as_facts.evaluate(&asked);
        let condition = Condition::parse(&text, snapshot.attributes()).unwrap();
        for (rows, wanted) in [(granted(&condition, &asked), Truth::True), (spared(&condition, &asked), Truth::False)] {
            let passes = rows.matches(&row.batch()).unwrap();
            prop_assert_eq!(passes, vec![truth == wanted], "{} as {}: {:?}", text, rows, truth);
            // Whatever is said can be written, and reads back as one condition.
            for dialect in [Dialect::Spark, Dialect::TransactSql, Dialect::DataFusion] {
                prop_assert!(rows.to_sql(dialect).is_ok());
            }
        }
    }
}

#[test]
fn what_a_dialect_cannot_say_exactly_it_does_not_say() {
    let snapshot = snapshot();
    let condition = "row.region startsWith row.tier";
    let refused = Condition::parse(condition, snapshot.attributes());
    if let Ok(condition) = refused {
        let request = request();
        let rows = granted(&condition, &request.facts(&snapshot));
        for (name, dialect) in Dialect::WORDS {
            let error = rows.to_sql(*dialect).unwrap_err();
            assert_eq!(error.dialect, *dialect);
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("{name} cannot say `row.region"))
            );
        }
    }
}

#[test]
fn a_filter_reads_as_a_tree() {
    let rows = rows_of("row.region == 'NL' and not row.age < 7", &[], true);
    let tree = serde_json::to_value(&rows).unwrap();
    let expected = serde_json::json!({ "all": [
        { "column": "region", "type": "text", "test": "==", "wanted": true, "value": "NL" },
        { "column": "age", "type": "int", "test": "<", "wanted": false, "value": 7 },
    ]});
    assert_eq!(tree, expected);
    assert_eq!(serde_json::to_value(Rows::All).unwrap(), true);
    let Rows::Only(filter) = rows else {
        panic!("a filter")
    };
    assert_eq!(filter.columns(), ["age", "region"]);
}

#[test]
fn a_tree_names_the_columns_that_stand_for_values_and_the_words_of_an_enum() {
    let tree = |text| serde_json::to_value(rows_of(text, &[], true)).unwrap();
    assert_eq!(
        tree("row.score between row.age and row.age"),
        serde_json::json!({
            "column": "score", "type": "decimal", "test": "between", "wanted": true,
            "low_other": "age", "high_other": "age",
        })
    );
    assert_eq!(
        tree("not row.tier == 'gold'"),
        serde_json::json!({
            "column": "tier", "type": "enum", "words": ["gold", "iron"], "test": "==", "wanted": false,
            "value": "gold",
        })
    );
}

#[test]
fn a_column_that_is_not_there_is_an_error_and_no_weaker_filter() {
    let rows = rows_of("row.region == 'NL'", &[], true);
    let batch = Batch::new(vec![Column::new("age", Cells::Integer(vec![Some(1)]))]).unwrap();
    let says =
        "the filter of the policy reads column `region`, and the rows have none of this name";
    assert_eq!(rows.matches(&batch).unwrap_err().to_string(), says);
}

#[test]
fn no_number_passes_where_a_cell_is_not_one() {
    let rows = rows_of("row.score > 0.5 or row.score <= 0.5", &[], true);
    let cells = vec![
        Some(f64::NAN),
        Some(f64::INFINITY),
        Some(1e300),
        None,
        Some(0.5),
        Some(2.0),
    ];
    let batch = Batch::new(vec![Column::new("score", Cells::Number(cells))]).unwrap();
    let passes = [false, false, false, false, true, true];
    assert_eq!(rows.matches(&batch).unwrap(), passes);
}

/// Attributes of the types that the others lack.
pub(super) fn tagged(text: &str, wanted: bool) -> Rows {
    let mut raw = RawTables::new("test".to_owned());
    for (name, kind) in [("tags", "set"), ("address", "ip"), ("tag", "text")] {
        let row = [
            ("namespace", "row"),
            ("name", name),
            ("type", kind),
            ("provenance", "store"),
        ];
        let row = row.map(|(name, value)| (name.to_owned(), Cell::Text(value.to_owned())));
        raw.push("Attributes", RawRow::new(None, row.to_vec()));
    }
    let snapshot = Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap();
    let condition = Condition::parse(text, snapshot.attributes()).unwrap();
    let request = request();
    let facts = request.facts(&snapshot);
    if wanted {
        granted(&condition, &facts)
    } else {
        spared(&condition, &facts)
    }
}

#[test]
fn a_set_is_an_array_of_bytes_in_spark_and_nothing_in_transact_sql() {
    let rows = |wanted| tagged("row.tags contains 'a'", wanted);
    let sql = |dialect, wanted| rows(wanted).to_sql(dialect);
    let bytes = "array_contains(CAST(`tags` AS ARRAY<BINARY>), X'61')";
    assert_eq!(sql(Dialect::Spark, true).unwrap(), bytes);
    assert_eq!(sql(Dialect::Spark, false).unwrap(), format!("NOT {bytes}"));
    assert_eq!(
        sql(Dialect::DataFusion, true).unwrap(),
        "array_has(\"tags\", 'a')"
    );
    assert_eq!(
        sql(Dialect::DataFusion, false).unwrap(),
        "(\"tags\" IS NOT NULL AND array_position(\"tags\", NULL) IS NULL AND NOT array_has(\"tags\", 'a'))"
    );
    let why = sql(Dialect::TransactSql, true).unwrap_err().why;
    assert_eq!(why, "it has no sets");
    for dialect in [Dialect::Spark, Dialect::TransactSql, Dialect::DataFusion] {
        let rows = tagged("row.address == '10.0.0.4'", true);
        let why = rows.to_sql(dialect).unwrap_err().why;
        assert_eq!(why, "an address may be written in several ways");
    }
}

#[test]
fn what_looks_sealed_is_unknown_and_passes_neither_an_allow_nor_a_deny() {
    let row = |region: &str| Row {
        region: Some(region.to_owned()),
        tier: None,
        age: None,
        score: None,
        active: None,
        since: None,
    };
    for (text, wanted) in [
        ("row.region == 'eu'", true),
        ("row.region == 'eu'", false),
        ("row.region != 'eu'", true),
        ("not row.region in ['eu', 'us']", true),
    ] {
        for sealed in ["zt1.AAAA", "zt2.AAAA"] {
            let passes = rows_of(text, &[], wanted).matches(&row(sealed).batch());
            assert_eq!(passes.unwrap(), [false], "{text} {wanted}");
        }
    }
    let plain = rows_of("row.region == 'eu'", &[], false).matches(&row("zt").batch());
    assert_eq!(plain.unwrap(), [true]);
}
