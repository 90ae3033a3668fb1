//! Random tables and requests over a small world, so that they meet: the same seed gives the same ones.

use std::sync::Arc;

use zt_core::clock::Timestamp;
use zt_core::id::PrincipalId;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{Action, Context, Request, Resource};

/// Sebastiano Vigna's SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ (bits >> 31)) % end as u64).unwrap()
    }

    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub(crate) fn of<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.below(these.len())]
    }
}

pub(super) const PRINCIPALS: [&str; 10] = [
    "user:a", "user:b", "user:c", "sp:a", "sp:b", "group:a", "group:b", "group:c", "group:d",
    "group:e",
];
const GROUPS: [&str; 6] = [
    "group:a", "group:b", "group:c", "group:d", "group:e", "group:x",
];
const COLUMNS: [&str; 4] = ["Salary", "iban", "IBAN", "straße"];

pub(crate) fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

pub(crate) type Cells = Vec<(String, Cell)>;

pub(crate) fn cells(cells: &[(&str, &str)]) -> Cells {
    let cells = cells.iter();
    cells
        .map(|(name, value)| ((*name).to_owned(), text(value)))
        .collect()
}

/// People and groups, who holds which role, and what they may.
pub(super) fn tables(bindings: &[(&str, &str)], policies: &[Cells]) -> Arc<Snapshot> {
    let raw = raw_tables(bindings, policies);
    Arc::new(Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap())
}

/// The same before they are compiled.
pub(super) fn raw_tables(bindings: &[(&str, &str)], policies: &[Cells]) -> RawTables {
    let mut raw = RawTables::new("random".to_owned());
    for (at, id) in PRINCIPALS.iter().enumerate() {
        let oid = format!("00000000-0000-4000-8000-{at:012}");
        raw.push(
            "Principals",
            RawRow::new(None, cells(&[("id", *id), ("oid", &oid)])),
        );
    }
    for (role, principal) in bindings {
        let row = cells(&[("role", *role), ("principal", *principal)]);
        raw.push("Role_Bindings", RawRow::new(None, row));
    }
    for policy in policies {
        raw.push("Access_Policies", RawRow::new(None, policy.clone()));
    }
    raw
}

/// Roles and some of their holders; each role has one.
pub(super) fn bindings(random: &mut Random) -> Vec<(&'static str, &'static str)> {
    let mut bindings = vec![("r", "user:c"), ("s", "sp:b"), ("t", "group:d")];
    for _ in 0..random.below(5) {
        let binding = (random.of(&["r", "s", "t"]), random.of(&PRINCIPALS));
        if !bindings.contains(&binding) {
            bindings.push(binding);
        }
    }
    bindings
}

/// A family of rows that validation takes: kinds, actions, whether they may name columns.
type Family = (&'static [&'static str], &'static [&'static str], bool);

const FAMILIES: [Family; 8] = [
    (&["table"], &["table.read", "table.write", "table.*"], true),
    (&["table", "view"], &["table.read", "table.*"], true),
    (&["table", "view"], &["table.read", "table.*"], false),
    (&["table", "view", "volume"], &["*", "policy.*"], false),
    (&["secret"], &["secret.get", "secret.*", "*"], false),
    (&["output"], &["data.seal", "data.open", "data.*"], true),
    (&["audit"], &["audit.read", "*"], false),
    (&["metadata"], &["metadata.approve", "metadata.*"], false),
];

/// A path of up to four segments; wild ones never name a row of ours.
fn path(random: &mut Random, kind: &str, is_pattern: bool) -> String {
    let folds = ["table", "view", "volume"].contains(&kind);
    let separator = if folds { "." } else { "/" };
    let names: &[&str] = if folds {
        &["raw", "RAW", "Größe"]
    } else {
        &["raw", "RAW", "a.b"]
    };
    let mut segments = Vec::new();
    let mut length = 1;
    while length < 4 && random.percent(40) {
        length += 1;
    }
    for _ in 0..length {
        let is_wild = is_pattern && random.percent(40);
        segments.push(if is_wild { "*" } else { random.of(names) });
    }
    if is_pattern && (kind != "table" && !segments.contains(&"*") || random.percent(40)) {
        segments.push("**");
    }
    if is_pattern && random.percent(10) {
        segments = vec!["**"];
    }
    segments.join(separator)
}

/// One row. `allow` is the share of allows in percent.
pub(super) fn policy(random: &mut Random, at: usize, allow: usize) -> Cells {
    let (kinds, actions, may_name) = random.of(&FAMILIES);
    let kind = random.of(kinds);
    let resource = format!("{kind}:{}", path(random, kind, true));
    let everything = !may_name && random.percent(5);
    let resource = if everything { "**" } else { &resource };
    let is_allow = random.percent(allow);
    let principal = match random.below(10) {
        0..3 => "*",
        3..6 => random.of(&["role:r", "role:s", "role:t"]),
        _ => random.of(&PRINCIPALS),
    };
    let effect = if is_allow { "allow" } else { "deny" };
    let mut row = cells(&[
        ("id", &format!("P{at}")),
        ("principal", principal),
        ("action", random.of(actions)),
        ("resource", resource),
        ("effect", effect),
    ]);
    let mut columns = Vec::new();
    if may_name && random.percent(if is_allow { 50 } else { 80 }) {
        columns.push(random.of(&COLUMNS));
        columns.extend(random.percent(40).then_some("name"));
        let named = columns.iter().map(|name| text(name)).collect();
        row.push(("columns".to_owned(), Cell::List(named)));
    }
    if is_allow && may_name && random.percent(40) {
        let column = columns.first().copied().unwrap_or("salary");
        let mask = text(random.of(&["last_4", "redact", "null"]));
        row.push((
            "masks".to_owned(),
            Cell::Map(vec![(column.to_owned(), mask)]),
        ));
    }
    if random.percent(30) {
        row.push(("when".to_owned(), Cell::Map(when(random))));
    }
    row
}

fn when(random: &mut Random) -> Cells {
    let mut atoms = Vec::new();
    for fact in ["job", "stage"] {
        if random.percent(40) {
            let value = i64::try_from(1 + random.below(2)).unwrap();
            atoms.push((fact.to_owned(), Cell::Integer(value)));
        }
    }
    if random.percent(30) {
        atoms.push(("not_author".to_owned(), Cell::Bool(true)));
    }
    atoms
}

/// One request and its resource as somebody would write it.
pub(super) fn request(random: &mut Random) -> (Request, String) {
    let (kinds, _, _) = random.of(&FAMILIES);
    let kind = random.of(kinds);
    let resource = format!("{kind}:{}", path(random, kind, false));
    let parsed: Resource = resource.parse().unwrap();
    let actions = Action::ALL.iter().copied();
    let fitting: Vec<Action> = actions
        .filter(|action| action.takes(parsed.kind()))
        .collect();
    let caller: Option<PrincipalId> = match random.below(10) {
        0 => None,
        1 => Some("user:nobody".parse().unwrap()),
        _ => Some(random.of(&PRINCIPALS[..5]).parse().unwrap()),
    };
    let mut groups: Vec<PrincipalId> = Vec::new();
    for group in GROUPS {
        if random.percent(25) {
            groups.push(group.parse().unwrap());
        }
    }
    let action = random.of(&fitting);
    let request = Request::new(caller, action, parsed)
        .with_groups(Arc::from(groups))
        .with_context(context(random));
    let is_unsure = random.percent(20);
    let request = if is_unsure {
        request.with_incomplete_groups()
    } else {
        request
    };
    (request, resource)
}

fn context(random: &mut Random) -> Context {
    let mut context = Context::new();
    let mut number = || {
        random
            .percent(70)
            .then(|| 1 + u32::try_from(random.below(2)).unwrap())
    };
    let (job, stage) = (number(), number());
    if let Some(job) = job {
        context = context.with_job(job);
    }
    if let Some(stage) = stage {
        context = context.with_stage(stage);
    }
    if random.percent(60) {
        let author = random.of(&["user:a", "user:b", "group:a", "user:invented"]);
        context = context.with_author(author.parse().unwrap());
    }
    context
}
