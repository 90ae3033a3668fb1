//! The index against the oracle on all that rights can be bound to beside conditions: nested and scoped memberships, roles
//! for some time, activations, restrictions, rows that speak of many; and what a lease promises.

use std::sync::Arc;

use zt_core::clock::Timestamp;
use zt_core::id::{PolicyId, PrincipalId};
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{
    self, Action, Context, Decision, DecisionId, DecisionKind, Located, Projection, Provenance,
    Request, Value, oracle,
};

use crate::index::random::{Random, cells, text};

const ID: DecisionId = DecisionId::new(0, 0);
const PEOPLE: [&str; 4] = ["user:a", "user:b", "sp:a", "sp:b"];
const GROUPS: [&str; 6] = [
    "group:0", "group:1", "group:2", "group:3", "group:4", "group:5",
];
const PATHS: [&str; 6] = ["a.x", "a.y", "b.x", "b.y", "a", "c.x.y"];
const PATTERNS: [&str; 8] = [
    "table:a.**",
    "table:b.**",
    "table:*.x",
    "table:a.x",
    "table:**",
    "table:c.*.y",
    "view:**",
    "**",
];
/// Moments at which something begins or ends: few, so that they meet.
const MOMENTS: std::ops::Range<i64> = 1..9;

fn moment(number: i64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + number * 60)
}

fn window(random: &mut Random, (from, to): (&str, &str)) -> Vec<(String, Cell)> {
    let begin = i64::try_from(random.below(6)).unwrap();
    let mut row = Vec::new();
    if random.percent(70) {
        row.push((from.to_owned(), text(&moment(begin).to_string())));
    }
    if random.percent(70) {
        let end = begin + 1 + i64::try_from(random.below(3)).unwrap();
        row.push((to.to_owned(), text(&moment(end).to_string())));
    }
    row
}

fn list(random: &mut Random, of: &[&str], most: usize) -> Cell {
    let mut chosen: Vec<&str> = (0..=random.below(most)).map(|_| random.of(of)).collect();
    chosen.sort_unstable();
    chosen.dedup();
    Cell::List(chosen.into_iter().map(text).collect())
}

fn extent(random: &mut Random) -> Vec<(String, Cell)> {
    let mut row = Vec::new();
    if random.percent(35) {
        row.push(("scope".to_owned(), list(random, &PATTERNS, 2)));
    }
    if random.percent(35) {
        row.extend(window(random, ("valid_from", "valid_to")));
    }
    row
}

/// Attributes, and who there is.
fn people(raw: &mut RawTables) {
    for (namespace, name, kind, provenance) in [
        ("principal", "level", "int", "store"),
        ("principal", "team", "text", "token"),
        ("resource", "class", "text", "store"),
    ] {
        let row = cells(&[
            ("namespace", namespace),
            ("name", name),
            ("type", kind),
            ("provenance", provenance),
        ]);
        raw.push("Attributes", RawRow::new(None, row));
    }
    for (at, id) in PEOPLE.iter().chain(&GROUPS).enumerate() {
        let oid = format!("00000000-0000-4000-8000-{at:012}");
        let mut row = cells(&[("id", *id), ("oid", &oid)]);
        if PEOPLE.contains(id) && at % 2 == 0 {
            let level = Cell::Map(vec![("level".to_owned(), Cell::Integer(2))]);
            row.push(("attributes".to_owned(), level));
        }
        raw.push("Principals", RawRow::new(None, row));
    }
}

/// What the tables say of resources.
fn described(random: &mut Random, raw: &mut RawTables) {
    for resource in ["table:**", "table:a.**", "table:a.x", "table:c.**"] {
        if random.percent(50) {
            let mut row = cells(&[("resource", resource)]);
            let class = text(random.of(&["p", "q"]));
            let class = Cell::Map(vec![("class".to_owned(), class)]);
            row.push(("attributes".to_owned(), class));
            raw.push("Resources", RawRow::new(None, row));
        }
    }
}

/// Who is in what: groups only in groups behind them, so that there is no cycle.
fn ties(random: &mut Random, raw: &mut RawTables) {
    let mut known = Vec::new();
    for _ in 0..random.below(12) {
        let place = random.below(GROUPS.len());
        let member = if place > 0 && random.percent(60) {
            GROUPS[random.below(place)]
        } else {
            random.of(&PEOPLE)
        };
        if known.contains(&(member, place)) {
            continue;
        }
        known.push((member, place));
        let mut row = cells(&[("member", member), ("group", GROUPS[place])]);
        row.extend(extent(random));
        raw.push("Memberships", RawRow::new(None, row));
    }
    let mut bound = Vec::new();
    for number in 0..6 {
        let role = ["r", "s", "t"][number % 3];
        let principal = if random.percent(60) {
            random.of(&GROUPS)
        } else {
            random.of(&PEOPLE)
        };
        if bound.contains(&(role, principal)) {
            continue;
        }
        bound.push((role, principal));
        let mut row = cells(&[("role", role), ("principal", principal)]);
        row.extend(extent(random));
        raw.push("Role_Bindings", RawRow::new(None, row));
    }
}

fn restrict(random: &mut Random) -> Vec<(String, Cell)> {
    let mut duties = Vec::new();
    if random.percent(50) {
        let rows = i64::try_from(random.below(100)).unwrap();
        duties.push(("max_rows".to_owned(), Cell::Integer(rows)));
    }
    if random.percent(20) {
        duties.push(("step_up".to_owned(), text(random.of(&["mfa", "c1"]))));
    }
    if duties.is_empty() || random.percent(30) {
        duties.push(("audit".to_owned(), text("durable")));
    }
    vec![("obligations".to_owned(), Cell::Map(duties))]
}

fn policies(random: &mut Random, raw: &mut RawTables, count: usize) {
    let named: Vec<&str> = PEOPLE.iter().chain(&GROUPS).copied().collect();
    let roles = ["role:r", "role:s", "role:t", "*"];
    let with_roles = [&named[..], &roles].concat();
    for number in 0..count {
        let id = format!("P{number}");
        let effect = match random.below(10) {
            0 => "restrict",
            1..4 => "deny",
            _ => "allow",
        };
        let mut row = cells(&[("id", &id), ("effect", effect)]);
        row.push(("principal".to_owned(), list(random, &with_roles, 3)));
        row.push(("resource".to_owned(), list(random, &PATTERNS[..6], 3)));
        let actions = ["table.read", "table.write"];
        row.push(("action".to_owned(), list(random, &actions, 2)));
        if effect == "restrict" {
            row.extend(restrict(random));
        }
        if random.percent(20) {
            row.extend(window(random, ("valid_from", "valid_to")));
        }
        if random.percent(25) {
            let bound = moment(3).to_string();
            let condition = match random.below(5) {
                0 => format!("time.now >= '{bound}'"),
                1 => format!("context.job == 1 or not time.now < '{bound}'"),
                2 => "principal.level >= 2 or resource.class == 'p'".to_owned(),
                3 => "not resource.class == 'q' and principal.team == 't'".to_owned(),
                _ => "time.hour_utc in [14, 15]".to_owned(),
            };
            row.push(("condition".to_owned(), text(&condition)));
        }
        if random.percent(20) {
            let kind = random.of(&["jit", "break_glass"]);
            row.push(("kind".to_owned(), text(kind)));
            for _ in 0..random.below(3) {
                activation(random, raw, &id, &named);
            }
        }
        raw.push("Access_Policies", RawRow::new(None, row));
    }
}

fn activation(random: &mut Random, raw: &mut RawTables, policy: &str, named: &[&str]) {
    let from = i64::try_from(random.below(6)).unwrap();
    let to = from + 1 + i64::try_from(random.below(3)).unwrap();
    let principal = random.of(named);
    let approver = if principal == "user:a" {
        "user:b"
    } else {
        "user:a"
    };
    let row = cells(&[
        ("policy", policy),
        ("principal", principal),
        ("from", &moment(from).to_string()),
        ("to", &moment(to).to_string()),
        ("reason", "an incident"),
        ("approver", approver),
    ]);
    let key = |row: &RawRow| {
        let cell = |name| row.cell(name).cloned();
        (cell("policy"), cell("principal"), cell("from"))
    };
    let row = RawRow::new(None, row);
    let known = raw
        .tables
        .iter()
        .find(|table| table.name == "Policy_Activations");
    if known.is_none_or(|table| table.rows.iter().all(|other| key(other) != key(&row))) {
        raw.push("Policy_Activations", row);
    }
}

fn world(random: &mut Random, count: usize) -> Arc<Snapshot> {
    let mut raw = RawTables::new("random".to_owned());
    people(&mut raw);
    described(random, &mut raw);
    ties(random, &mut raw);
    // Roles that rows name are bound.
    for role in ["r", "s", "t"] {
        let row = cells(&[("role", role), ("principal", "sp:b")]);
        let is_known = raw.tables.iter().any(|table| {
            let is_same = |known: &RawRow| {
                known.cell("role") == Some(&text(role))
                    && known.cell("principal") == Some(&text("sp:b"))
            };
            table.name == "Role_Bindings" && table.rows.iter().any(is_same)
        });
        if !is_known {
            raw.push("Role_Bindings", RawRow::new(None, row));
        }
    }
    policies(random, &mut raw, count);
    let compiled = Snapshot::compile(&raw, 1, moment(0));
    Arc::new(compiled.unwrap())
}

fn request(random: &mut Random) -> Request {
    let path = random.of(&PATHS);
    let caller: Option<PrincipalId> = match random.below(8) {
        0 => None,
        _ => Some(random.of(&PEOPLE).parse().unwrap()),
    };
    let mut groups: Vec<PrincipalId> = Vec::new();
    for group in GROUPS {
        if random.percent(20) {
            groups.push(group.parse().unwrap());
        }
    }
    let action = random.of(&[Action::TableRead, Action::TableWrite]);
    let resource = format!("table:{path}").parse().unwrap();
    let mut request = Request::new(caller, action, resource).with_groups(Arc::from(groups));
    if random.percent(30) {
        request = request.with_context(Context::new().with_job(1));
    }
    if random.percent(20) {
        request = request.with_incomplete_groups();
    }
    let mut proven = Vec::new();
    if random.percent(60) {
        let mfa = Value::Bool(random.percent(70));
        proven.push(("principal.mfa".to_owned(), mfa, Provenance::Token));
    }
    if random.percent(50) {
        let contexts = Value::set([random.of(&["c1", "c2"])]);
        proven.push(("principal.acrs".to_owned(), contexts, Provenance::Token));
    }
    if random.percent(50) {
        let team = Value::text(random.of(&["t", "u"]));
        proven.push(("principal.team".to_owned(), team, Provenance::Token));
    }
    request = request.with_proven(Arc::from(proven));
    if random.percent(90) {
        let number = i64::try_from(random.below(9)).unwrap();
        request = request.at(moment(number));
    }
    request
}

/// All that a decision says.
fn about(decision: &Decision) -> String {
    let rows: Vec<&str> = decision.policies().map(PolicyId::as_str).collect();
    let under: Vec<&str> = decision.restrictions().map(PolicyId::as_str).collect();
    format!(
        "{} {rows:?} under {under:?} {:?} {:?} {:?} {:?}",
        decision.kind(),
        decision.columns(),
        decision.masks(),
        decision.obligations(),
        decision.step_up(),
    )
}

fn handles(snapshot: &Snapshot, request: &Request) -> Projection {
    let groups = Arc::clone(&request.groups);
    let projection = Projection::new(snapshot, request.caller.clone(), groups);
    let projection = projection.with_proven(Arc::clone(&request.proven));
    if request.groups_are_complete {
        projection
    } else {
        projection.with_incomplete_groups()
    }
}

#[test]
fn whatever_rights_are_bound_to_the_index_decides_as_the_oracle_does() {
    let random = &mut Random(0x7717);
    let mut kinds = [0_usize; 3];
    for set in 0..400 {
        let count = if set % 10 == 0 {
            120
        } else {
            1 + random.below(25)
        };
        let snapshot = world(random, count);
        for _ in 0..60 {
            let request = request(random);
            let truth = oracle::decide(&snapshot, request.clone(), ID);
            let found = policy::decide(&snapshot, request.clone(), ID);
            assert_eq!(about(&found), about(&truth), "set {set}: {request:?}");
            let projection = handles(&snapshot, &request);
            let resource = Located::new(&snapshot, request.resource.clone());
            let (action, context) = (request.action, &request.context);
            let verdict = projection.verdict(&snapshot, action, &resource, context, request.now);
            let first = (truth.kind(), truth.policies().next());
            let found = (verdict.kind(), verdict.policy(&snapshot));
            assert_eq!(found, first, "set {set}: {request:?}");
            kinds[truth.kind() as usize] += 1;
        }
    }
    let all: usize = kinds.iter().sum();
    assert!(kinds.iter().all(|kind| kind * 5 >= all), "{kinds:?}");
}

#[test]
fn no_decision_changes_within_its_lease() {
    let random = &mut Random(0x1ea5e);
    let (mut ended, mut kept) = (0, 0);
    for _ in 0..300 {
        let count = 1 + random.below(20);
        let snapshot = world(random, count);
        for _ in 0..20 {
            let request = request(random);
            let decision = policy::decide(&snapshot, request.clone(), ID);
            let Some(now) = request.now else {
                assert_eq!(decision.lease(), None);
                continue;
            };
            let lease = decision.lease();
            assert!(lease.is_none_or(|end| end > now), "{request:?}");
            let moments = MOMENTS.flat_map(|number| {
                let at = moment(number).as_millis();
                [at - 1, at, at + 1].map(Timestamp::from_millis)
            });
            for later in moments.filter(|later| *later >= now) {
                let then = policy::decide(&snapshot, request.clone().at(later), ID);
                let is_same = about(&then) == about(&decision);
                if lease.is_none_or(|end| later < end) {
                    assert!(is_same, "{request:?} at {later}, lease {lease:?}");
                    kept += 1;
                } else if !is_same {
                    ended += 1;
                }
            }
        }
    }
    assert!(kept > 10_000 && ended > 1000, "{kept} kept, {ended} ended");
}

#[test]
fn an_hour_and_a_weekday_end_a_lease_only_where_they_matter() {
    let mut raw = RawTables::new("hours".to_owned());
    people(&mut raw);
    let mut row = cells(&[
        ("id", "P0"),
        ("principal", "user:a"),
        ("action", "table.read"),
        ("resource", "table:a.x"),
        ("effect", "allow"),
    ]);
    let hours = "time.hour_utc between 8 and 17 and time.weekday_utc in ['mon', 'tue', 'fri']";
    row.push(("condition".to_owned(), text(hours)));
    raw.push("Access_Policies", RawRow::new(None, row));
    let snapshot = Arc::new(Snapshot::compile(&raw, 1, moment(0)).unwrap());
    // 2026-09-21 is a Monday.
    let lease = |at: &str| {
        let resource = "table:a.x".parse().unwrap();
        let caller = Some("user:a".parse().unwrap());
        let request = Request::new(caller, Action::TableRead, resource).at(at.parse().unwrap());
        let decision = policy::decide(&snapshot, request, ID);
        (decision.kind(), decision.lease().map(|end| end.to_string()))
    };
    let until = |text: &str| Some(text.to_owned());
    assert_eq!(
        lease("2026-09-21T09:30:00Z"),
        (DecisionKind::Allow, until("2026-09-21T18:00:00.000Z"))
    );
    assert_eq!(
        lease("2026-09-21T18:00:00Z"),
        (DecisionKind::DefaultDeny, until("2026-09-22T08:00:00.000Z"))
    );
    // Wednesday: the hour comes earlier than the day that matters, and a lease may end too early.
    assert_eq!(
        lease("2026-09-23T07:00:00Z"),
        (DecisionKind::DefaultDeny, until("2026-09-23T08:00:00.000Z"))
    );
}
