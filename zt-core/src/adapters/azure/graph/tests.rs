//! Against a client that answers from a list and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::Value;

use super::*;
use crate::clock::Timestamp;
use crate::network::{HttpMethod, HttpResponse};

const TENANT: Guid = Guid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
const TOKEN: &str = "needle-token";

type Outcome = Result<HttpResponse, HttpError>;

#[derive(Debug, Default)]
struct FakeHttp {
    answers: Mutex<VecDeque<Outcome>>,
    requests: Mutex<Vec<HttpRequest>>,
}

impl HttpClient for FakeHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Outcome> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
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
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
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

struct Rig {
    http: Arc<FakeHttp>,
    credential: Arc<FakeCredential>,
    graph: GraphGroups,
}

fn rig(cloud: Cloud, error: Option<CredentialError>, answers: Vec<Outcome>) -> Rig {
    let http = Arc::new(FakeHttp {
        answers: Mutex::new(answers.into()),
        ..FakeHttp::default()
    });
    let credential = Arc::new(FakeCredential {
        error,
        ..FakeCredential::default()
    });
    let own: Arc<dyn TokenCredential> = Arc::clone(&credential) as _;
    let graph = GraphGroups::new(Arc::clone(&http) as _, own, cloud, TENANT);
    Rig {
        http,
        credential,
        graph,
    }
}

fn public(answers: Vec<Outcome>) -> Rig {
    rig(Cloud::Public, None, answers)
}

fn group(number: u128) -> Guid {
    Guid::from_u128(0xa000_0000_0000_4000_8000_0000_0000_0000 + number)
}

fn maya(kind: CallerKind) -> Member {
    Member {
        tenant: TENANT,
        object: Guid::from_u128(0xb000_0000_0000_4000_8000_0000_0000_0002),
        kind,
    }
}

fn lists(groups: &[Guid]) -> Outcome {
    let ids: Vec<String> = groups.iter().map(Guid::to_string).collect();
    let body = json!({ "value": ids }).to_string();
    Ok(HttpResponse::new(200, body))
}

fn status(status: u16, body: &str) -> Outcome {
    Ok(HttpResponse::new(status, body))
}

fn sent_ids(request: &HttpRequest) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1, "ids and nothing else");
    let ids = body["groupIds"].as_array().unwrap();
    ids.iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect()
}

async fn ask(rig: &Rig, candidates: &[Guid]) -> Result<Vec<Guid>, GroupsError> {
    rig.graph
        .groups_of(maya(CallerKind::User), candidates)
        .await
}

#[tokio::test]
async fn only_the_candidates_are_sent_twenty_at_a_time() {
    let candidates: Vec<Guid> = (0..45).map(group).collect();
    let rig = public(vec![
        lists(&[group(3)]),
        lists(&[]),
        lists(&[group(44), group(40)]),
    ]);
    let found = ask(&rig, &candidates).await.unwrap();
    assert_eq!(found, [group(3), group(40), group(44)]);
    let requests = rig.http.requests.lock().unwrap();
    let sent: Vec<Vec<String>> = requests.iter().map(sent_ids).collect();
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 5]);
    let all: Vec<String> = candidates.iter().map(Guid::to_string).collect();
    assert_eq!(sent.concat(), all);
    for request in requests.iter() {
        assert_eq!(request.method, HttpMethod::Post);
        assert_eq!(
            request.url,
            "https://graph.microsoft.com/v1.0/users/b0000000-0000-4000-8000-000000000002/checkMemberGroups"
        );
        assert!(request.most_bytes <= 64 * 1024);
        let bearer = request
            .headers
            .iter()
            .find(|(name, _)| name == "authorization");
        assert_eq!(bearer.unwrap().1.as_str(), "Bearer needle-token-0");
    }
    assert_eq!(
        *rig.credential.scopes.lock().unwrap(),
        ["https://graph.microsoft.com/.default"]
    );
}

#[tokio::test]
async fn what_was_not_asked_for_does_not_count_and_twice_is_once() {
    let rig = public(vec![lists(&[group(1), group(9), group(1)])]);
    let found = ask(&rig, &[group(1), group(2), group(1)]).await;
    assert_eq!(found.unwrap(), [group(1)]);
    assert_eq!(sent_ids(&rig.http.requests.lock().unwrap()[0]).len(), 2);
}

#[tokio::test]
async fn nothing_to_ask_asks_nothing() {
    let rig = public(vec![]);
    assert_eq!(ask(&rig, &[]).await.unwrap(), []);
    assert!(rig.credential.scopes.lock().unwrap().is_empty());
    assert!(rig.http.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn each_cloud_has_its_host_and_workloads_their_path() {
    for (cloud, host) in [
        (Cloud::UsGov, "graph.microsoft.us"),
        (Cloud::China, "microsoftgraph.chinacloudapi.cn"),
    ] {
        let rig = rig(cloud, None, vec![lists(&[])]);
        let member = maya(CallerKind::ServicePrincipal);
        rig.graph.groups_of(member, &[group(1)]).await.unwrap();
        let requests = rig.http.requests.lock().unwrap();
        let start = format!("https://{host}/v1.0/servicePrincipals/");
        assert!(requests[0].url.starts_with(&start), "{}", requests[0].url);
        let scopes = rig.credential.scopes.lock().unwrap();
        assert_eq!(*scopes, [format!("https://{host}/.default")]);
    }
    let rig = rig(Cloud::Development, None, vec![]);
    let refused = ask(&rig, &[group(1)]).await.unwrap_err();
    assert!(refused.to_string().contains("development.groups"));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let rig = public(vec![status(401, ""), lists(&[group(1)])]);
    assert_eq!(ask(&rig, &[group(1)]).await.unwrap(), [group(1)]);
    assert_eq!(*rig.credential.forgotten.lock().unwrap(), 1);
    let second = rig.http.requests.lock().unwrap()[1].clone();
    let fresh = second.headers.iter().any(|(_, v)| v.ends_with("-1"));
    assert!(fresh, "the second request has the new token");

    let rig = public(vec![status(401, ""), status(401, "")]);
    let refused = ask(&rig, &[group(1)]).await.unwrap_err();
    assert!(matches!(refused, GroupsError::Refused { .. }));
    assert_eq!(*rig.credential.forgotten.lock().unwrap(), 1);
    assert_eq!(rig.http.requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn refusals_say_what_to_do_and_quote_no_more_than_a_code() {
    let denied = r#"{"error":{"code":"Authorization_RequestDenied","message":"needle-name"}}"#;
    let hostile = r#"{"error":{"code":"\u001b[31mneedle","message":"x"}}"#;
    for (status_code, body, says) in [
        (403, denied, "GroupMember.Read.All"),
        (403, hostile, "GroupMember.Read.All"),
        (403, "<html>needle</html>", "GroupMember.Read.All"),
        (404, denied, "no such object"),
        (400, denied, "does not take the request"),
    ] {
        let rig = public(vec![status(status_code, body)]);
        let refused = ask(&rig, &[group(1)]).await.unwrap_err();
        let text = refused.to_string();
        assert!(matches!(refused, GroupsError::Refused { .. }), "{text}");
        assert!(text.contains(says) && !text.contains("needle"), "{text}");
    }
}

#[tokio::test]
async fn what_may_pass_is_unavailable() {
    let busy = HttpResponse::new(429, "").with_header("retry-after", "7");
    let host = || "graph.microsoft.com".to_owned();
    for (outcome, seconds) in [
        (Ok(busy), Some(7)),
        (status(503, ""), None),
        (status(302, ""), None),
        (status(200, "<html>"), None),
        (status(200, r#"{"value":"x"}"#), None),
        (status(200, r#"{"value":["not-a-guid"]}"#), None),
        (status(200, r#"{"values":[]}"#), None),
        (Err(HttpError::Connect { host: host() }), None),
        (
            Err(HttpError::TooLong {
                host: host(),
                most_bytes: 1,
            }),
            None,
        ),
    ] {
        let shown = format!("{outcome:?}");
        let rig = public(vec![outcome]);
        let refused = ask(&rig, &[group(1)]).await.unwrap_err();
        let GroupsError::Unavailable { retry_in, .. } = refused else {
            panic!("{shown}: {refused}");
        };
        assert_eq!(retry_in.map(|wait| wait.as_secs()), seconds, "{shown}");
    }
    let guarded = Err(HttpError::Refused {
        host: host(),
        reason: "no row".to_owned(),
    });
    let refused = ask(&public(vec![guarded]), &[group(1)]).await.unwrap_err();
    assert!(matches!(refused, GroupsError::Refused { .. }));
}

#[tokio::test]
async fn no_groups_are_told_when_one_batch_fails() {
    let candidates: Vec<Guid> = (0..21).map(group).collect();
    let rig = public(vec![lists(&[group(0)]), status(500, "")]);
    assert!(ask(&rig, &candidates).await.is_err());
}

#[tokio::test]
async fn without_a_token_of_our_own_nothing_is_sent() {
    let text = || "fake".to_owned();
    let unavailable = CredentialError::Unavailable {
        credential: text(),
        reason: text(),
        retry_in: Some(Duration::from_secs(3)),
    };
    let refused = CredentialError::Refused {
        credential: text(),
        reason: text(),
    };
    for (error, is_passing) in [(unavailable, true), (refused, false)] {
        let rig = rig(Cloud::Public, Some(error), vec![]);
        let error = ask(&rig, &[group(1)]).await.unwrap_err();
        let is_unavailable = matches!(
            error,
            GroupsError::Unavailable {
                retry_in: Some(_),
                ..
            }
        );
        assert_eq!(is_unavailable, is_passing, "{error}");
        assert!(rig.http.requests.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn strangers_and_far_too_many_groups_are_not_asked_about() {
    let rig = public(vec![]);
    let mut member = maya(CallerKind::User);
    member.tenant = Guid::from_u128(7);
    let stranger = rig.graph.groups_of(member, &[group(1)]).await;
    assert!(matches!(stranger, Err(GroupsError::Refused { .. })));
    let many: Vec<Guid> = (0..1001).map(group).collect();
    let refused = ask(&rig, &many).await.unwrap_err();
    assert!(refused.to_string().contains("app roles"));
    assert!(rig.http.requests.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_hangs_is_unavailable() {
    let rig = public(vec![]);
    let refused = ask(&rig, &[group(1)]).await.unwrap_err();
    assert!(refused.to_string().contains("30 s"), "{refused}");
}

#[test]
fn no_debug_shows_a_token() {
    let rig = public(vec![]);
    assert!(!format!("{:?}", rig.graph).contains("needle"));
}
