//! Against a client that answers from a list and keeps what it was asked; the simulator's tests go over real sockets.

mod schema;

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::Value;

use super::*;
use crate::audit::{SinkRecord, sample_log};
use crate::clock::Timestamp;
use crate::network::{HttpMethod, HttpResponse};

const TOKEN: &str = "needle-token";
const WRITER: &str = "20261001T080000Z-0123456789abcdef";
const ENDPOINT: &str = "https://zt-audit-a1b2.westeurope-1.ingest.monitor.azure.com";
const RULE: &str = "dcr-00000000000000000000000000000001";

type Outcome = std::result::Result<HttpResponse, HttpError>;

#[derive(Debug, Default)]
struct FakeHttp {
    answers: Mutex<VecDeque<Outcome>>,
    requests: Mutex<Vec<HttpRequest>>,
    /// Larger bodies are refused with 413.
    most: Option<usize>,
}

impl HttpClient for FakeHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Outcome> {
        let is_large = self.most.is_some_and(|most| request.body.len() > most);
        self.requests.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        let answer = match next {
            Some(answer) => answer,
            None if is_large => Ok(HttpResponse::new(413, [])),
            None => Ok(HttpResponse::new(204, [])),
        };
        Box::pin(async move { answer })
    }
}

#[derive(Debug, Default)]
struct FakeCredential {
    forgotten: Mutex<u32>,
    scopes: Mutex<Vec<String>>,
    error: Option<CredentialError>,
}

impl TokenCredential for FakeCredential {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, std::result::Result<AccessToken, CredentialError>> {
        self.scopes.lock().unwrap().push(scope.to_owned());
        let token = format!("{TOKEN}-{}", self.forgotten.lock().unwrap());
        let answer = match &self.error {
            Some(error) => Err(error.clone()),
            None => Ok(AccessToken::new(token, Timestamp::from_secs(1))),
        };
        Box::pin(async move { answer })
    }

    fn name(&self) -> &'static str {
        "fake"
    }

    fn forget(&self) {
        *self.forgotten.lock().unwrap() += 1;
    }
}

struct Stage {
    http: Arc<FakeHttp>,
    credential: Arc<FakeCredential>,
    sink: MonitorSink,
}

fn stage_with(http: FakeHttp, credential: FakeCredential) -> Stage {
    let (http, credential) = (Arc::new(http), Arc::new(credential));
    let client: Arc<dyn HttpClient> = Arc::<FakeHttp>::clone(&http);
    let own: Arc<dyn TokenCredential> = Arc::<FakeCredential>::clone(&credential);
    let sink = MonitorSink::new(client, own, Cloud::Public, ENDPOINT, RULE).unwrap();
    Stage {
        http,
        credential,
        sink,
    }
}

fn stage(answers: Vec<Outcome>) -> Stage {
    let http = FakeHttp {
        answers: Mutex::new(answers.into()),
        ..FakeHttp::default()
    };
    stage_with(http, FakeCredential::default())
}

/// A service that takes everything.
fn fresh() -> Stage {
    stage(Vec::new())
}

fn answer(status: u16) -> Outcome {
    Ok(HttpResponse::new(status, []))
}

impl Stage {
    async fn deliver(&self, records: &[SinkRecord]) -> std::result::Result<Receipt, SinkError> {
        let batch = SinkBatch::new(WRITER, records.to_vec());
        self.sink.deliver(&batch).await
    }

    /// The numbers of the rows of each call.
    fn calls(&self) -> Vec<Vec<u64>> {
        let requests = self.http.requests.lock().unwrap();
        let seqs = |request: &HttpRequest| {
            let rows: Vec<Value> = serde_json::from_slice(&request.body).unwrap();
            rows.iter()
                .map(|row| row["Seq"].as_u64().unwrap())
                .collect()
        };
        requests.iter().map(seqs).collect()
    }
}

#[tokio::test]
async fn a_call_is_what_the_documentation_says() {
    let stage = stage(Vec::new());
    let log = sample_log(WRITER, 2);
    assert_eq!(stage.deliver(&log).await, Ok(Receipt::up_to(3)));
    let requests = stage.http.requests.lock().unwrap();
    let [request] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert_eq!(request.method, HttpMethod::Post);
    assert_eq!(
        request.url,
        format!(
            "{ENDPOINT}/dataCollectionRules/{RULE}/streams/Custom-ZtAudit_CL?api-version=2023-01-01"
        )
    );
    let header = |name: &str| {
        let found = request.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).unwrap()
    };
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("authorization"), format!("Bearer {TOKEN}-0"));
    assert_eq!(header("x-ms-client-request-id").len(), 36);
    let scopes = stage.credential.scopes.lock().unwrap();
    assert_eq!(*scopes, ["https://monitor.azure.com/.default"]);
    let rows: Vec<Value> = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(rows[1]["WriterId"], WRITER);
    assert_eq!(rows[1]["TimeGenerated"], "2026-10-01T08:00:00.000Z");
    assert_eq!(rows[1]["Line"], log[1].line.as_str());
    assert_eq!(rows[1]["Policies"], serde_json::json!(["AP-07"]));
    assert_eq!(rows[0]["Kind"], "segment");
}

#[tokio::test]
async fn only_204_is_an_acknowledgement() {
    for status in [
        200, 201, 202, 301, 302, 400, 403, 404, 408, 418, 429, 500, 503,
    ] {
        let stage = stage(vec![answer(status)]);
        let error = stage.deliver(&sample_log(WRITER, 3)).await.unwrap_err();
        let is_final = matches!(status, 400 | 403 | 404 | 418);
        assert_eq!(
            matches!(error, SinkError::Refused { .. }),
            is_final,
            "{status} {error}"
        );
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert_eq!(stage.calls().len(), 1, "one attempt");
    }
}

#[tokio::test]
async fn the_service_says_when_to_come_back() {
    let busy = HttpResponse::new(429, []).with_header("Retry-After", "37");
    let stage = stage(vec![Ok(busy)]);
    let error = stage.deliver(&sample_log(WRITER, 1)).await.unwrap_err();
    let SinkError::Unavailable { retry_in, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(retry_in, Some(Duration::from_secs(37)));
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let renewed = stage(vec![answer(401)]);
    assert!(renewed.deliver(&sample_log(WRITER, 1)).await.is_ok());
    let refused = stage(vec![answer(401), answer(401)]);
    let error = refused.deliver(&sample_log(WRITER, 1)).await.unwrap_err();
    assert!(matches!(error, SinkError::Refused { .. }), "{error}");
    for stage in [renewed, refused] {
        assert_eq!(stage.calls().len(), 2);
        assert_eq!(*stage.credential.forgotten.lock().unwrap(), 1);
    }
}

#[tokio::test]
async fn a_call_that_is_too_large_is_made_again_with_half_of_it() {
    let http = FakeHttp {
        most: Some(5000),
        ..FakeHttp::default()
    };
    let stage = stage_with(http, FakeCredential::default());
    let log = sample_log(WRITER, 63);
    let mut left = &log[..];
    while let Some(last) = left.last() {
        let receipt = stage.deliver(left).await.unwrap();
        assert!(receipt.up_to <= last.seq && receipt.refused.is_empty());
        left = &left[left
            .iter()
            .filter(|record| record.seq <= receipt.up_to)
            .count()..];
    }
    let requests = stage.http.requests.lock().unwrap();
    let taken = requests.iter().filter(|request| request.body.len() <= 5000);
    let taken: Vec<u64> = taken
        .flat_map(|request| {
            let rows: Vec<Value> = serde_json::from_slice(&request.body).unwrap();
            rows.into_iter().map(|row| row["Seq"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(taken, (1..=64).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_record_that_fits_no_call_or_no_value_is_refused_by_name() {
    let http = FakeHttp {
        most: Some(10),
        ..FakeHttp::default()
    };
    let stage = stage_with(http, FakeCredential::default());
    let log = sample_log(WRITER, 1);
    let receipt = stage.deliver(&log).await.unwrap();
    assert_eq!((receipt.up_to, receipt.refused.len()), (1, 1));
    assert_eq!(receipt.refused[0].0, 1);

    let stage = fresh();
    let mut log = sample_log(WRITER, 3);
    let long = format!(
        "{}{}",
        log[2].line.trim_end_matches('}'),
        " ".repeat(64_000)
    );
    log[2].line = long + "}";
    let receipt = stage.deliver(&log).await.unwrap();
    assert_eq!((receipt.up_to, receipt.refused[0].0), (4, 3));
    assert_eq!(stage.calls(), [[1, 2, 4]]);
    // The one that is too large stands before one that is too long.
    let http = FakeHttp {
        most: Some(10),
        ..FakeHttp::default()
    };
    let refused = stage_with(http, FakeCredential::default());
    let receipt = refused.deliver(&log[1..3]).await.unwrap();
    let mut named: Vec<u64> = receipt.refused.iter().map(|(seq, _)| *seq).collect();
    named.sort_unstable();
    assert_eq!((receipt.up_to, named), (3, vec![2, 3]));
    let alone = stage.deliver(&log[2..3]).await.unwrap();
    assert_eq!((alone.up_to, alone.refused[0].0), (3, 3));
    assert_eq!(stage.calls().len(), 1, "nothing is sent for it");
}

#[tokio::test]
async fn a_body_stays_below_the_limit() {
    let stage = stage(Vec::new());
    let receipt = stage.deliver(&sample_log(WRITER, 5000)).await.unwrap();
    let requests = stage.http.requests.lock().unwrap();
    assert!(requests[0].body.len() <= 1_000_000 && requests[0].body.len() > 900_000);
    assert!(receipt.up_to < 5001 && receipt.up_to > 500);
}

#[tokio::test]
async fn no_text_of_an_answer_and_no_token_comes_into_an_error() {
    let body = br#"{"error":{"code":"AuthorizationFailed","message":"needle-message"}}"#;
    let strange = br#"{"error":{"code":"needle code <script>"}}"#;
    for (body, code) in [
        (&body[..], "`AuthorizationFailed`"),
        (&strange[..], "status 403"),
    ] {
        let stage = stage(vec![Ok(HttpResponse::new(403, body))]);
        let error = stage.deliver(&sample_log(WRITER, 1)).await.unwrap_err();
        let text = format!("{error} {error:?} {:?}", stage.sink);
        assert!(text.contains(code) && !text.contains("needle"), "{text}");
        assert!(text.contains("Monitoring Metrics Publisher"), "{text}");
    }
}

#[tokio::test]
async fn errors_of_the_way_and_of_the_identity_are_told_apart() {
    let host = || "h".to_owned();
    let refused = HttpError::Refused {
        host: host(),
        reason: "no row".to_owned(),
    };
    let stage_refused = stage(vec![Err(refused)]);
    let error = stage_refused
        .deliver(&sample_log(WRITER, 1))
        .await
        .unwrap_err();
    assert!(matches!(error, SinkError::Refused { .. }));
    let stage_broken = stage(vec![Err(HttpError::Broken { host: host() })]);
    let error = stage_broken
        .deliver(&sample_log(WRITER, 1))
        .await
        .unwrap_err();
    assert!(matches!(error, SinkError::Unavailable { .. }));
    let credential = FakeCredential {
        error: Some(CredentialError::Refused {
            credential: "fake".to_owned(),
            reason: "scripted".to_owned(),
        }),
        ..FakeCredential::default()
    };
    let stage = stage_with(FakeHttp::default(), credential);
    let error = stage.deliver(&sample_log(WRITER, 1)).await.unwrap_err();
    assert!(matches!(error, SinkError::Refused { .. }));
    assert!(stage.calls().is_empty());
}

#[test]
fn an_endpoint_elsewhere_is_refused_before_any_token_goes_there() {
    let make = |cloud, endpoint: &str, rule: &str| {
        let http: Arc<dyn HttpClient> = Arc::new(FakeHttp::default());
        MonitorSink::new(
            http,
            Arc::new(FakeCredential::default()),
            cloud,
            endpoint,
            rule,
        )
    };
    assert!(make(Cloud::Public, &format!("{ENDPOINT}/"), RULE).is_ok());
    let gov = "https://zt.usgovvirginia.ingest.monitor.azure.us";
    assert!(make(Cloud::UsGov, gov, RULE).is_ok());
    for endpoint in [
        gov,
        "",
        "http://a.ingest.monitor.azure.com",
        "https://a.ingest.monitor.azure.com.evil.example",
        "https://ingest.monitor.azure.com",
        "https://evil.example/.ingest.monitor.azure.com",
        "https://a@b.ingest.monitor.azure.com",
        "https://a.ingest.monitor.azure.com:444",
        "https://a.ingest.monitor.azure.com/x",
    ] {
        assert!(make(Cloud::Public, endpoint, RULE).is_err(), "{endpoint}");
    }
    for rule in ["", "dcr-1", "dcr-0000000000000000000000000000000/", "x"] {
        assert!(make(Cloud::Public, ENDPOINT, rule).is_err(), "{rule}");
    }
    assert!(make(Cloud::SovereignDe, ENDPOINT, RULE).is_err());
    let sink = || make(Cloud::Public, ENDPOINT, RULE).unwrap();
    assert!(sink().with_stream("Custom-Other_CL").is_ok());
    for stream in ["", "Other", "Custom-", "Custom-a/b", "Custom-a?b"] {
        assert!(sink().with_stream(stream).is_err(), "{stream}");
    }
}
