//! Permits: the visible columns and the masks, enforced on rows.

use zt_core::batch::{Batch, Cells, Column};
use zt_core::policy::Mask;
use zt_core::{Code, ErrorKind};

use crate::world::{World, sign_in};

const SCORES: &str = "table:gold.loan_scores";

fn scores() -> Batch {
    Batch::from_csv(
        "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred,scored_at\n\
         70000,20K - 40K €,0.703953,1,1,2019-03-31\n\
         70001,,0.282445,0.01,0,2019-03-31\n"
            .as_bytes(),
    )
    .unwrap()
}

fn names(batch: &Batch) -> Vec<&str> {
    batch.names().collect()
}

#[tokio::test]
async fn elins_view_has_exactly_three_columns() {
    let world = World::new();
    let zt = world.open().await;
    let permit = sign_in(&zt, "user:elin")
        .await
        .require("table.read", SCORES)
        .unwrap();
    let view = permit.apply(&scores()).unwrap();
    assert_eq!(names(&view), ["id", "y_pred", "scored_at"]);
    assert_eq!(
        view.to_csv(),
        "id,y_pred,scored_at\n70000,1,2019-03-31\n70001,0,2019-03-31\n"
    );
}

#[tokio::test]
async fn a_masked_column_is_visible_and_its_values_are_not() {
    let world = World::new();
    let zt = world.open().await;
    let permit = sign_in(&zt, "user:jonas")
        .await
        .require("table.read", SCORES)
        .unwrap();
    assert_eq!(permit.masks().of("SALARY_RANGE"), Some(Mask::Redact));
    let view = permit.apply(&scores()).unwrap();
    assert_eq!(names(&view), ["id", "y_pred", "scored_at", "salary_range"]);
    let seen = Cells::Text(vec![Some("[redacted]".to_owned()), None]);
    assert!(*view.column("salary_range").unwrap().cells() == seen);
}

#[tokio::test]
async fn another_spelling_of_a_column_is_the_same_column() {
    let world = World::new();
    let zt = world.open().await;
    let mut columns = scores().into_columns();
    columns.push(Column::new("ID2", Cells::Integer(vec![None, None])));
    let columns = columns
        .into_iter()
        .map(|column| Column::new(column.name().to_uppercase(), column.into_cells()));
    let batch = Batch::new(columns.collect()).unwrap();
    for (who, expected) in [
        ("user:elin", &["ID", "Y_PRED", "SCORED_AT"][..]),
        ("user:jonas", &["ID", "Y_PRED", "SCORED_AT", "SALARY_RANGE"]),
    ] {
        let permit = sign_in(&zt, who).await.require("table.read", SCORES);
        let view = permit.unwrap().apply(&batch).unwrap();
        assert_eq!(names(&view), expected);
    }
}

#[tokio::test]
async fn no_blank_or_invisible_character_makes_another_column_of_a_hidden_one() {
    let world = World::new();
    world.edit(|tables| {
        tables
            + "\n[[Access_Policies]]\nid = \"AP-98\"\nprincipal = \"*\"\naction = \"table.read\"\n\
               resource = \"table:hr.people\"\neffect = \"allow\"\n\
               [[Access_Policies]]\nid = \"AP-99\"\nprincipal = \"*\"\naction = \"table.read\"\n\
               resource = \"table:hr.people\"\neffect = \"deny\"\ncolumns = [\"ssn\"]\n"
    });
    let zt = world.open().await;
    let elin = sign_in(&zt, "user:elin").await;
    let permit = elin.require("table.read", "table:hr.people").unwrap();
    for spelling in [
        "ssn",
        "SSN",
        "ssn ",
        " ssn",
        "ssn\t",
        "ssn\u{a0}",
        "s\u{200b}sn",
    ] {
        let csv = format!("id,{spelling}\n1,zt-needle-ssn\n");
        let seen = Batch::from_csv(csv.as_bytes()).map(|batch| permit.apply(&batch).unwrap());
        if let Ok(seen) = seen {
            assert_eq!(seen.to_csv(), "id\n1\n", "{spelling:?}");
        }
    }
    // And the table does not name a column that no batch can have.
    world.edit(|tables| tables.replace("columns = [\"ssn\"]", "columns = [\"ssn \"]"));
    assert_eq!(zt.reload().await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn an_allow_that_shows_a_column_clear_lifts_the_mask_of_another() {
    let world = World::new();
    world.edit(|tables| {
        tables
            + r#"
[[Access_Policies]]
id = "AP-90"
principal = "user:jonas"
action = "table.read"
resource = "table:gold.loan_scores"
effect = "allow"
columns = ["Salary_Range"]
"#
    });
    let zt = world.open().await;
    let permit = sign_in(&zt, "user:jonas")
        .await
        .require("table.read", SCORES)
        .unwrap();
    assert!(permit.masks().is_empty());
    let view = permit.apply(&scores()).unwrap();
    assert!(view.column("salary_range") == scores().column("salary_range"));
}

#[tokio::test]
async fn of_two_masks_the_strictest_holds() {
    let world = World::new();
    world.edit(|tables| {
        tables
            + r#"
[[Access_Policies]]
id = "AP-90"
principal = "user:jonas"
action = "table.read"
resource = "table:gold.*"
effect = "allow"
masks = { SALARY_RANGE = "null" }
"#
    });
    let zt = world.open().await;
    let permit = sign_in(&zt, "user:jonas")
        .await
        .require("table.read", SCORES)
        .unwrap();
    assert_eq!(permit.masks().of("salary_range"), Some(Mask::Null));
    let view = permit.apply(&scores()).unwrap();
    assert_eq!(view.columns().len(), 6);
    assert_eq!(view.column("salary_range").unwrap().cells().nulls(), 2);
}

#[tokio::test]
async fn a_deny_gives_no_permit_to_apply() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let error = maya
        .require("table.read", "table:raw.loan_applications")
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.decision().unwrap().masks().is_empty());
}

#[tokio::test]
async fn a_batch_without_visible_columns_shows_nothing_but_its_length() {
    let world = World::new();
    let zt = world.open().await;
    let permit = sign_in(&zt, "user:elin")
        .await
        .require("table.read", SCORES);
    let hidden = scores().select(&["y_pred_proba", "salary_range"]).unwrap();
    let view = permit.unwrap().apply(&hidden).unwrap();
    assert_eq!((view.columns().len(), view.rows()), (0, 2));
}

#[tokio::test]
async fn a_permit_that_is_renewed_is_what_the_tables_say_by_then() {
    let world = World::new();
    let zt = world.open().await;
    let elin = sign_in(&zt, "user:elin").await;
    let permit = elin.require("table.read", SCORES).unwrap();
    let first = permit.decision().id().to_string();
    let permit = elin.renew(permit).unwrap();
    assert_eq!(permit.decision().id().to_string(), first);
    let narrower = |columns: &str| {
        format!(
            "\n[[Access_Policies]]\nid = \"AP-78\"\nprincipal = \"user:elin\"\naction = \"table.read\"\n\
             resource = \"{SCORES}\"\neffect = \"{columns}\"\n"
        )
    };
    let restrict = "restrict\"\nobligations = { max_rows = 1 }\n# \"";
    world.edit(|tables| tables + &narrower(restrict));
    zt.reload().await.unwrap();
    assert!(permit.apply(&scores()).is_ok());
    let permit = elin.renew(permit).unwrap();
    assert_ne!(permit.decision().id().to_string(), first);
    let why = permit.apply(&scores()).unwrap_err();
    assert_eq!(why.code(), Code::ObligationUnmet);
    world.edit(|tables| tables.replace(restrict, "deny"));
    zt.reload().await.unwrap();
    let why = elin.renew(permit).unwrap_err();
    assert_eq!(why.kind(), ErrorKind::Denied);
    assert!(why.decision().is_some_and(|found| !found.is_allowed()));
    drop(zt);
}
