//! Tables that people get wrong: all problems at once, each with its place and the nearest valid value.

use std::fs;

use proptest::prelude::*;
use zt_core::adapters::file::FileTables;
use zt_core::metadata::{MetadataSource, Problem, Report, Snapshot};
use zt_core::runtime;
use zt_core::{Code, Error};

use crate::world::{World, sample, sign_in};

async fn problems(world: &World) -> Vec<Problem> {
    let error: Error = runtime::tables(&world.config()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidMetadata);
    error.report().unwrap().problems().to_vec()
}

/// The one problem that a change of the sample tables makes, as it is printed.
async fn problem(from: &str, to: &str) -> String {
    let world = World::new();
    world.edit(|tables| {
        assert!(tables.contains(from), "{from}");
        tables.replacen(from, to, 1)
    });
    let found = problems(&world).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].to_string()
}

#[tokio::test]
async fn the_sample_tables_have_no_problem() {
    let snapshot = runtime::tables(&World::new().config())
        .await
        .unwrap()
        .current();
    assert_eq!(snapshot.tables().access_policies.len(), 29);
    assert_eq!(snapshot.tables().alert_rules.len(), 6);
    assert_eq!(
        snapshot.tables().network_rules[3].ports[1].to_string(),
        "11000-11999"
    );
}

#[tokio::test]
async fn each_mistake_is_named_with_its_place_and_what_was_meant() {
    let file = include_str!("../vectors/table_mistakes.toml");
    let cases: toml::Table = file.parse().unwrap();
    let cases = cases["case"].as_array().unwrap();
    assert!(cases.len() >= 26);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let found = problem(text("from"), text("to")).await;
        let says = text("says");
        assert!(found.contains(says), "expected {says}\nfound    {found}");
        assert!(found.starts_with("brindlewick.toml:"), "{found}");
    }
}

#[tokio::test]
async fn a_condition_that_is_too_long_too_deep_or_too_large_is_named_with_its_bound() {
    let job = "context.job == 202";
    let (open, close) = ("(".repeat(40), ")".repeat(40));
    let cases = [
        (
            format!("{job}{}", " ".repeat(5000)),
            "character 1: a condition has at most 4096 bytes, this one 5018",
        ),
        (
            format!("{open}{job}{close}"),
            "`(`: character 33: `not` and parentheses nest at most 32 deep",
        ),
        (
            format!("{}{job}", "not ".repeat(900)),
            "`not`: character 129: `not` and parentheses nest at most 32 deep",
        ),
        (
            vec![job; 100].join(" or "),
            "`context.job`: character 1409: a condition has at most 256 tests, operands and connectives",
        ),
    ];
    for (condition, says) in cases {
        let cell = format!("condition = \"{condition}\"");
        let found = problem("when = { job = 202 }", &cell).await;
        assert!(
            found.contains("Access_Policies AP-21 column condition: "),
            "{found}"
        );
        assert!(found.ends_with(says), "expected {says}\nfound    {found}");
    }
}

#[tokio::test]
async fn a_stage_that_waits_for_itself_is_a_cycle() {
    let found = problem("stage = 2\nafter = 1", "stage = 2\nafter = 2").await;
    assert!(found.contains(
        "Pipeline_Dependencies 201/2/2 column after: `2`: stage 2 would wait for itself"
    ));

    let world = World::new();
    world.edit(|tables| {
        tables + "\n[[Pipeline_Dependencies]]\njob_id = 201\nstage = 1\nafter = 3\n"
    });
    let cycle = problems(&world).await;
    assert_eq!(cycle.len(), 3, "every edge of the cycle is named");
}

#[tokio::test]
async fn a_group_that_is_in_itself_through_others_is_a_cycle() {
    let world = World::new();
    let edge = |member: &str, group: &str| {
        format!("\n[[Memberships]]\nmember = \"group:{member}\"\ngroup = \"group:{group}\"\n")
    };
    let edges =
        edge("grp-security", "grp-data-science") + &edge("grp-data-science", "grp-security");
    world.edit(|tables| tables + &edges);
    let cycle = problems(&world).await;
    assert_eq!(cycle.len(), 2, "every edge of the cycle is named");
    assert!(
        cycle[0]
            .to_string()
            .contains("`group:grp-security` would be in itself")
    );
}

#[tokio::test]
async fn fifty_errors_come_at_once() {
    let world = World::new();
    world.edit(|tables| {
        let rows =
            (0..50).map(|n| format!("\n[[Principals]]\nid = \"person:{n}\"\noid = \"{n}\"\n"));
        tables + &rows.collect::<String>()
    });
    assert_eq!(problems(&world).await.len(), 100);
}

#[tokio::test]
async fn every_syntax_error_is_reported_with_its_line() {
    let world = World::new();
    fs::write(
        world.tables(),
        "[[Jobs]\njob_id = 1\nname = \"unclosed\n\n[[Stages]]\nid = = 2\n",
    )
    .unwrap();
    let found = problems(&world).await;
    assert!(found.len() >= 2, "{found:#?}");
    assert!(
        found
            .iter()
            .all(|problem| problem.reason.starts_with("not TOML"))
    );
    assert!(
        found
            .iter()
            .any(|problem| problem.place.as_ref().unwrap().line == 1)
    );
    assert!(
        found
            .iter()
            .any(|problem| problem.place.as_ref().unwrap().line == 6)
    );
}

#[tokio::test]
async fn what_stands_in_the_wrong_place_of_a_secret_reference_is_not_repeated() {
    let found = problem(
        "name = \"bureau-api-key\"",
        "name = \"zt-needle-pasted secret!\"",
    )
    .await;
    assert!(!found.contains("pasted"));
    assert!(found.contains("Secret_References bureau-api-key column name: `[24 characters]`"));
}

#[tokio::test]
async fn a_folder_with_a_file_per_table_is_the_same_as_one_file() {
    let text = fs::read_to_string(sample().join("brindlewick.toml")).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let mut files = std::collections::BTreeMap::<String, String>::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(name) = line.trim().trim_start_matches('[').split(']').next()
            && line.starts_with('[')
        {
            current = name.to_owned();
        }
        if !current.is_empty() {
            let file = files.entry(current.clone()).or_default();
            file.push_str(line);
            file.push('\n');
        }
    }
    assert_eq!(files.len(), 16);
    for (table, rows) in &files {
        fs::write(folder.path().join(format!("{table}.toml")), rows).unwrap();
    }
    fs::write(folder.path().join("zt.toml"), "tables = \".\"").unwrap();
    let compile =
        |raw| Snapshot::compile(&raw, 1, zt_core::clock::Timestamp::from_millis(0)).unwrap();
    let one = compile(
        FileTables::new(sample().join("brindlewick.toml"))
            .load()
            .await
            .unwrap(),
    );
    let many = compile(FileTables::new(folder.path()).load().await.unwrap());
    assert_eq!(one.hash(), many.hash());
    assert_eq!(one.tables(), many.tables());
}

#[tokio::test]
async fn comments_and_column_order_leave_the_hash_alone_and_content_does_not() {
    let hash = async |change: fn(String) -> String| {
        let world = World::new();
        world.edit(change);
        *runtime::tables(&world.config())
            .await
            .unwrap()
            .current()
            .hash()
    };
    let original = hash(|tables| tables).await;
    assert_eq!(
        original,
        hash(|tables| tables.replace("# Jonas", "# Who else")).await
    );
    let swapped = hash(|tables| {
        tables.replace(
            "ttl_s = 600\nrotate_days = 30",
            "rotate_days = 30\nttl_s = 600",
        )
    });
    assert_eq!(original, swapped.await);
    assert_ne!(
        original,
        hash(|tables| tables.replace("ttl_s = 600", "ttl_s = 601")).await
    );
}

#[tokio::test]
async fn a_bad_version_never_replaces_a_good_one() {
    let world = World::new();
    let zt = world.open().await;
    let before = zt.snapshot();
    world.edit(|tables| tables.replace("effect = \"deny\"", "effect = \"maybe\""));
    let error = zt.reload().await.unwrap_err();
    assert_eq!(error.report().unwrap().problems().len(), 1);
    assert_eq!(zt.snapshot().version(), before.version());
    let maya = sign_in(&zt, "user:maya").await;
    assert!(
        !maya
            .check("table.read", "table:raw.loan_applications")
            .unwrap()
            .is_allowed()
    );

    world.edit(|tables| tables.replace("effect = \"maybe\"", "effect = \"deny\""));
    assert_eq!(
        zt.reload().await.unwrap().version(),
        1,
        "nothing changed, nothing is swapped"
    );
    world.edit(|tables| tables.replace("ttl_s = 600", "ttl_s = 60"));
    assert_eq!(zt.reload().await.unwrap().version(), 2);

    fs::remove_file(world.tables()).unwrap();
    assert_eq!(zt.reload().await.unwrap_err().code(), Code::InvalidMetadata);
    assert_eq!(zt.snapshot().version(), 2);
}

fn read(text: &str) -> Result<Snapshot, Report> {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("t.toml");
    fs::write(&file, text).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let raw = runtime.block_on(FileTables::new(file).load())?;
    Snapshot::compile(&raw, 1, zt_core::clock::Timestamp::from_millis(0))
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,300}") {
        let _result = read(&text);
    }

    #[test]
    fn no_damage_to_the_sample_makes_the_reader_panic(at in 0..13_000usize, len in 0..200usize, put in ".{0,20}") {
        let sample = fs::read_to_string(sample().join("brindlewick.toml")).unwrap();
        let mut text: Vec<char> = sample.chars().collect();
        let end = (at + len).min(text.len());
        text.splice(at.min(end)..end, put.chars());
        let _result = read(&text.into_iter().collect::<String>());
    }
}

#[tokio::test]
async fn a_location_holds_no_credential_and_a_refused_one_is_not_repeated() {
    let lake = "abfss://gold@stbrindlewicklake.dfs.core.windows.net/loan_scores";
    for wrong in [
        "https://me:zt-needle-1@stbrindlewicklake.dfs.core.windows.net/gold",
        "https://stbrindlewicklake.dfs.core.windows.net/gold?sv=2024&SIG=zt-needle-1",
        "jdbc:sqlserver://sql-brindlewick.database.windows.net:1433;user=me;Password=zt-needle-1",
    ] {
        let world = World::new();
        world.edit(|tables| tables.replace(lake, wrong));
        let error = runtime::tables(&world.config()).await.unwrap_err();
        let report = error.report().unwrap().to_string();
        assert!(
            report.contains("Output_Storage loan_scores_delta column location"),
            "{report}"
        );
        assert!(!report.contains("zt-needle") && !format!("{error:?}").contains("zt-needle"));
        world.edit(|tables| tables.replace(wrong, lake));
    }
}
