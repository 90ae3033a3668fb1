//! Every cell by itself: whether it is shown, and how, against the rows written out.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::metadata::{Cell, RawRow, RawTables, Snapshot};
use crate::policy::{self, Action, DecisionId, DecisionKind, Dialect, Effect, Request};

const COLUMNS: [&str; 3] = ["region", "iban", "age"];
const REGIONS: [Option<&str>; 4] = [Some("NL"), Some("BE"), Some("DE"), None];

/// One row of Access_Policies on one table.
#[derive(Debug, Clone)]
struct Policy {
    effect: Effect,
    /// Which regions it is about; none is all rows.
    regions: Option<Vec<&'static str>>,
    columns: Option<Vec<&'static str>>,
    masks: Vec<(&'static str, Mask)>,
}

impl Policy {
    /// Whether the row of this region is one that it is about: unknown where the region is missing.
    fn is_about(&self, region: Option<&str>) -> Option<bool> {
        match (&self.regions, region) {
            (None, _) => Some(true),
            (Some(_), None) => None,
            (Some(regions), Some(region)) => Some(regions.contains(&region)),
        }
    }

    fn names(&self, column: &str) -> bool {
        let columns = self.columns.as_ref();
        columns.is_none_or(|columns| columns.contains(&column))
    }

    fn mask(&self, column: &str) -> Option<Mask> {
        let found = self.masks.iter().find(|(own, _)| *own == column);
        found.map(|(_, mask)| *mask)
    }
}

/// What stands in a cell that is shown, and how; none where nothing is.
fn expected(policies: &[Policy], region: Option<&str>, column: &str) -> Option<Option<Mask>> {
    let of = |effect| {
        policies
            .iter()
            .filter(move |policy| policy.effect == effect)
    };
    let shows = |policy: &&Policy| policy.is_about(region) == Some(true) && policy.names(column);
    let hides = |policy: &Policy| policy.is_about(region) != Some(false) && policy.names(column);
    if of(Effect::Deny).any(hides) {
        return None;
    }
    let showing: Vec<&Policy> = of(Effect::Allow).filter(shows).collect();
    let masks = showing.iter().map(|policy| policy.mask(column));
    let granted = if masks.clone().any(|mask| mask.is_none()) {
        None
    } else {
        masks.flatten().max()
    };
    let restricted = of(Effect::Restrict)
        .filter_map(|policy| policy.mask(column))
        .max();
    (!showing.is_empty()).then_some(restricted.max(granted))
}

/// Whether a row is there at all.
fn is_there(policies: &[Policy], region: Option<&str>) -> bool {
    let of = |effect| {
        policies
            .iter()
            .filter(move |policy| policy.effect == effect)
    };
    let hides =
        |policy: &Policy| policy.is_about(region) != Some(false) && policy.columns.is_none();
    of(Effect::Allow).any(|policy| policy.is_about(region) == Some(true))
        && !of(Effect::Deny).any(hides)
        && of(Effect::Restrict).all(|policy| policy.is_about(region) == Some(true))
}

fn snapshot(policies: &[Policy]) -> Arc<Snapshot> {
    let mut raw = RawTables::new("test".to_owned());
    let text = |text: &str| Cell::Text(text.to_owned());
    let texts = |texts: &[&str]| Cell::List(texts.iter().map(|one| text(one)).collect());
    let row = [
        ("namespace", "row"),
        ("name", "region"),
        ("type", "text"),
        ("provenance", "store"),
    ];
    let row = row.map(|(name, value)| (name.to_owned(), text(value)));
    raw.push("Attributes", RawRow::new(None, row.to_vec()));
    for (at, policy) in policies.iter().enumerate() {
        let id = format!("P{at}");
        let mut row = vec![
            ("id".to_owned(), text(&id)),
            ("principal".to_owned(), text("*")),
            ("action".to_owned(), text("table.read")),
            ("resource".to_owned(), text("table:gold.x")),
            ("effect".to_owned(), text(policy.effect.as_str())),
        ];
        if let Some(regions) = &policy.regions {
            let regions: Vec<String> = regions.iter().map(|one| format!("'{one}'")).collect();
            let rows = format!("row.region in [{}]", regions.join(", "));
            row.push(("rows".to_owned(), text(&rows)));
        }
        if let Some(columns) = &policy.columns {
            row.push(("columns".to_owned(), texts(columns)));
        }
        if !policy.masks.is_empty() {
            let masks = policy.masks.iter();
            let masks = masks.map(|(column, mask)| ((*column).to_owned(), text(mask.as_str())));
            row.push(("masks".to_owned(), Cell::Map(masks.collect())));
        }
        raw.push("Access_Policies", RawRow::new(None, row));
    }
    let compiled = Snapshot::compile(&raw, 1, Timestamp::from_millis(0));
    Arc::new(compiled.unwrap_or_else(|report| panic!("{report}")))
}

fn decide(snapshot: &Arc<Snapshot>) -> Decision {
    let request = Request::new(None, Action::TableRead, "table:gold.x".parse().unwrap());
    policy::decide(snapshot, request, DecisionId::new(0, 0))
}

/// A value that tells its row, and long enough for every mask to leave something of it.
fn value(column: &str, row: usize) -> String {
    format!("{column}-value-{row:04}")
}

fn batch() -> Batch {
    let columns = COLUMNS.iter().map(|column| {
        let cells = REGIONS
            .iter()
            .enumerate()
            .map(|(row, region)| match *column {
                "region" => region.map(str::to_owned),
                other => Some(value(other, row)),
            });
        Column::new(*column, Cells::Text(cells.collect()))
    });
    Batch::new(columns.collect()).unwrap()
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let effect = prop_oneof![
        6 => Just(Effect::Allow),
        2 => Just(Effect::Deny),
        1 => Just(Effect::Restrict),
    ];
    let regions = prop::option::of(prop::sample::subsequence(vec!["NL", "BE", "DE"], 1..=2));
    let columns = prop::option::of(prop::sample::subsequence(COLUMNS.to_vec(), 1..=2));
    let mask = prop_oneof![Just(Mask::Last4), Just(Mask::Redact), Just(Mask::Null)];
    let masks = prop::collection::vec((prop_oneof![Just("iban"), Just("age")], mask), 0..=1);
    (effect, regions, columns, masks).prop_map(|(effect, regions, columns, masks)| {
        let is_restrict = effect == Effect::Restrict;
        let columns = columns.filter(|_| !is_restrict);
        let fits = |name: &str| {
            columns
                .as_ref()
                .is_none_or(|columns| columns.contains(&name))
        };
        let masks: Vec<_> = masks
            .into_iter()
            .filter(|(name, _)| effect != Effect::Deny && fits(name))
            .collect();
        let asks_nothing = is_restrict && masks.is_empty() && regions.is_none();
        Policy {
            effect: if asks_nothing { Effect::Allow } else { effect },
            // A deny of the whole table would leave nothing to look at.
            regions: match (effect, regions, &columns) {
                (Effect::Deny, None, None) => Some(vec!["DE"]),
                (_, regions, _) => regions,
            },
            columns,
            masks,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn a_cell_is_shown_exactly_when_some_allow_shows_its_row_and_column(
        policies in prop::collection::vec(any_policy(), 1..6),
    ) {
        let decision = decide(&snapshot(&policies));
        let view = View::of(&decision);
        if decision.kind() != DecisionKind::Allow {
            prop_assert_eq!(decision.row_filter(), &Rows::None);
            return Ok(());
        }
        let seen = view.apply(&batch()).unwrap();
        let rows: Vec<usize> = (0..REGIONS.len())
            .filter(|row| is_there(&policies, REGIONS[*row]))
            .collect();
        prop_assert_eq!(seen.rows(), rows.len(), "{}", decision.row_filter());
        for column in COLUMNS {
            for (at, row) in rows.iter().enumerate() {
                let region = REGIONS[*row];
                let own = if column == "region" {
                    region.map(str::to_owned)
                } else {
                    Some(value(column, *row))
                };
                let expected = match expected(&policies, region, column) {
                    None => None,
                    Some(None) => own,
                    Some(Some(mask)) => match mask.apply(&Cells::Text(vec![own])) {
                        Cells::Text(list) => list[0].clone(),
                        _ => None,
                    },
                };
                let found = seen.column(column).and_then(|column| match column.cells() {
                    Cells::Text(list) => list[at].clone(),
                    _ => None,
                });
                prop_assert_eq!(found, expected, "{} of {:?}", column, region);
            }
        }
        for (_, dialect) in Dialect::WORDS {
            prop_assert!(view.select(*dialect, &COLUMNS).is_ok());
        }
    }
}

fn allow(regions: Option<Vec<&'static str>>, columns: Option<Vec<&'static str>>) -> Policy {
    Policy {
        effect: Effect::Allow,
        regions,
        columns,
        masks: Vec::new(),
    }
}

#[test]
fn rows_of_one_allow_and_columns_of_another_are_no_allow_of_both() {
    let policies = [
        allow(Some(vec!["NL"]), None),
        allow(None, Some(vec!["region", "age"])),
    ];
    let view = View::of(&decide(&snapshot(&policies)));
    let seen = view.apply(&batch()).unwrap();
    assert_eq!(seen.rows(), 4);
    let iban = Cells::Text(vec![Some(value("iban", 0)), None, None, None]);
    assert!(*seen.column("iban").unwrap().cells() == iban);
    let query = view.select(Dialect::Spark, &COLUMNS).unwrap();
    assert_eq!(query.filter, "1 = 1");
    let expected = "CASE WHEN (`region` IN ('NL')) THEN `iban` END AS `iban`";
    assert_eq!(query.columns, ["`region`", expected, "`age`"]);
}

#[test]
fn a_mask_holds_in_the_rows_in_which_no_allow_shows_the_column_clear() {
    let mut masked = allow(None, None);
    masked.masks.push(("iban", Mask::Last4));
    let policies = [masked, allow(Some(vec!["NL"]), None)];
    let view = View::of(&decide(&snapshot(&policies)));
    let seen = view.apply(&batch()).unwrap();
    let Cells::Text(ibans) = seen.column("iban").unwrap().cells() else {
        panic!("text")
    };
    assert_eq!(ibans[0], Some(value("iban", 0)));
    assert_eq!(ibans[1].as_deref(), Some("****0001"));
    let query = view.select(Dialect::TransactSql, &["iban"]).unwrap();
    assert_eq!(
        query.columns,
        [
            "CASE WHEN (([region] + N'.') COLLATE Latin1_General_100_BIN2 IN (N'NL.')) THEN [iban] \
          WHEN 1 = 1 THEN CASE WHEN [iban] IS NOT NULL THEN N'****' END END AS [iban]"
        ]
    );
}
