//! Verdicts and hits of secrets allocate nothing. A binary of its own, because what counts allocations is the allocator of the whole process.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use allocation_counter::measure;
use zt_core::audit::{AuditLog, AuditOptions, Kind, Outcome, Record};
use zt_core::clock::{Clock, Timestamp};
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{
    Action, Context, DecisionKind, Located, Projection, Provenance, Value, Verdict,
};
use zt_core::port::BoxFuture;
use zt_core::secrets::{
    Attempt, Fetched, SecretBytes, SecretId, SecretRequest, SecretVault, SecretVersion, Secrets,
    Validity, VaultError,
};

fn row(cells: &[(&str, &str)]) -> RawRow {
    let cells = cells.iter();
    let cell = |(name, value): &(&str, &str)| ((*name).to_owned(), Cell::Text((*value).to_owned()));
    RawRow::new(None, cells.map(cell).collect())
}

/// Attributes that tokens and the tables say.
fn describe(raw: &mut RawTables) {
    for (namespace, name, kind, provenance) in [
        ("principal", "clearance", "int", "store"),
        ("principal", "department", "text", "token"),
        ("resource", "regions", "set", "store"),
    ] {
        let cells = [
            ("namespace", namespace),
            ("name", name),
            ("type", kind),
            ("provenance", provenance),
        ];
        raw.push("Attributes", row(&cells));
    }
    let mut lab = row(&[("resource", "table:lab.**")]);
    let regions = Cell::Map(vec![(
        "regions".to_owned(),
        Cell::Text("eu, ch".to_owned()),
    )]);
    lab.cells.push(("attributes".to_owned(), regions));
    raw.push("Resources", lab);
}

/// Rows enough that lists are probed, a deny of columns, and conditions.
fn snapshot() -> Snapshot {
    let mut raw = RawTables::new("test".to_owned());
    for (at, id) in ["user:maya", "group:g"].iter().enumerate() {
        let oid = format!("00000000-0000-4000-8000-{at:012}");
        let mut row = row(&[("id", id), ("oid", &oid)]);
        if at == 0 {
            let clearance = Cell::Map(vec![("clearance".to_owned(), Cell::Integer(3))]);
            row.cells.push(("attributes".to_owned(), clearance));
        }
        raw.push("Principals", row);
    }
    let binding = row(&[("role", "r"), ("principal", "group:g")]);
    raw.push("Role_Bindings", binding);
    describe(&mut raw);
    let mut policies = 0;
    let mut policy = |principal: &str, resource: &str, effect: &str, more: &[(&str, Cell)]| {
        policies += 1;
        let id = format!("P{policies}");
        let mut row = row(&[
            ("id", &id),
            ("principal", principal),
            ("action", "table.read"),
            ("resource", resource),
            ("effect", effect),
        ]);
        let more = more.iter();
        let more = more.map(|(name, cell)| ((*name).to_owned(), cell.clone()));
        row.cells.extend(more);
        raw.push("Access_Policies", row);
    };
    let job = Cell::Map(vec![("job".to_owned(), Cell::Integer(201))]);
    let four_eyes = Cell::Map(vec![("not_author".to_owned(), Cell::Bool(true))]);
    for _ in 0..40 {
        policy("role:r", "table:gold.**", "allow", &[("when", job.clone())]);
    }
    policy("*", "table:*.salaries", "deny", &[("when", four_eyes)]);
    let columns = |name: &str| Cell::List(vec![Cell::Text(name.to_owned())]);
    policy("*", "table:hr.x", "allow", &[("columns", columns("Iban"))]);
    policy("*", "table:hr.**", "deny", &[("columns", columns("iban"))]);
    let facts = "principal.clearance >= 3 and principal.department == 'credit' and resource.regions contains 'eu'";
    let facts = Cell::Text(format!(
        "{facts} and principal.acrs contains 'c1' and principal.mfa"
    ));
    policy("*", "table:**", "allow", &[("condition", facts)]);
    Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap()
}

/// The allocations of many verdicts, in every form in which one can be asked for.
#[test]
fn verdicts_allocate_nothing() {
    let snapshot = snapshot();
    let id = |text: &str| text.parse().unwrap();
    let maya = Projection::new(&snapshot, Some(id("user:maya")), [id("group:g")].into());
    let of_token = |name: &str, value: Value| (name.to_owned(), value, Provenance::Token);
    let maya = maya.with_proven(Arc::from([
        of_token("principal.mfa", Value::Bool(true)),
        of_token("principal.acrs", Value::set(["c1"])),
        of_token("principal.department", Value::text("credit")),
    ]));
    let unsure = maya.clone().with_incomplete_groups();
    let now = Some(Timestamp::from_secs(1_790_000_000));
    let job = Context::new().with_job(201);
    let by_other = job.clone().with_author(id("group:g"));
    let cases = [
        ("table:gold.scores", &job, DecisionKind::Allow),
        ("table:Gold.Scores", &job, DecisionKind::Allow),
        ("table:gold.salaries", &by_other, DecisionKind::ExplicitDeny),
        (
            "table:gold.scores",
            &Context::new(),
            DecisionKind::DefaultDeny,
        ),
        ("table:hr.x", &job, DecisionKind::ExplicitDeny),
        ("table:lab.a.b.c", &job, DecisionKind::Allow),
        ("table:Lab", &job, DecisionKind::Allow),
        ("table:labs.a", &job, DecisionKind::DefaultDeny),
        ("table:nowhere.a.b.c.d.e", &job, DecisionKind::DefaultDeny),
        ("secret:a/b", &job, DecisionKind::DefaultDeny),
    ];
    for (text, context, expected) in cases {
        let resource = text.parse().unwrap();
        let located = Located::new(&snapshot, resource);
        for caller in [&maya, &unsure] {
            let mut verdicts: [Option<Verdict>; 2] = [None; 2];
            let counted = measure(|| {
                let action = Action::TableRead;
                let by_text = caller.verdict_of(&snapshot, action, text, context, now);
                verdicts = [
                    Some(caller.verdict(&snapshot, action, &located, context, now)),
                    by_text.ok(),
                ];
            });
            assert_eq!(counted.count_total, 0, "{text}: {counted:?}");
            for verdict in verdicts {
                assert_eq!(verdict.map(Verdict::kind), Some(expected), "{text}");
            }
        }
    }
}

/// A clock that is set, and a vault that answers once.
#[derive(Debug, Default)]
struct Scene {
    seconds: AtomicU64,
    calls: AtomicU64,
}

impl Clock for Scene {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_790_000_000).after(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }
}

impl SecretVault for Scene {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        _attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(async move {
            if self.calls.fetch_add(1, Ordering::SeqCst) > 0 {
                return Err(VaultError::integrity("kv", "not JSON"));
            }
            let value = SecretBytes::copy_of(b"zt-needle-hit");
            let fetched = Fetched::new(value, SecretVersion::from_u128(1));
            let end = self.now().after(Duration::from_secs(5000));
            Ok(match id.name().as_str() {
                "ending" => fetched.with_validity(Validity::ALWAYS.ending(end)),
                _ => fetched,
            })
        })
    }
}

#[test]
fn hits_of_secrets_allocate_nothing() {
    for name in ["timeless", "ending"] {
        let scene = Arc::new(Scene::default());
        let secrets = Secrets::new(
            Arc::clone(&scene) as Arc<dyn SecretVault>,
            Arc::clone(&scene) as Arc<dyn Clock>,
        );
        let vault = "https://kv.vault.azure.net".parse().unwrap();
        let id = SecretId::new(vault, name.parse().unwrap());
        let request = SecretRequest::new(id).with_ttl(Duration::from_secs(600));
        secrets.declare([request.clone()]);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        assert!(runtime.block_on(secrets.get(&request)).is_ok());
        // Fresh; then in the stale window, with the vault in trouble and not yet to be asked again.
        for (at, is_stale) in [(1, false), (700, true)] {
            scene.seconds.store(at, Ordering::SeqCst);
            assert!(runtime.block_on(secrets.get(&request)).is_ok());
            let mut bytes = 0;
            let counted = measure(|| {
                for _ in 0..100 {
                    let secret = secrets.peek(&request);
                    assert!(
                        secret
                            .as_ref()
                            .is_some_and(|secret| secret.stale_for().is_some() == is_stale)
                    );
                    bytes += secret.map_or(0, |secret| secret.reveal().len());
                }
            });
            assert_eq!(counted.count_total, 0, "{name} at {at} s: {counted:?}");
            assert_eq!(bytes, 1300);
        }
    }
}

/// What a release within its lease leaves in the audit log.
#[test]
fn counting_a_repeat_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Scene::default());
    let options = AuditOptions::new(folder.path()).with_deadline(Duration::from_secs(60));
    let log = AuditLog::open(options, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let now = clock.now();
    let record = Record::new(Kind::Release, now, "secret.read", "secret:a", Outcome::Ok);
    let tally = log.tally(record).unwrap().unwrap();
    assert!(log.count(&tally, now).is_ok());
    let mut refused = 0;
    let counted = measure(|| {
        for _ in 0..1000 {
            refused += usize::from(log.count(&tally, clock.now()).is_err());
        }
    });
    assert_eq!((counted.count_total, refused), (0, 0), "{counted:?}");
    log.close(Duration::from_secs(60)).unwrap();
    let mut seen = 0;
    zt_core::audit::each_forward(folder.path(), |entry| seen += entry.count.unwrap_or(0)).unwrap();
    assert_eq!(seen, 1001);
}

/// Else the tests above would prove nothing.
#[test]
fn an_allocation_is_counted() {
    let counted = measure(|| drop(std::hint::black_box(Box::new(1_u64))));
    assert_eq!(counted.count_total, 1);
}
