//! A secret that is rotated while many read it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::office::until;
use super::{HOST, KEY, Scene, TTL, VALUE};

const ROTATIONS: usize = 24;
const READERS: usize = 8;

/// Three ways by which a new version becomes known, in turn.
fn hasten(scene: &Scene, round: usize) {
    match round % 3 {
        0 => scene.zt.invalidate(KEY).unwrap(),
        1 => scene.office.advance(TTL + 1),
        _ => {
            let event = format!(
                r#"{{"eventType": "Microsoft.KeyVault.SecretNewVersionCreated", "data": {{"Id": "https://{HOST}/secrets/{KEY}"}}}}"#
            );
            // A slot asks once a second at most.
            scene.office.advance(2);
            let _delivery = scene.zt.on_secret_event(event.as_bytes()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_no_error_and_no_value_that_never_was() {
    let scene = Scene::open().await;
    let known = Arc::new(Mutex::new(vec![VALUE.to_owned()]));
    let is_over = Arc::new(AtomicBool::new(false));
    let newest: Vec<Arc<AtomicUsize>> = (0..READERS).map(|_| Arc::default()).collect();
    let readers: Vec<_> = newest
        .iter()
        .enumerate()
        .map(|(number, newest)| {
            let (job, handle) = (scene.job.clone(), scene.job.secret_handle(KEY));
            let (known, is_over) = (Arc::clone(&known), Arc::clone(&is_over));
            let newest = Arc::clone(newest);
            tokio::spawn(async move {
                while !is_over.load(Ordering::Acquire) {
                    let secret = match number % 2 {
                        0 => job.secret(KEY).await.unwrap(),
                        _ => handle.get().await.unwrap(),
                    };
                    let place = known
                        .lock()
                        .unwrap()
                        .iter()
                        .position(|one| secret.reveal() == one.as_bytes());
                    newest.fetch_max(place.unwrap(), Ordering::AcqRel);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for round in 1..=ROTATIONS {
        let value = format!("zt-needle-rotation-{round}");
        known.lock().unwrap().push(value.clone());
        scene.vault().set_secret(KEY, &value).unwrap();
        hasten(&scene, round);
        let all_see = || {
            newest
                .iter()
                .all(|seen| seen.load(Ordering::Acquire) == round)
        };
        let has_ended = || readers.iter().any(tokio::task::JoinHandle::is_finished);
        until("all see the new version", || all_see() || has_ended()).await;
        assert!(all_see(), "a reader ended in round {round}");
    }
    is_over.store(true, Ordering::Release);
    for reader in readers {
        reader.await.unwrap();
    }
    let gets = scene.vault().secret_gets(KEY);
    assert!(
        gets <= 2 * ROTATIONS + 1,
        "{gets} calls for {ROTATIONS} rotations"
    );
    scene.office.assert_no_leaks(&["zt-needle-"]);
}

#[tokio::test]
async fn a_value_that_is_held_stays_what_it_was() {
    let scene = Scene::open().await;
    let old = scene.read().await.unwrap();
    scene.vault().set_secret(KEY, "zt-needle-next").unwrap();
    scene.zt.invalidate(KEY).unwrap();
    assert_eq!(scene.reads("zt-needle-next").await, None);
    assert!(old.reveal() == VALUE.as_bytes());
    assert_eq!(old.stale_for(), None::<Duration>);
}
