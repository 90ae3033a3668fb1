//! The text and the executor: every change is refused, and time only ever ends a grant.

mod accounts;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;
use crate::adapters::memory::MemoryKeys;
use crate::batch::{Batch, Cells, Column};
use crate::clock::Timestamp;
use crate::error::Code;
use crate::secrets::SecretVersion;
use accounts::sealing;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const SKEW: Duration = Duration::from_secs(60);

fn claims(key: &GrantKey) -> Claims {
    Claims {
        id: "d-00000001-1".to_owned(),
        nonce: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        kind: GrantKind::Executors,
        key: key.public().name(),
        audience: "9f6e1a52-6c6a-4e0b-9a35-2f6f1f6b7a01".to_owned(),
        issuer: "sp:sp-score-201".to_owned(),
        issuer_tenant: "aaaaaaaa-0000-4000-8000-000000000001".to_owned(),
        issuer_object: "c0000000-0000-4000-8000-000000000002".to_owned(),
        subject: "sp:sp-score-201".to_owned(),
        tenant: "aaaaaaaa-0000-4000-8000-000000000001".to_owned(),
        object: "c0000000-0000-4000-8000-000000000002".to_owned(),
        job: 201,
        stage: Some(2),
        from_ms: NOW.as_millis(),
        until_ms: NOW.after(USUAL).as_millis(),
        snapshot: "9f2c".to_owned(),
        rights: vec![
            "table.read table:raw.loan_applications".to_owned(),
            "model.infer model:car_loan_scorer".to_owned(),
        ],
        columns: Some(vec!["id".to_owned(), "salary_range".to_owned()]),
        seals: Vec::new(),
    }
}

fn signed(change: impl FnOnce(&mut Claims)) -> (Grant, GrantKey) {
    let key = GrantKey::generate().unwrap();
    let mut claims = claims(&key);
    change(&mut claims);
    (Grant::sign(&claims, &key).unwrap(), key)
}

fn verify(grant: &Grant, key: &GrantKey, now: Timestamp) -> Result<(), GrantError> {
    grant.verify(&[key.public()], now, SKEW)
}

#[test]
fn a_grant_reads_back_and_holds_at_its_time_alone() {
    let (grant, key) = signed(|_| ());
    assert_eq!(Grant::parse(grant.as_str()).unwrap(), grant);
    verify(&grant, &key, NOW).unwrap();
    let end = NOW.after(USUAL);
    let last = Timestamp::from_millis(end.as_millis() - 1);
    verify(&grant, &key, last).unwrap();
    let over = verify(&grant, &key, end).unwrap_err();
    assert_eq!(over, GrantError::Expired { until: end });
    let early = Timestamp::from_millis(NOW.as_millis() - 60_000);
    verify(&grant, &key, early).unwrap();
    let early = Timestamp::from_millis(NOW.as_millis() - 60_001);
    let why = verify(&grant, &key, early).unwrap_err();
    assert_eq!(why, GrantError::NotYetValid { from: NOW });
}

#[test]
fn no_changed_byte_of_the_text_passes() {
    let (grant, key) = signed(|_| ());
    let passes = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).ok();
        let read = text.and_then(|text| Grant::parse(&text).ok());
        read.is_some_and(|read| verify(&read, &key, NOW).is_ok())
    };
    let text = grant.as_str().as_bytes();
    assert!(passes(text.to_vec()));
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.to_vec();
            changed[at] ^= 1 << bit;
            assert!(!passes(changed), "byte {at}, bit {bit}");
        }
        assert!(!passes(text[..at].to_vec()), "cut at {at}");
        let more = [&text[..at], b"A", &text[at..]].concat();
        assert!(!passes(more), "more at {at}");
    }
    assert!(!passes([text, b"\n"].concat()));
    assert!(!passes([text, b"="].concat()));
}

#[test]
fn claims_of_one_grant_under_the_signature_of_another_are_forged() {
    let key = GrantKey::generate().unwrap();
    let (mut wide, narrow) = (claims(&key), claims(&key));
    wide.rights
        .push("table.write table:gold.loan_scores".to_owned());
    let parts = |claims| {
        let text = Grant::sign(&claims, &key).unwrap().as_str().to_owned();
        let (signed, signature) = text.rsplit_once('.').unwrap();
        (signed.to_owned(), signature.to_owned())
    };
    let ((wide, _), (_, narrow)) = (parts(wide), parts(narrow));
    let swapped = Grant::parse(&format!("{wide}.{narrow}")).unwrap();
    assert_eq!(verify(&swapped, &key, NOW), Err(GrantError::Forged));
}

#[test]
fn a_key_that_nobody_trusts_proves_nothing() {
    let (grant, key) = signed(|_| ());
    let other = GrantKey::generate().unwrap();
    let why = grant.verify(&[other.public()], NOW, SKEW).unwrap_err();
    assert!(matches!(why, GrantError::UnknownKey { .. }), "{why}");
    assert!(grant.verify(&[], NOW, SKEW).is_err());
    // The name of a trusted key over another's signature.
    let mut forged = claims(&key);
    forged.key = other.public().name();
    let forged = Grant::sign(&forged, &key).unwrap();
    let why = forged.verify(&[other.public(), key.public()], NOW, SKEW);
    assert_eq!(why, Err(GrantError::Forged));
    let both = grant.verify(&[other.public(), key.public()], NOW, SKEW);
    assert_eq!(both, Ok(()));
}

fn text_of(json: &str) -> String {
    let signature = URL_SAFE_NO_PAD.encode([7; 64]);
    format!("ztg1.{}.{signature}", URL_SAFE_NO_PAD.encode(json))
}

#[test]
fn only_the_one_spelling_is_read() {
    let (grant, key) = signed(|_| ());
    let json = serde_json::to_string(&claims(&key)).unwrap();
    assert!(Grant::parse(&text_of(&json)).is_ok());
    let unknown = json.replacen('{', "{\"admin\":true,", 1);
    let twice = json.replacen('{', "{\"job\":202,", 1);
    let spaced = json.replacen(':', ": ", 1);
    let moved = json.replacen("\"job\":201,\"stage\":2", "\"stage\":2,\"job\":201", 1);
    let escaped = json.replacen("sp:sp", "sp\\u003asp", 1);
    let missing = json.replacen("\"snapshot\":\"9f2c\",", "", 1);
    let float = json.replacen("\"job\":201", "\"job\":201.0", 1);
    let action = json.replacen("table.read", "table.reap", 1);
    let capitals = json.replacen("table:raw", "table:Raw", 1);
    let nameless = json.replacen(&key.public().name(), "zt\u{202e}", 1);
    for wrong in [
        unknown, twice, spaced, moved, escaped, missing, float, action, capitals, nameless,
    ] {
        assert!(wrong != json);
        let why = Grant::parse(&text_of(&wrong)).unwrap_err();
        assert!(matches!(why, GrantError::Malformed(_)), "{wrong}");
    }
    let text = grant.as_str();
    let later = text.replacen("ztg1", "ztg2", 1);
    for wrong in [
        "",
        ".",
        "ztg1",
        "ztg1.",
        "ztg1..",
        "ztg1.e30.",
        &later,
        &text.repeat(30),
    ] {
        assert!(Grant::parse(wrong).is_err(), "{wrong:.40}");
    }
    assert!(Grant::parse(&"a".repeat(1 << 20)).is_err());
}

#[test]
fn a_grant_of_more_than_an_hour_counts_nothing_whoever_signs_it() {
    let hour = NOW.after(LONGEST).as_millis();
    let (grant, key) = signed(|claims| claims.until_ms = hour);
    verify(&grant, &key, NOW).unwrap();
    for until in [hour + 1, i64::MAX, NOW.as_millis(), i64::MIN] {
        let (grant, key) = signed(|claims| claims.until_ms = until);
        let why = verify(&grant, &key, NOW).unwrap_err();
        assert!(matches!(why, GrantError::Malformed(_)), "{until}");
    }
}

#[test]
fn a_grant_for_a_stage_carries_no_right_and_one_for_executors_some() {
    let key = GrantKey::generate().unwrap();
    let mut stage = claims(&key);
    stage.kind = GrantKind::Stage;
    assert!(Grant::sign(&stage, &key).is_err());
    (stage.rights, stage.columns) = (Vec::new(), None);
    assert!(Grant::sign(&stage, &key).is_ok());
    let mut executors = claims(&key);
    executors.rights.clear();
    assert!(Grant::sign(&executors, &key).is_err());
    let mut crowd = claims(&key);
    crowd.rights = vec!["model.infer model:car_loan_scorer".to_owned(); 65];
    assert!(Grant::sign(&crowd, &key).is_err());
}

#[test]
fn neither_debug_nor_an_error_shows_what_a_grant_is_signed_with() {
    let (grant, key) = signed(|_| ());
    let signature = grant.as_str().rsplit_once('.').unwrap().1.to_owned();
    let shown = format!("{grant:?} {key:?}");
    assert!(shown.contains("model.infer model:car_loan_scorer") && shown.contains("job 201"));
    assert!(!shown.contains(&signature));
    let why = Grant::parse(&grant.as_str().replacen("ztg1", "ztg9", 1)).unwrap_err();
    assert!(!crate::Error::from(why).to_string().contains(&signature));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_is_signed_reads_back(
        (id, issuer, subject, snapshot) in (".{0,40}", ".{0,40}", ".{0,40}", ".{0,40}"),
        (job, stage) in (any::<u32>(), any::<Option<u32>>()),
        columns in prop::option::of(prop::collection::vec(".{0,20}", 0..8)),
        (from, lasts) in (-4_000_000_000_000_i64..4_000_000_000_000, 1..3_600_000_i64),
    ) {
        let key = GrantKey::of_seed(&[7; 32]).unwrap();
        let own = Claims {
            id, issuer, subject, snapshot, job, stage, columns,
            from_ms: from, until_ms: from + lasts,
            ..claims(&key)
        };
        let grant = Grant::sign(&own, &key).unwrap();
        let read = Grant::parse(grant.as_str()).unwrap();
        prop_assert_eq!(read.claims(), &own);
        prop_assert_eq!(verify(&read, &key, Timestamp::from_millis(from)), Ok(()));
    }

    #[test]
    fn no_text_makes_the_parser_stumble(text in ".{0,300}") {
        prop_assert!(Grant::parse(&text).is_err());
        let versioned = format!("ztg1.{text}");
        prop_assert!(Grant::parse(&versioned).is_err());
        prop_assert!(Grant::parse(&text_of(&text)).is_err());
    }
}

fn executor(clock: &Arc<crate::testing::ManualClock>) -> Executor {
    let (grant, key) = signed(|_| ());
    let clock: Arc<dyn crate::clock::Clock> = Arc::<crate::testing::ManualClock>::clone(clock);
    Executor::open_with(&grant, &[key.public()], clock).unwrap()
}

fn manual() -> Arc<crate::testing::ManualClock> {
    Arc::new(crate::testing::ManualClock::new(NOW))
}

#[test]
fn an_executor_answers_from_the_scope_alone() {
    let executor = executor(&manual());
    executor
        .require("table.read", "table:raw.loan_applications")
        .unwrap();
    executor
        .require("table.read", "table:RAW.Loan_Applications")
        .unwrap();
    for (action, resource) in [
        ("table.read", "table:gold.loan_scores"),
        ("table.write", "table:raw.loan_applications"),
        ("table.read", "table:raw.loan_applications_2"),
        ("secret.get", "secret:bureau-api-key"),
        ("data.open", "output:loan_scores_delta"),
        ("data.seal", "output:loan_scores_delta"),
    ] {
        let why = executor.require(action, resource).unwrap_err();
        assert_eq!(why.code(), Code::OutOfGrant, "{action} {resource}");
        assert!(
            why.message()
                .contains("`model.infer model:car_loan_scorer`")
        );
    }
    let why = executor.require("table.read", "table:raw.*").unwrap_err();
    assert_eq!(why.code(), Code::InvalidArgument);
    executor.require_columns(&["ID", "salary_range"]).unwrap();
    let why = executor.require_columns(&["id", "iban"]).unwrap_err();
    assert_eq!(why.code(), Code::OutOfGrant);
    assert!(executor.sealer("loan_scores_delta").is_err());
}

#[test]
fn no_jump_of_the_clock_revives_or_lengthens_an_executor() {
    let clock = manual();
    let executor = executor(&clock);
    let infer = || executor.require("model.infer", "model:car_loan_scorer");
    infer().unwrap();
    clock.jump_to(NOW.after(USUAL));
    assert_eq!(infer().unwrap_err().code(), Code::GrantExpired);
    clock.jump_to(NOW);
    infer().unwrap();
    // Set back for ever: the tick goes on.
    clock.advance(USUAL);
    clock.jump_to(Timestamp::from_millis(NOW.as_millis() - 86_400_000));
    assert_eq!(infer().unwrap_err().code(), Code::GrantExpired);
    assert!(executor.require_columns(&["id"]).is_err());
    assert_eq!(
        executor.require_valid().unwrap_err().code(),
        Code::GrantExpired
    );
}

#[test]
fn an_executor_takes_no_grant_for_a_stage() {
    let (grant, key) = signed(|claims| {
        claims.kind = GrantKind::Stage;
        (claims.rights, claims.columns) = (Vec::new(), None);
    });
    let clock: Arc<dyn crate::clock::Clock> = manual();
    let why = Executor::open_with(&grant, &[key.public()], clock).unwrap_err();
    assert_eq!(why.code(), Code::InvalidGrant);
}

#[test]
fn a_statement_tells_of_everything_and_no_change_of_it_passes() {
    let executor = sealing(&manual());
    for _ in 0..3 {
        executor
            .require("model.infer", "model:car_loan_scorer")
            .unwrap();
    }
    drop(executor.require("table.read", "table:gold.loan_scores"));
    executor.sealed("loan_scores_delta", 500).unwrap();
    let statement = executor.statement().unwrap();
    assert_eq!(statement.acts(), 3);
    let text = statement.to_string();
    let read = text.parse::<crate::audit::Statement>().unwrap();
    assert_eq!(read, statement);
    let records: Vec<String> = read
        .records(NOW)
        .map(|record| format!("{record:?}"))
        .collect();
    assert!(records[0].contains(r#""times":"3""#), "{records:?}");
    assert!(records[1].contains(r#""outcome":"refused""#), "{records:?}");
    assert!(records[2].contains(r#""rows":"500""#), "{records:?}");
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] ^= 1;
        let changed = String::from_utf8(changed).ok();
        let read = changed.and_then(|text| text.parse::<crate::audit::Statement>().ok());
        assert!(read.is_none(), "byte {at}");
        let cut = text.get(..at).unwrap_or_default();
        assert!(
            cut.parse::<crate::audit::Statement>().is_err(),
            "cut at {at}"
        );
    }
    let lines: Vec<&str> = text.lines().collect();
    let moved = [lines[0], lines[2], lines[1], lines[3], lines[4]].join("\n") + "\n";
    assert!(moved.parse::<crate::audit::Statement>().is_err());
}

#[test]
fn an_executor_seals_what_the_key_alone_opens_with_a_data_key_of_its_own_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let key = crate::adapters::file::VaultKey::key_file(folder.path().join("key"));
    let vault = crate::adapters::file::LocalVault::open(folder.path().join("vault"), key).unwrap();
    let id = "https://kv.vault.azure.net".parse().unwrap();
    let id = crate::secrets::SecretId::new(id, "kek".parse().unwrap());
    vault.create_rsa_key(&id).unwrap();
    let half = crate::envelope::KeyWrapper::public_half(&vault, &id);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let half = runtime.block_on(half).unwrap().unwrap();
    let (grant, key) = signed(|claims| {
        claims.rights.push("data.seal output:scores".to_owned());
        claims.seals.push(Seal {
            output: "scores".to_owned(),
            rule: "ER-01".to_owned(),
            table: "gold.scores".to_owned(),
            reference: "scores-kek".to_owned(),
            columns: vec!["p".to_owned()],
            row_key: Vec::new(),
            version: half.version.to_string(),
            public_key: URL_SAFE_NO_PAD.encode(&half.spki),
        });
    });
    let clock: Arc<dyn crate::clock::Clock> = manual();
    let executor = Executor::open_with(&grant, &[key.public()], clock).unwrap();
    let batch = Batch::new(vec![Column::new("p", Cells::Integer(vec![Some(7)]))]).unwrap();
    let mut keys = HashSet::new();
    for _ in 0..8 {
        let sealed = executor.sealer("scores").unwrap().seal(&batch).unwrap();
        let Cells::Text(texts) = sealed.column("_zt_key").unwrap().cells() else {
            panic!("a key is a text");
        };
        let text = texts[0].clone().unwrap();
        assert!(keys.insert(text), "a data key came twice");
    }
}

/// An AES key has no half to give away.
#[test]
fn a_key_of_aes_has_no_public_half() {
    let keys = MemoryKeys::new();
    let id = "https://kv.vault.azure.net".parse().unwrap();
    let id = crate::secrets::SecretId::new(id, "kek".parse().unwrap());
    keys.create_key(&id).unwrap();
    let half = crate::envelope::KeyWrapper::public_half(&keys, &id);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(half).unwrap(), None);
    let why = no_public_half("scores-kek");
    assert!(
        why.help()
            .unwrap()
            .contains("zt vault create-key scores-kek --rsa")
    );
    let version = SecretVersion::from_u128(1).to_string();
    assert_eq!(version.parse(), Ok(SecretVersion::from_u128(1)));
}
