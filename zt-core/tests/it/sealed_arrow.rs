//! Batches of Arrow sealed and opened through sessions, as far as the policy shows them.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, Float32Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray,
};
use zt_core::envelope::Store;
use zt_core::{Code, Session};

use crate::sealed_forms::{OUTPUT, job, rule_with};
use crate::world::{World, sign_in};

fn chances() -> ArrayRef {
    Arc::new(Float32Array::from(vec![Some(0.5), None, Some(0.25)]))
}

fn texts(cells: [Option<&str>; 3]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

fn regions() -> ArrayRef {
    texts([Some("nl"), Some("de"), Some("nl")])
}

fn plain() -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![70000, 70001, 70002]));
    let moments: ArrayRef = Arc::new(TimestampSecondArray::from(vec![1, 2, 3]));
    RecordBatch::try_from_iter_with_nullable([
        ("id", ids, false),
        ("region", regions(), true),
        ("y_pred_proba", chances(), true),
        (
            "salary_range",
            texts([Some("30k-40k-4711"), Some("30k"), Some("40k")]),
            true,
        ),
        ("debt_to_income_ratio", moments, true),
    ])
    .unwrap()
}

fn policy(world: &World, id: &str, more: &str) {
    world.edit(|tables| {
        format!(
            "{tables}\n[[Access_Policies]]\nid = \"{id}\"\nprincipal = \"role:risk_officer\"\naction = \"data.open\"\n\
             resource = \"output:{OUTPUT}\"\n{more}\n"
        )
    });
}

async fn open(caller: &Session, sealed: &RecordBatch) -> RecordBatch {
    let opener = caller.arrow_opener(OUTPUT, sealed).await.unwrap();
    opener.unseal_arrow(sealed).unwrap()
}

async fn sealed(world: &World) -> RecordBatch {
    rule_with(world, "row_key = [\"id\"]");
    let zt = world.open().await;
    let sealer = job(&zt).await.sealer(OUTPUT).await.unwrap();
    sealer.seal_arrow(&plain(), Store::Text).unwrap()
}

#[tokio::test]
async fn a_batch_of_arrow_opens_as_far_as_the_policy_shows_it() {
    let world = World::new().with_key("scores-kek").await;
    let sealed = sealed(&world).await;
    let zt = world.open().await;
    let ines = sign_in(&zt, "user:ines").await;
    assert!(open(&ines, &sealed).await == plain());
    let maya = sign_in(&zt, "user:maya").await;
    let why = maya.arrow_opener(OUTPUT, &sealed).await.unwrap_err();
    assert!(why.is_denied());
    let why = ines.arrow_opener(OUTPUT, &plain()).await.unwrap_err();
    assert_eq!(why.code(), Code::SealIntegrity);

    policy(
        &world,
        "AP-98",
        "effect = \"restrict\"\nmasks = { salary_range = \"last_4\" }",
    );
    policy(
        &world,
        "AP-99",
        "effect = \"deny\"\ncolumns = [\"id\", \"debt_to_income_ratio\"]",
    );
    zt.reload().await.unwrap();
    let masked = texts([Some("****4711"), Some("****"), Some("****")]);
    let expected = RecordBatch::try_from_iter_with_nullable([
        ("region", regions(), true),
        ("y_pred_proba", chances(), true),
        ("salary_range", masked, true),
    ]);
    assert!(open(&ines, &sealed).await == expected.unwrap());
}

#[tokio::test]
async fn rows_and_cells_of_arrow_are_shown_as_the_policy_says() {
    let world = World::new().with_key("scores-kek").await;
    let sealed = sealed(&world).await;
    world.edit(|tables| {
        tables
            + "\n[[Attributes]]\nnamespace = \"row\"\nname = \"region\"\ntype = \"text\"\nprovenance = \"store\"\n"
    });
    let hides = |column: &str, region: &str| {
        format!("effect = \"deny\"\ncolumns = [\"{column}\"]\nrows = \"row.region == '{region}'\"")
    };
    let masks = "effect = \"restrict\"\nmasks = { salary_range = \"last_4\" }";
    policy(&world, "AP-98", masks);
    policy(&world, "AP-97", &hides("y_pred_proba", "de"));
    policy(&world, "AP-96", &hides("salary_range", "nl"));
    let zt = world.open().await;
    let ines = sign_in(&zt, "user:ines").await;
    let seen = open(&ines, &sealed).await;
    assert_eq!(seen.column_by_name("y_pred_proba"), Some(&chances()));
    let hidden = texts([None, Some("****"), None]);
    assert_eq!(seen.column_by_name("salary_range"), Some(&hidden));
    policy(
        &world,
        "AP-95",
        "effect = \"restrict\"\nrows = \"row.region == 'de'\"",
    );
    zt.reload().await.unwrap();
    let seen = open(&ines, &sealed).await;
    let only: ArrayRef = Arc::new(StringArray::from(vec!["de"]));
    assert_eq!(seen.column_by_name("region"), Some(&only));
}

#[tokio::test]
async fn a_column_that_only_the_rows_of_a_mask_read_is_there_to_be_read() {
    let world = World::new().with_key("scores-kek").await;
    let sealed = sealed(&world).await;
    world.edit(|tables| {
        let allow = |id: &str, more: &str| {
            format!(
                "\n[[Access_Policies]]\nid = \"{id}\"\nprincipal = \"role:analyst\"\naction = \"data.open\"\n\
                 resource = \"output:{OUTPUT}\"\neffect = \"allow\"\ncolumns = [\"salary_range\"]\n{more}\n"
            )
        };
        let rows = "rows = \"row.region == 'nl'\"\nmasks = { salary_range = \"last_4\" }";
        tables
            + "\n[[Attributes]]\nnamespace = \"row\"\nname = \"region\"\ntype = \"text\"\nprovenance = \"store\"\n"
            + &allow("AP-98", "masks = { salary_range = \"redact\" }")
            + &allow("AP-97", rows)
    });
    let zt = world.open().await;
    let elin = sign_in(&zt, "user:elin").await;
    let seen = open(&elin, &sealed).await;
    let names: Vec<_> = seen
        .schema_ref()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(names, ["salary_range"]);
    assert_eq!(seen.column(0).null_count(), 0);
}

#[tokio::test]
async fn sealed_columns_meet_an_obligation_to_seal_as_text_and_as_bytes() {
    let world = World::new().with_key("scores-kek").await;
    world.edit(|tables| {
        let allow = "\n[[Access_Policies]]\nid = \"AP-90\"\nprincipal = \"role:risk_officer\"\naction = \"table.read\"\n\
                     resource = \"table:gold.loan_scores\"\neffect = \"allow\"\n";
        let restrict = "\n[[Access_Policies]]\nid = \"AP-91\"\nprincipal = \"*\"\naction = \"table.read\"\n\
                        resource = \"table:gold.loan_scores\"\neffect = \"restrict\"\nobligations = { encrypt = \"ER-01\" }\n";
        format!("{tables}{allow}{restrict}")
    });
    let zt = world.open().await;
    let sealer = job(&zt).await.sealer(OUTPUT).await.unwrap();
    let ines = sign_in(&zt, "user:ines").await;
    let permit = ines
        .require("table.read", "table:gold.loan_scores")
        .unwrap();
    let refused = |batch: &RecordBatch| {
        let why = permit.apply_arrow(batch).unwrap_err();
        assert_eq!(why.code(), Code::ObligationUnmet, "{why}");
        assert!(why.message().contains("stands in plain"), "{why}");
    };
    refused(&plain());
    for store in [Store::Text, Store::Bytes] {
        let sealed = sealer.seal_arrow(&plain(), store).unwrap();
        let seen = permit.apply_arrow(&sealed).unwrap();
        assert_eq!(seen.num_rows(), 3, "{store:?}");
        // One column in plain beside sealed ones.
        let mut columns: Vec<(String, ArrayRef)> = sealed
            .schema_ref()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .zip(sealed.columns().iter().cloned())
            .collect();
        let at = columns
            .iter()
            .position(|(name, _)| name == "salary_range")
            .unwrap();
        columns[at].1 = texts([Some("30k"), Some("30k"), Some("40k")]);
        refused(&RecordBatch::try_from_iter(columns.clone()).unwrap());
        let long: Vec<&[u8]> = vec![&[7; 40], &[7; 40], &[7; 40]];
        columns[at].1 = Arc::new(BinaryArray::from(long));
        refused(&RecordBatch::try_from_iter(columns).unwrap());
    }
    // Bytes that could be sealed ones, without the keys of the rule.
    let sealed = sealer.seal_arrow(&plain(), Store::Bytes).unwrap();
    let keys = sealed.schema_ref().index_of("_zt_key").unwrap();
    let bare: Vec<usize> = (0..sealed.num_columns()).filter(|at| *at != keys).collect();
    refused(&sealed.project(&bare).unwrap());
    // And under another rule.
    world.edit(|tables| tables.replace("\"ER-01\"", "\"ER-09\""));
    zt.reload().await.unwrap();
    let permit = ines
        .require("table.read", "table:gold.loan_scores")
        .unwrap();
    assert_eq!(
        permit.apply_arrow(&sealed).unwrap_err().code(),
        Code::ObligationUnmet
    );
}

#[tokio::test]
async fn a_mask_stands_for_a_seal_only_where_no_row_is_shown_without_it() {
    let world = World::new();
    let masks = "masks = { y_pred_proba = \"null\", salary_range = \"null\", debt_to_income_ratio = \"null\" }";
    let clear = "rows = \"row.region == 'nl'\"";
    let row = |id: &str, who: &str, effect: &str, more: &str| {
        format!(
            "\n[[Access_Policies]]\nid = \"{id}\"\nprincipal = \"{who}\"\naction = \"table.read\"\n\
             resource = \"table:gold.loan_scores\"\neffect = \"{effect}\"\n{more}\n"
        )
    };
    world.edit(|tables| {
        tables
            + "\n[[Attributes]]\nnamespace = \"row\"\nname = \"region\"\ntype = \"text\"\nprovenance = \"store\"\n"
            + &row("AP-90", "role:risk_officer", "allow", masks)
            + &row("AP-91", "*", "restrict", "obligations = { encrypt = \"ER-01\" }")
    });
    let zt = world.open().await;
    let ines = sign_in(&zt, "user:ines").await;
    let apply = || {
        let permit = ines
            .require("table.read", "table:gold.loan_scores")
            .unwrap();
        permit.apply_arrow(&plain())
    };
    assert_eq!(apply().unwrap().num_rows(), 3);
    world.edit(|tables| tables + &row("AP-92", "role:risk_officer", "allow", clear));
    zt.reload().await.unwrap();
    let why = apply().unwrap_err();
    assert_eq!(why.code(), Code::ObligationUnmet);
    assert!(why.message().contains("stands in plain"), "{why}");
}
