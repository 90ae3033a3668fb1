//! One test for each lint, and what is no finding.

mod laws;

use super::*;
use crate::clock::Timestamp;
use crate::metadata::{Cell, RawRow, RawTables};

type Cells<'a> = &'a [(&'a str, &'a str)];

/// Tables with two roles that hold each other's people in part, and one attribute of most types.
fn tables(policies: &[Vec<(&str, Cell)>], attributes: &[Cells<'_>]) -> Snapshot {
    let mut raw = RawTables::new("test".to_owned());
    let text = |(name, text): &(&str, &str)| ((*name).to_owned(), Cell::Text((*text).to_owned()));
    let row = |cells: Cells<'_>| RawRow::new(None, cells.iter().map(text).collect());
    for (at, id) in ["sp:a", "sp:b", "user:c", "group:g"].iter().enumerate() {
        let oid = format!("00000000-0000-4000-8000-00000000000{at}");
        raw.push("Principals", row(&[("id", id), ("oid", &oid)]));
    }
    for (role, holder, limit) in [
        ("few", "sp:a", None),
        ("few", "sp:b", Some(("scope", "table:raw.x"))),
        ("many", "sp:a", None),
        ("many", "sp:b", None),
        ("many", "group:g", None),
        ("some", "sp:a", Some(("valid_to", "1980-01-01T00:00:00Z"))),
        ("some", "sp:b", Some(("scope", "table:raw.**"))),
    ] {
        let cells = [("role", role), ("principal", holder)];
        let cells: Vec<_> = cells.into_iter().chain(limit).collect();
        raw.push("Role_Bindings", row(&cells));
    }
    for attribute in attributes {
        raw.push("Attributes", row(attribute));
    }
    for policy in policies {
        let cells = policy
            .iter()
            .map(|(name, cell)| ((*name).to_owned(), cell.clone()));
        raw.push("Access_Policies", RawRow::new(None, cells.collect()));
    }
    Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap()
}

const NAMES: [&str; 7] = [
    "id",
    "principal",
    "action",
    "resource",
    "effect",
    "valid_to",
    "mode",
];

/// `id principal action resource effect [valid_to] [mode]`, and behind ` if ` a condition.
fn cells(policy: &str) -> Vec<(&'static str, Cell)> {
    let (row, condition) = match policy.split_once(" if ") {
        Some((row, condition)) => (row, Some(condition)),
        None => (policy, None),
    };
    let row = NAMES.into_iter().zip(row.split(' '));
    let condition = condition.map(|condition| ("condition", condition));
    let cells = row.chain(condition);
    cells
        .map(|(name, text)| (name, Cell::Text(text.to_owned())))
        .collect()
}

/// The rows of Attributes that conditions here test.
fn attributes() -> Vec<Vec<(&'static str, &'static str)>> {
    let attribute = |namespace, name, kind, provenance| {
        vec![
            ("namespace", namespace),
            ("name", name),
            ("type", kind),
            ("provenance", provenance),
        ]
    };
    let mut pin = attribute("context", "pin", "text", "request");
    pin.push(("sensitivity", "secret"));
    vec![
        attribute("context", "zone", "text", "request"),
        attribute("context", "n", "int", "request"),
        attribute("principal", "team", "text", "token"),
        attribute("principal", "level", "int", "request"),
        attribute("resource", "owner", "text", "store"),
        pin,
    ]
}

/// What is found in these policies.
fn found(policies: &[&str]) -> Vec<Finding> {
    let attributes = attributes();
    let attributes: Vec<Cells<'_>> = attributes.iter().map(|cells| &cells[..]).collect();
    let policies: Vec<_> = policies.iter().map(|policy| cells(policy)).collect();
    lint(&tables(&policies, &attributes))
}

/// `lint rows` of Access_Policies.
fn findings(policies: &[&str]) -> Vec<String> {
    let found = found(policies);
    let of_policies = found
        .iter()
        .filter(|found| found.table == "Access_Policies");
    of_policies
        .map(|found| format!("{} {}", found.lint.as_str(), found.rows.join(" ")))
        .collect()
}

/// The reasons of one lint.
fn reasons(lint: Lint, policies: &[&str]) -> Vec<String> {
    let found = found(policies).into_iter();
    let of_lint = found.filter(|found| found.lint == lint);
    of_lint.map(|found| found.reason).collect()
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

#[test]
fn a_row_is_redundant_under_one_with_a_weaker_condition() {
    let row =
        |id: &str, condition: &str| format!("{id} sp:a table.read table:raw.x allow{condition}");
    for (weak, strong) in [
        (" if context.n > 2", " if context.n == 3"),
        (" if context.zone in ['a', 'b']", " if context.zone == 'b'"),
        (
            " if context.zone == 'a'",
            " if context.n == 1 and context.zone == 'a'",
        ),
        (
            " if time.now < '1980-01-01T00:00:00Z'",
            " 1979-01-01T00:00:00Z",
        ),
    ] {
        let (wide, narrow) = (row("W", weak), row("N", strong));
        assert_eq!(
            findings(&[&wide, &narrow]),
            ["redundant N W"],
            "{weak} {strong}"
        );
        assert_eq!(
            findings(&[&narrow, &wide]),
            ["redundant N W"],
            "{weak} {strong}"
        );
    }
    for (one, other) in [
        (
            " if context.n > 2",
            " if context.n > 1 and context.zone == 'a'",
        ),
        (" if context.n > 2", " if context.zone == 'a'"),
    ] {
        assert!(
            findings(&[&row("A", one), &row("B", other)]).is_empty(),
            "{one} {other}"
        );
    }
}

#[test]
fn a_deny_is_redundant_only_where_the_other_denies_the_unknown_too() {
    let deny =
        |id: &str, condition: &str| format!("{id} sp:a table.read table:raw.x deny if {condition}");
    let (wide, narrow) = (deny("W", "context.n > 2"), deny("N", "context.n > 3"));
    assert_eq!(findings(&[&wide, &narrow]), ["redundant N W"]);
    // Without a number the second denies and the first does not: what is missing makes `and` false.
    let and = deny("W", "context.n > 2 and context.zone == 'a'");
    let or = deny(
        "N",
        "context.n > 3 and context.zone == 'a' and context.pin == 'p'",
    );
    assert_eq!(findings(&[&and, &or]), ["redundant N W"]);
    let other = deny("N", "context.zone == 'a'");
    assert!(findings(&[&wide, &other]).is_empty());
}

#[test]
fn an_allow_is_shadowed_by_a_deny_that_its_condition_calls_for() {
    let allow = |condition: &str| format!("A sp:a table.read table:raw.x allow{condition}");
    let deny = |condition: &str| {
        format!("D many table.read table:raw.* deny{condition}").replace("many", "role:many")
    };
    for (allows, denies) in [
        (" if context.n == 3", " if context.n > 2"),
        (
            " if context.n == 3",
            " if context.zone == 'a' or context.n != 4",
        ),
        (
            " if context.zone == 'open'",
            " if context.zone != 'private'",
        ),
        (" if context.zone == 'open'", " if context.zone == 'open'"),
    ] {
        assert_eq!(
            findings(&[&deny(denies), &allow(allows)]),
            ["shadowed A D"],
            "{allows} {denies}"
        );
    }
    for (allows, denies) in [
        (" if context.n == 3", " if context.n > 3"),
        (
            " if context.zone != 'private'",
            " if context.zone == 'open'",
        ),
        ("", " if context.zone == 'open'"),
    ] {
        assert!(
            findings(&[&deny(denies), &allow(allows)]).is_empty(),
            "{allows} {denies}"
        );
    }
}

#[test]
fn an_allow_and_a_deny_that_say_the_same_in_other_words_contradict_each_other() {
    let rows = [
        "D sp:a table.read table:raw.x deny if context.n in [1, 2]",
        "A sp:a table.read table:raw.x allow if context.n == 1 or context.n == 2",
    ];
    assert_eq!(findings(&rows), ["contradictory A D"]);
}

#[test]
fn a_mask_that_is_stricter_elsewhere_is_not_redundant() {
    let row = |id: &str, mask: &str| {
        let mut cells = cells(&format!("{id} sp:a table.read table:raw.x allow"));
        let mask = Cell::Map(vec![("iban".to_owned(), Cell::Text(mask.to_owned()))]);
        cells.push(("masks", mask));
        cells
    };
    let rows = |one: &str, other: &str| {
        let found = lint(&tables(&[row("A", one), row("B", other)], &[]));
        let redundant = found
            .into_iter()
            .filter(|found| found.lint == Lint::Redundant);
        redundant
            .map(|found| found.rows.join(" "))
            .collect::<Vec<_>>()
    };
    // Where both mask, the stricter one counts: the milder one changes nothing.
    assert_eq!(rows("redact", "last_4"), ["B A"]);
    assert_eq!(rows("last_4", "redact"), ["A B"]);
    assert_eq!(rows("redact", "redact"), ["B A"]);
}

#[test]
fn a_condition_that_nothing_satisfies_is_dead_with_its_reason() {
    let reason = |row: &str| {
        let found = reasons(Lint::Dead, &[row]);
        assert_eq!(found.len(), 1, "{row}");
        found[0].clone()
    };
    let row = "A sp:a table.read table:raw.x allow";
    assert_eq!(
        reason(&format!("{row} if context.n > 3 and context.n < 4")),
        "its condition can never be true"
    );
    assert_eq!(
        reason(&format!("{row} if resource.path == 'Raw.x'")),
        "its condition can never be true where its patterns match: `resource.path == \"Raw.x\"` never is"
    );
    assert_eq!(
        reason(&format!("{row} if principal.kind == 'user'")),
        "its condition can never be true where its patterns match: `principal.kind == \"user\"` never is"
    );
    assert_eq!(
        reason(&format!(
            "{row} 1980-01-01T00:00:00Z if time.now > '1990-01-01T00:00:00Z'"
        )),
        "its condition can never be true in the time of its window"
    );
    assert_eq!(
        reason("D sp:a table.read table:raw.x deny if action.name == 'table.write'"),
        "its condition is always false, so it denies nothing where its patterns match: `action.name == \"table.write\"` never is"
    );
    assert_eq!(
        reason("B * table.read table:raw.** allow if resource.path startsWith 'gold'"),
        "its condition can never be true where its patterns match: `resource.path startsWith \"gold\"` never is"
    );
    // What is missing leaves a deny standing.
    let deny = "D sp:a table.read table:raw.x deny if context.n > 3 and context.n < 4";
    assert!(findings(&[deny]).is_empty());
    let raw = "A sp:a table.read table:raw.** allow if resource.path == 'raw'";
    assert!(findings(&[raw]).is_empty());
}

#[test]
fn when_and_condition_that_contradict_each_other_are_dead() {
    let mut row = cells("A sp:a table.read table:raw.x allow if context.job == 202");
    row.push((
        "when",
        Cell::Map(vec![("job".to_owned(), Cell::Integer(201))]),
    ));
    let found = lint(&tables(&[row], &[]));
    let dead: Vec<Lint> = found
        .iter()
        .map(|found| found.lint)
        .filter(|lint| *lint == Lint::Dead)
        .collect();
    assert_eq!(dead, [Lint::Dead]);
}

#[test]
fn a_deny_that_asks_for_a_proof_is_for_who_proves_nothing_too() {
    for (effect, condition, smells) in [
        (
            "deny",
            "context.job == 201 and context.proven",
            &["never_false"][..],
        ),
        (
            "deny",
            "context.n == 1 or context.proven == true",
            &["never_false"][..],
        ),
        ("restrict", "context.proven != false", &["never_false"][..]),
        (
            "restrict",
            "not (context.n == 1 or context.proven in [false])",
            &["never_false"][..],
        ),
        ("deny", "not context.proven", &[][..]),
        (
            "deny",
            "context.proven == false and context.n == 1",
            &[][..],
        ),
        (
            "restrict",
            "not (context.n == 1 and context.proven)",
            &[][..],
        ),
        ("allow", "context.proven and context.n == 1", &[][..]),
        ("allow", "not context.proven", &["dead"][..]),
        (
            "allow",
            "context.n == 1 or context.proven == false",
            &["never_true"][..],
        ),
    ] {
        let mut row = cells(&format!(
            "A sp:a table.read table:raw.* {effect} if {condition}"
        ));
        if effect == "restrict" {
            let durable = ("audit".to_owned(), Cell::Text("durable".to_owned()));
            row.push(("obligations", Cell::Map(vec![durable])));
        }
        let attributes = attributes();
        let attributes: Vec<Cells<'_>> = attributes.iter().map(|cells| &cells[..]).collect();
        let found = lint(&tables(&[row], &attributes));
        let found = found.iter().filter(|one| one.table == "Access_Policies");
        let found: Vec<&str> = found.map(|one| one.lint.as_str()).collect();
        assert_eq!(found, smells, "{effect} if {condition}");
    }
}

#[test]
fn a_test_that_nothing_passes_is_named_without_secrets() {
    let row = |condition: &str| {
        let row = format!("A sp:a table.read table:raw.* allow if {condition}");
        reasons(Lint::NeverTrue, &[&row])
    };
    assert_eq!(
        row("resource.path in ['raw.a', 'Raw.b'] or time.hour_utc == 24"),
        ["`resource.path == \"Raw.b\"` and `time.hour_utc == 24` is never true here"]
    );
    assert_eq!(
        row("not principal.id == 'maya' and context.zone == 'a'"),
        ["`principal.id == \"maya\"` is never true here"]
    );
    assert!(row("context.pin == 'zt-needle-pin' and context.zone == 'a'").is_empty());
    assert_eq!(
        row("context.pin != context.pin or context.n == 1"),
        ["a test of `context.pin` is never true here"]
    );
    assert!(row("resource.path != 'raw.b' and time.hour_utc < 24").is_empty());
    // Another kind of resource keeps its capitals.
    assert!(
        findings(&[
            "M sp:a metadata.propose metadata:* allow if resource.path == 'Access_Policies'"
        ])
        .is_empty()
    );
}

#[test]
fn an_allow_for_everybody_is_over_broad_unless_its_condition_tells_them_apart() {
    let row = |condition: &str| findings(&[&format!("B * table.read table:x allow{condition}")]);
    for broad in [
        " if context.zone == 'a'",
        " if principal.kind in ['user', 'sp']",
        " if context.author != principal.id",
        " if principal.team == 'x' or principal.team != 'x'",
    ] {
        assert_eq!(row(broad), ["over_broad B"], "{broad}");
    }
    assert!(row(" if resource.owner == principal.id").is_empty());
    assert!(row(" if principal.team == 'risk'").is_empty());
    let everything = "B sp:a table.read ** allow if resource.owner == principal.id";
    assert!(findings(&[everything]).is_empty());
    assert_eq!(
        reasons(
            Lint::OverBroad,
            &["B * table.read table:x allow if context.zone == 'a'"]
        ),
        ["it allows every verified caller for which its condition holds"]
    );
}

#[test]
fn the_end_that_a_condition_sets_is_named_like_a_window() {
    let row = |condition: &str| {
        let row = format!("E sp:a table.read table:x allow if {condition}");
        let found = found(&[&row]);
        let found = found.iter().find(|found| found.table == "Access_Policies");
        found.map(|found| format!("{} {}", found.lint.as_str(), found.reason))
    };
    let ends = |lint: &str, at: &str| Some(format!("{lint} {at}"));
    assert_eq!(
        row("time.now < '1970-01-10T00:00:00Z' and context.n == 1"),
        ends("expiring", "it ends at 1970-01-10T00:00:00.000Z")
    );
    assert_eq!(
        row("time.now <= '1970-01-10T00:00:00Z'"),
        ends("expiring", "it ends at 1970-01-10T00:00:00.001Z")
    );
    assert_eq!(
        row("time.now between '1960-01-01T00:00:00Z' and '1969-12-31T00:00:00Z'"),
        ends("dead", "it ended at 1969-12-31T00:00:00.001Z")
    );
    assert_eq!(
        row("time.now < '1970-01-10T00:00:00Z' or context.n == 1"),
        None
    );
    assert_eq!(row("time.now > '1970-01-10T00:00:00Z'"), None);
    assert_eq!(row("time.now < '1970-03-10T00:00:00Z'"), None);
}

#[test]
fn an_attribute_that_no_session_states_is_unreachable_with_what_becomes_of_its_rows() {
    let rows = [
        "A sp:a table.read table:x allow if principal.level > 3",
        "B sp:a table.read table:y allow if principal.level > 3 or context.n == 1",
        "D sp:a table.read table:z deny if principal.level < 3",
    ];
    let found = found(&rows);
    let unreachable: Vec<&Finding> = found
        .iter()
        .filter(|found| found.lint == Lint::Unreachable)
        .collect();
    assert_eq!(unreachable.len(), 1);
    assert_eq!(unreachable[0].rows, ["principal/level", "A", "D"]);
    assert_eq!(
        unreachable[0].reason,
        "no session can state it: what a process claims counts in `context.` alone; A can then never allow, D then always applies"
    );
}

#[test]
fn an_attribute_that_nothing_tests_is_unused() {
    let row = "A sp:a table.read table:x allow if context.n == 1";
    let off = "O sp:a table.read table:x allow 1980-01-01T00:00:00Z off if context.zone == 'a'";
    let dead = "D sp:a table.read table:x allow if principal.team == 'a' and principal.team == 'b'";
    let found = found(&[row, off, dead]);
    let unused = found
        .iter()
        .filter(|found| found.lint == Lint::Unused && found.table == "Attributes");
    let unused: Vec<String> = unused
        .map(|found| format!("{}: {}", found.rows[0], found.reason))
        .collect();
    assert_eq!(
        unused,
        [
            "context/zone: no condition tests it",
            "principal/team: only rows that can never apply test it",
            "principal/level: no condition tests it",
            "resource/owner: no condition tests it",
            "context/pin: no condition tests it",
        ]
    );
}

#[test]
fn a_row_that_is_off_smells_of_nothing_and_uses_nothing() {
    let rows = [
        "A sp:a table.read table:gold.x allow",
        "B role:few table.read table:main.gold.x allow 1980-01-01T00:00:00Z off",
    ];
    assert!(findings(&rows).is_empty());
    let unused = |rows: &[&str]| {
        let found = found(rows)
            .into_iter()
            .filter(|found| found.table == "Role_Bindings");
        found.map(|found| found.rows[0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        unused(&rows),
        [
            "few/sp:a",
            "few/sp:b",
            "many/sp:a",
            "many/sp:b",
            "many/group:g",
            "some/sp:a",
            "some/sp:b"
        ]
    );
    let on = ["B role:few table.read table:main.gold.x allow"];
    assert_eq!(unused(&on).len(), 5);
}

#[test]
fn three_thousand_rows_are_compared_without_looking_at_every_pair() {
    let mut rows = Vec::new();
    for at in 0..3_000 {
        let (schema, n) = (at % 50, at / 3);
        rows.push(match at % 3 {
            0 => format!("R{at} role:many table.read table:s{schema}.t{at} allow if context.n == {n}"),
            // All of one principal and one pattern, each with another condition.
            1 => format!("R{at} role:few table.read table:wide.** allow if context.n == {n} and context.zone == 'z{at}'"),
            _ => format!("R{at} sp:a table.read table:s{schema}.* allow if context.n == {n} and context.n < 5"),
        });
    }
    rows.push("W role:many table.* table:s7.** allow if context.n < 100".to_owned());
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let found = findings(&rows);
    // R57 is `table:s7.t57` with `context.n == 19`.
    assert!(found.contains(&"redundant R57 W".to_owned()));
    assert!(found.contains(&"dead R2999".to_owned()));
    assert!(
        found
            .iter()
            .all(|found| !found.starts_with("redundant R4 "))
    );
}

#[test]
fn a_role_that_counts_only_somewhere_or_for_some_time_covers_nobody() {
    let narrow = "N sp:a table.read table:raw.x allow";
    assert_eq!(
        findings(&["W role:many table.read table:raw.x allow", narrow]),
        ["redundant N W"]
    );
    assert!(findings(&["W role:some table.read table:raw.x allow", narrow]).is_empty());
    let few = "N role:few table.read table:raw.x allow";
    assert_eq!(
        findings(&["W role:many table.read table:raw.x allow", few]),
        ["redundant N W"]
    );
}

#[test]
fn a_row_that_must_be_activated_covers_none_and_is_not_for_everybody() {
    let with_kind = |row: &str, kind: &str| {
        let mut cells = cells(row);
        cells.push(("kind", Cell::Text(kind.to_owned())));
        cells
    };
    let wide = |kind: &str| with_kind("W * table.read table:raw.x allow", kind);
    let narrow = cells("N sp:a table.read table:raw.x allow");
    let found = |kind: &str| {
        let found = lint(&tables(&[wide(kind), narrow.clone()], &[]));
        let found = found
            .into_iter()
            .filter(|found| found.table == "Access_Policies");
        found
            .map(|found| format!("{} {}", found.lint.as_str(), found.rows[0]))
            .collect::<Vec<_>>()
    };
    assert_eq!(found("standing"), ["over_broad W", "redundant N"]);
    assert!(found("jit").is_empty());
}

#[test]
fn a_restriction_that_never_applies_is_dead_and_covers_nothing() {
    let restrict = |condition: &str| {
        let mut cells = cells(&format!(
            "R sp:a table.read table:raw.x restrict{condition}"
        ));
        let most = ("max_rows".to_owned(), Cell::Integer(10));
        cells.push(("obligations", Cell::Map(vec![most])));
        cells
    };
    let allow = cells("A sp:a table.read table:raw.x allow");
    let found = |condition: &str| {
        let found = lint(&tables(&[restrict(condition), allow.clone()], &[]));
        let found = found
            .into_iter()
            .filter(|found| found.table == "Access_Policies");
        found
            .map(|found| format!("{} {}", found.lint.as_str(), found.reason))
            .collect::<Vec<_>>()
    };
    assert!(found("").is_empty());
    assert_eq!(
        found(" if action.name == 'table.write'"),
        [
            "dead its condition is always false, so it restricts nothing where its patterns match: `action.name == \"table.write\"` never is"
        ]
    );
}

#[test]
fn an_attribute_that_the_tables_say_of_nobody_is_unreachable() {
    let row = "A sp:a table.read table:x allow if resource.owner == 'b'";
    let reasons = reasons(Lint::Unreachable, &[row]);
    assert_eq!(
        reasons,
        ["no session knows it: no row of Resources says it; A can then never allow"]
    );
}

/// A table whose column `Segment` is sealed, and a policy about it whose rows test a column.
fn with_a_sealed_table(action: &str, resource: &str, column: &str) -> Snapshot {
    const VAULT: &str = "kv.vault.azure.net";
    let tables = [
        "Principals id=sp:a oid=00000000-0000-4000-8000-000000000001".to_owned(),
        format!("Attributes namespace=row name={column} type=text provenance=store"),
        format!("Network_Rules id=NR-1 host={VAULT} mode=allow_cidr cidrs=[10.0.0.0/8]"),
        format!(
            "Secret_References id=kek kind=key vault=https://{VAULT} name=kek ttl_s=300 max_stale_s=0"
        ),
        "Encryption_Rules id=ER-1 key=kek columns=[Segment] algorithm=AES-256-GCM".to_owned(),
        "Output_Storage name=delta table=gold.x format=delta location=out/x encryption=ER-1"
            .to_owned(),
        format!(
            "Access_Policies id=AP-1 principal=sp:a effect=allow action={action} resource={resource} \
             rows=row.{column}=='vip'"
        ),
    ];
    let cell = |text: &str| match (text.parse(), text.strip_prefix('[')) {
        (Ok(number), _) => Cell::Integer(number),
        (Err(_), Some(list)) => Cell::List(vec![Cell::Text(list.trim_end_matches(']').to_owned())]),
        (Err(_), None) => Cell::Text(text.to_owned()),
    };
    let mut raw = RawTables::new("test".to_owned());
    for row in &tables {
        let (table, cells) = row.split_once(' ').unwrap();
        let cells = cells.split(' ').map(|pair| {
            let (name, text) = pair.split_once('=').unwrap();
            (name.to_owned(), cell(text))
        });
        raw.push(table, RawRow::new(None, cells.collect()));
    }
    Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap()
}

#[test]
fn rows_that_are_chosen_by_a_sealed_column_are_named() {
    let found = |action: &str, resource: &str, column: &str| {
        let found = lint(&with_a_sealed_table(action, resource, column));
        let sealed = found
            .into_iter()
            .filter(|found| found.lint == Lint::SealedRows);
        sealed.count()
    };
    assert_eq!(found("table.read", "table:gold.x", "segment"), 1);
    assert_eq!(found("table.read", "table:gold.*", "segment"), 1);
    assert_eq!(found("table.read", "table:gold.x", "region"), 0);
    assert_eq!(found("table.read", "table:gold.y", "segment"), 0);
    // There the rows are opened first.
    assert_eq!(found("data.open", "output:delta", "segment"), 0);
}
