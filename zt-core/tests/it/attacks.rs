//! What somebody tries who wants a value, a hint or a hole in the log.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use zt_core::adapters::file::FileTables;
use zt_core::audit::{self, AuditOptions};
use zt_core::clock::{Clock, SystemClock};
use zt_core::metadata::{MetadataSource, RawTables, Report};
use zt_core::policy::{Context, DecisionKind};
use zt_core::port::BoxFuture;
use zt_core::runtime::{self, Config, ConfigKey, Runtime, RuntimeBuilder};
use zt_core::secrets::SecretVault;
use zt_core::testing::{FaultyVault, ManualClock};
use zt_core::{Code, Error, ErrorKind, Session};

use crate::world::{World, sign_in, token};

/// The right of the scoring job, turned into a refusal.
fn revoke(world: &World) {
    world.edit(|tables| {
        let row = "action = \"secret.get\"\nresource = \"secret:bureau-api-key\"\neffect = ";
        assert!(tables.contains(&format!("{row}\"allow\"")));
        tables.replace(&format!("{row}\"allow\""), &format!("{row}\"deny\""))
    });
}

fn policy(id: &str, principal: &str, action: &str, resource: &str, more: &str) -> String {
    format!(
        "\n[[Access_Policies]]\nid = \"{id}\"\nprincipal = \"{principal}\"\naction = \"{action}\"\n\
         resource = \"{resource}\"\n{more}\n"
    )
}

struct Held {
    vault: Arc<FaultyVault>,
    clock: Arc<ManualClock>,
    zt: Runtime,
}

/// A runtime whose vault answers only when it is released.
async fn held(world: &World) -> Held {
    let local = runtime::local_vault(&world.config()).unwrap();
    let vault = Arc::new(FaultyVault::new(Arc::new(local)));
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    let (port, time): (Arc<dyn SecretVault>, Arc<dyn Clock>) = (
        Arc::<FaultyVault>::clone(&vault),
        Arc::<ManualClock>::clone(&clock),
    );
    let builder = RuntimeBuilder::new(world.config())
        .with_vault(port)
        .with_clock(time);
    let zt = builder.open().await.unwrap();
    vault.hold();
    Held { vault, clock, zt }
}

/// Starts a read that waits for the vault, lets something happen, and answers what the read became.
async fn in_flight(world: &World, happens: impl AsyncFnOnce(&Held)) -> (Error, Held) {
    let held = held(world).await;
    let job = sign_in(&held.zt, "sp:sp-score-201").await.claiming(201, 2);
    let read = tokio::spawn(async move { job.secret("bureau-api-key").await.map(|_| ()) });
    while held.vault.calls() == 0 {
        tokio::task::yield_now().await;
    }
    happens(&held).await;
    held.vault.release();
    (read.await.unwrap().unwrap_err(), held)
}

#[tokio::test]
async fn a_right_withdrawn_while_the_vault_is_slow_is_withdrawn() {
    let world = World::new().with_secret("bureau-api-key").await;
    let (error, held) = in_flight(&world, async |held| {
        revoke(&world);
        assert!(held.zt.reload().await.is_ok());
    })
    .await;
    assert_eq!(error.code(), Code::Denied);
    let released = audit::tail(held.zt.audit_folder(), 100, |entry| entry.kind == "release");
    assert!(released.unwrap().is_empty());
}

#[tokio::test]
async fn a_token_that_ends_while_the_vault_is_slow_has_ended() {
    let world = World::new().with_secret("bureau-api-key").await;
    let (error, _held) = in_flight(&world, async |held| {
        held.clock.advance(Duration::from_secs(2 * 3600));
    })
    .await;
    assert_eq!(error.code(), Code::TokenExpired);
}

#[tokio::test]
async fn a_clock_set_back_revives_no_token() {
    let world = World::new();
    let held = held(&world).await;
    let maya = sign_in(&held.zt, "user:maya").await;
    let began = held.clock.now();
    held.clock.advance(Duration::from_secs(2 * 3600));
    held.clock.jump_to(began);
    let error = maya
        .check("model.infer", "model:car_loan_scorer")
        .unwrap_err();
    assert_eq!(error.code(), Code::TokenExpired);
}

/// Tables whose first reload is overtaken by the second.
#[derive(Debug)]
struct Overtaken {
    files: FileTables,
    loads: AtomicUsize,
    read: Notify,
    go_on: Notify,
}

impl MetadataSource for Overtaken {
    fn load(&self) -> BoxFuture<'_, Result<RawTables, Report>> {
        Box::pin(async {
            let tables = self.files.load().await;
            if self.loads.fetch_add(1, Ordering::SeqCst) == 1 {
                self.read.notify_one();
                self.go_on.notified().await;
            }
            tables
        })
    }
}

#[derive(Debug)]
struct Shared(Arc<Overtaken>);

impl MetadataSource for Shared {
    fn load(&self) -> BoxFuture<'_, Result<RawTables, Report>> {
        self.0.load()
    }
}

async fn overtaken(world: &World) -> (Arc<Overtaken>, Runtime) {
    let source = Arc::new(Overtaken {
        files: FileTables::new(world.tables()),
        loads: AtomicUsize::new(0),
        read: Notify::new(),
        go_on: Notify::new(),
    });
    let builder = RuntimeBuilder::new(world.config());
    let zt = builder
        .with_tables(Box::new(Shared(Arc::clone(&source))))
        .open()
        .await
        .unwrap();
    (source, zt)
}

fn reloading(zt: &Runtime) -> tokio::task::JoinHandle<Result<(), Error>> {
    let zt = zt.clone();
    tokio::spawn(async move { zt.reload().await.map(|_| ()) })
}

#[tokio::test]
async fn a_key_that_was_withdrawn_does_not_come_back_with_a_slow_reload() {
    let world = World::new();
    let (source, zt) = overtaken(&world).await;
    let token = token(&zt, "user:maya");
    assert!(zt.authenticate(&token).await.is_ok());
    let slow = reloading(&zt);
    source.read.notified().await;
    // Another key set takes the place of the one that signed the token.
    let other = World::with_its_own_issuer();
    let keys = ".zt/dev-issuer.jwks.json";
    fs::copy(other.path().join(keys), world.path().join(keys)).unwrap();
    let fast = reloading(&zt);
    tokio::task::yield_now().await;
    source.go_on.notify_one();
    slow.await.unwrap().unwrap();
    fast.await.unwrap().unwrap();
    assert!(
        zt.authenticate(&token).await.is_err(),
        "the withdrawn key is gone"
    );
    let reloads = audit::tail(zt.audit_folder(), 100, |entry| entry.action == "reload").unwrap();
    assert_eq!(reloads.len(), 2, "also when only the keys may have changed");
}

#[tokio::test]
async fn tables_read_earlier_never_replace_tables_read_later() {
    let world = World::new();
    let (source, zt) = overtaken(&world).await;
    world.edit(|tables| tables.replace("ttl_s = 600", "ttl_s = 601"));
    let slow = reloading(&zt);
    source.read.notified().await;
    revoke(&world);
    let fast = reloading(&zt);
    tokio::task::yield_now().await;
    source.go_on.notify_one();
    slow.await.unwrap().unwrap();
    fast.await.unwrap().unwrap();
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let decision = job.check("secret.get", "secret:bureau-api-key").unwrap();
    assert_eq!(decision.kind(), DecisionKind::ExplicitDeny);
}

/// A runtime whose log soon needs a new segment, in a folder that is taken away.
async fn without_a_disk(world: &World) -> (Runtime, Session) {
    let folder = world.config().audit_folder();
    let options = AuditOptions::new(&folder).with_segment_bytes(1024);
    let zt = RuntimeBuilder::new(world.config())
        .with_audit(options)
        .open()
        .await
        .unwrap();
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    assert!(job.check("job.run", "job:201").is_ok());
    fs::rename(&folder, world.path().join("gone")).unwrap();
    fs::write(&folder, "not a folder").unwrap();
    // What still fits into the open segment is written; the next record needs a new one.
    let refused = |number: &usize| job.check("job.run", &format!("job:{number}")).is_err();
    assert!((0..8).filter(refused).count() > 0);
    (zt, job)
}

#[tokio::test]
async fn a_disk_that_takes_no_record_stops_every_answer() {
    let world = World::new().with_secret("bureau-api-key").await;
    let (_zt, job) = without_a_disk(&world).await;
    let denied = job.check("job.run", "job:202").unwrap_err();
    assert_eq!(
        denied.code(),
        Code::AuditUnavailable,
        "not even a deny is answered"
    );
    let allowed = job
        .check("model.infer", "model:car_loan_scorer")
        .unwrap_err();
    assert_eq!(allowed.code(), Code::AuditUnavailable);
    let secret = job.secret("bureau-api-key").await.unwrap_err();
    assert_eq!(secret.code(), Code::AuditUnavailable);
}

#[tokio::test]
async fn a_snapshot_without_its_record_does_not_come_into_force() {
    let world = World::new();
    let (zt, _job) = without_a_disk(&world).await;
    world.edit(|tables| tables.replace("ttl_s = 600", "ttl_s = 601"));
    assert_eq!(
        zt.reload().await.unwrap_err().code(),
        Code::AuditUnavailable
    );
    assert_eq!(zt.snapshot().version(), 1);
}

#[tokio::test]
async fn a_file_that_is_just_being_written_takes_no_deny_away() {
    let world = World::new();
    let folder = world.path().join("tables");
    fs::create_dir(&folder).unwrap();
    fs::rename(world.tables(), folder.join("rest.toml")).unwrap();
    let deny = policy("X1", "*", "secret.get", "secret:**", "effect = \"deny\"");
    fs::write(folder.join("denies.toml"), deny).unwrap();
    let toml = fs::read_to_string(world.path().join("zt.toml")).unwrap();
    fs::write(
        world.path().join("zt.toml"),
        toml.replace("brindlewick.toml", "tables"),
    )
    .unwrap();
    let zt = world.open().await;
    fs::write(folder.join("denies.toml"), "").unwrap();
    let error = zt.reload().await.unwrap_err();
    assert!(error.message().contains("the file is empty"), "{error}");
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    assert!(
        !job.check("secret.get", "secret:bureau-api-key")
            .unwrap()
            .is_allowed()
    );
}

#[tokio::test]
async fn nobody_approves_a_change_of_their_own_by_inventing_its_author() {
    let world = World::new();
    let zt = world.open().await;
    let priya = sign_in(&zt, "user:priya").await;
    for author in [
        "user:Priya",
        "user:nobody",
        "sp:x",
        "group:grp-security",
        "user:priya",
    ] {
        let context = Context::new().with_author(author.parse().unwrap());
        let asked = priya.check_in("metadata.approve", "metadata:Access_Policies", context);
        assert!(!asked.unwrap().is_allowed(), "{author}");
    }
}

#[tokio::test]
async fn a_row_about_columns_releases_no_secret() {
    for (action, resource) in [
        ("*", "**"),
        ("secret.get", "secret:*"),
        ("*", "table:gold.**"),
    ] {
        let world = World::new();
        let row = policy(
            "X1",
            "*",
            action,
            resource,
            "effect = \"allow\"\ncolumns = [\"id\"]",
        );
        world.edit(|tables| tables + &row);
        let error = runtime::tables(&world.config()).await.unwrap_err();
        assert!(error.message().contains("column columns"), "{error}");
    }
}

#[tokio::test]
async fn another_spelling_of_a_table_or_column_is_not_another_table_or_column() {
    let world = World::new();
    world.edit(|tables| {
        let allow = policy("X1", "*", "table.read", "table:hr.**", "effect = \"allow\"");
        let deny = policy(
            "X2",
            "*",
            "table.read",
            "table:hr.salaries",
            "effect = \"deny\"",
        );
        let hide = "effect = \"deny\"\ncolumns = [\"ssn\"]";
        tables + &allow + &deny + &policy("X3", "*", "table.read", "table:hr.people", hide)
    });
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    for same in [
        "table:hr.salaries",
        "table:HR.Salaries",
        "table:hr.SALARIES",
    ] {
        assert!(
            !maya.check("table.read", same).unwrap().is_allowed(),
            "{same}"
        );
    }
    for quoted in [
        "table:hr.`salaries`",
        "table:hr.[salaries]",
        "table:hr.salaries\u{200b}",
    ] {
        assert_eq!(
            maya.check("table.read", quoted).unwrap_err().code(),
            Code::InvalidArgument
        );
    }
    let permit = maya.require("table.read", "table:hr.people").unwrap();
    assert_eq!(permit.columns().visible(&["id", "SSN", "ssn"]), ["id"]);
}

#[tokio::test]
async fn a_secret_pasted_into_any_cell_of_its_reference_is_not_repeated() {
    let cells = [
        "kind = \"zt-needle-1\"",
        "version = [\"zt-needle-1\"]",
        "rotate_days = \"zt-needle-1\"",
        "ttl_s = \"zt-needle-1\"",
        "vault = \"zt-needle-1\"",
    ];
    for cell in cells {
        let world = World::new();
        let row = format!("\n[[Secret_References]]\nid = \"x\"\nname = \"x\"\n{cell}\n");
        world.edit(|tables| tables + &row);
        let error = runtime::tables(&world.config()).await.unwrap_err();
        let said = format!("{error} {error:?} {:?}", error.report());
        assert!(!said.contains("needle"), "{cell}");
        assert!(said.contains("characters]"), "{cell}");
    }
}

#[tokio::test]
async fn what_a_row_says_cannot_steer_a_terminal() {
    for text in ["\\u001b[2K", "\\u202egnp", "line\\nfeed", "\\u0007"] {
        let world = World::new();
        world.edit(|tables| tables.replace("raw applications hold", text));
        let error = runtime::tables(&world.config()).await.unwrap_err();
        assert!(
            error.message().contains("control and format characters"),
            "{error}"
        );
        assert!(!error.to_string().chars().any(char::is_control));
    }
}

#[tokio::test]
async fn the_environment_of_a_production_service_cannot_replace_what_its_file_leaves_out() {
    let world = World::new();
    let toml = "[identity]\naudience = \"d0000000-0000-4000-8000-000000000001\"\n";
    fs::write(world.path().join("zt.toml"), toml).unwrap();
    for (name, value) in [
        ("ZT_MODE", "development"),
        ("ZT_IDENTITY_CLOUD", "development"),
        ("ZT_IDENTITY_CLOUD", "us_gov"),
        ("ZT_TABLES", "elsewhere"),
        ("ZT_AUDIT_FOLDER", "elsewhere"),
        ("ZT_VAULT_FILE", "elsewhere"),
        ("ZT_IDENTITY_KEYS", ""),
    ] {
        let loaded = Config::load_with(world.path(), |asked| {
            (asked == name).then(|| std::ffi::OsString::from(value))
        });
        assert_eq!(loaded.unwrap_err().code(), Code::Config, "{name}={value}");
    }
}

#[tokio::test]
async fn a_builder_does_not_move_the_log_that_the_file_names() {
    let world = World::new();
    let elsewhere = AuditOptions::new(world.path().join("elsewhere"));
    let opened = RuntimeBuilder::new(world.config())
        .with_audit(elsewhere)
        .open()
        .await;
    assert_eq!(opened.map(|_| ()).unwrap_err().code(), Code::Config);
}

#[tokio::test]
async fn the_log_shows_near_misses_to_those_alone_who_may_explain() {
    let world = World::new();
    world.edit(|tables| {
        tables
            + &policy(
                "X1",
                "user:ines",
                "audit.read",
                "audit:log",
                "effect = \"allow\"",
            )
    });
    let zt = world.open().await;
    let ines = sign_in(&zt, "user:ines").await;
    assert!(
        ines.claiming(201, 1)
            .secret("bureau-api-key")
            .await
            .unwrap_err()
            .is_denied()
    );
    let seen =
        |entries: Vec<audit::Entry>| entries.iter().any(|entry| !entry.near_misses.is_empty());
    assert!(!seen(ines.audit_tail(100).unwrap()));
    assert!(seen(
        sign_in(&zt, "user:priya").await.audit_tail(100).unwrap()
    ));
}

#[tokio::test]
async fn whoever_tries_names_is_seen() {
    let world = World::new();
    world.edit(|tables| {
        tables
            + &policy(
                "X1",
                "user:maya",
                "secret.get",
                "secret:*",
                "effect = \"allow\"",
            )
    });
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    assert_eq!(
        maya.secret("no-such-name").await.unwrap_err().code(),
        Code::NotFound
    );
    assert_eq!(
        maya.secret("scores-kek").await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let tried = audit::tail(folder, 100, |entry| entry.outcome == "failed").unwrap();
    assert_eq!(tried.len(), 2);
}

#[tokio::test]
async fn a_flood_of_forged_tokens_does_not_fill_the_log() {
    let world = World::new();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(SystemClock::new().now()));
    let zt = RuntimeBuilder::new(world.config())
        .with_clock(clock)
        .open()
        .await
        .unwrap();
    let good = token(&zt, "user:maya");
    let (_, rest) = good.split_once('.').unwrap();
    for number in 0..2000 {
        let error = zt
            .authenticate(&format!("e{number}.{rest}"))
            .await
            .unwrap_err();
        assert_eq!(error.public_message(), "invalid_token");
    }
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let refused = audit::tail(folder, 10_000, |entry| entry.outcome == "refused").unwrap();
    assert!(refused.len() < 20, "{}", refused.len());
    let counted: u64 = refused.iter().filter_map(|entry| entry.count).sum();
    assert_eq!(counted + 8, 2000, "none is lost");
}

#[tokio::test]
async fn a_caller_who_asks_for_a_thousand_things_is_told_to_come_back_later() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let asked = |number: usize| maya.check("table.read", &format!("table:secret.t{number}"));
    let refused = (0..1100).find_map(|number| asked(number).err()).unwrap();
    let ErrorKind::Unavailable {
        retry_in: Some(retry_in),
    } = refused.kind()
    else {
        panic!("{refused}");
    };
    assert!(retry_in <= Duration::from_secs(10));
    let elin = sign_in(&zt, "user:elin").await;
    assert!(
        elin.check("table.read", "table:secret.t0").is_ok(),
        "others are not held up"
    );
}

#[tokio::test]
async fn a_passphrase_and_a_key_file_exclude_each_other() {
    let world = World::new();
    let toml = fs::read_to_string(world.path().join("zt.toml")).unwrap();
    fs::write(
        world.path().join("zt.toml"),
        toml.replace("key_file = ", "# key_file = "),
    )
    .unwrap();
    let given = |asked: &str| (asked == "ZT_VAULT_PASSPHRASE").then(|| "zt-needle-a".into());
    let config = Config::load_with(world.path(), given).unwrap();
    let with = |key, value: &str| {
        config
            .clone()
            .set(key, value)
            .map(|_| ())
            .unwrap_err()
            .code()
    };
    assert_eq!(
        with(ConfigKey::VaultPassphrase, "zt-needle-b"),
        Code::Config
    );
    assert_eq!(with(ConfigKey::VaultKeyFile, "elsewhere"), Code::Config);
}
