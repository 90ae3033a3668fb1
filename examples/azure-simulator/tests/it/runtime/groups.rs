//! People in more groups than a token lists.

use std::collections::BTreeSet;

use zt_azure_simulator::{Fault, Group, TokenOptions};
use zt_core::policy::DecisionKind;
use zt_core::{Runtime, Session};

use super::office::{Office, log, until};
use super::sign_in::answers_are_right;

const GRAPH: &str = "groups = \"graph\"";
const ASK: (&str, &str) = ("model.infer", "model:car_loan_scorer");
const RAW: (&str, &str) = ("table.read", "table:raw.loan_applications");

fn overage() -> TokenOptions {
    TokenOptions::new().with_groups_overage()
}

fn asked(office: &Office) -> Vec<String> {
    let all = office.sim.requests();
    all.into_iter().flat_map(|one| one.group_ids).collect()
}

fn kind(session: &Session, (action, resource): (&str, &str)) -> DecisionKind {
    session.check(action, resource).unwrap().kind()
}

fn reasons(zt: &Runtime) -> Vec<String> {
    let records = log(zt);
    let details = records.iter().filter_map(|one| one.detail.get("groups"));
    details.cloned().collect()
}

#[tokio::test]
async fn groups_of_graph_decide_as_groups_of_a_token_do() {
    let office = Office::new(GRAPH);
    let zt = office.open_as_zt().await;
    answers_are_right(&office, &zt, &overage()).await;
    let sent: BTreeSet<String> = asked(&office).into_iter().collect();
    let named: BTreeSet<String> = (1..=5)
        .map(|n| format!("a0000000-0000-4000-8000-00000000000{n}"))
        .collect();
    assert_eq!(sent, named, "the ids that the tables name, and no other");
    assert!(reasons(&zt).is_empty());
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn somebody_in_more_than_two_hundred_groups_is_asked_about_once() {
    let office = Office::new(GRAPH);
    let maya = "b0000000-0000-4000-8000-000000000002";
    office.sim.change(|directory| {
        let groups = (0..201).map(|n| {
            let id = format!("a1000000-0000-4000-8000-{n:012}");
            Group::new(&format!("grp-{n}"), &id).with_member(maya)
        });
        directory.tenants[0].groups.extend(groups);
    });
    let zt = office.open_as_zt().await;
    for _ in 0..3 {
        let maya = office.sign_in(&zt, "maya").await;
        assert_eq!(kind(&maya, ASK), DecisionKind::Allow);
        assert_eq!(kind(&maya, RAW), DecisionKind::ExplicitDeny);
    }
    assert_eq!(asked(&office).len(), 5, "one question for three sign-ins");
}

#[tokio::test]
async fn while_graph_is_down_rights_of_groups_are_not_granted_and_their_denies_stand() {
    let office = Office::new(GRAPH);
    let zt = office.open_as_zt().await;
    let down = Fault::Status {
        status: 503,
        retry_after: None,
    };
    office.sim.fault("graph.microsoft.com/", down, u32::MAX);
    let token = office.token("maya", &overage());
    let maya = zt.authenticate(&token).await.unwrap();
    let token = office.token("elin", &overage());
    let elin = zt.authenticate(&token).await.unwrap();
    assert_eq!(kind(&maya, ASK), DecisionKind::DefaultDeny);
    assert_eq!(kind(&maya, RAW), DecisionKind::ExplicitDeny);
    assert_eq!(
        kind(&elin, RAW),
        DecisionKind::ExplicitDeny,
        "maybe she is one"
    );
    let reasons = reasons(&zt);
    assert_eq!(reasons.len(), 2, "at the sign-in of each");
    assert!(reasons[0].contains("no answer"), "{reasons:?}");

    office.sim.clear_faults();
    office.advance(11);
    until("the next decisions know", || {
        kind(&maya, ASK) == DecisionKind::Allow
    })
    .await;
    until("hers too", || kind(&elin, RAW) == DecisionKind::DefaultDeny).await;
    assert_eq!(kind(&maya, RAW), DecisionKind::ExplicitDeny);
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn who_leaves_a_group_loses_its_rights_with_the_next_answer() {
    let office = Office::new(GRAPH);
    let zt = office.open_as_zt().await;
    let token = office.token("maya", &overage());
    let maya = zt.authenticate(&token).await.unwrap();
    assert_eq!(kind(&maya, ASK), DecisionKind::Allow);
    office.sim.change(|directory| {
        let group = directory.group_mut("grp-data-science");
        group.unwrap().members.clear();
    });
    assert_eq!(kind(&maya, ASK), DecisionKind::Allow, "ten minutes");
    office.advance(601);
    until("she has left", || {
        kind(&maya, ASK) == DecisionKind::DefaultDeny
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_renewed_counts_for_an_hour() {
    let office = Office::new(GRAPH);
    let zt = office.open_as_zt().await;
    let token = office.token("maya", &overage());
    let maya = zt.authenticate(&token).await.unwrap();
    office
        .sim
        .fault("graph.microsoft.com/", Fault::Html, u32::MAX);
    office.advance(3500);
    assert_eq!(kind(&maya, ASK), DecisionKind::Allow);
    office.advance(101);
    assert_eq!(kind(&maya, ASK), DecisionKind::DefaultDeny);
    assert_eq!(kind(&maya, RAW), DecisionKind::ExplicitDeny);
}

#[tokio::test]
async fn an_identity_that_may_not_read_groups_grants_nothing() {
    let office = Office::new(GRAPH);
    let builder = office.builder().unwrap();
    let builder = builder.with_credential(office.credential("sp-score-201"));
    let zt = builder.open().await.unwrap();
    super::office::ready(&zt).await;
    let token = office.token("maya", &overage());
    let maya = zt.authenticate(&token).await.unwrap();
    assert_eq!(kind(&maya, ASK), DecisionKind::DefaultDeny);
    assert!(reasons(&zt)[0].contains("Authorization_RequestDenied"));
}

#[tokio::test]
async fn without_the_setting_nobody_is_asked() {
    let office = Office::new("");
    let zt = office.open_as_zt().await;
    let token = office.token("maya", &overage());
    let maya = zt.authenticate(&token).await.unwrap();
    assert_eq!(kind(&maya, ASK), DecisionKind::DefaultDeny);
    assert_eq!(kind(&maya, RAW), DecisionKind::ExplicitDeny);
    let hosts = office.sim.requests().into_iter().map(|one| one.host);
    assert!(hosts.into_iter().all(|host| host == crate::client::LOGIN));
}
