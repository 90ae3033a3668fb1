//! Sealing and unsealing through sessions: who may, what stands in the log, what happens when keys change.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use zt_core::adapters::memory::MemoryKeys;
use zt_core::audit::{self, Entry};
use zt_core::batch::{Batch, Cells, Column};
use zt_core::envelope::{DataKey, KEY_COLUMN, KeyError, KeyWrapper, WrappedKey};
use zt_core::port::BoxFuture;
use zt_core::runtime::{self, Runtime, RuntimeBuilder};
use zt_core::secrets::{Attempt, AttemptId, SecretId, SecretVault as _};
use zt_core::{Code, Error, ErrorKind, Session};

use crate::world::{NEEDLE, World, sign_in};

const OUTPUT: &str = "loan_scores_delta";

fn scores() -> Batch {
    let text = |cells: [&str; 3]| {
        let cells = cells.map(|cell| (!cell.is_empty()).then(|| cell.to_owned()));
        Cells::Text(cells.into())
    };
    Batch::new(vec![
        Column::new("id", text(["70000", "70001", "70002"])),
        Column::new("y_pred", Cells::Integer(vec![Some(1), Some(0), Some(1)])),
        Column::new(
            "y_pred_proba",
            Cells::Number(vec![Some(0.97), Some(0.2), None]),
        ),
        Column::new("salary_range", text([NEEDLE, "", "30k-40k"])),
        Column::new("debt_to_income_ratio", Cells::Number(vec![None; 3])),
    ])
    .unwrap()
}

/// What comes back: a column of missing values alone has no type of its own.
fn opened() -> Batch {
    let names = ["id", "y_pred", "y_pred_proba", "salary_range"];
    let nulls = Column::new("debt_to_income_ratio", Cells::Text(vec![None; 3]));
    scores().select(&names).unwrap().with_column(nulls).unwrap()
}

async fn job(zt: &Runtime) -> Session {
    sign_in(zt, "sp:sp-score-201").await.claiming(201, 2)
}

async fn sealed(zt: &Runtime) -> Batch {
    let sealer = job(zt).await.sealer(OUTPUT).await.unwrap();
    sealer.seal(&scores()).unwrap()
}

async fn close(zt: Runtime) -> Vec<Entry> {
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    assert!(audit::verify(&folder).unwrap().is_intact());
    audit::tail(&folder, 1000, |_| true).unwrap()
}

fn of_action<'a>(entries: &'a [Entry], action: &str) -> Vec<&'a Entry> {
    entries
        .iter()
        .filter(|entry| entry.action == action)
        .collect()
}

fn append_policy(world: &World, id: &str, principal: &str, action: &str, more: &str) {
    world.edit(|tables| {
        format!(
            "{tables}\n[[Access_Policies]]\nid = \"{id}\"\nprincipal = \"{principal}\"\n\
             action = \"{action}\"\nresource = \"output:{OUTPUT}\"\n{more}\n"
        )
    });
}

#[tokio::test]
async fn the_job_seals_the_risk_officer_opens_and_the_data_scientist_does_not() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let sealed = sealed(&zt).await;
    let csv = sealed.to_csv();
    assert!(!csv.contains("needle") && !csv.contains("30k-40k") && !csv.contains("0.97"));

    let ines = sign_in(&zt, "user:ines").await;
    let opener = ines.opener(OUTPUT, &sealed).await.unwrap();
    assert!(opener.unseal(&sealed).unwrap() == opened());
    let stored = Batch::from_csv(csv.as_bytes()).unwrap();
    let again = ines.opener(OUTPUT, &stored).await.unwrap();
    assert_eq!(again.unseal(&stored).unwrap().to_csv(), scores().to_csv());

    let maya = sign_in(&zt, "user:maya").await;
    assert!(maya.opener(OUTPUT, &sealed).await.unwrap_err().is_denied());
    assert!(maya.sealer(OUTPUT).await.unwrap_err().is_denied());
    assert!(ines.sealer(OUTPUT).await.unwrap_err().is_denied());
    // Who writes need not read.
    let job = job(&zt).await;
    assert!(job.opener(OUTPUT, &sealed).await.unwrap_err().is_denied());
    assert!(
        job.claiming(202, 2)
            .sealer(OUTPUT)
            .await
            .unwrap_err()
            .is_denied()
    );
}

#[tokio::test]
async fn sealing_and_opening_stand_in_the_log_without_a_value() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let sealed = sealed(&zt).await;
    let ines = sign_in(&zt, "user:ines").await;
    let _opener = ines.opener(OUTPUT, &sealed).await.unwrap();
    // Nothing flushes the log here: the record is on disk because the opener is out.
    let entries = audit::tail(zt.audit_folder(), 1000, |_| true).unwrap();
    let release = of_action(&entries, "data.open")[0].clone();
    let maya = sign_in(&zt, "user:maya").await;
    assert!(maya.opener(OUTPUT, &sealed).await.is_err());
    let entries = close(zt).await;

    let seal = of_action(&entries, "data.seal");
    assert_eq!(seal.len(), 1);
    let detail = |name: &str| seal[0].detail[name].as_str();
    assert_eq!(
        (seal[0].kind.as_str(), seal[0].outcome.as_str()),
        ("effect", "ok")
    );
    assert_eq!(seal[0].policies, ["AP-17"]);
    assert_eq!((detail("key"), detail("rule")), ("scores-kek", "ER-01"));
    assert_eq!(
        (detail("table"), detail("columns")),
        ("gold.loan_scores", "3")
    );
    assert_eq!(
        (release.kind.as_str(), release.outcome.as_str()),
        ("release", "ok")
    );
    assert_eq!(release.caller.as_deref(), Some("user:ines"));
    assert_eq!(release.policies, ["AP-16"]);
    assert_eq!(
        (
            release.detail["key"].as_str(),
            release.detail["keys"].as_str()
        ),
        ("scores-kek", "1")
    );
    assert_eq!(release.detail["versions"], detail("version"));
    let denied = of_action(&entries, "data.open")[1];
    assert_eq!(
        (denied.kind.as_str(), denied.outcome.as_str()),
        ("decision", "default_deny")
    );
}

#[tokio::test]
async fn after_a_rotation_old_rows_open_and_new_ones_name_the_new_version() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let old = sealed(&zt).await;
    let id = world.id_of("scores-kek").await;
    let vault = runtime::local_vault(&world.config()).unwrap();
    let new_version = vault.create_key(&id).unwrap().to_string();
    let new = sealed(&zt).await;
    let ines = sign_in(&zt, "user:ines").await;
    for batch in [&old, &new] {
        let opener = ines.opener(OUTPUT, batch).await.unwrap();
        assert!(opener.unseal(batch).unwrap() == opened());
    }
    let both =
        Batch::from_csv((old.to_csv() + new.to_csv().split_once('\n').unwrap().1).as_bytes())
            .unwrap();
    let opener = ines.opener(OUTPUT, &both).await.unwrap();
    assert_eq!(opener.unseal(&both).unwrap().rows(), 6);

    let entries = close(zt).await;
    let versions: Vec<&str> = of_action(&entries, "data.seal")
        .iter()
        .map(|entry| entry.detail["version"].as_str())
        .collect();
    assert_eq!(versions.len(), 2);
    assert!(versions[0] != new_version && versions[1] == new_version);
    let last = of_action(&entries, "data.open").pop().unwrap().clone();
    assert_eq!(last.detail["keys"], "2");
    assert!(
        versions
            .iter()
            .all(|version| last.detail["versions"].contains(version))
    );
}

#[tokio::test]
async fn a_key_that_is_not_there_is_not_found_and_says_what_to_do() {
    let world = World::new();
    let zt = world.open().await;
    let why = job(&zt).await.sealer(OUTPUT).await.unwrap_err();
    assert_eq!(
        why.to_string(),
        "[ZT-3001] there is no key `https://kv-brindlewick-prod.vault.azure.net/keys/scores-kek`; \
         make one with `zt vault create-key scores-kek`, in Key Vault with `az keyvault key create`"
    );
    let id = world.id_of("scores-kek").await;
    let vault = runtime::local_vault(&world.config()).unwrap();
    vault.create_key(&id).unwrap();
    let sealed = sealed(&zt).await;
    vault.remove_key(&id).unwrap();
    let ines = sign_in(&zt, "user:ines").await;
    let why = ines.opener(OUTPUT, &sealed).await.unwrap_err();
    assert_eq!(why.code(), Code::NotFound);
    vault.create_key(&id).unwrap();
    let why = ines.opener(OUTPUT, &sealed).await.unwrap_err();
    assert_eq!(
        why.code(),
        Code::NotFound,
        "a new key does not open what an old one sealed"
    );
    assert!(why.help().unwrap().contains("restore it from a backup"));
    let entries = close(zt).await;
    let failed: Vec<_> = entries
        .iter()
        .filter(|entry| entry.outcome == "failed")
        .collect();
    assert_eq!(failed.len(), 3);
    assert!(
        failed
            .iter()
            .all(|entry| entry.detail["reason"].starts_with("there is no key"))
    );
}

#[tokio::test]
async fn a_key_is_never_handed_out_as_a_secret() {
    let world = World::new().with_key("scores-kek").await;
    append_policy(
        &world,
        "AP-98",
        "role:scoring_job",
        "data.open",
        "effect = \"allow\"",
    );
    world.edit(|tables| {
        tables + "\n[[Access_Policies]]\nid = \"AP-99\"\nprincipal = \"role:scoring_job\"\naction = \"secret.get\"\n\
                  resource = \"secret:*\"\neffect = \"allow\"\n\
                  [[Secret_References]]\nid = \"sly\"\nvault = \"https://kv-brindlewick-prod.vault.azure.net\"\nname = \"scores-kek\"\n"
    });
    let zt = world.open().await;
    let job = job(&zt).await;
    let why = job.secret("scores-kek").await.unwrap_err();
    assert_eq!(
        why.message(),
        "`scores-kek` is a key: it never leaves the vault"
    );
    // A second row calls the same name a secret.
    assert_eq!(job.secret("sly").await.unwrap_err().code(), Code::NotFound);
    let vault = runtime::local_vault(&world.config()).unwrap();
    let attempt = Attempt::new(AttemptId::from_u128(1), Duration::from_secs(1));
    let kek = world.id_of("scores-kek").await;
    assert!(vault.fetch(&kek, &attempt).await.is_err());
}

#[tokio::test]
async fn an_output_that_is_unknown_or_plain_says_so_to_whom_may_ask() {
    let world = World::new().with_key("scores-kek").await;
    world.edit(|tables| {
        tables.replacen("encryption = \"ER-01\"", "", 1)
            + "\n[[Access_Policies]]\nid = \"AP-99\"\nprincipal = \"role:scoring_job\"\naction = \"data.seal\"\nresource = \"output:*\"\neffect = \"allow\"\n"
    });
    let zt = world.open().await;
    let job = job(&zt).await;
    let why = job.sealer(OUTPUT).await.unwrap_err();
    assert_eq!(why.kind(), ErrorKind::Invalid);
    assert_eq!(
        why.message(),
        "`loan_scores_delta` is stored plain: its row names no encryption rule"
    );
    let why = job.sealer("no_such_output").await.unwrap_err();
    assert_eq!(why.code(), Code::NotFound);
    let maya = sign_in(&zt, "user:maya").await;
    assert!(maya.sealer("no_such_output").await.unwrap_err().is_denied());
    assert_eq!(job.sealer("").await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_changed_batch_is_refused_by_name_of_row_and_column() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let sealed = sealed(&zt).await;
    let ines = sign_in(&zt, "user:ines").await;
    let csv = sealed.to_csv();
    let cell = csv.lines().nth(2).unwrap().split(',').nth(3).unwrap();
    let swapped = csv.replacen(
        cell,
        csv.lines().nth(2).unwrap().split(',').nth(4).unwrap(),
        1,
    );
    let swapped = Batch::from_csv(swapped.as_bytes()).unwrap();
    let opener = ines.opener(OUTPUT, &swapped).await.unwrap();
    let why = opener.unseal(&swapped).unwrap_err();
    assert_eq!(why.code(), Code::SealIntegrity);
    assert!(
        why.message()
            .starts_with("row 2 of column `salary_range` holds the cell of column `"),
        "{why}"
    );

    // The rows of one table do not open through another of the same rule.
    append_policy(
        &world,
        "AP-99",
        "role:risk_officer",
        "data.open",
        "effect = \"allow\"",
    );
    world.edit(|tables| {
        tables.replacen(&format!("id = \"AP-99\"\nprincipal = \"role:risk_officer\"\naction = \"data.open\"\nresource = \"output:{OUTPUT}\""),
            "id = \"AP-99\"\nprincipal = \"role:risk_officer\"\naction = \"data.open\"\nresource = \"output:loan_scores_sql\"", 1)
    });
    zt.reload().await.unwrap();
    let why = ines.opener("loan_scores_sql", &sealed).await.unwrap_err();
    assert_eq!(
        why.message(),
        "row 1 was sealed for table `gold.loan_scores`, the tables say `risk.dbo.loan_scores`"
    );
    let plain = ines.opener(OUTPUT, &scores()).await.unwrap_err();
    assert_eq!(plain.code(), Code::SealIntegrity);
    close(zt).await;
}

#[tokio::test]
async fn a_key_wrapped_elsewhere_is_a_wrong_key() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let sealed = sealed(&zt).await;
    let ines = sign_in(&zt, "user:ines").await;
    // Another key under the same name and version: what a forged vault would answer.
    let other = Arc::new(Forged(MemoryKeys::new()));
    other
        .0
        .create_key(&world.id_of("scores-kek").await)
        .unwrap();
    let forged = RuntimeBuilder::new(world.config())
        .with_keys(other)
        .open()
        .await
        .unwrap();
    let there = sign_in(&forged, "user:ines").await;
    let why = there.opener(OUTPUT, &sealed).await.unwrap_err();
    assert_eq!(why.code(), Code::SealIntegrity);
    assert!(
        why.message()
            .starts_with("the key of row 1 in `_zt_key` is not the one"),
        "{why}"
    );
    assert!(ines.opener(OUTPUT, &sealed).await.is_ok());
}

/// Answers every unwrap with a data key of its own.
#[derive(Debug)]
struct Forged(MemoryKeys);

impl KeyWrapper for Forged {
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        self.0.wrap(key, dek)
    }

    fn unwrap<'a>(
        &'a self,
        _: &'a SecretId,
        _: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        Box::pin(async { Ok(DataKey::copy_of(&[7; 32]).unwrap()) })
    }
}

#[tokio::test]
async fn an_opener_shows_the_columns_that_the_decision_shows() {
    let world = World::new().with_key("scores-kek").await;
    append_policy(
        &world,
        "AP-99",
        "role:analyst",
        "data.open",
        "effect = \"allow\"\ncolumns = [\"id\", \"salary_range\"]\nmasks = { salary_range = \"last_4\" }",
    );
    append_policy(
        &world,
        "AP-98",
        "role:risk_officer",
        "data.open",
        "effect = \"deny\"\ncolumns = [\"Salary_Range\"]",
    );
    let zt = world.open().await;
    let sealed = sealed(&zt).await;
    let elin = sign_in(&zt, "user:elin").await;
    let seen = elin
        .opener(OUTPUT, &sealed)
        .await
        .unwrap()
        .unseal(&sealed)
        .unwrap();
    assert_eq!(
        seen.to_csv(),
        "id,salary_range\n70000,****4711\n70001,\n70002,****\n"
    );
    let ines = sign_in(&zt, "user:ines").await;
    let seen = ines
        .opener(OUTPUT, &sealed)
        .await
        .unwrap()
        .unseal(&sealed)
        .unwrap();
    let names: Vec<_> = seen.names().collect();
    assert_eq!(
        names,
        ["id", "y_pred", "y_pred_proba", "debt_to_income_ratio"]
    );
}

#[tokio::test]
async fn a_right_to_seal_some_columns_does_not_store_the_others_in_plain() {
    let world = World::new().with_key("scores-kek").await;
    append_policy(
        &world,
        "AP-99",
        "role:scoring_job",
        "data.seal",
        "effect = \"deny\"\ncolumns = [\"salary_range\"]",
    );
    let zt = world.open().await;
    let why = job(&zt).await.sealer(OUTPUT).await.unwrap_err();
    assert!(why.is_denied());
    assert!(
        why.message()
            .ends_with("rule `ER-01` seals `salary_range` too, and no right covers it"),
        "{why}"
    );
    // Nothing flushes the log here: like any other deny it is on disk when it is answered.
    let entries = audit::tail(zt.audit_folder(), 1000, |_| true).unwrap();
    let of_seal = of_action(&entries, "data.seal");
    assert_eq!(of_seal.len(), 1);
    assert_eq!(of_seal[0].outcome, "refused", "an allow it was not");
    assert_eq!(of_seal[0].detail["reason"], why.message());
    close(zt).await;
}

#[tokio::test]
async fn a_sealer_refuses_a_batch_whose_column_was_renamed() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let sealer = job(&zt).await.sealer(OUTPUT).await.unwrap();
    let renamed = scores()
        .to_csv()
        .replacen("salary_range", "salary_rnage", 1);
    let why = sealer
        .seal(&Batch::from_csv(renamed.as_bytes()).unwrap())
        .unwrap_err();
    assert_eq!(why.code(), Code::InvalidArgument);
    assert!(
        why.to_string().contains("did you mean `salary_rnage`?"),
        "{why}"
    );
    let sealed = sealer.seal(&scores()).unwrap();
    assert!(sealer.seal(&sealed).is_err());
    assert!(sealed.column(KEY_COLUMN).is_some());
}

/// Keys that answer only when they are released.
#[derive(Debug)]
struct SlowKeys {
    inner: MemoryKeys,
    asked: watch::Sender<u32>,
    held: watch::Sender<bool>,
}

impl SlowKeys {
    async fn wait(&self) {
        self.asked.send_modify(|asked| *asked += 1);
        let mut held = self.held.subscribe();
        assert!(held.wait_for(|held| !held).await.is_ok());
    }
}

impl KeyWrapper for SlowKeys {
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        Box::pin(async move {
            self.wait().await;
            self.inner.wrap(key, dek).await
        })
    }

    fn unwrap<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        Box::pin(async move {
            self.wait().await;
            self.inner.unwrap(key, wrapped).await
        })
    }
}

async fn slow(world: &World) -> (Runtime, Arc<SlowKeys>) {
    let keys = Arc::new(SlowKeys {
        inner: MemoryKeys::new(),
        asked: watch::Sender::new(0),
        held: watch::Sender::new(false),
    });
    keys.inner
        .create_key(&world.id_of("scores-kek").await)
        .unwrap();
    let port: Arc<dyn KeyWrapper> = Arc::<SlowKeys>::clone(&keys);
    let builder = RuntimeBuilder::new(world.config()).with_keys(port);
    (builder.open().await.unwrap(), keys)
}

/// Starts something that waits for the key, changes the tables, and answers what became of it.
async fn overtaken<T: Send + 'static>(
    (zt, keys): (&Runtime, &SlowKeys),
    asks: impl Future<Output = Result<T, Error>> + Send + 'static,
    change: impl FnOnce(),
) -> Result<T, Error> {
    let mut asked = keys.asked.subscribe();
    let before = *asked.borrow_and_update();
    keys.held.send_replace(true);
    let waiting = tokio::spawn(asks);
    asked.wait_for(|asked| *asked > before).await.unwrap();
    change();
    zt.reload().await.unwrap();
    keys.held.send_replace(false);
    waiting.await.unwrap()
}

#[tokio::test]
async fn a_right_withdrawn_while_the_key_is_slow_opens_and_seals_nothing() {
    let world = World::new();
    let (zt, keys) = slow(&world).await;
    let sealed = sealed(&zt).await;
    let ines = sign_in(&zt, "user:ines").await;
    let batch = sealed.clone();
    let opening = async move { ines.opener(OUTPUT, &batch).await };
    let withdraw = || append_policy(&world, "AP-99", "*", "data.open", "effect = \"deny\"");
    let why = overtaken((&zt, &keys), opening, withdraw)
        .await
        .unwrap_err();
    assert!(why.is_denied());

    let worker = job(&zt).await;
    let sealing = async move { worker.sealer(OUTPUT).await };
    let withdraw = || append_policy(&world, "AP-98", "*", "data.seal", "effect = \"deny\"");
    let why = overtaken((&zt, &keys), sealing, withdraw)
        .await
        .unwrap_err();
    assert!(why.is_denied());
    let entries = close(zt).await;
    assert!(entries.iter().all(|entry| entry.kind != "release"));
    assert_eq!(
        entries
            .iter()
            .filter(|entry| entry.kind == "effect")
            .count(),
        1
    );
}

#[tokio::test]
async fn the_keys_of_many_windows_are_asked_for_at_the_same_time() {
    let world = World::new();
    let (zt, keys) = slow(&world).await;
    let mut rows = sealed(&zt).await.to_csv();
    for _ in 0..3 {
        let more = sealed(&zt).await.to_csv();
        rows.push_str(more.split_once('\n').unwrap().1);
    }
    let all = Batch::from_csv(rows.as_bytes()).unwrap();
    let ines = sign_in(&zt, "user:ines").await;
    let mut asked = keys.asked.subscribe();
    let before = *asked.borrow_and_update();
    keys.held.send_replace(true);
    let batch = all.clone();
    let opening = tokio::spawn(async move { ines.opener(OUTPUT, &batch).await });
    // While the vault says nothing to any of them; one after the other would wait for ever.
    let four = asked.wait_for(|asked| *asked == before + 4);
    let four = tokio::time::timeout(Duration::from_secs(60), four).await;
    assert!(four.is_ok_and(|asked| asked.is_ok()));
    keys.held.send_replace(false);
    let plain = opening.await.unwrap().unwrap().unseal(&all).unwrap();
    assert_eq!(plain.rows(), 4 * scores().rows());
    assert!(plain.to_csv().contains(NEEDLE));
    let entries = close(zt).await;
    let release = entries
        .iter()
        .find(|entry| entry.detail.contains_key("keys"));
    assert_eq!(release.unwrap().detail["keys"], "4");
}

#[tokio::test]
async fn a_rule_that_changed_while_the_key_was_slow_holds() {
    let world = World::new();
    let (zt, keys) = slow(&world).await;
    let worker = job(&zt).await;
    let sealing = async move { worker.sealer(OUTPUT).await };
    let more = || {
        world.edit(|tables| {
            tables.replacen(
                "columns = [\"y_pred_proba\", ",
                "columns = [\"id\", \"y_pred_proba\", ",
                1,
            )
        });
    };
    let sealer = overtaken((&zt, &keys), sealing, more).await.unwrap();
    let sealed = sealer.seal(&scores()).unwrap();
    assert!(
        !sealed.to_csv().contains("70000"),
        "the new rule seals `id` as well"
    );
}

#[tokio::test]
async fn a_closed_runtime_seals_and_opens_nothing() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let sealed = sealed(&zt).await;
    let (ines, job) = (sign_in(&zt, "user:ines").await, job(&zt).await);
    zt.close(Duration::from_secs(5)).await.unwrap();
    assert_eq!(job.sealer(OUTPUT).await.unwrap_err().code(), Code::Closed);
    assert_eq!(
        ines.opener(OUTPUT, &sealed).await.unwrap_err().code(),
        Code::Closed
    );
}
