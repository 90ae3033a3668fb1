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

#[tokio::test]
async fn what_does_not_fit_is_refused_with_its_code() {
    let sim = start();
    sim.logs_ingestion().revoke("sp-train-202").unwrap();
    let good = token(&sim, "sp-score-201", AUDIENCE);
    let other = token(&sim, "sp-score-201", "https://vault.azure.net");
    let without_role = token(&sim, "sp-train-202", AUDIENCE);
    let own = |query: &str| path(LogsIngestion::RULE, LogsIngestion::STREAM, query);
    let elsewhere = path(
        "dcr-00000000000000000000000000000002",
        LogsIngestion::STREAM,
        QUERY,
    );
    let stream = path(LogsIngestion::RULE, "Custom-Other_CL", QUERY);
    let rows = json!([row(1)]).to_string();
    let giant = format!("[{}1]", " ".repeat(1_000_000));
    for (path, token, kind, body, status, code) in [
        (
            &own(QUERY),
            None,
            JSON,
            &rows,
            401,
            "InvalidAuthenticationToken",
        ),
        (
            &own(QUERY),
            Some("a.b.c"),
            JSON,
            &rows,
            401,
            "InvalidAuthenticationToken",
        ),
        (
            &own(QUERY),
            Some(&*other),
            JSON,
            &rows,
            401,
            "InvalidAuthenticationToken",
        ),
        (
            &own(QUERY),
            Some(&*without_role),
            JSON,
            &rows,
            403,
            "OperationFailed",
        ),
        (
            &own(""),
            Some(&*good),
            JSON,
            &rows,
            400,
            "InvalidApiVersion",
        ),
        (
            &own("?api-version=2021-11-01"),
            Some(&*good),
            JSON,
            &rows,
            400,
            "InvalidApiVersion",
        ),
        (&elsewhere, Some(&*good), JSON, &rows, 404, "NotFound"),
        (&stream, Some(&*good), JSON, &rows, 400, "InvalidStream"),
        (
            &own(QUERY),
            Some(&*good),
            "text/plain",
            &rows,
            415,
            "UnsupportedMediaType",
        ),
        (
            &own(QUERY),
            Some(&*good),
            JSON,
            &"{}".to_owned(),
            400,
            "InvalidPayload",
        ),
        (
            &own(QUERY),
            Some(&*good),
            JSON,
            &"[1]".to_owned(),
            400,
            "InvalidPayload",
        ),
        (
            &own(QUERY),
            Some(&*good),
            JSON,
            &giant,
            413,
            "ContentLengthLimitExceeded",
        ),
    ] {
        let answer = post(&sim, path, token, kind, body).await;
        assert_eq!(answer.status, status, "{code}");
        assert_eq!(answer.json()["error"]["code"], code);
    }
    assert!(sim.logs_ingestion().rows().is_empty());
    sim.logs_ingestion().grant("sp-train-202").unwrap();
    let answer = post(&sim, &own(QUERY), Some(&without_role), JSON, &rows).await;
    assert_eq!(answer.status, 204);
    assert!(sim.logs_ingestion().grant("nobody").is_err());
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
