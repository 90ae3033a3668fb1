//! Many readers at once.

use std::time::Duration;

use zt_azure_simulator::Fault;
use zt_core::Code;

use super::{HOST, KEY, Scene, VALUE, retry_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_misses_are_one_call() {
    let scene = Scene::open().await;
    let slow = Fault::Slow(Duration::from_millis(100));
    scene.office.sim.fault(&format!("{HOST}/secrets"), slow, 1);
    let (mut reads, mut sessions) = (Vec::new(), vec![scene.job.clone()]);
    for _ in 0..3 {
        let other = scene.office.sign_in(&scene.zt, "sp-score-201").await;
        sessions.push(other.claiming(201, 2));
    }
    for number in 0..1000 {
        let job = sessions[number % sessions.len()].clone();
        reads.push(tokio::spawn(async move { job.secret(KEY).await }));
    }
    for read in reads {
        let secret = read.await.unwrap().unwrap();
        assert!(secret.reveal() == VALUE.as_bytes());
    }
    assert_eq!(scene.requests(), (2, 1));
    assert_eq!(scene.calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_misses_of_a_vault_that_refuses_are_one_call() {
    let scene = Scene::open().await;
    scene.spoil(Fault::NotFound);
    let reads: Vec<_> = (0..1000)
        .map(|_| {
            let job = scene.job.clone();
            tokio::spawn(async move { job.secret(KEY).await })
        })
        .collect();
    for read in reads {
        let error = read.await.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
    }
    assert_eq!(scene.calls(), 1);
}

#[tokio::test]
async fn nobody_calls_while_the_vault_wants_a_pause() {
    let scene = Scene::open().await;
    let busy = Fault::Status {
        status: 429,
        retry_after: Some(7),
    };
    scene.office.sim.fault(&format!("{HOST}/secrets"), busy, 1);
    scene.fails().await;
    let asked = scene.requests();
    for second in 0..7 {
        for _ in 0..50 {
            let error = scene.fails().await;
            assert_eq!(error.code(), Code::VaultUnavailable);
            assert_eq!(retry_in(&error), Some(Duration::from_secs(7 - second)));
        }
        let _refused = scene.job.refresh_secret(KEY).await.unwrap_err();
        scene.office.advance(1);
    }
    assert_eq!(scene.requests(), asked);
    assert_eq!(scene.reads(VALUE).await, None);
}
