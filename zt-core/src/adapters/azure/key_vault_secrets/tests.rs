//! The adapter against a Key Vault that remembers what it was asked.

mod own_identity;

use std::error::Error as _;
use std::task::Poll;
use std::time::Duration;

use azure_core::http::{HttpClient as _, Method, Request};
use proptest::prelude::*;

use super::*;
use crate::adapters::azure::GuardedTransport;
use crate::adapters::azure::key_vault::fake::{
    self, CHALLENGE, Next, World, header, json_answer, parts, refused,
};
use crate::adapters::azure::key_vault::{MOST_BYTES, MOST_VAULTS};
use crate::adapters::azure::transport::own_error;
use crate::clock::Timestamp;
use crate::identity::CredentialError;
use crate::network::{HttpError, HttpResponse};
use crate::secrets::{AttemptId, SecretBytes, SecretVersion, Validity};
use crate::testing::vault_contract;

const ATTEMPT: Attempt = Attempt::new(
    AttemptId::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
    Duration::from_secs(2),
);
const VAULT: &str = "https://kv-loans.vault.azure.net";

fn id(name: &str) -> SecretId {
    SecretId::new(VAULT.parse().unwrap(), name.parse().unwrap())
}

async fn failure(world: &World) -> VaultError {
    let error = world.vault.fetch(&id("sql"), &ATTEMPT).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("needle"), "{error:?}");
    // The SDK's errors print bodies, and with RUST_BACKTRACE pages of addresses.
    assert!(error.source().is_none(), "{error:?}");
    error
}

/// What a known vault answers to a call with a token.
async fn answered(answer: HttpResponse) -> VaultError {
    let world = World::new();
    world.azure.then(Next::Answer(answer));
    failure(&world).await
}

/// All of them at once, on this task.
async fn join_all<F: Future>(all: Vec<F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        for (future, done) in all.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        match all.iter().all(|(_, done)| done.is_some()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    all.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test]
async fn key_vault_keeps_the_contract_of_vaults() {
    vault_contract::run(&World::new()).await;
}

#[tokio::test]
async fn a_secret_comes_with_what_the_audit_record_says_of_it() {
    let world = World::new();
    let id = id("sql-password");
    let version = world.text(&id, "zt-needle-value");
    let fetched = world.vault.fetch(&id, &ATTEMPT).await.unwrap();
    assert!(fetched.value.reveal() == b"zt-needle-value");
    assert_eq!(fetched.version, version);
    assert_eq!(fetched.path_proof, "private_link");
    let expected = [
        ("client_request_id", "01234567-89ab-cdef-0123-456789abcdef"),
        ("request_id", "request-17"),
        ("peer", "10.20.4.4:443"),
        ("private_endpoint", "/sub/pe-loans"),
        ("rbac_assignment", "assignment-3"),
        ("region", "westeurope"),
    ];
    let details: Vec<_> = fetched
        .details
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    assert_eq!(details, expected);
    assert!(!format!("{fetched:?} {:?}", world.vault).contains("needle"));
}

#[tokio::test]
async fn both_requests_of_a_first_call_carry_the_id_of_the_attempt() {
    let world = World::new();
    let id = id("sql");
    let version = world.text(&id, "zt-needle-value");
    world
        .vault
        .fetch(&id.clone().at(version), &ATTEMPT)
        .await
        .unwrap();
    let asked = world.azure.asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    for request in asked.iter() {
        let sent = header(request, "x-ms-client-request-id");
        assert_eq!(sent, Some(ATTEMPT.id.to_string()));
        assert_eq!(
            request.url,
            format!("{VAULT}/secrets/sql/{version}?api-version=2025-07-01")
        );
        assert_eq!(request.deadline, ATTEMPT.deadline);
        assert_eq!(request.most_bytes, MOST_BYTES);
        assert!(request.body.is_empty());
    }
    assert_eq!(
        *world.tokens.scopes.lock().unwrap(),
        ["https://vault.azure.net/.default"]
    );
}

#[tokio::test]
async fn an_emulator_is_spoken_to_in_its_version() {
    let world = World::with(|vault| vault.with_api_version("7.4&x"));
    world.text(&id("sql"), "zt-needle-value");
    world.vault.fetch(&id("sql"), &ATTEMPT).await.unwrap();
    let asked = world.azure.asked.lock().unwrap();
    assert!(
        asked[0].url.ends_with("?api-version=7.4%26x"),
        "{}",
        asked[0].url
    );
}

#[tokio::test]
async fn every_status_has_its_error() {
    let denied = |code: &str| VaultError::denied(&id("sql"), code);
    let firewall = |code: &str| VaultError::firewall(VAULT, code);
    for (inner, expected) in [
        (Some("ForbiddenByRbac"), denied("ForbiddenByRbac")),
        (Some("ForbiddenByPolicy"), denied("ForbiddenByPolicy")),
        (Some("AccessDenied"), denied("AccessDenied")),
        (Some("SomethingNew"), denied("SomethingNew")),
        (Some("two needle words"), denied("Forbidden")),
        (None, denied("Forbidden")),
        (Some("ForbiddenByFirewall"), firewall("ForbiddenByFirewall")),
        (
            Some("ForbiddenByConnection"),
            firewall("ForbiddenByConnection"),
        ),
        (Some("SecretDisabled"), VaultError::disabled(&id("sql"))),
    ] {
        let error = answered(refused(403, "Forbidden", inner)).await;
        assert_eq!(format!("{error:?}"), format!("{expected:?}"));
    }
    let long = format!(
        r#"{{"error":{{"code":"Forbidden","message":"{}"}}}}"#,
        "n".repeat(20_000)
    );
    for body in ["", "<html>needle", "[]", r#"{"error":{"code":7}}"#, &long] {
        let error = answered(json_answer(403, body)).await;
        assert_eq!(
            format!("{error:?}"),
            format!("{:?}", denied("403")),
            "{}",
            body.len()
        );
    }
    let error = answered(refused(404, "SecretNotFound", None)).await;
    assert!(matches!(error, VaultError::NotFound { .. }), "{error:?}");
    for status in [400, 402, 405, 409, 413, 431, 499] {
        let error = answered(refused(status, "BadParameter", None)).await;
        assert!(matches!(error, VaultError::Invalid { .. }), "{error:?}");
        assert!(
            error
                .to_string()
                .ends_with(&format!("status {status} (BadParameter)")),
            "{error}"
        );
    }
    for status in [408, 500, 502, 503, 504, 599] {
        let error = answered(json_answer(status, "needle")).await;
        assert!(
            matches!(error, VaultError::Unavailable { retry_in: None, .. }),
            "{error:?}"
        );
    }
    for status in [199, 201, 204, 206, 301, 302, 307, 600, 999] {
        let error = answered(json_answer(status, "needle")).await;
        assert!(
            matches!(error, VaultError::Integrity { .. }),
            "{status}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_pause_is_read_from_any_of_three_headers_and_bounded() {
    let seconds = |secs| Some(Duration::from_secs(secs));
    type Headers = &'static [(&'static str, &'static str)];
    let cases: [(Headers, Option<Duration>); 8] = [
        (&[], None),
        (&[("retry-after", "7")], seconds(7)),
        (&[("retry-after", "86400")], seconds(300)),
        (&[("retry-after", "needle")], None),
        (
            &[("retry-after-ms", "1500"), ("retry-after", "7")],
            Some(Duration::from_millis(1500)),
        ),
        (
            &[("x-ms-retry-after-ms", "20"), ("retry-after-ms", "1500")],
            Some(Duration::from_millis(20)),
        ),
        (
            &[("x-ms-retry-after-ms", "-20"), ("retry-after", "7")],
            seconds(7),
        ),
        (
            &[("x-ms-retry-after-ms", "18446744073709551615")],
            seconds(300),
        ),
    ];
    for (headers, expected) in cases {
        for status in [429, 503] {
            let answer = json_answer(status, "{}");
            let answer = headers.iter().fold(answer, |answer, (name, value)| {
                answer.with_header(name, *value)
            });
            let (VaultError::Throttled { retry_in } | VaultError::Unavailable { retry_in, .. }) =
                answered(answer).await
            else {
                panic!("{headers:?} is another error");
            };
            assert_eq!(retry_in, expected, "{headers:?}");
        }
    }
    assert!(matches!(
        answered(json_answer(429, "")).await,
        VaultError::Throttled { .. }
    ));
}

#[tokio::test]
async fn what_fails_below_http_has_its_error() {
    let host = || "kv-loans.vault.azure.net".to_owned();
    let reason = || "no row".to_owned();
    let deadline = Duration::from_secs(1);
    type Fits = fn(&VaultError) -> bool;
    let unavailable: Fits = |error| matches!(error, VaultError::Unavailable { retry_in: None, .. });
    let cases: [(HttpError, Fits); 8] = [
        (
            HttpError::Refused {
                host: host(),
                reason: reason(),
            },
            |e| matches!(e, VaultError::NetworkRefused { .. }),
        ),
        (
            HttpError::Tls {
                host: host(),
                reason: reason(),
            },
            |e| matches!(e, VaultError::Tls { .. }),
        ),
        (HttpError::Resolve { host: host() }, unavailable),
        (HttpError::Connect { host: host() }, unavailable),
        (
            HttpError::Timeout {
                host: host(),
                deadline,
            },
            unavailable,
        ),
        (HttpError::Broken { host: host() }, unavailable),
        (
            HttpError::TooLong {
                host: host(),
                most_bytes: 1,
            },
            |e| matches!(e, VaultError::Integrity { .. }),
        ),
        (HttpError::Malformed { reason: reason() }, |e| {
            matches!(e, VaultError::Invalid { .. })
        }),
    ];
    for (failed, fits) in cases {
        for with_token in [false, true] {
            let world = World::new();
            let next = Next::Fail(failed.clone());
            match with_token {
                false => world.azure.then_unasked(next),
                true => world.azure.then(next),
            }
            let error = failure(&world).await;
            assert!(fits(&error), "{failed:?} gave {error:?}");
            let counts = world.azure.counts();
            assert_eq!(counts, [1, usize::from(with_token)], "one attempt");
        }
    }
}

fn bundle(value: &str, id: &str, attributes: &str) -> String {
    format!(r#"{{"value":{value},"id":"{id}","attributes":{attributes}}}"#)
}

const OWN: &str = "https://kv-loans.vault.azure.net/secrets/sql/0000000000000000000000000000abc0";
const ENABLED: &str = r#"{"enabled":true}"#;

#[tokio::test]
async fn an_answer_that_is_not_to_what_was_asked_is_refused() {
    let value = r#""zt-needle-value""#;
    let ids = [
        "",
        "https://kv-loans.vault.azure.net/secrets/sql",
        "https://kv-loans.vault.azure.net/secrets/sql/",
        "https://kv-loans.vault.azure.net/secrets/sql/abc",
        "https://kv-loans.vault.azure.net/secrets/sql/0000000000000000000000000000ABC0",
        "https://kv-loans.vault.azure.net/secrets/sql-other/0000000000000000000000000000abc0",
        "https://kv-loans.vault.azure.net/secrets/x/../sql/0000000000000000000000000000abc0",
        "https://kv-loans.vault.azure.net/keys/sql/0000000000000000000000000000abc0",
        "https://kv-other.vault.azure.net/secrets/sql/0000000000000000000000000000abc0",
        "http://kv-loans.vault.azure.net/secrets/sql/0000000000000000000000000000abc0",
        "https://kv-loans.vault.azure.net:444/secrets/sql/0000000000000000000000000000abc0",
        "https://kv-loans.vault.azure.net/secrets/sql/0000000000000000000000000000abc0?needle",
    ];
    for given in ids {
        let error = answered(json_answer(200, &bundle(value, given, ENABLED))).await;
        assert!(
            matches!(error, VaultError::Integrity { .. }),
            "{given}: {error:?}"
        );
    }
    let world = World::new();
    world
        .azure
        .then(Next::Answer(json_answer(200, &bundle(value, OWN, ENABLED))));
    let pinned = id("sql").at(SecretVersion::from_u128(7));
    let error = world.vault.fetch(&pinned, &ATTEMPT).await.unwrap_err();
    assert!(matches!(error, VaultError::Integrity { .. }), "{error:?}");

    let world = World::new();
    let shouted = OWN.replace("/sql/", "/SQL/");
    world.azure.then(Next::Answer(json_answer(
        200,
        &bundle(value, &shouted, ENABLED),
    )));
    let fetched = world.vault.fetch(&id("Sql"), &ATTEMPT).await.unwrap();
    assert_eq!(fetched.version, SecretVersion::from_u128(0xabc0));
}

#[tokio::test]
async fn an_answer_that_is_not_a_secret_is_refused_and_not_repeated() {
    let value = r#""zt-needle-value""#;
    let long = format!("\"{}\"", "n".repeat(25_601));
    let cut = bundle(value, OWN, ENABLED).replace("}}", "}");
    let bodies = [
        String::new(),
        "<html>needle</html>".to_owned(),
        "\"zt-needle\"".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        cut,
        format!("{} needle", bundle(value, OWN, ENABLED)),
        bundle("null", OWN, ENABLED),
        bundle("17", OWN, ENABLED),
        bundle(r#"{"zt-needle":1}"#, OWN, ENABLED),
        bundle(r#"["zt-needle"]"#, OWN, ENABLED),
        bundle(r#""zt-needle-\ud800""#, OWN, ENABLED),
        bundle(&long, OWN, ENABLED),
        bundle(value, OWN, "null"),
        bundle(value, OWN, "{}"),
        bundle(value, OWN, r#"{"enabled":"zt-needle"}"#),
        bundle(value, OWN, r#"{"enabled":true,"enabled":true}"#),
        bundle(value, OWN, ENABLED).replace("{\"value\"", "{\"value\":\"x\",\"value\""),
        format!(r#"{{"id":"{OWN}","attributes":{ENABLED}}}"#),
        format!(r#"{{"value":{value},"attributes":{ENABLED}}}"#),
        format!(r#"{{"value":{value},"id":"{OWN}"}}"#),
    ];
    for body in bodies {
        let error = answered(json_answer(200, &body)).await;
        assert!(matches!(error, VaultError::Integrity { .. }), "{error:?}");
    }
    let good = bundle(value, OWN, ENABLED).into_bytes();
    let mut invalid = good.clone();
    invalid[12] = 0xff;
    let invalid = HttpResponse::new(200, invalid).with_header("content-type", "application/json");
    for answer in [
        invalid,
        HttpResponse::new(200, good.clone()),
        HttpResponse::new(200, good.clone()).with_header("content-type", "text/html"),
        HttpResponse::new(200, good).with_header("content-type", "application/jsonx"),
    ] {
        let error = answered(answer).await;
        assert!(matches!(error, VaultError::Integrity { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn dates_outside_of_the_calendar_are_refused_and_never_panic() {
    for date in [
        "-1",
        "253402300800",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "1e300",
        "1.5",
        "\"1\"",
        "true",
        "{}",
    ] {
        for name in ["nbf", "exp"] {
            let attributes = format!(r#"{{"enabled":true,"{name}":{date}}}"#);
            let error = answered(json_answer(200, &bundle("\"x\"", OWN, &attributes))).await;
            assert!(
                matches!(error, VaultError::Integrity { .. }),
                "{name} {date}: {error:?}"
            );
        }
    }
    let world = World::new();
    let attributes = r#"{"enabled":false,"nbf":0,"exp":253402300799}"#;
    world.azure.then(Next::Answer(json_answer(
        200,
        &bundle("\"x\"", OWN, attributes),
    )));
    let fetched = world.vault.fetch(&id("sql"), &ATTEMPT).await.unwrap();
    let expected = Validity::ALWAYS
        .disabled()
        .starting(Timestamp::from_secs(0))
        .ending(Timestamp::from_secs(253_402_300_799));
    assert_eq!(fetched.validity, expected, "the slots decide");
}

#[tokio::test]
async fn keys_certificates_and_long_values_are_ordinary_values() {
    let world = World::new();
    let key = "-----BEGIN PRIVATE KEY-----\nzt-needle\t\"\\/\u{8}\u{c}\r\u{1f511}\n";
    let exact = "n".repeat(25_600);
    for (name, value) in [("pem", key), ("exact", exact.as_str())] {
        world.text(&id(name), value);
        let fetched = world.vault.fetch(&id(name), &ATTEMPT).await.unwrap();
        assert!(fetched.value.reveal() == value.as_bytes(), "{name}");
    }
    let body = bundle("\"zt-needle-pfx\"", OWN, ENABLED);
    let body = body.replacen(
        '{',
        r#"{"kid":"https://kv/keys/sql/1","managed":true,"contentType":"application/x-pkcs12","#,
        1,
    );
    world.azure.then(Next::Answer(json_answer(200, &body)));
    let fetched = world.vault.fetch(&id("sql"), &ATTEMPT).await.unwrap();
    assert!(fetched.value.reveal() == b"zt-needle-pfx");
}

#[tokio::test]
async fn details_are_words_or_left_out() {
    let world = World::new();
    let answer = HttpResponse::new(200, bundle("\"x\"", OWN, ENABLED))
        .with_header("content-type", "application/json")
        .with_header("x-ms-request-id", "two words")
        .with_header("x-ms-keyvault-region", "r".repeat(513));
    world.azure.then(Next::Answer(answer));
    let fetched = world.vault.fetch(&id("sql"), &ATTEMPT).await.unwrap();
    let names: Vec<_> = fetched.details.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["client_request_id", "peer", "private_endpoint"]);
}

#[tokio::test]
async fn any_number_of_cold_calls_ask_for_one_challenge_and_one_token() {
    let world = World::new();
    world.text(&id("sql"), "zt-needle-value");
    let sql = id("sql");
    let calls = (0..32).map(|_| world.vault.fetch(&sql, &ATTEMPT)).collect();
    for fetched in join_all(calls).await {
        assert!(fetched.unwrap().value.reveal() == b"zt-needle-value");
    }
    assert_eq!(world.azure.counts(), [1, 32]);
    assert_eq!(world.given(), 1);
    // A refusal of one secret is an answer to a known caller as well.
    let world = World::new();
    let calls = (0..32).map(|_| world.vault.fetch(&sql, &ATTEMPT)).collect();
    for fetched in join_all(calls).await {
        assert!(matches!(fetched, Err(VaultError::NotFound { .. })));
    }
    assert_eq!(world.azure.counts(), [1, 32]);
}

#[tokio::test]
async fn a_failed_first_call_lets_the_next_one_try() {
    let world = World::new();
    world.text(&id("sql"), "zt-needle-value");
    world.azure.then_unasked(Next::Answer(json_answer(503, "")));
    world.azure.then_unasked(Next::Fail(HttpError::Connect {
        host: "kv".to_owned(),
    }));
    world.tokens.next.lock().unwrap().push_back(no_token());
    let sql = id("sql");
    let calls = (0..8).map(|_| world.vault.fetch(&sql, &ATTEMPT)).collect();
    let outcomes = join_all(calls).await;
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert_eq!(failed, 3);
    assert_eq!(
        world.azure.counts(),
        [3, 5],
        "one after the other until one was let in"
    );
    assert_eq!(world.given(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_first_call_waits_within_their_own_deadline() {
    let world = World::new();
    world.text(&id("sql"), "zt-needle-value");
    world.azure.then_unasked(Next::Hang);
    let sql = id("sql");
    let brief = Attempt::new(ATTEMPT.id, Duration::from_millis(100));
    let long = Attempt::new(ATTEMPT.id, Duration::from_secs(5));
    let calls = vec![
        world.vault.fetch(&sql, &ATTEMPT),
        world.vault.fetch(&sql, &brief),
        world.vault.fetch(&sql, &long),
    ];
    let outcomes = join_all(calls).await;
    for (outcome, within) in outcomes.iter().zip(["2 s", "0.1 s"]) {
        let error = outcome.as_ref().unwrap_err();
        assert!(matches!(error, VaultError::Unavailable { .. }), "{error:?}");
        assert!(
            error
                .to_string()
                .ends_with(&format!("did not answer within {within}")),
            "{error}"
        );
    }
    assert!(outcomes[2].is_ok(), "the turn of who gave up is free");
    assert_eq!(world.azure.counts(), [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_token_and_answer_and_a_call_given_up_harms_nobody() {
    let world = World::new();
    world.text(&id("sql"), "zt-needle-value");
    world.azure.then(Next::Hang);
    let error = failure(&world).await;
    assert!(matches!(error, VaultError::Unavailable { .. }), "{error:?}");
    let sql = id("sql");
    world.azure.held.send_replace(true);
    for _ in 0..20 {
        let given_up =
            tokio::time::timeout(Duration::from_millis(1), world.vault.fetch(&sql, &ATTEMPT));
        assert!(given_up.await.is_err());
    }
    world.azure.held.send_replace(false);
    let fetched = world.vault.fetch(&sql, &ATTEMPT).await.unwrap();
    assert!(fetched.value.reveal() == b"zt-needle-value");
}

#[tokio::test]
async fn a_refused_token_is_forgotten_once_a_minute_and_never_shown_again() {
    let world = World::new();
    let sql = id("sql");
    world.text(&sql, "zt-needle-value");
    world.vault.fetch(&sql, &ATTEMPT).await.unwrap();
    let revoke = |number: usize| {
        let token = format!("zt-needle-token-{number}");
        world.azure.revoked.lock().unwrap().push(token);
    };
    revoke(0);
    let calls = (0..8).map(|_| world.vault.fetch(&sql, &ATTEMPT)).collect();
    for outcome in join_all(calls).await {
        assert!(matches!(outcome, Err(VaultError::Unauthenticated { .. })));
    }
    assert_eq!(world.forgotten(), 1, "eight calls showed the same token");
    assert_eq!(world.azure.counts(), [1, 9], "no call was repeated inside");
    world.vault.fetch(&sql, &ATTEMPT).await.unwrap();
    assert_eq!(world.azure.counts(), [2, 10], "a new client asks anew");

    revoke(1);
    world.later(59);
    for _ in 0..3 {
        let error = failure(&world).await;
        assert!(
            matches!(error, VaultError::Unauthenticated { .. }),
            "{error:?}"
        );
    }
    assert_eq!(world.forgotten(), 1, "within the minute");
    world.later(1);
    failure(&world).await;
    assert_eq!(world.forgotten(), 2);
    world.vault.fetch(&sql, &ATTEMPT).await.unwrap();
}

#[tokio::test]
async fn vaults_are_forgotten_one_by_one() {
    let world = World::new();
    let other = SecretId::new(
        "https://kv-other.vault.azure.net".parse().unwrap(),
        "sql".parse().unwrap(),
    );
    for id in [&id("sql"), &other] {
        world.text(id, "zt-needle-value");
        world.vault.fetch(id, &ATTEMPT).await.unwrap();
    }
    assert_eq!(world.azure.counts(), [2, 2], "a client for each");
    world
        .azure
        .revoked
        .lock()
        .unwrap()
        .push("zt-needle-token-0".to_owned());
    for (number, id) in [&id("sql"), &other].into_iter().enumerate() {
        let error = world.vault.fetch(id, &ATTEMPT).await.unwrap_err();
        assert!(
            matches!(error, VaultError::Unauthenticated { .. }),
            "{error:?}"
        );
        assert_eq!(world.forgotten(), number + 1);
        world.vault.fetch(id, &ATTEMPT).await.unwrap();
    }
}

fn no_token() -> CredentialError {
    CredentialError::Unavailable {
        credential: "fake identity".to_owned(),
        reason: "it is busy".to_owned(),
        retry_in: None,
    }
}

#[tokio::test]
async fn without_a_token_the_identitys_own_words_are_told() {
    let world = World::new();
    world.tokens.next.lock().unwrap().push_back(no_token());
    let error = failure(&world).await;
    let VaultError::Unauthenticated { reason } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(&**reason, no_token().to_string());
    assert_eq!(world.azure.counts(), [1, 0]);
    assert_eq!(world.forgotten(), 0, "nothing was refused");
    *world.tokens.ends.lock().unwrap() = Timestamp::from_millis(i64::MAX);
    let error = failure(&world).await;
    assert!(
        matches!(error, VaultError::Unauthenticated { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_challenge_for_another_resource_gets_no_token() {
    let challenges = [
        "",
        "Bearer",
        "needle",
        r#"Bearer resource="https://graph.microsoft.com""#,
        r#"Bearer resource="https://vault.azure.net.evil.example""#,
        r#"Bearer resource="https://kv-loans.vault.azure.net""#,
        r#"Bearer resource="https://evilvault.azure.net""#,
        r#"Bearer resource="https://azure.net""#,
        r#"Bearer resource="https://net""#,
        r#"Bearer resource="http://vault.azure.net""#,
        r#"Bearer resource="https://vault.azure.net/x""#,
        r#"Bearer resource="https://me@vault.azure.net""#,
        r#"Bearer scope="https://vault.azure.net/user_impersonation""#,
        r#"Bearer scope="https://management.azure.com/.default", resource="https://vault.azure.net""#,
    ];
    for challenge in challenges {
        let world = World::new();
        *world.azure.challenge.lock().unwrap() = challenge.to_owned();
        let error = failure(&world).await;
        assert!(
            matches!(error, VaultError::Integrity { .. }),
            "{challenge}: {error:?}"
        );
        assert!(
            world.tokens.scopes.lock().unwrap().is_empty(),
            "{challenge}"
        );
        assert_eq!(world.azure.counts(), [1, 0]);
    }
    for challenge in [
        CHALLENGE,
        r#"Bearer scope="https://vault.azure.net/.default""#,
    ] {
        let world = World::new();
        world.text(&id("sql"), "zt-needle-value");
        *world.azure.challenge.lock().unwrap() = challenge.to_owned();
        assert!(
            world.vault.fetch(&id("sql"), &ATTEMPT).await.is_ok(),
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn who_asks_for_no_token_is_no_key_vault() {
    let world = World::new();
    world
        .azure
        .then_unasked(Next::Answer(json_answer(401, "{}")));
    let error = failure(&world).await;
    assert!(
        matches!(error, VaultError::Integrity { .. }),
        "no challenge at all: {error:?}"
    );
    let world = World::new();
    world.azure.then_unasked(Next::Answer(json_answer(
        200,
        &bundle("\"x\"", OWN, ENABLED),
    )));
    let error = failure(&world).await;
    assert!(
        matches!(error, VaultError::Integrity { .. }),
        "a secret for anybody: {error:?}"
    );
}

#[tokio::test]
async fn the_check_of_challenges_is_off_on_loopback_alone() {
    for (peer, is_fine) in [
        ("127.0.0.1:8443", true),
        ("[::1]:8443", true),
        ("10.20.4.4:443", false),
    ] {
        let world = World::with(KeyVaultSecrets::without_challenge_check);
        world.text(&id("sql"), "zt-needle-value");
        *world.azure.challenge.lock().unwrap() =
            r#"Bearer resource="https://emulator.example""#.to_owned();
        *world.azure.peer.lock().unwrap() = peer;
        match world.vault.fetch(&id("sql"), &ATTEMPT).await {
            Ok(_) => assert!(is_fine, "{peer}"),
            Err(error) => {
                assert!(
                    !is_fine && matches!(error, VaultError::Integrity { .. }),
                    "{peer}: {error:?}"
                );
                assert_eq!(world.given(), 0, "no token was asked for");
            }
        }
    }
}

#[tokio::test]
async fn the_transport_of_a_vault_goes_nowhere_else() {
    let world = World::new();
    let http: Arc<dyn HttpClient> = Arc::<fake::Azure>::clone(&world.azure);
    let transport = GuardedTransport::new(http).only_to("kv-loans.vault.azure.net");
    for url in [
        "https://kv-other.vault.azure.net/secrets/a/",
        "https://evil.example/secrets/a/",
    ] {
        let mut request = Request::new(url.parse().unwrap(), Method::Get);
        request.insert_header("authorization", "Bearer zt-needle-token");
        let error = transport.execute_request(&request).await.unwrap_err();
        assert!(matches!(
            own_error::<HttpError>(&error),
            Some(HttpError::Malformed { .. })
        ));
    }
    assert!(world.azure.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_written_is_fetched_until_it_is_deleted() {
    let world = World::new();
    let sql = id("sql");
    let writer = world.vault.writer(sql.vault()).unwrap();
    let day = |day: i64| Timestamp::from_secs(1_790_000_000 + day * 86_400);
    let validity = Validity::ALWAYS.starting(day(-1)).ending(day(1));
    let value = SecretBytes::copy_of("zt-needle-\"påsswörd\"".as_bytes());
    let written = writer.set(sql.name(), &value, validity, &ATTEMPT).await;
    let version = written.unwrap();
    let fetched = world.vault.fetch(&sql, &ATTEMPT).await.unwrap();
    assert!(fetched.value.reveal() == value.reveal());
    assert_eq!((fetched.version, fetched.validity), (version, validity));
    {
        let asked = world.azure.asked.lock().unwrap();
        assert!(
            asked[0].body.is_empty(),
            "nothing is shown to a vault that does not know us"
        );
        assert!(!asked[1].body.is_empty());
        assert_eq!(
            asked[1].url,
            format!("{VAULT}/secrets/sql?api-version=2025-07-01")
        );
        assert!(
            asked
                .iter()
                .all(|one| header(one, "x-ms-client-request-id") == Some(ATTEMPT.id.to_string()))
        );
    }
    writer.delete(sql.name(), &ATTEMPT).await.unwrap();
    assert!(matches!(
        world.vault.fetch(&sql, &ATTEMPT).await,
        Err(VaultError::NotFound { .. })
    ));
    world.azure.then(Next::Answer(refused(
        409,
        "Conflict",
        Some("ObjectIsBeingDeleted"),
    )));
    let busy = writer.purge(sql.name(), &ATTEMPT).await;
    assert!(
        matches!(busy, Err(VaultError::Unavailable { .. })),
        "{busy:?}"
    );
    writer.purge(sql.name(), &ATTEMPT).await.unwrap();
    assert_eq!(
        world.azure.counts(),
        [2, 6],
        "one challenge for each client"
    );
}

#[tokio::test]
async fn what_key_vault_cannot_hold_is_not_sent() {
    let world = World::new();
    let sql = id("sql");
    let writer = world.vault.writer(sql.vault()).unwrap();
    let value = SecretBytes::copy_of(b"zt-needle-value");
    let binary = SecretBytes::copy_of(b"zt-needle-\xff");
    let error = writer
        .set(sql.name(), &binary, Validity::ALWAYS, &ATTEMPT)
        .await
        .unwrap_err();
    assert!(matches!(error, VaultError::Invalid { .. }), "{error:?}");
    let never = Validity::ALWAYS.ending(Timestamp::from_millis(i64::MAX));
    let error = writer
        .set(sql.name(), &value, never, &ATTEMPT)
        .await
        .unwrap_err();
    assert!(matches!(error, VaultError::Invalid { .. }), "{error:?}");
    assert_eq!(world.azure.counts(), [0, 0]);
    assert!(!format!("{writer:?} {error:?}").contains("needle"));
}

#[tokio::test]
async fn clients_are_bounded() {
    let world = World::new();
    for number in 0..=MOST_VAULTS {
        let vault = format!("https://kv-{number}.vault.azure.net")
            .parse()
            .unwrap();
        let id = SecretId::new(vault, "sql".parse().unwrap());
        assert!(matches!(
            world.vault.fetch(&id, &ATTEMPT).await,
            Err(VaultError::NotFound { .. })
        ));
    }
    assert_eq!(world.vault.vaults.lock().len(), 1);
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let world = World::new();
    let id = id("sql");
    let fetch = world.vault.fetch(&id, &ATTEMPT);
    let mut fetch = std::pin::pin!(fetch);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let Poll::Ready(Err(error)) = fetch.as_mut().poll(&mut context) else {
        panic!("it waits or has a secret");
    };
    assert!(matches!(error, VaultError::Invalid { .. }), "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_id_leads_the_request_out_of_its_secret(
        text in "[-0-9A-Za-z./%\\\\{}?#:@ \u{0}é]{1,127}",
        name in "[-0-9A-Za-z]{1,127}",
        bits in any::<u128>(),
        is_pinned in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for name in [text, name] {
            let Ok(name) = name.parse() else { continue };
            let mut id = SecretId::new(VAULT.parse().unwrap(), name);
            if is_pinned {
                id = id.at(SecretVersion::from_u128(bits));
            }
            let world = World::new();
            runtime.block_on(world.vault.fetch(&id, &ATTEMPT)).unwrap_err();
            let asked = world.azure.asked.lock().unwrap();
            prop_assert_eq!(asked.len(), 2);
            for request in asked.iter() {
                let version = id.version().map(|version| version.to_string());
                let expected = format!(
                    "{VAULT}/secrets/{}/{}?api-version=2025-07-01",
                    id.name(), version.clone().unwrap_or_default()
                );
                prop_assert_eq!(&request.url, &expected);
                let (host, folded, asked_version) = parts(&request.url);
                prop_assert_eq!(host, id.vault().host());
                prop_assert_eq!(folded, id.name().as_str().to_ascii_lowercase());
                prop_assert_eq!(asked_version, version);
            }
        }
    }
}
