//! Checks for who must not wait: the same answers, and none before its record is where it has to be.

use zt_core::audit::{self, Entry};
use zt_core::runtime::Runtime;
use zt_core::session::{Soon, Waiting};
use zt_core::{Code, Session};

use crate::world::{World, sign_in};

const GOLD: &str = "table:gold.loan_scores";
const RAW: &str = "table:raw.loan_applications";

fn about(zt: &Runtime, resource: &str) -> Vec<Entry> {
    audit::tail(zt.audit_folder(), 100, |entry| entry.resource == resource).unwrap()
}

fn ready<T>(soon: Soon<T>) -> T {
    let ready = match soon {
        Soon::Ready(answer) => Some(answer),
        Soon::Waits(_) => None,
    };
    ready.unwrap()
}

fn waits<T>(soon: Soon<T>) -> Waiting<T> {
    let rest = match soon {
        Soon::Ready(_) => None,
        Soon::Waits(rest) => Some(rest),
    };
    rest.unwrap()
}

#[tokio::test]
async fn an_allow_is_ready_and_in_the_log() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    for _ in 0..3 {
        assert!(ready(maya.check_soon("table.read", GOLD).unwrap()).is_allowed());
    }
    let permit = ready(maya.require_soon("table.read", GOLD).unwrap());
    assert!(permit.decision().is_allowed());
    zt.clone()
        .close(std::time::Duration::from_secs(60))
        .await
        .unwrap();
    let log = about(&zt, GOLD);
    let kinds: Vec<&str> = log.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["decision", "counted"]);
    assert_eq!(log[1].count, Some(3));
}

#[tokio::test]
async fn a_first_deny_is_answered_by_what_puts_it_on_the_disk() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let rest = waits(maya.check_soon("table.read", RAW).unwrap());
    assert!(about(&zt, RAW).is_empty());
    let decision = rest.finish().unwrap();
    assert!(!decision.is_allowed());
    // Not closed, not flushed: what is durable is there.
    let log = about(&zt, RAW);
    let told: Vec<Option<String>> = log.into_iter().map(|entry| entry.decision).collect();
    assert_eq!(told, [Some(decision.id().to_string())]);
    // Within the minute it is counted.
    assert!(!ready(maya.check_soon("table.read", RAW).unwrap()).is_allowed());
    let error = maya.require_soon("table.read", RAW).unwrap_err();
    assert_eq!(error.code(), Code::Denied);
}

#[tokio::test]
async fn what_a_first_require_is_denied_is_told_after_it_stands_in_the_log() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let rest = waits(maya.require_soon("table.read", RAW).unwrap());
    let error = rest.finish().unwrap_err();
    assert_eq!(error.code(), Code::Denied);
    assert_eq!(about(&zt, RAW).len(), 1);
}

#[tokio::test]
async fn an_allow_whose_rows_demand_a_record_on_disk_waits_each_time() {
    let world = World::new();
    world.edit(|tables| {
        let row = format!(
            "[[Access_Policies]]\nid = \"AP-91\"\nprincipal = \"*\"\naction = \"table.read\"\nresource = \"{GOLD}\"\n\
             effect = \"restrict\"\nobligations = {{ audit = \"durable\" }}\n"
        );
        format!("{tables}\n{row}")
    });
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    for before in 0..2 {
        let rest = waits(maya.check_soon("table.read", GOLD).unwrap());
        assert_eq!(about(&zt, GOLD).len(), before);
        assert!(rest.finish().unwrap().is_allowed());
    }
    assert_eq!(about(&zt, GOLD).len(), 2);
}

#[tokio::test]
async fn a_closed_runtime_answers_so() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let rest = waits(maya.check_soon("table.read", RAW).unwrap());
    zt.close(std::time::Duration::from_secs(60)).await.unwrap();
    let closed = |maya: &Session| match maya.check_soon("table.read", GOLD) {
        Ok(soon) => waits(soon).finish().unwrap_err().code(),
        Err(error) => error.code(),
    };
    assert_eq!(closed(&maya), Code::Closed);
    assert_eq!(rest.finish().unwrap_err().code(), Code::Closed);
}

#[tokio::test]
async fn what_is_asked_and_never_finished_stands_in_the_log() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let rest = waits(maya.check_soon("table.read", RAW).unwrap());
    assert!(!format!("{rest:?}").contains("AP-"), "{rest:?}");
    drop(rest);
    // Not told before: the first deny that is answered is on the disk first.
    let rest = waits(maya.check_soon("table.read", RAW).unwrap());
    drop(rest.finish().unwrap());
    let log = about(&zt, RAW);
    let told: Vec<_> = log
        .iter()
        .map(|entry| entry.detail.get("answered").map(String::as_str))
        .collect();
    assert_eq!(told, [Some("no"), None]);
}

#[tokio::test]
async fn an_allow_that_waited_is_decided_anew() {
    let world = World::new();
    let row = format!(
        "[[Access_Policies]]\nid = \"AP-91\"\nprincipal = \"*\"\naction = \"table.read\"\nresource = \"{GOLD}\"\n\
         effect = \"restrict\"\nobligations = {{ audit = \"durable\" }}\n"
    );
    world.edit(|tables| format!("{tables}\n{row}"));
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let rest = waits(maya.require_soon("table.read", GOLD).unwrap());
    let deny = row
        .replace("AP-91", "AP-92")
        .replace("restrict", "deny")
        .replace("obligations = { audit = \"durable\" }\n", "");
    world.edit(|tables| format!("{tables}\n{deny}"));
    drop(zt.reload().await.unwrap());
    assert_eq!(rest.finish().unwrap_err().code(), Code::Denied);
}
