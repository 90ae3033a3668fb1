//! Columns of Arrow: each row is answered as a check of its own would be, and the log has one record for the column. Batches: what
//! a permit shows of them is what it shows of the same rows as lists.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, BooleanArray, DictionaryArray, Int32Array, LargeStringArray, RecordBatch, StringArray,
    StringViewArray,
};
use aws_lc_rs::digest;
use zt_core::{Code, audit};

use crate::world::{World, sign_in};

const TABLES: [Option<&str>; 6] = [
    Some("table:gold.loan_scores"),
    Some("table:raw.loan_applications"),
    None,
    Some("table:GOLD.Loan_Scores"),
    Some("table:nowhere.x"),
    Some("table:gold.loan_scores"),
];

#[tokio::test]
async fn each_row_of_any_text_column_is_answered_as_a_check_would() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let check = |resource: &str| maya.check("table.read", resource).unwrap().is_allowed();
    let expected: BooleanArray = TABLES.iter().map(|one| one.map(check)).collect();
    assert_eq!(expected.true_count(), 3);
    let dictionary: DictionaryArray<Int32Type> = TABLES.into_iter().collect();
    let columns: [Arc<dyn Array>; 4] = [
        Arc::new(StringArray::from_iter(TABLES)),
        Arc::new(LargeStringArray::from_iter(TABLES)),
        Arc::new(StringViewArray::from_iter(TABLES)),
        Arc::new(dictionary),
    ];
    for column in columns {
        let found = maya.check_array("table.read", &column).unwrap();
        assert_eq!(found, expected, "{:?}", column.data_type());
    }
    let empty: DictionaryArray<Int32Type> = [None::<&str>, None].into_iter().collect();
    assert_eq!(
        maya.check_array("table.read", &empty).unwrap().null_count(),
        2
    );
}

#[tokio::test]
async fn one_record_stands_for_the_column_and_can_be_held_against_it() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let column = StringArray::from_iter(TABLES.iter().cycle().take(6_000).copied());
    maya.check_array("table.read", &column).unwrap();
    let log = audit::tail(zt.audit_folder(), 100, |entry| {
        entry.action == "policy.check_many"
    });
    let log = log.unwrap();
    assert_eq!(log.len(), 1);
    let says = |name: &str| log[0].detail[name].as_str();
    assert_eq!(
        [says("rows"), says("distinct"), says("denied")],
        ["6000", "4", "2"]
    );
    let lines = "+table:gold.loan_scores\n-table:raw.loan_applications\n+table:GOLD.Loan_Scores\n-table:nowhere.x\n";
    let hash = digest::digest(&digest::SHA256, lines.as_bytes());
    let hash: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(says("sha256"), hash);
}

#[tokio::test]
async fn of_a_dictionary_only_what_rows_ask_for_is_decided_and_recorded() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let values = StringArray::from(vec![
        "no resource",
        "table:nowhere.x",
        "table:gold.loan_scores",
    ]);
    let keys = Int32Array::from(vec![Some(0), Some(2), None, Some(1), Some(2), Some(0)]);
    let column = DictionaryArray::new(keys, Arc::new(values));
    let found = maya.check_array("table.read", &column.slice(1, 4)).unwrap();
    let expected = BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]);
    assert_eq!(found, expected);
    let log = audit::tail(zt.audit_folder(), 100, |entry| {
        entry.action == "policy.check_many"
    });
    let log = log.unwrap();
    assert_eq!(log[0].detail["distinct"].as_str(), "2");
    let lines = "+table:gold.loan_scores\n-table:nowhere.x\n";
    let hash = digest::digest(&digest::SHA256, lines.as_bytes());
    let hash: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(log[0].detail["sha256"].as_str(), hash);
    let error = maya
        .check_array("table.read", &column.slice(3, 3))
        .unwrap_err();
    assert!(
        error.message().starts_with("row 3: expected"),
        "{}",
        error.message()
    );
}

#[tokio::test]
async fn a_cell_that_is_no_resource_is_named_with_its_row_and_nothing_is_recorded() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let wrong = |column: &dyn Array| {
        let error = maya.check_array("table.read", column).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        error.message().to_owned()
    };
    let column = StringArray::from(vec!["table:gold.x", "gold.y"]);
    let says = "row 2: expected `kind:path`, such as `table:gold.loan_scores`: `gold.y`";
    assert_eq!(wrong(&column), says);
    let column = StringArray::from(vec!["secret:x"]);
    assert_eq!(wrong(&column), "row 1: `table.read` does not take a secret");
    let numbers = Int32Array::from(vec![1]);
    assert!(wrong(&numbers).contains("not Int32"));
    let log = audit::tail(zt.audit_folder(), 100, |entry| {
        entry.action == "policy.check_many"
    });
    assert!(log.unwrap().is_empty());
}

const SCORES: &str = "table:gold.loan_scores";

fn scores(salary_range: [Option<&str>; 2]) -> RecordBatch {
    let columns: [(&str, Arc<dyn Array>); 4] = [
        ("id", Arc::new(Int32Array::from(vec![70_000, 70_001]))),
        ("y_pred", Arc::new(BooleanArray::from(vec![true, false]))),
        (
            "SALARY_RANGE",
            Arc::new(StringArray::from_iter(salary_range)),
        ),
        (
            "y_pred_proba",
            Arc::new(StringArray::from_iter([Some("1"), None])),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn names(batch: &RecordBatch) -> Vec<String> {
    let fields = batch.schema_ref().fields().iter();
    fields.map(|field| field.name().clone()).collect()
}

#[tokio::test]
async fn a_permit_shows_of_a_batch_what_it_shows_of_lists() {
    let world = World::new();
    let zt = world.open().await;
    let batch = scores([Some("20K - 40K"), None]);
    for (who, expected) in [
        (
            "user:maya",
            &["id", "y_pred", "SALARY_RANGE", "y_pred_proba"][..],
        ),
        ("user:elin", &["id", "y_pred"]),
        ("user:jonas", &["id", "y_pred", "SALARY_RANGE"]),
    ] {
        let permit = sign_in(&zt, who).await.require("table.read", SCORES);
        let seen = permit.unwrap().apply_arrow(&batch).unwrap();
        assert_eq!(names(&seen), expected, "{who}");
        assert_eq!(seen.num_rows(), 2);
        let id = seen.column_by_name("id").unwrap();
        assert_eq!(id.as_ref(), batch.column_by_name("id").unwrap().as_ref());
        if who == "user:jonas" {
            let masked = StringArray::from_iter([Some("[redacted]"), None]);
            let found = seen.column_by_name("SALARY_RANGE").unwrap();
            assert_eq!(found.as_ref(), &masked as &dyn Array);
        }
    }
}

#[tokio::test]
async fn notes_of_a_schema_go_only_with_a_batch_that_is_shown_whole() {
    let world = World::new();
    let zt = world.open().await;
    let mut batch = scores([Some("20K - 40K"), None]);
    batch
        .schema_metadata_mut()
        .insert("names".to_owned(), "of salaries".to_owned());
    for (who, is_whole) in [("user:maya", true), ("user:elin", false)] {
        let permit = sign_in(&zt, who).await.require("table.read", SCORES);
        let seen = permit.unwrap().apply_arrow(&batch).unwrap();
        let told = seen.schema_ref().metadata().get("names");
        assert_eq!(told.is_some(), is_whole, "{who}");
    }
}

#[tokio::test]
async fn obligations_hold_for_batches_too() {
    let world = World::new();
    let restrict = |id: &str, table: &str, obligations: &str| {
        format!(
            "[[Access_Policies]]\nid = \"{id}\"\nprincipal = \"*\"\naction = \"table.read\"\nresource = \"{table}\"\n\
             effect = \"restrict\"\nobligations = {{ {obligations} }}\n"
        )
    };
    let few = restrict("AP-90", SCORES, "max_rows = 1");
    world.edit(|tables| format!("{tables}\n{few}"));
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let permit = maya.require("table.read", SCORES).unwrap();
    let batch = scores([Some("20K - 40K"), None]);
    let error = permit.apply_arrow(&batch).unwrap_err();
    assert_eq!(error.code(), Code::ObligationUnmet);
    assert_eq!(
        error.message(),
        "2 rows, and at most 1 may be shown at once (AP-90)"
    );
    assert!(error.decision().is_some());
    assert_eq!(
        permit.apply_arrow(&batch.slice(0, 1)).unwrap().num_rows(),
        1
    );
    let sealed = restrict("AP-90", SCORES, "encrypt = \"ER-01\"");
    world.edit(|tables| tables.replace(&few, &sealed));
    zt.reload().await.unwrap();
    let permit = maya.require("table.read", SCORES).unwrap();
    let error = permit.apply_arrow(&batch).unwrap_err();
    assert_eq!(error.code(), Code::ObligationUnmet);
    assert!(error.message().contains("stands in plain"), "{error}");
    let none = permit.apply_arrow(&batch.slice(0, 0)).unwrap();
    assert_eq!(none.num_rows(), 0);
}
