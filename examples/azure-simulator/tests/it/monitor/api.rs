//! What the service takes and what it refuses.

use super::*;
use crate::client::start;

const QUERY: &str = "?api-version=2023-01-01";
const JSON: &str = "application/json";

#[tokio::test]
async fn rows_are_kept_as_they_come_repeats_too() {
    let sim = start();
    let token = token(&sim, "sp-score-201", AUDIENCE);
    let path = path(LogsIngestion::RULE, LogsIngestion::STREAM, QUERY);
    let mut extra = row(2);
    extra["Unknown"] = json!(1);
    let body = json!([row(1), extra]).to_string();
    for _ in 0..2 {
        let answer = post(&sim, &path, Some(&token), JSON, &body).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
    }
    let rows = sim.logs_ingestion().rows();
    assert_eq!(rows, [row(1), row(2), row(1), row(2)]);
    sim.logs_ingestion().clear();
    assert!(sim.logs_ingestion().rows().is_empty());
}

/// Refused with this status and code; the table stays empty.
async fn refused(
    sim: &Simulator,
    path: &str,
    token: Option<&str>,
    sent: (&str, &str),
    with: (u16, &str),
) {
    let answer = post(sim, path, token, sent.0, sent.1).await;
    let code = answer.json()["error"]["code"].clone();
    assert_eq!((answer.status, code), (with.0, json!(with.1)));
    assert!(sim.logs_ingestion().rows().is_empty());
}

#[tokio::test]
async fn who_may_not_publish_is_refused() {
    let sim = start();
    sim.logs_ingestion().revoke("sp-train-202").unwrap();
    let vault = token(&sim, "sp-score-201", "https://vault.azure.net");
    let stranger = token(&sim, "sp-train-202", AUDIENCE);
    let rows = json!([row(1)]).to_string();
    let own = path(LogsIngestion::RULE, LogsIngestion::STREAM, QUERY);
    let invalid = (401, "InvalidAuthenticationToken");
    for token in [None, Some("a.b.c"), Some(&*vault)] {
        refused(&sim, &own, token, (JSON, &rows), invalid).await;
    }
    let forbidden = (403, "OperationFailed");
    refused(&sim, &own, Some(&stranger), (JSON, &rows), forbidden).await;
    sim.logs_ingestion().grant("sp-train-202").unwrap();
    let answer = post(&sim, &own, Some(&stranger), JSON, &rows).await;
    assert_eq!(answer.status, 204);
    assert!(sim.logs_ingestion().grant("nobody").is_err());
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_its_code() {
    let sim = start();
    let good = token(&sim, "sp-score-201", AUDIENCE);
    let own = |query: &str| path(LogsIngestion::RULE, LogsIngestion::STREAM, query);
    let (rule, stream) = (LogsIngestion::RULE, LogsIngestion::STREAM);
    let elsewhere = path("dcr-00000000000000000000000000000002", stream, QUERY);
    let other_stream = path(rule, "Custom-Other_CL", QUERY);
    let rows = json!([row(1)]).to_string();
    let giant = format!("[{}1]", " ".repeat(1_000_000));
    let version = (400, "InvalidApiVersion");
    for (path, sent, with) in [
        (own(""), (JSON, &*rows), version),
        (own("?api-version=2021-11-01"), (JSON, &*rows), version),
        (elsewhere, (JSON, &*rows), (404, "NotFound")),
        (other_stream, (JSON, &*rows), (400, "InvalidStream")),
        (
            own(QUERY),
            ("text/plain", &*rows),
            (415, "UnsupportedMediaType"),
        ),
        (own(QUERY), (JSON, "{}"), (400, "InvalidPayload")),
        (own(QUERY), (JSON, "[1]"), (400, "InvalidPayload")),
        (
            own(QUERY),
            (JSON, &*giant),
            (413, "ContentLengthLimitExceeded"),
        ),
    ] {
        refused(&sim, &path, Some(&good), sent, with).await;
    }
}

#[tokio::test]
async fn a_value_that_is_too_long_is_cut_without_a_word() {
    let sim = start();
    let token = token(&sim, "sp-score-201", AUDIENCE);
    let path = path(LogsIngestion::RULE, LogsIngestion::STREAM, QUERY);
    let body = json!([{ "Line": "é".repeat(40_000) }]).to_string();
    assert_eq!(
        post(&sim, &path, Some(&token), JSON, &body).await.status,
        204
    );
    let rows = sim.logs_ingestion().rows();
    assert_eq!(rows[0]["Line"].as_str().unwrap().len(), 65_536);
}
