//! A vault that does not answer is left alone, tried once in a while, and called again as soon as it answers.

use std::time::Duration;

use zt_azure_simulator::Fault;
use zt_core::Code;

use super::{Scene, VALUE, VAULT, retry_in};

const DOWN: Fault = Fault::Status {
    status: 503,
    retry_after: None,
};

/// The gate of the one vault, as the status of the process tells it.
fn gate(scene: &Scene) -> (&'static str, u64) {
    let gates = scene.zt.status().secrets.gates;
    let gate = gates.into_iter().find(|gate| gate.vault.contains(VAULT));
    let gate = gate.unwrap();
    (gate.state, gate.closed_for_ms)
}

#[tokio::test]
async fn five_calls_without_an_answer_end_the_calls_until_a_probe_is_answered() {
    let scene = Scene::open().await;
    scene.spoil(DOWN);
    for calls in [2, 4, 5] {
        assert_eq!(scene.fails().await.code(), Code::VaultUnavailable);
        assert_eq!(scene.calls(), calls);
    }
    assert_eq!(gate(&scene), ("broken", 10_000));
    let asked = scene.requests();
    for _ in 0..100 {
        let error = scene.fails().await;
        assert_eq!(error.code(), Code::VaultUnavailable);
        assert_eq!(retry_in(&error), Some(Duration::from_secs(10)));
    }
    assert_eq!((scene.calls(), scene.requests()), (5, asked));

    scene.office.advance(10);
    assert_eq!(scene.fails().await.code(), Code::VaultUnavailable);
    assert_eq!(scene.calls(), 6, "one probe, and no second attempt");
    assert_eq!(gate(&scene), ("broken", 20_000));

    scene.office.sim.clear_faults();
    scene.office.advance(19);
    assert_eq!(scene.fails().await.code(), Code::VaultUnavailable);
    assert_eq!(scene.calls(), 6, "it would answer, and is not asked yet");
    scene.office.advance(1);
    assert_eq!(scene.reads(VALUE).await, None);
    assert_eq!((scene.calls(), gate(&scene)), (7, ("open", 0)));
}
