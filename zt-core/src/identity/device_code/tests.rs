//! Against a client that answers from a list, on a clock that follows tokio's paused time.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::clock::Timestamp;
use crate::error::{Code, Error, ErrorKind};
use crate::network::{HttpError, HttpResponse};
use crate::port::BoxFuture;

const NEEDLE: &str = "needle-device-code";
const START_S: i64 = 1_790_000_000;

type Outcome = Result<HttpResponse, HttpError>;

/// What was sent, and when.
#[derive(Debug)]
struct FakeHttp {
    answers: Mutex<VecDeque<Outcome>>,
    requests: Mutex<Vec<(Duration, HttpRequest)>>,
    start: Instant,
}

impl HttpClient for FakeHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Outcome> {
        let at = self.start.elapsed();
        self.requests.lock().unwrap().push((at, request));
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move { answer.expect("an answer for every request") })
    }
}

#[derive(Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(START_S).after(self.0.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

fn answer(status: u16, body: &Value) -> Outcome {
    Ok(HttpResponse::new(status, body.to_string()))
}

fn offer() -> Value {
    json!({
        "device_code": NEEDLE,
        "user_code": "ABCD-1234",
        "verification_uri": "https://microsoft.com/devicelogin",
        "expires_in": 900,
        "interval": 5,
        "message": "Öffnen Sie https://microsoft.com/devicelogin und geben Sie ABCD-1234 ein.",
    })
}

fn refusal(error: &str) -> Outcome {
    answer(
        400,
        &json!({ "error": error, "error_description": "needle of the server", "error_codes": [70016] }),
    )
}

fn granted() -> Outcome {
    answer(
        200,
        &json!({ "token_type": "Bearer", "access_token": "needle.to.ken", "expires_in": 3600 }),
    )
}

fn rig(answers: Vec<Outcome>) -> (Arc<FakeHttp>, DeviceCode) {
    let http = Arc::new(FakeHttp {
        answers: Mutex::new(answers.into()),
        requests: Mutex::default(),
        start: Instant::now(),
    });
    let clock = Arc::new(TokioClock(Instant::now()));
    let tenant = "11111111-1111-4111-8111-111111111111".parse().unwrap();
    let client = "d0000000-0000-4000-8000-0000000000c1".parse().unwrap();
    let scope = "api://zt/.default offline_access";
    let shared = Arc::clone(&http) as Arc<dyn HttpClient>;
    let code = DeviceCode::new(shared, clock, Cloud::Public, tenant, client, scope);
    (http, code.unwrap())
}

/// Starts with a good offer, waits, and tells the seconds at which Entra was asked.
async fn wait(polls: Vec<Outcome>) -> (Result<AccessTokenText, DeviceCodeError>, Vec<u64>) {
    let mut answers = vec![answer(200, &offer())];
    answers.extend(polls);
    let (http, code) = rig(answers);
    let waited = code.start().await.unwrap().wait().await;
    let requests = http.requests.lock().unwrap();
    let at = requests.iter().skip(1).map(|(at, _)| at.as_secs());
    let waited = waited.map(|token| (token.reveal().to_owned(), token.expires_at()));
    (waited, at.collect())
}

type AccessTokenText = (String, Timestamp);

fn body(request: &HttpRequest) -> &str {
    std::str::from_utf8(&request.body).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_person_signs_in_and_entra_is_asked_at_its_interval() {
    let (http, code) = rig(vec![
        answer(200, &offer()),
        refusal("authorization_pending"),
        refusal("authorization_pending"),
        granted(),
    ]);
    let code = code.with_claims(r#"{"access_token":{}}"#);
    let sign_in = code.start().await.unwrap();
    assert_eq!(sign_in.user_code(), "ABCD-1234");
    assert_eq!(
        sign_in.verification_uri(),
        "https://microsoft.com/devicelogin"
    );
    assert!(sign_in.message().starts_with("Öffnen Sie"));
    assert_eq!(sign_in.expires_at(), Timestamp::from_secs(START_S + 900));
    let token = sign_in.wait().await.unwrap();
    assert_eq!(token.reveal(), "needle.to.ken");
    let expires = Timestamp::from_secs(START_S + 15 + 3600);
    assert_eq!(token.expires_at(), expires);

    let requests = http.requests.lock().unwrap();
    let at: Vec<u64> = requests.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(at, [0, 5, 10, 15]);
    let (start, poll) = (&requests[0].1, &requests[1].1);
    let authority = "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111";
    assert_eq!(start.url, format!("{authority}/oauth2/v2.0/devicecode"));
    assert_eq!(poll.url, format!("{authority}/oauth2/v2.0/token"));
    let claims = "claims=%7B%22access_token%22%3A%7B%7D%7D";
    assert_eq!(
        body(start),
        format!(
            "client_id=d0000000-0000-4000-8000-0000000000c1&scope=api%3A%2F%2Fzt%2F.default%20offline_access&{claims}"
        )
    );
    assert_eq!(
        body(poll),
        format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=d0000000-0000-4000-8000-0000000000c1&device_code={NEEDLE}&{claims}"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn slow_down_adds_five_seconds_for_good() {
    let (waited, at) = wait(vec![
        refusal("slow_down"),
        refusal("authorization_pending"),
        refusal("slow_down"),
        granted(),
    ])
    .await;
    assert!(waited.is_ok());
    assert_eq!(at, [5, 15, 25, 40]);
}

#[tokio::test(start_paused = true)]
async fn what_the_person_or_entra_says_ends_it() {
    for (error, expected) in [
        ("authorization_declined", DeviceCodeError::Declined),
        ("access_denied", DeviceCodeError::Declined),
        ("expired_token", DeviceCodeError::Expired),
        ("code_expired", DeviceCodeError::Expired),
    ] {
        let (waited, at) = wait(vec![refusal(error)]).await;
        assert_eq!(waited.unwrap_err(), expected, "{error}");
        assert_eq!(at, [5]);
        let error = Error::from(expected);
        assert_eq!(error.code(), Code::SignInFailed);
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
    let (waited, _) = wait(vec![refusal("bad_verification_code")]).await;
    let text = waited.unwrap_err().to_string();
    assert!(text.contains("`bad_verification_code` (AADSTS70016)"));
    assert!(!text.contains("needle"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_code_expires_by_our_clock_too() {
    let polls = (0..179).map(|_| refusal("authorization_pending")).collect();
    let (waited, at) = wait(polls).await;
    assert_eq!(waited.unwrap_err(), DeviceCodeError::Expired);
    assert_eq!(at.last(), Some(&895));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_with_growing_pauses() {
    let timeout = || {
        Err(HttpError::Timeout {
            host: "login.microsoftonline.com".to_owned(),
            deadline: Duration::from_secs(5),
        })
    };
    let busy = Ok(HttpResponse::new(429, "").with_header("retry-after", "90"));
    let (waited, at) = wait(vec![
        timeout(),
        busy,
        refusal("authorization_pending"),
        granted(),
    ])
    .await;
    assert!(waited.is_ok());
    assert_eq!(at, [5, 15, 105, 110]);

    let (waited, at) = wait((0..5).map(|_| timeout()).collect()).await;
    let error = waited.unwrap_err();
    assert!(matches!(error, DeviceCodeError::Unavailable { .. }));
    assert_eq!(at, [5, 15, 35, 75, 135]);
    assert_eq!(Error::from(error).code(), Code::IdentityUnavailable);
}

#[tokio::test(start_paused = true)]
async fn what_stays_wrong_is_not_asked_again() {
    let guarded = HttpError::Refused {
        host: "login.microsoftonline.com".to_owned(),
        reason: "no row".to_owned(),
    };
    let tls = HttpError::Tls {
        host: "login.microsoftonline.com".to_owned(),
        reason: "unknown issuer".to_owned(),
    };
    for outcome in [
        Err(guarded),
        Err(tls),
        Ok(HttpResponse::new(200, "<html>needle")),
        Ok(HttpResponse::new(302, "")),
        Ok(HttpResponse::new(400, r#"{"error":"NEEDLE [31m"}"#)),
        answer(
            200,
            &json!({ "token_type": "pop", "access_token": "a", "expires_in": 1 }),
        ),
        answer(
            200,
            &json!({ "token_type": "Bearer", "access_token": "a\r\nb", "expires_in": 1 }),
        ),
        answer(
            200,
            &json!({ "token_type": "Bearer", "access_token": "", "expires_in": 1 }),
        ),
    ] {
        let shown = format!("{outcome:?}");
        let (waited, at) = wait(vec![outcome]).await;
        let error = waited.unwrap_err();
        assert_eq!(at, [5], "{shown}");
        assert!(!error.to_string().to_lowercase().contains("needle"));
        assert_eq!(
            Error::from(error).code(),
            Code::IdentityUnavailable,
            "{shown}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_a_person_must_not_see_is_refused() {
    let with = |name: &str, value: Value| {
        let mut offer = offer();
        offer[name] = value;
        offer
    };
    for offer in [
        with(
            "verification_uri",
            json!("http://microsoft.com/devicelogin"),
        ),
        with(
            "verification_uri",
            json!("https://microsoft.com@evil.example/"),
        ),
        with("verification_uri", json!("https://")),
        with("verification_uri", json!("https://micro\u{202e}soft.com/")),
        with("verification_uri", json!("https://microsoft.com/ evil")),
        with(
            "verification_uri",
            json!(format!("https://a.example/{}", "x".repeat(300))),
        ),
        with("user_code", json!("ABCD\u{1b}[31m")),
        with("user_code", json!("")),
        with("user_code", json!("A".repeat(33))),
        with("device_code", json!("")),
        with("device_code", json!("x".repeat(5000))),
        with("expires_in", json!(0)),
        with("expires_in", json!("soon")),
        json!([]),
    ] {
        let (_, code) = rig(vec![answer(200, &offer)]);
        let error = code.start().await.unwrap_err();
        assert!(
            matches!(error, DeviceCodeError::Malformed { .. }),
            "{offer}"
        );
        assert!(!error.to_string().contains(NEEDLE));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_leads_elsewhere_is_replaced_by_ours() {
    let own = "To sign in, open https://microsoft.com/devicelogin in a browser and enter the code ABCD-1234.";
    for message in [
        json!("Open https://evil.example and enter ABCD-1234."),
        json!("Open https://microsoft.com/devicelogin or https://evil.example, enter ABCD-1234."),
        json!("Open https://microsoft.com/devicelogin and enter ABCD-1234.\u{1b}[2J"),
        json!("Open https://microsoft.com/devicelogin."),
        json!(format!(
            "https://microsoft.com/devicelogin ABCD-1234 {}",
            "x".repeat(600)
        )),
        Value::Null,
    ] {
        let mut offer = offer();
        offer["message"] = message.clone();
        let (_, code) = rig(vec![answer(200, &offer)]);
        assert_eq!(code.start().await.unwrap().message(), own, "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn extreme_times_are_bounded() {
    let mut extreme = offer();
    extreme["expires_in"] = json!(u64::MAX);
    extreme["interval"] = json!(u64::MAX);
    let (_, code) = rig(vec![answer(200, &extreme)]);
    let sign_in = code.start().await.unwrap();
    assert_eq!(sign_in.interval(), Duration::from_secs(60));
    assert_eq!(sign_in.expires_at(), Timestamp::from_secs(START_S + 3600));
    let mut quick = offer();
    quick["interval"] = json!(0);
    let (_, code) = rig(vec![answer(200, &quick)]);
    let sign_in = code.start().await.unwrap();
    assert_eq!(sign_in.interval(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_at_the_start_says_what_to_do() {
    let public_flows = json!({ "error": "invalid_client", "error_codes": [7_000_218] });
    let (_, code) = rig(vec![answer(401, &public_flows)]);
    let error = Error::from(code.start().await.unwrap_err());
    assert_eq!(error.code(), Code::SignInFailed);
    assert!(error.to_string().contains("public client flows"), "{error}");
    let (_, code) = rig(vec![refusal("authorization_pending")]);
    let error = code.start().await.unwrap_err();
    assert!(matches!(error, DeviceCodeError::Malformed { .. }));
    let busy = HttpResponse::new(503, "").with_header("retry-after", "9");
    let (_, code) = rig(vec![Ok(busy)]);
    let error = Error::from(code.start().await.unwrap_err());
    let nine = Some(Duration::from_secs(9));
    assert_eq!(error.kind(), ErrorKind::Unavailable { retry_in: nine });
}

#[tokio::test(start_paused = true)]
async fn no_debug_shows_the_device_code() {
    let (_, code) = rig(vec![answer(200, &offer())]);
    let sign_in = code.start().await.unwrap();
    let shown = format!("{sign_in:?} {code:?}");
    assert!(
        shown.contains("ABCD-1234") && !shown.contains(NEEDLE),
        "{shown}"
    );
}
