//! Rows of Network_Rules that change under an open runtime.

use std::fs;

use zt_azure_simulator::TokenOptions;
use zt_core::Code;
use zt_core::runtime::Runtime;

use super::office::{Office, only_health, until};
use crate::client::TENANT;

/// Entra is expected where this process may not go: with a simulator in its place, no address is compared, and a port is.
const ELSEWHERE: &str = r#"
[[Network_Rules]]
id = "NR-90"
host = "login.microsoftonline.com"
mode = "private_only"
cidrs = ["10.20.9.0/26"]
ports = [8443]
"#;

async fn take(office: &Office, zt: &Runtime, tables: &str) {
    fs::write(office.path("brindlewick.toml"), tables).unwrap();
    zt.reload().await.unwrap();
}

/// Fetches by then, good or bad, as the key cache tells them.
async fn error_after_fetch(zt: &Runtime, is_error: bool) {
    zt.purge_keys().unwrap();
    let what = match is_error {
        true => "a fetch is refused",
        false => "a fetch succeeds",
    };
    until(what, || only_health(zt).error.is_some() == is_error).await;
}

#[tokio::test]
async fn a_row_that_changes_counts_with_the_next_request_of_identity() {
    let office = Office::new("");
    let tables = fs::read_to_string(office.path("brindlewick.toml")).unwrap();
    let zt = office.open().await;
    let sets = format!("/{TENANT}/discovery/v2.0/");
    let before = office.sim.count(&sets);

    take(&office, &zt, &format!("{tables}\n{ELSEWHERE}")).await;
    office.advance(31);
    office.sim.rotate().unwrap();
    let token = office.token("maya", &TokenOptions::new());
    let refusal = office.refused(&zt, &token).await;
    assert!(
        [Code::KeysUnavailable, Code::InvalidToken].contains(&refusal.code()),
        "{refusal}"
    );
    error_after_fetch(&zt, true).await;
    let health = only_health(&zt);
    let why = health.error.unwrap();
    assert!(
        why.contains("row `NR-90` of Network_Rules does not open port 443"),
        "{why}"
    );
    assert_eq!(office.sim.count(&sets), before, "Entra was not asked");

    take(&office, &zt, &tables).await;
    office.advance(3600);
    error_after_fetch(&zt, false).await;
    assert!(office.sim.count(&sets) > before);
    office.sign_in(&zt, "jonas").await;
    office.assert_no_leaks(&[]);
}
