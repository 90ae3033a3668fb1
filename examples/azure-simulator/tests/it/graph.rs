//! Microsoft Graph.

use serde_json::{Value, json};
use zt_azure_simulator::{Group, Simulator, TokenOptions};

use crate::client::{GRAPH, Response, secure, start};

const MAYA: &str = "b0000000-0000-4000-8000-000000000002";
const SCIENCE: &str = "a0000000-0000-4000-8000-000000000002";
const SECURITY: &str = "a0000000-0000-4000-8000-000000000004";

fn for_graph() -> TokenOptions {
    TokenOptions::new().for_audience("https://graph.microsoft.com")
}

fn bearer(sim: &Simulator) -> String {
    format!("Bearer {}", sim.token_for("zt", &for_graph()).unwrap())
}

async fn check(sim: &Simulator, who: &str, ids: &[&str], token: &str) -> Response {
    let path = format!("/v1.0/{who}/checkMemberGroups");
    let body = json!({ "groupIds": ids }).to_string();
    let mut headers = vec![("content-type", "application/json")];
    if !token.is_empty() {
        headers.push(("authorization", token));
    }
    secure(sim, GRAPH, "POST", &path, &headers, &body)
        .await
        .unwrap()
}

fn code(response: &Response) -> String {
    let body = response.json();
    body["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn groups_are_told_through_other_groups_and_only_those_asked_for() {
    let sim = start();
    let outer = "a0000000-0000-4000-8000-00000000000f";
    sim.change(|directory| {
        let group = Group::new("outer", outer).with_member(SCIENCE);
        directory.tenants[0].groups.push(group);
    });
    let token = bearer(&sim);
    let users = format!("users/{MAYA}");
    let response = check(&sim, &users, &[outer, SECURITY], &token).await;
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.json()["value"], json!([outer]));
    let seen = sim.requests();
    let asked = &seen.last().unwrap().group_ids;
    assert_eq!(asked, &[outer, SECURITY]);
    let workload = "servicePrincipals/c0000000-0000-4000-8000-000000000002";
    let response = check(&sim, workload, &[SCIENCE], &token).await;
    assert_eq!(response.json()["value"], json!([]));
}

#[tokio::test]
async fn what_graph_refuses() {
    let sim = start();
    let token = bearer(&sim);
    let users = format!("users/{MAYA}");
    let many: Vec<String> = (0..21)
        .map(|at| format!("a2000000-0000-4000-8000-{at:012x}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(check(&sim, &users, &many, &token).await.status, 400);
    assert_eq!(check(&sim, &users, &many[..20], &token).await.status, 200);
    assert_eq!(check(&sim, &users, &[], &token).await.status, 400);
    assert_eq!(check(&sim, &users, &["x"], &token).await.status, 400);
    let nobody = "users/c0000000-0000-4000-8000-000000000002";
    let unknown = check(&sim, nobody, &[SCIENCE], &token).await;
    assert_eq!(
        (unknown.status, code(&unknown)),
        (404, "Request_ResourceNotFound".to_owned())
    );
    let others = sim.token_for("zt", &TokenOptions::new()).unwrap();
    let elsewhere = start();
    let stranger = bearer(&elsewhere);
    let foreign = sim.foreign_keys().unwrap();
    let forged = sim
        .token_for("zt", &for_graph().signed_with(&foreign))
        .unwrap();
    let expired = sim.token_for("zt", &for_graph().issued_at(0)).unwrap();
    for wrong in [
        String::new(),
        "Bearer x".to_owned(),
        format!("Bearer {others}"),
        stranger,
        format!("Bearer {forged}"),
        format!("Bearer {expired}"),
    ] {
        let refused = check(&sim, &users, &[SCIENCE], &wrong).await;
        assert_eq!(
            (refused.status, code(&refused)),
            (401, "InvalidAuthenticationToken".to_owned())
        );
        assert!(refused.header("www-authenticate").is_some());
    }
    let weak = sim.token_for("sp-score-201", &for_graph()).unwrap();
    let weak = check(&sim, &users, &[SCIENCE], &format!("Bearer {weak}")).await;
    assert_eq!(
        (weak.status, code(&weak)),
        (403, "Authorization_RequestDenied".to_owned())
    );
}

#[tokio::test]
async fn people_whose_sessions_are_revoked_are_told() {
    let sim = start();
    sim.change(|directory| {
        let maya = directory.user_mut("maya").unwrap();
        maya.enabled = false;
        maya.sessions_valid_from = "2026-11-27T06:00:00Z".to_owned();
    });
    let token = bearer(&sim);
    let ask = async |ids: &[&str]| {
        let list = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>();
        let filter = format!("id in ({})", list.join(","));
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("$filter", &filter)
            .append_pair(
                "$select",
                "id,accountEnabled,signInSessionsValidFromDateTime",
            )
            .finish();
        let path = format!("/v1.0/users?{query}");
        secure(&sim, GRAPH, "GET", &path, &[("authorization", &token)], "")
            .await
            .unwrap()
    };
    let response = ask(&[MAYA, "b0000000-0000-4000-8000-0000000000ff"]).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let expected: Value = json!([{
        "id": MAYA,
        "accountEnabled": false,
        "signInSessionsValidFromDateTime": "2026-11-27T06:00:00Z",
    }]);
    assert_eq!(response.json()["value"], expected);
    assert_eq!(ask(&[MAYA; 15]).await.status, 200);
    assert_eq!(ask(&[MAYA; 16]).await.status, 400);
}
