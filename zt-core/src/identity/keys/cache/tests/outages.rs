//! The issuer is down, slow or lies.

use serde_json::json;

use super::fake::{Kept, Mood};
use super::*;

#[tokio::test(start_paused = true)]
async fn a_day_without_the_issuer_signs_nobody_out() {
    let stage = Stage::ready().await;
    stage.issuer.be(Mood::Down);
    let before = stage.issuer.requests();
    for hour in 0..24 {
        let fresh = stage.tokens.user(first());
        assert!(stage.door.authenticate(&fresh).is_ok(), "hour {hour}");
        stage.pass(Duration::from_secs(3599)).await;
        let fresh = stage.tokens.user(first());
        assert!(stage.enter(&fresh).await.is_ok(), "hour {hour}");
    }
    assert_eq!(stage.state(), KeyState::Stale);
    let tries = stage.issuer.requests() - before;
    assert!((100..400).contains(&tries), "{tries}");
    stage.pass(Duration::from_secs(60)).await;
    assert_eq!(stage.state(), KeyState::Expired);
    let error = stage.enter(&stage.tokens.user(first())).await.unwrap_err();
    assert!(
        matches!(error, AuthError::KeysUnavailable { .. }),
        "{error}"
    );
    // It is told once that it fails, and once that it is over.
    stage.issuer.be(Mood::Good);
    stage.pass(Duration::from_secs(600)).await;
    assert_eq!(stage.state(), KeyState::Fresh);
    assert!(stage.enter(&stage.tokens.user(first())).await.is_ok());
    let news = stage.news.0.lock().unwrap().clone();
    let failing = |news: &&KeyNews| matches!(news, KeyNews::Failing { .. });
    assert_eq!(news.iter().filter(failing).count(), 1);
    assert_eq!(news.last(), Some(&KeyNews::Recovered));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_used_never_replaces_a_good_set() {
    let stage = Stage::ready().await;
    let mut private = jwks(&[first()]);
    private["keys"][0]["d"] = "AQAB".into();
    let mut foreign = jwks(&[second()]);
    foreign["keys"][0]["cloud_instance_name"] = "microsoftonline.us".into();
    let mut short = jwks(&[second()]);
    short["keys"][0]["n"] = "AQAB".into();
    let bodies = [
        (200, b"<html>sign in to the hotel</html>".to_vec()),
        (200, Vec::new()),
        (200, b"{\"keys\":[]}".to_vec()),
        (200, private.to_string().into_bytes()),
        (200, foreign.to_string().into_bytes()),
        (200, short.to_string().into_bytes()),
        (
            200,
            jwks(&[second()]).to_string().into_bytes()[..200].to_vec(),
        ),
        (302, Vec::new()),
        (304, b"".to_vec()),
        (429, Vec::new()),
        (500, jwks(&[second()]).to_string().into_bytes()),
    ];
    for (status, body) in bodies {
        let text = String::from_utf8_lossy(&body).into_owned();
        stage.issuer.be(Mood::Answer(status, body));
        stage.pass(Duration::from_secs(4000)).await;
        let known = stage.cache.known();
        assert_eq!(known.find(first().kid()).len(), 1, "{status} {text}");
        assert!(known.find(second().kid()).is_empty(), "{status} {text}");
        assert!(stage.door.authenticate(&stage.tokens.user(first())).is_ok());
        stage.issuer.be(Mood::Good);
        stage.pass(Duration::from_secs(400)).await;
        assert_eq!(stage.state(), KeyState::Fresh, "{status} {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_points_elsewhere_is_not_followed() {
    for document in [
        json!({ "issuer": "https://zt-development-issuer.invalid/11111111-1111-4111-8111-111111111111/v2.0", "jwks_uri": "https://attacker.example/keys" }),
        json!({ "issuer": "https://attacker.example/v2.0", "jwks_uri": "https://zt-development-issuer.invalid/keys" }),
        json!({ "jwks_uri": "https://zt-development-issuer.invalid/keys" }),
        json!([]),
    ] {
        let stage = Stage::new();
        stage.issuer.document(document.clone());
        let error = stage.enter(&stage.tokens.user(first())).await.unwrap_err();
        assert!(
            matches!(error, AuthError::KeysUnavailable { .. }),
            "{error}"
        );
        assert_eq!(stage.issuer.sets(), 0, "{document}");
        let health = stage.cache.health();
        assert!(
            health[0]
                .error
                .as_ref()
                .unwrap()
                .contains("discovery document")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_during_an_outage_uses_what_the_last_process_kept() {
    let kept: Arc<dyn KeyStore> = Arc::new(Kept::default());
    let tokens = Tokens::new();
    let issuer = Arc::new(Issuer::new(jwks(&[first()])));
    let start = || {
        let issuer = Arc::clone(&issuer);
        Stage::over(tokens.clone(), issuer, Some(Arc::clone(&kept)))
    };
    let one = start();
    one.cache.tick();
    fake::settle().await;
    one.kept().await;
    drop(one);
    issuer.be(Mood::Down);
    tokens.advance(Duration::from_secs(20 * 3600));
    let two = start();
    assert_eq!(two.state(), KeyState::Stale);
    assert!(two.door.authenticate(&tokens.user(first())).is_ok());
    tokens.advance(Duration::from_secs(5 * 3600));
    assert!(two.door.authenticate(&tokens.user(first())).is_err());
    drop(two);
    let three = start();
    // A set that is too old is as none.
    assert_eq!(three.state(), KeyState::Empty);
    assert!(three.enter(&tokens.user(first())).await.is_err());
    // What claims to be of tomorrow is not believed.
    tokens.sleep(Duration::ZERO);
    let tomorrow = Tokens::new();
    let four = Stage::over(tomorrow, Arc::clone(&issuer), Some(Arc::clone(&kept)));
    assert!(matches!(four.state(), KeyState::Fresh | KeyState::Empty));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_time_gets_it() {
    let stage = Stage::ready().await;
    stage.issuer.be(Mood::Answer(429, Vec::new()));
    stage.pass(Duration::from_secs(4000)).await;
    let tries = stage.issuer.sets();
    stage.pass(Duration::from_secs(3600)).await;
    // At most every five minutes once it has failed for a while.
    assert!(stage.issuer.documents() + stage.issuer.sets() - tries <= 30);
}

/// A file system that hangs until it is let go; not on the thread that fetches, which would never let it.
#[derive(Debug)]
struct Hanging {
    go: Mutex<std::sync::mpsc::Receiver<()>>,
    fetches_on: std::thread::ThreadId,
    writes: Mutex<Vec<(bool, Vec<u8>)>>,
}

impl KeyStore for Hanging {
    fn load(&self, _name: &str) -> Option<Vec<u8>> {
        None
    }

    fn save(&self, _name: &str, bytes: &[u8]) {
        let is_apart = std::thread::current().id() != self.fetches_on;
        if is_apart {
            let _let_go = self.go.lock().unwrap().recv();
        }
        self.writes.lock().unwrap().push((is_apart, bytes.to_vec()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_holds_up_no_fetch_and_keeps_the_newest_set_once_it_goes_on() {
    let (go, waits) = std::sync::mpsc::channel();
    let store = Arc::new(Hanging {
        go: Mutex::new(waits),
        fetches_on: std::thread::current().id(),
        writes: Mutex::default(),
    });
    let issuer = Arc::new(Issuer::new(jwks(&[first()])));
    let kept: Arc<dyn KeyStore> = Arc::<Hanging>::clone(&store);
    let stage = Stage::over(Tokens::new(), issuer, Some(kept));
    stage.cache.tick();
    fake::settle().await;
    assert_eq!(stage.state(), KeyState::Fresh);
    for keys in [jwks(&[first(), second()]), jwks(&[second()])] {
        stage.issuer.publish(keys);
        stage.refreshed().await;
    }
    assert!(store.writes.lock().unwrap().is_empty(), "it hangs");
    drop(go);
    stage.kept().await;
    let writes = store.writes.lock().unwrap();
    assert!((1..=2).contains(&writes.len()), "one at a time");
    assert!(writes.iter().all(|(is_apart, _)| *is_apart));
    let (_, newest) = writes.last().unwrap();
    let newest = std::str::from_utf8(newest).unwrap();
    assert!(newest.contains(second().kid()) && !newest.contains(first().kid()));
}
