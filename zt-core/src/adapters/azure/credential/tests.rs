//! The credentials against a server that remembers, and commands that are not started.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::clock::{Clock, SystemClock};
use crate::identity::{AccessToken, Cloud, CredentialError, TokenCredential};
use crate::network::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::port::BoxFuture;

const SCOPE: &str = "https://vault.azure.net/.default";
const TOKEN: &str = r#"{"token_type":"Bearer","expires_in":3600,"access_token":"granted"}"#;

/// Answers by the beginning of the URL; what is not listed times out.
#[derive(Debug, Default)]
struct Net {
    answers: BTreeMap<&'static str, HttpResponse>,
    asked: Mutex<Vec<HttpRequest>>,
}

impl HttpClient for Net {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let probe = request.headers.is_empty();
        let known = self
            .answers
            .iter()
            .find(|(url, _)| request.url.starts_with(**url));
        let answer = match known {
            Some((url, _)) if probe && url.contains("169.254") => Ok(HttpResponse::new(400, "")),
            Some((_, answer)) => Ok(answer.clone()),
            None => Err(HttpError::Timeout {
                host: "nowhere".to_owned(),
                deadline: request.deadline,
            }),
        };
        self.asked.lock().unwrap().push(request);
        Box::pin(async { answer })
    }
}

impl Net {
    fn with(answers: &[(&'static str, u16, &str)]) -> Arc<Self> {
        let answers = answers.iter();
        let answers = answers.map(|(url, status, body)| (*url, HttpResponse::new(*status, *body)));
        Arc::new(Self {
            answers: answers.collect(),
            ..Self::default()
        })
    }

    fn body(&self, index: usize) -> String {
        String::from_utf8(self.asked.lock().unwrap()[index].body.to_vec()).unwrap()
    }

    fn urls(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|request| request.url.clone()).collect()
    }
}

fn chain_in(cloud: Cloud, net: &Arc<Net>, vars: &[(&str, &str)]) -> crate::Result<CredentialChain> {
    let http: Arc<dyn HttpClient> = Arc::<Net>::clone(net);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let lookup = |name: &str| {
        let found = vars.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    CredentialChain::without_people(cloud, &http, &clock, &lookup)
}

fn chain(net: &Arc<Net>, vars: &[(&str, &str)]) -> CredentialChain {
    chain_in(Cloud::Public, net, vars).unwrap()
}

const APP: [(&str, &str); 2] = [
    ("AZURE_TENANT_ID", "33333333-3333-4333-8333-333333333333"),
    ("AZURE_CLIENT_ID", "44444444-4444-4444-8444-444444444444"),
];

const ENTRA: &str =
    "https://login.microsoftonline.com/33333333-3333-4333-8333-333333333333/oauth2/v2.0/token";
const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

#[tokio::test]
async fn a_client_secret_goes_to_the_clouds_entra_and_no_further() {
    let net = Net::with(&[(ENTRA, 200, TOKEN)]);
    let secret = [APP[0], APP[1], ("AZURE_CLIENT_SECRET", "hush+&")];
    let chain = chain(&net, &secret);
    for _ in 0..2 {
        let token = chain.get_token(SCOPE).await.unwrap();
        assert_eq!(token.reveal(), "granted");
        let left = token.expires_at().as_secs() - SystemClock::new().now().as_secs();
        assert!((3590..=3600).contains(&left), "{left}");
    }
    assert_eq!(net.urls(), [ENTRA, ENTRA], "nothing is kept inside");
    let body = net.body(0);
    assert!(body.contains("client_secret=hush%2B%26"), "{body}");
    assert!(body.contains("grant_type=client_credentials"), "{body}");
    assert_eq!(chain.name(), "client secret of the environment");
    assert!(!format!("{chain:?}").contains("hush"));
}

#[tokio::test]
async fn a_token_file_is_read_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let net = Net::with(&[(ENTRA, 200, TOKEN)]);
    let path = file.to_str().unwrap();
    let chain = chain(
        &net,
        &[APP[0], APP[1], ("AZURE_FEDERATED_TOKEN_FILE", path)],
    );
    for (number, text) in ["first.token", "second.token\n"].iter().enumerate() {
        std::fs::write(&file, text).unwrap();
        chain.get_token(SCOPE).await.unwrap();
        let expected = format!("client_assertion={}", text.trim());
        assert!(net.body(number).contains(&expected), "{}", net.body(number));
    }
    assert_eq!(chain.name(), "workload identity");
    for damage in [
        std::fs::write(&file, ""),
        std::fs::write(&file, "two words"),
        std::fs::write(&file, "x".repeat(70_000)),
        std::fs::remove_file(&file),
    ] {
        damage.unwrap();
        let refused = chain.get_token(SCOPE).await.unwrap_err();
        assert!(
            matches!(refused, CredentialError::Unavailable { .. }),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_code_whatever_its_text_holds() {
    let body = r#"{"error":"invalid_client","error_codes":[7000215],"error_description":"AADSTS7000215: needle\r\nTrace"}"#;
    let net = Net::with(&[(ENTRA, 401, body)]);
    let secret = [APP[0], APP[1], ("AZURE_CLIENT_SECRET", "x")];
    let refused = chain(&net, &secret).get_token(SCOPE).await.unwrap_err();
    assert!(
        matches!(&refused, CredentialError::Refused { reason, .. } if reason.contains("AADSTS7000215"))
    );
    assert!(!format!("{refused:?}").contains("needle"));
    assert_eq!(net.urls().len(), 1);

    let challenge =
        r#"{"error":"interaction_required","error_codes":[53003],"claims":"{\"x\":1}"}"#;
    let net = Net::with(&[(ENTRA, 400, challenge)]);
    let refused = chain(&net, &secret).get_token(SCOPE).await.unwrap_err();
    assert!(
        matches!(refused, CredentialError::ClaimsRequired { claims, .. } if claims == r#"{"x":1}"#)
    );

    for (status, body) in [(503, "<html>needle</html>"), (429, "{}"), (200, "needle")] {
        let net = Net::with(&[(ENTRA, status, body)]);
        let refused = chain(&net, &secret).get_token(SCOPE).await.unwrap_err();
        assert!(
            matches!(refused, CredentialError::Unavailable { .. }),
            "{refused:?}"
        );
        assert!(!format!("{refused:?}").contains("needle"));
        assert_eq!(net.urls().len(), 1, "one attempt");
    }
    let net = Net::with(&[]);
    let refused = chain(&net, &secret).get_token(SCOPE).await.unwrap_err();
    assert!(
        refused.to_string().contains("did not answer within"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_app_asks_its_identity_endpoint() {
    let endpoint = "http://127.0.0.1:41741/msi/token";
    let body = r#"{"access_token":"apps","expires_on":"1999999999","token_type":"Bearer"}"#;
    let net = Net::with(&[(endpoint, 200, body)]);
    let vars = [
        APP[1],
        ("IDENTITY_ENDPOINT", endpoint),
        ("IDENTITY_HEADER", "hush"),
    ];
    let chain = chain(&net, &vars);
    assert_eq!(chain.get_token(SCOPE).await.unwrap().reveal(), "apps");
    let url = format!(
        "{endpoint}?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net&client_id={}",
        APP[1].1
    );
    assert_eq!(net.urls(), [url]);
    let asked = net.asked.lock().unwrap();
    let (name, value) = &asked[0].headers[0];
    assert_eq!(
        (name.as_str(), value.as_str()),
        ("x-identity-header", "hush")
    );
    assert!(!format!("{chain:?}").contains("hush"));
}

#[tokio::test]
async fn a_machine_is_probed_once_and_then_asked() {
    let body = r#"{"access_token":"machines","expires_on":"1999999999","expires_in":"86399"}"#;
    let net = Net::with(&[(METADATA, 200, body)]);
    let chain = chain(&net, &[]);
    for _ in 0..2 {
        assert_eq!(chain.get_token(SCOPE).await.unwrap().reveal(), "machines");
    }
    let asked = net.asked.lock().unwrap();
    assert_eq!(asked.len(), 3, "one probe, two tokens");
    assert!(asked[0].headers.is_empty() && asked[0].deadline <= Duration::from_secs(1));
    assert_eq!(asked[1].headers[0].0, "metadata");
}

#[tokio::test]
async fn off_azure_every_link_says_what_is_missing() {
    let start = Instant::now();
    let refused = chain(&Net::with(&[]), &[])
        .get_token(SCOPE)
        .await
        .unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2));
    let text = refused.to_string();
    for part in [
        "client secret of the environment: AZURE_TENANT_ID is not set",
        "workload identity: AZURE_TENANT_ID is not set",
        "managed identity: there is no metadata endpoint",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let error = crate::Error::from(refused);
    assert_eq!(error.code(), crate::Code::NoOwnIdentity);
}

#[tokio::test]
async fn kinds_of_managed_identity_that_zt_does_not_know_are_named() {
    for (vars, name) in [
        (
            vec![
                ("IDENTITY_ENDPOINT", "http://x"),
                ("IMDS_ENDPOINT", "http://x"),
            ],
            "Azure Arc",
        ),
        (
            vec![("MSI_ENDPOINT", "http://x"), ("MSI_SECRET", "x")],
            "Azure ML",
        ),
        (
            vec![
                ("IDENTITY_ENDPOINT", "http://x"),
                ("IDENTITY_HEADER", "x"),
                ("IDENTITY_SERVER_THUMBPRINT", "x"),
            ],
            "Service Fabric",
        ),
    ] {
        let net = Net::with(&[]);
        let refused = chain(&net, &vars).get_token(SCOPE).await.unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
        assert!(net.urls().is_empty());
    }
}

#[tokio::test]
async fn a_machine_without_an_identity_is_passed_over() {
    let net = Net::with(&[(METADATA, 400, r#"{"error":"invalid_request"}"#)]);
    let refused = chain(&net, &[]).get_token(SCOPE).await.unwrap_err();
    assert!(
        matches!(refused, CredentialError::NotSetUp { .. }),
        "{refused:?}"
    );
    let named = chain(&net, &[APP[1]]).get_token(SCOPE).await.unwrap_err();
    assert!(
        matches!(named, CredentialError::Refused { .. }),
        "{named:?}"
    );
    let net = Net::with(&[(METADATA, 410, "")]);
    let busy = chain(&net, &[]).get_token(SCOPE).await.unwrap_err();
    assert!(
        matches!(busy, CredentialError::Unavailable { .. }),
        "{busy:?}"
    );
}

#[tokio::test]
async fn a_secret_is_not_sent_where_a_variable_points() {
    let net = Net::with(&[]);
    for (cloud, host, fine) in [
        (Cloud::Public, "https://login.microsoftonline.com/", true),
        (Cloud::Public, "https://login.windows.net", true),
        (Cloud::Public, "", true),
        (Cloud::Public, "https://login.microsoftonline.us/", false),
        (Cloud::Public, "https://evil.example/", false),
        (
            Cloud::Public,
            "https://evil.example/login.microsoftonline.com",
            false,
        ),
        (Cloud::China, "https://login.chinacloudapi.cn", true),
    ] {
        let made = chain_in(cloud, &net, &[("AZURE_AUTHORITY_HOST", host)]);
        assert_eq!(made.is_ok(), fine, "{host}");
    }
}

/// A link that answers the same each time, and counts.
#[derive(Debug)]
struct Link(&'static str, Result<(), CredentialError>, AtomicUsize);

impl TokenCredential for Link {
    fn get_token<'a>(
        &'a self,
        _scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        self.2.fetch_add(1, Ordering::SeqCst);
        let ends = crate::clock::Timestamp::from_secs(1_999_999_999);
        let said = self
            .1
            .clone()
            .map(|()| AccessToken::new(self.0.to_owned(), ends));
        Box::pin(async { said })
    }

    fn name(&self) -> &str {
        self.0
    }
}

#[tokio::test]
async fn the_first_that_is_set_up_stays_also_while_it_fails() {
    let link = |name, said| Arc::new(Link(name, said, AtomicUsize::new(0)));
    let absent = link(
        "absent",
        Err(CredentialError::NotSetUp {
            credential: "absent".to_owned(),
            reason: "no".to_owned(),
        }),
    );
    let slow = link(
        "slow",
        Err(CredentialError::Unavailable {
            credential: "slow".to_owned(),
            reason: "busy".to_owned(),
            retry_in: None,
        }),
    );
    let developer = link("developer", Ok(()));
    let links: Vec<Arc<dyn TokenCredential>> = vec![
        Arc::<Link>::clone(&absent),
        Arc::<Link>::clone(&slow),
        Arc::<Link>::clone(&developer),
    ];
    let chain = CredentialChain::new(links);
    for _ in 0..3 {
        assert!(chain.get_token(SCOPE).await.is_err());
    }
    let counts = [&absent, &slow, &developer].map(|link| link.2.load(Ordering::SeqCst));
    assert_eq!(counts, [1, 3, 0]);
    assert_eq!(chain.name(), "slow");
}

/// Commands that are not started.
#[derive(Debug)]
struct Says(i32, &'static str, &'static str);

#[async_trait::async_trait]
impl azure_identity::Executor for Says {
    async fn run(&self, _program: &OsStr, _args: &[&OsStr]) -> io::Result<Output> {
        Ok(Output {
            status: ExitStatus::from_raw(self.0 << 8),
            stdout: self.1.into(),
            stderr: self.2.into(),
        })
    }
}

#[tokio::test]
async fn command_lines_give_a_token_or_a_reason_in_our_words() {
    let az = |code, out, err| CommandLine::azure_cli().run_by(Arc::new(Says(code, out, err)));
    let out = r#"{"accessToken":"theirs","expires_on":1999999999,"tokenType":"Bearer"}"#;
    let token = az(0, out, "").get_token(SCOPE).await.unwrap();
    assert_eq!(
        (token.reveal(), token.expires_at().as_secs()),
        ("theirs", 1_999_999_999)
    );

    let azd = CommandLine::azure_developer_cli();
    let out = r#"{"token":"theirs","expiresOn":"2033-05-18T03:33:19Z"}"#;
    let token = azd
        .run_by(Arc::new(Says(0, out, "")))
        .get_token(SCOPE)
        .await
        .unwrap();
    assert_eq!(
        (token.reveal(), token.expires_at().as_secs()),
        ("theirs", 1_999_999_999)
    );

    for (code, err, reason) in [
        (127, "sh: az: not found", "`az` is not installed"),
        (
            1,
            "ERROR: Please run 'az login' to setup account. needle",
            "nobody is signed in; run `az login`",
        ),
    ] {
        let refused = az(code, "", err).get_token(SCOPE).await.unwrap_err();
        let fits =
            matches!(&refused, CredentialError::NotSetUp { reason: own, .. } if own == reason);
        assert!(fits, "{refused:?}");
    }
    let refused = az(1, "", "AADSTS50076: needle, run az login")
        .get_token(SCOPE)
        .await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(&refused, CredentialError::Refused { reason, .. } if reason.starts_with("AADSTS50076;"))
    );
    assert!(!format!("{refused:?}").contains("needle"));
    for (code, out) in [(0, "needle"), (1, "")] {
        let refused = az(code, out, "needle").get_token(SCOPE).await.unwrap_err();
        assert!(matches!(refused, CredentialError::Unavailable { .. }));
        assert!(!format!("{refused:?}").contains("needle"));
    }
}

#[test]
fn the_sdk_redacts() {
    assert!(crate::adapters::azure::redaction_is_armed().is_ok());
}
