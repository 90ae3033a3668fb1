//! Columns of Arrow: each row is answered as a check of its own would be, and the log has one record for the column.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, BooleanArray, DictionaryArray, Int32Array, LargeStringArray, StringArray,
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
