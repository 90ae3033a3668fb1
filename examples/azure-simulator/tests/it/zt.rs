//! zt's own device code flow and its directory of groups, against the simulator.

use std::sync::Arc;
use std::time::Duration;

use zt_azure_simulator::{Fault, Options, Simulator};
use zt_core::adapters::azure::GraphGroups;
use zt_core::clock::SystemClock;
use zt_core::id::Guid;
use zt_core::identity::{
    CallerKind, Cloud, DeviceCode, DeviceCodeError, GroupSource, GroupsError, Member,
};
use zt_core::network::{HttpClient, HttpError, HttpRequest, HttpResponse};
use zt_core::port::BoxFuture;

use crate::client::{API, PROGRAM, TENANT, secure};
use crate::own::Own;
use crate::tokens::claims;

/// The port, by way of the tests' client.
#[derive(Debug)]
struct Dialled(Arc<Simulator>);

impl HttpClient for Dialled {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let rest = request.url.strip_prefix("https://").unwrap();
            let at = rest.find('/').unwrap();
            let (host, path) = rest.split_at(at);
            let headers = request.headers.iter();
            let headers: Vec<(&str, &str)> = headers
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let body = std::str::from_utf8(&request.body).unwrap();
            let method = request.method.as_str();
            let sent = secure(&self.0, host, method, path, &headers, body).await;
            let response = sent.map_err(|_| HttpError::Broken {
                host: host.to_owned(),
            })?;
            let fields = response.head.lines().skip(1);
            let mut answer = HttpResponse::new(response.status, response.body.clone());
            for (name, value) in fields.filter_map(|line| line.split_once(": ")) {
                answer = answer.with_header(name, value);
            }
            Ok(answer)
        })
    }
}

fn start() -> Arc<Simulator> {
    let codes = Options::new().with_device_codes(Duration::from_secs(1), Duration::from_secs(900));
    Arc::new(Simulator::start(codes).unwrap())
}

fn device_code(sim: &Arc<Simulator>) -> DeviceCode {
    let http = Arc::new(Dialled(Arc::clone(sim)));
    let clock = Arc::new(SystemClock::new());
    let (tenant, client) = (TENANT.parse().unwrap(), PROGRAM.parse().unwrap());
    let scope = format!("api://{API}/.default");
    DeviceCode::new(http, clock, Cloud::Public, tenant, client, scope).unwrap()
}

#[tokio::test]
async fn a_person_signs_in_by_device_code_in_spite_of_an_outage() {
    let sim = start();
    let sign_in = device_code(&sim).start().await.unwrap();
    assert!(sign_in.message().contains(sign_in.user_code()));
    let code = sign_in.user_code().to_owned();
    sim.fault(&format!("/{TENANT}/oauth2/v2.0/token"), Fault::Close, 1);
    let waiting = tokio::spawn(sign_in.wait());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    sim.approve(&code, "maya").unwrap();
    let token = waiting.await.unwrap().unwrap();
    let all = claims(token.reveal());
    assert_eq!(all["oid"], "b0000000-0000-4000-8000-000000000002");
    let expires = all["exp"].as_i64().unwrap();
    assert!((token.expires_at().as_secs() - expires).abs() <= 3);
    assert_eq!(sim.count(&format!("/{TENANT}/oauth2/v2.0/token")), 2);
}

#[tokio::test]
async fn who_declines_is_not_signed_in() {
    let sim = start();
    let sign_in = device_code(&sim).start().await.unwrap();
    sim.decline(sign_in.user_code()).unwrap();
    assert_eq!(sign_in.wait().await.unwrap_err(), DeviceCodeError::Declined);
}

#[tokio::test]
async fn groups_are_asked_of_graph_with_the_policys_ids_alone() {
    let sim = start();
    let graph = |name| {
        let http = Arc::new(Dialled(Arc::clone(&sim)));
        let sim = Arc::clone(&sim);
        let own = Arc::new(Own { sim, name });
        GraphGroups::new(http, own, Cloud::Public, TENANT.parse().unwrap())
    };
    let group = |number: u128| Guid::from_u128(0xa000_0000_0000_4000_8000_0000_0000_0000 + number);
    let maya = Member {
        tenant: TENANT.parse().unwrap(),
        object: "b0000000-0000-4000-8000-000000000002".parse().unwrap(),
        kind: CallerKind::User,
    };
    let candidates: Vec<Guid> = (1..=25).map(group).collect();
    let found = graph("zt").groups_of(maya, &candidates).await.unwrap();
    assert_eq!(found, [group(2)]);
    let sent: Vec<String> = sim
        .requests()
        .into_iter()
        .flat_map(|r| r.group_ids)
        .collect();
    let expected: Vec<String> = candidates.iter().map(Guid::to_string).collect();
    assert_eq!(sent, expected);

    let weak = graph("sp-score-201").groups_of(maya, &candidates).await;
    let refused = weak.unwrap_err().to_string();
    assert!(
        refused.contains("`Authorization_RequestDenied`"),
        "{refused}"
    );
    let stranger = Member {
        object: group(2),
        ..maya
    };
    let unknown = graph("zt").groups_of(stranger, &candidates).await;
    assert!(matches!(unknown, Err(GroupsError::Refused { .. })));
    let busy = Fault::Status {
        status: 429,
        retry_after: Some(7),
    };
    sim.fault("graph.microsoft.com/v1.0", busy, 1);
    let busy = graph("zt").groups_of(maya, &candidates).await;
    let seven = Some(Duration::from_secs(7));
    assert!(matches!(busy, Err(GroupsError::Unavailable { retry_in, .. }) if retry_in == seven));
}
