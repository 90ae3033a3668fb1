//! Every fault, as a client meets it.

use std::time::{Duration, Instant};

use zt_azure_simulator::{Fault, Simulator};

use crate::client::{LOGIN, Response, secure, start};

const KEYS: &str = "/organizations/discovery/v2.0/keys";

async fn keys(sim: &Simulator) -> std::io::Result<Response> {
    secure(sim, LOGIN, "GET", KEYS, &[], "").await
}

async fn with(sim: &Simulator, fault: Fault) -> std::io::Result<Response> {
    sim.fault(KEYS, fault, 1);
    keys(sim).await
}

#[tokio::test]
async fn answers_go_wrong_as_they_are_told_and_then_are_right_again() {
    let sim = start();
    let right = keys(&sim).await.unwrap();
    let unavailable = Fault::Status {
        status: 503,
        retry_after: Some(7),
    };
    let refused = with(&sim, unavailable).await.unwrap();
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("7"))
    );
    let page = with(&sim, Fault::Html).await.unwrap();
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert_eq!(page.status, 200);
    assert_eq!(
        with(&sim, Fault::WrongJson)
            .await
            .unwrap()
            .json()
            .get("keys"),
        None
    );
    let moved = with(&sim, Fault::Redirect("https://evil.example/".to_owned()))
        .await
        .unwrap();
    assert_eq!(
        (moved.status, moved.header("location")),
        (302, Some("https://evil.example/"))
    );
    let empty = with(&sim, Fault::NoKeys).await.unwrap().json();
    assert_eq!(empty["keys"].as_array().unwrap().len(), 0);
    let other = with(&sim, Fault::OtherCloud).await.unwrap().json();
    assert_eq!(
        other["keys"][0]["cloud_instance_name"],
        "microsoftonline.us"
    );
    let giant = with(&sim, Fault::Giant(3_000_000)).await.unwrap();
    assert_eq!(
        (giant.body.len(), giant.header("content-length")),
        (3_000_000, None)
    );
    assert!(with(&sim, Fault::Truncated).await.is_err());
    assert!(with(&sim, Fault::Close).await.is_err());
    assert_eq!(keys(&sim).await.unwrap().body, right.body);
}

#[tokio::test]
async fn answers_come_late_or_in_drips() {
    let sim = start();
    let started = Instant::now();
    let late = with(&sim, Fault::Slow(Duration::from_millis(300))).await;
    assert_eq!(late.unwrap().status, 200);
    assert!(started.elapsed() >= Duration::from_millis(300));
    let drip = with(&sim, Fault::Drip(Duration::from_millis(50)));
    let cut = tokio::time::timeout(Duration::from_millis(400), drip).await;
    assert!(cut.is_err(), "thousands of bytes at 20 a second");
}

#[tokio::test]
async fn a_fault_is_for_its_path_its_host_and_its_count() {
    let sim = start();
    sim.fault("graph.microsoft.com/v1.0", Fault::Close, 1);
    sim.fault(KEYS, Fault::Html, 2);
    sim.fault(KEYS, Fault::Close, u32::MAX);
    assert_eq!(
        keys(&sim).await.unwrap().text().len(),
        keys(&sim).await.unwrap().text().len()
    );
    assert!(keys(&sim).await.is_err());
    assert!(keys(&sim).await.is_err());
    sim.clear_faults();
    assert_eq!(keys(&sim).await.unwrap().status, 200);
    let seen = sim.requests();
    let statuses: Vec<_> = seen.iter().map(|one| (one.status, one.is_faulty)).collect();
    assert_eq!(
        statuses,
        [
            (Some(200), true),
            (Some(200), true),
            (None, true),
            (None, true),
            (Some(200), false)
        ]
    );
    assert_eq!(sim.count("/organizations/discovery"), 5);
    sim.clear_requests();
    assert_eq!(sim.count("/"), 0);
}

#[tokio::test]
async fn nobody_is_served_after_the_end() {
    let sim = start();
    let (https, http) = (sim.https_addr(), sim.http_addr());
    sim.fault(KEYS, Fault::Slow(Duration::from_secs(60)), 1);
    let hanging = tokio::time::timeout(Duration::from_millis(200), keys(&sim)).await;
    assert!(hanging.is_err());
    let started = Instant::now();
    drop(sim);
    assert!(started.elapsed() < Duration::from_secs(2));
    for address in [https, http] {
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    }
}
