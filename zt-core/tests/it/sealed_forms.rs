//! Rules that bind cells to their rows, or seal columns deterministically, through sessions and the `zt` command.

use std::process::Command;

use zt_core::Session;
use zt_core::batch::{Batch, Cells, Column};
use zt_core::runtime::Runtime;

use crate::world::{World, sign_in};

pub(crate) const OUTPUT: &str = "loan_scores_delta";

fn scores() -> Batch {
    let text = |cells: [&str; 3]| Cells::Text(cells.map(|cell| Some(cell.to_owned())).into());
    Batch::new(vec![
        Column::new(
            "id",
            Cells::Integer(vec![Some(70000), Some(70001), Some(70002)]),
        ),
        Column::new("y_pred_proba", text(["0.1", "0.2", "0.1"])),
        Column::new("salary_range", text(["30k", "30k", "40k"])),
        Column::new("debt_to_income_ratio", text(["1", "2", "3"])),
    ])
    .unwrap()
}

/// Gives the rule more cells.
pub(crate) fn rule_with(world: &World, more: &str) {
    world.edit(|tables| tables.replacen("algorithm = \"AES-256-GCM\"", more, 1));
}

pub(crate) async fn job(zt: &Runtime) -> Session {
    sign_in(zt, "sp:sp-score-201").await.claiming(201, 2)
}

async fn seal(zt: &Runtime, output: &str) -> Batch {
    let sealer = job(zt).await.sealer(output).await.unwrap();
    sealer.seal(&scores()).unwrap()
}

fn texts<'a>(batch: &'a Batch, name: &str) -> &'a [Option<String>] {
    if let Cells::Text(cells) = batch.require(name).unwrap().cells() {
        return cells;
    }
    &[]
}

fn zt(world: &World, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zt"));
    command.arg("-C").arg(world.path()).args(arguments);
    let output = command.env_remove("ZT_FOLDER").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_row_key_finds_what_was_moved_and_old_rows_still_open() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let old = seal(&zt, OUTPUT).await;
    rule_with(&world, "row_key = [\"id\"]");
    zt.reload().await.unwrap();
    let new = seal(&zt, OUTPUT).await;
    let ines = sign_in(&zt, "user:ines").await;
    for sealed in [&old, &new] {
        let opener = ines.opener(OUTPUT, sealed).await.unwrap();
        assert!(opener.unseal(sealed).unwrap() == scores());
    }
    let mut cells = texts(&new, "salary_range").to_vec();
    cells.swap(0, 1);
    let columns = new.columns().iter().map(|column| {
        if column.is_called("salary_range") {
            Column::new("salary_range", Cells::Text(cells.clone()))
        } else {
            column.clone()
        }
    });
    let moved = Batch::new(columns.collect()).unwrap();
    let opener = ines.opener(OUTPUT, &moved).await.unwrap();
    let why = opener.unseal(&moved).unwrap_err();
    assert_eq!(
        why.message(),
        "row 1 of column `salary_range` holds the cell of row 2: it was moved here, or the row key was"
    );
    // Who does not see `id` is still told of a moved cell: it is read, and not shown.
    world.edit(|tables| {
        tables
            + "\n[[Access_Policies]]\nid = \"AP-99\"\nprincipal = \"role:risk_officer\"\naction = \"data.open\"\n\
               resource = \"output:loan_scores_delta\"\neffect = \"deny\"\ncolumns = [\"id\"]\n"
    });
    zt.reload().await.unwrap();
    let opener = ines.opener(OUTPUT, &new).await.unwrap();
    let seen = opener.unseal(&new).unwrap();
    assert!(seen.column("id").is_none() && seen.rows() == 3);
}

#[tokio::test]
async fn deterministic_columns_are_equal_across_jobs_and_after_a_rotation() {
    let world = World::new().with_key("scores-kek").await;
    let key = zt(&world, &["vault", "create-deterministic-key", "ER-01"]);
    rule_with(
        &world,
        &format!("deterministic = [\"Salary_Range\"]\ndeterministic_key = \"{key}\""),
    );
    let first = seal(&world.open().await, OUTPUT).await;
    zt(&world, &["vault", "create-key", "scores-kek"]);
    let again = zt(
        &world,
        &["vault", "create-deterministic-key", "ER-01", "--again"],
    );
    assert_ne!(key, again);
    world.edit(|tables| tables.replacen(&key, &again, 1));
    let runtime = world.open().await;
    let second = seal(&runtime, OUTPUT).await;
    let cells = texts(&first, "salary_range");
    assert_eq!(cells, texts(&second, "salary_range"));
    assert!(cells[0] == cells[1] && cells[0] != cells[2]);
    assert_ne!(
        texts(&first, "y_pred_proba"),
        texts(&second, "y_pred_proba")
    );
    let ines = sign_in(&runtime, "user:ines").await;
    for sealed in [&first, &second] {
        let opener = ines.opener(OUTPUT, sealed).await.unwrap();
        assert!(opener.unseal(sealed).unwrap() == scores());
    }
    // Another key gives other cells: nothing is equal by chance.
    let other = zt(&world, &["vault", "create-deterministic-key", "ER-01"]);
    world.edit(|tables| tables.replacen(&again, &other, 1));
    runtime.reload().await.unwrap();
    let third = seal(&runtime, OUTPUT).await;
    assert_ne!(texts(&third, "salary_range"), cells);
}

#[tokio::test]
async fn a_deterministic_key_of_another_rule_is_refused_when_the_tables_load() {
    let world = World::new().with_key("scores-kek").await;
    let key = zt(&world, &["vault", "create-deterministic-key", "ER-01"]);
    let with_key = format!("deterministic = [\"salary_range\"]\ndeterministic_key = \"{key}\"");
    rule_with(&world, &with_key);
    let runtime = world.open().await;
    world.edit(|tables| tables.replace("\"ER-01\"", "\"ER-07\""));
    let why = runtime.reload().await.unwrap_err();
    assert!(
        why.to_string().contains("was made for rule `ER-01`"),
        "{why}"
    );
}
