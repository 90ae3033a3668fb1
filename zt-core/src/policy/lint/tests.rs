use super::*;
use crate::clock::Timestamp;
use crate::metadata::{Cell, RawRow, RawTables};

/// Policies `id principal action resource effect`, with two roles that hold each other's people in part.
fn findings(policies: &[&str]) -> Vec<String> {
    let mut raw = RawTables::new("test".to_owned());
    let row = |cells: &[(&str, &str)]| {
        let text =
            |(name, text): &(&str, &str)| ((*name).to_owned(), Cell::Text((*text).to_owned()));
        RawRow::new(None, cells.iter().map(text).collect())
    };
    for (at, id) in ["sp:a", "sp:b"].iter().enumerate() {
        let oid = format!("00000000-0000-4000-8000-00000000000{at}");
        raw.push("Principals", row(&[("id", id), ("oid", &oid)]));
    }
    for (role, holder) in [("few", "sp:a"), ("many", "sp:a"), ("many", "sp:b")] {
        raw.push(
            "Role_Bindings",
            row(&[("role", role), ("principal", holder)]),
        );
    }
    for policy in policies {
        let parts: Vec<&str> = policy.split(' ').collect();
        let names = [
            "id",
            "principal",
            "action",
            "resource",
            "effect",
            "valid_to",
            "mode",
        ];
        let cells: Vec<(&str, &str)> = names.into_iter().zip(parts).collect();
        raw.push("Access_Policies", row(&cells));
    }
    let snapshot = Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap();
    let of_policies = lint(&snapshot);
    let of_policies = of_policies
        .iter()
        .filter(|found| found.table == "Access_Policies");
    of_policies
        .map(|found| format!("{} {}", found.lint.as_str(), found.rows.join(" ")))
        .collect()
}

#[test]
fn a_row_that_another_covers_is_redundant_and_of_twins_the_later() {
    let wide = "W role:many table.* table:raw.** allow";
    assert_eq!(
        findings(&[wide, "N role:few table.read table:raw.x allow"]),
        ["redundant N W"]
    );
    assert_eq!(
        findings(&["N role:few table.read table:raw.x allow", wide]),
        ["redundant N W"]
    );
    assert_eq!(
        findings(&[wide, "T role:many table.* table:raw.** allow"]),
        ["redundant T W"]
    );
    assert!(findings(&[wide, "N sp:a table.read table:gold.x allow"]).is_empty());
    assert!(
        findings(&[
            "F role:few table.read table:x allow",
            "M role:many table.read table:x allow"
        ]) == ["redundant F M"]
    );
}

#[test]
fn an_allow_under_a_deny_is_shadowed_and_under_its_twin_contradictory() {
    let deny = "D role:many table.read table:raw.* deny";
    assert_eq!(
        findings(&[deny, "A sp:a table.read table:raw.x allow"]),
        ["shadowed A D"]
    );
    assert_eq!(
        findings(&[deny, "A role:many table.read table:raw.* allow"]),
        ["contradictory A D"]
    );
    // A wider allow keeps what the deny leaves.
    assert!(findings(&[deny, "A role:many table.read table:** allow"]).is_empty());
}

#[test]
fn what_allows_too_much_is_named() {
    for (row, expected) in [
        ("B * table.read table:x allow", "over_broad B"),
        ("B sp:a * table:x allow", "over_broad B"),
        ("B sp:a table.read ** allow", "over_broad B"),
    ] {
        assert_eq!(findings(&[row]), [expected]);
    }
    assert!(findings(&["B * table.read table:x deny"]).is_empty());
    assert!(findings(&["B sp:a policy.explain ** allow"]).is_empty());
}

#[test]
fn a_pattern_of_nothing_is_dead() {
    assert_eq!(
        findings(&["S sp:a model.infer model:team/* allow"]),
        ["dead S"]
    );
    assert_eq!(findings(&["J sp:a job.run job:* allow"]), ["dead J"]);
}

#[test]
fn one_table_at_two_depths_is_named() {
    let rows = [
        "A sp:a table.read table:gold.x allow",
        "B sp:a table.read table:main.gold.x allow",
    ];
    assert_eq!(findings(&rows), ["mixed_depth A B"]);
}

#[test]
fn the_subtree_of_all_tables_is_of_every_depth() {
    let rows = [
        "A sp:a table.read table:** allow",
        "B sp:b table.read table:raw.** deny",
    ];
    assert!(findings(&rows).is_empty());
}

#[test]
fn a_row_that_ends_is_named_before_and_after() {
    // The tables are loaded at the first moment of 1970.
    let row = |end: &str| findings(&[&format!("E sp:a table.read table:x allow {end}")]);
    assert_eq!(row("1970-01-10T00:00:00Z"), ["expiring E"]);
    assert!(row("1970-02-10T00:00:00Z").is_empty());
    assert_eq!(row("1970-01-01T00:00:00Z"), ["dead E"]);
}

#[test]
fn a_row_that_ends_or_does_not_decide_covers_none_that_goes_on() {
    let narrow = "N sp:a table.read table:raw.x allow";
    let wide = "W sp:a table.read table:raw.* allow";
    assert_eq!(findings(&[wide, narrow]), ["redundant N W"]);
    assert!(findings(&[&format!("{wide} 1980-01-01T00:00:00Z"), narrow]).is_empty());
    assert!(findings(&[&format!("{wide} 1980-01-01T00:00:00Z shadow"), narrow]).is_empty());
    assert!(findings(&["B * table.read table:x allow 1980-01-01T00:00:00Z off"]).is_empty());
}
