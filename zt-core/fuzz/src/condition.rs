//! The parser of conditions, what it prints, and what the conditions of rows decide.

use std::sync::{Arc, LazyLock};

use zt_core::clock::Timestamp;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{
    self, Action, Condition, Context, DecisionId, DecisionKind, Request, Value, ValueType, oracle,
};

use super::check_message;

/// Attributes of every type: name, type, default, values of it.
const FACTS: [(&str, ValueType, Option<&str>, [&str; 3]); 10] = [
    ("b", ValueType::Bool, None, ["true", "false", "true"]),
    (
        "i",
        ValueType::Int,
        None,
        ["-1", "0", "9223372036854775807"],
    ),
    (
        "d",
        ValueType::Decimal,
        None,
        ["-0.5", "0", "0.000000000000000001"],
    ),
    ("t", ValueType::Text, None, ["", "a", "ab*"]),
    ("e", ValueType::Enum, None, ["a", "b", "ab"]),
    ("s", ValueType::Set, None, ["", "a", "a,b"]),
    (
        "a",
        ValueType::Ip,
        None,
        ["10.0.0.1", "::ffff:10.0.0.1", "fd00::1"],
    ),
    (
        "m",
        ValueType::Datetime,
        None,
        [
            "2026-09-21T08:00:00Z",
            "1970-01-01T00:00:00Z",
            "2026-09-21T08:00:00.001Z",
        ],
    ),
    ("x", ValueType::Int, Some("2"), ["1", "2", "3"]),
    ("y", ValueType::Text, Some("a"), ["a", "b", "é"]),
];

const ID: DecisionId = DecisionId::new(0, 0);

/// The first eight bytes choose facts, the rest is the condition.
///
/// A mistake stands inside the condition. What is read prints as text that reads back as the same. A row with it decides
/// alike through the index and the oracle, and more facts never turn an allow off that was on, nor a deny on that was off.
pub fn condition(input: &[u8]) -> bool {
    static NONE: LazyLock<Arc<Snapshot>> = LazyLock::new(|| snapshot(None).expect("it compiles"));
    let Some((choice, text)) = input.split_first_chunk::<8>() else {
        return false;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let read = match Condition::parse(text, NONE.attributes()) {
        Ok(read) => read,
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in &mistakes {
                check_message(&mistake.to_string());
                let most = text.chars().count() + 1;
                assert!((1..=most).contains(&mistake.position), "{mistake:?}");
            }
            return false;
        }
    };
    let printed = read.to_string();
    let again = Condition::parse(&printed, NONE.attributes());
    // Escapes and brackets may make it longer than a condition may be.
    if printed.len() <= 4096 {
        assert_eq!(again.as_ref(), Ok(&read), "{printed}");
    }
    let Some(snapshot) = snapshot(Some(text)) else {
        // A cell is one line.
        let is_odd = |c: char| c.is_control() || c.is_whitespace() && c != ' ';
        assert!(text.contains(is_odd), "a row refuses {text:?}: {read}");
        return true;
    };
    decide(&snapshot, u64::from_le_bytes(*choice));
    true
}

/// One row of each effect with this condition, on resources of their own.
fn snapshot(condition: Option<&str>) -> Option<Arc<Snapshot>> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let mut raw = RawTables::new("fuzz".to_owned());
    let mut push = |table: &str, cells: Vec<(&str, Cell)>| {
        let cells = cells
            .into_iter()
            .map(|(name, cell)| (name.to_owned(), cell));
        raw.push(table, RawRow::new(None, cells.collect()));
    };
    let oid = text("00000000-0000-4000-8000-000000000001");
    push("Principals", vec![("id", text("user:a")), ("oid", oid)]);
    for (name, kind, default, values) in FACTS {
        let mut cells = vec![
            ("namespace", text("context")),
            ("name", text(name)),
            ("type", text(kind.as_str())),
            ("provenance", text("request")),
        ];
        if kind == ValueType::Enum {
            cells.push(("values", Cell::List(values.map(text).to_vec())));
        }
        cells.extend(default.map(|default| ("default", text(default))));
        push("Attributes", cells);
    }
    for (effect, resource) in [("allow", "table:allow"), ("deny", "table:deny")] {
        let mut cells = vec![
            ("id", text(effect)),
            ("principal", text("*")),
            ("action", text("table.read")),
            ("resource", text(resource)),
            ("effect", text(effect)),
        ];
        cells.extend(condition.map(|condition| ("condition", text(condition))));
        push("Access_Policies", cells);
    }
    let compiled = Snapshot::compile(&raw, 1, Timestamp::from_millis(0));
    compiled.ok().map(Arc::new)
}

/// Three bits for each fact: missing, known, or missing at first and known later, and which value.
fn decide(snapshot: &Arc<Snapshot>, choice: u64) {
    let facts = FACTS
        .iter()
        .enumerate()
        .filter_map(|(at, (name, kind, _, values))| {
            let bits = (choice >> (at * 4)) & 0b1111;
            let value = values.get(usize::try_from(bits >> 2).ok()? % values.len())?;
            let is_late = match bits & 0b11 {
                0 => return None,
                1 => true,
                _ => false,
            };
            Some((*name, Value::read(*kind, value)?, is_late))
        });
    let facts: Vec<(&str, Value, bool)> = facts.collect();
    let has_time = choice >> 63 == 1;
    let kinds = |all: bool, resource: &str| {
        let mut context = Context::new().with_job(1);
        for (name, value, _) in facts.iter().filter(|(.., is_late)| all || !is_late) {
            context = context.with(name, value.clone());
        }
        let resource = resource.parse().expect("a resource");
        let caller = Some("user:a".parse().expect("a principal"));
        let mut request = Request::new(caller, Action::TableRead, resource).with_context(context);
        if has_time {
            request = request.at(Timestamp::from_secs(1_790_000_000));
        }
        let slow = oracle::decide(snapshot, request.clone(), ID);
        let decision = policy::decide(snapshot, request, ID);
        assert_eq!(slow.kind(), decision.kind(), "{decision}");
        let explained = policy::explain(&decision).to_string();
        assert!(!explained.is_empty());
        decision.kind()
    };
    let (before, after) = (kinds(false, "table:allow"), kinds(true, "table:allow"));
    // A fact that has a default is known before it is stated, and may change what it is.
    let changes = facts
        .iter()
        .any(|(name, _, is_late)| *is_late && ["x", "y"].contains(name));
    if !changes {
        assert!(before != DecisionKind::Allow || after == DecisionKind::Allow);
        let (before, after) = (kinds(false, "table:deny"), kinds(true, "table:deny"));
        assert!(before == DecisionKind::ExplicitDeny || after != DecisionKind::ExplicitDeny);
    }
}
