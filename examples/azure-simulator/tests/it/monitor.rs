//! The Logs Ingestion API: what it checks, and zt's audit log in it from end to end.

mod api;
mod outages;

use serde_json::{Value, json};
use zt_azure_simulator::{LogsIngestion, Simulator, TokenOptions};

use crate::client::{Response, secure};

const AUDIENCE: &str = "https://monitor.azure.com";

/// The path of the sample stream.
fn path(rule: &str, stream: &str, query: &str) -> String {
    format!("/dataCollectionRules/{rule}/streams/{stream}{query}")
}

fn token(sim: &Simulator, name: &str, audience: &str) -> String {
    let options = TokenOptions::new().for_audience(audience);
    sim.token_for(name, &options).unwrap()
}

async fn post(
    sim: &Simulator,
    path: &str,
    token: Option<&str>,
    kind: &str,
    body: &str,
) -> Response {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", kind)];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let host = LogsIngestion::HOST;
    secure(sim, host, "POST", path, &headers, body)
        .await
        .unwrap()
}

/// The rows of the table, as a reader takes them who follows the documentation: each writer and number once.
fn distinct(sim: &Simulator) -> Vec<(String, u64, String)> {
    let mut rows: Vec<(String, u64, String)> = sim
        .logs_ingestion()
        .rows()
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("WriterId"), row["Seq"].as_u64().unwrap(), text("Line"))
        })
        .collect();
    rows.sort();
    rows.dedup();
    rows
}

fn row(number: u64) -> Value {
    json!({ "WriterId": "w", "Seq": number, "Line": "{}" })
}
