//! An issuer without a network: it answers what the test says, and counts.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::super::*;
use crate::clock::Clock;
use crate::clock::Timestamp;
use crate::identity::{Cloud, EntraProfile, KeyObserver};
use crate::network::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::port::{BoxFuture, Spawn};
use crate::testing::{DevIssuer, ManualClock, TokenRequest};

pub(super) const NOW_S: i64 = 1_790_000_000;
pub(super) const TENANT: Guid = Guid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
pub(super) const SECOND: Guid = Guid::from_u128(0x2222_2222_2222_4222_8222_2222_2222_2222);
const APP: Guid = Guid::from_u128(0xd000_0000_0000_4000_8000_0000_0000_0001);

static KEYS: LazyLock<[(DevIssuer, tempfile::TempDir); 2]> = LazyLock::new(|| {
    [(); 2].map(|()| {
        let folder = tempfile::tempdir().unwrap();
        (DevIssuer::open(folder.path()).unwrap(), folder)
    })
});

pub(super) fn first() -> &'static DevIssuer {
    &KEYS[0].0
}

pub(super) fn second() -> &'static DevIssuer {
    &KEYS[1].0
}

/// A set of these keys.
pub(super) fn jwks(keys: &[&DevIssuer]) -> Value {
    let key = |issuer: &&DevIssuer| {
        let set: Value = serde_json::from_str(issuer.jwks()).unwrap();
        set["keys"][0].clone()
    };
    json!({ "keys": keys.iter().map(key).collect::<Vec<_>>() })
}

/// Tokens for one profile, on a clock of their own.
#[derive(Clone)]
pub(super) struct Tokens {
    profile: EntraProfile,
    clock: Arc<ManualClock>,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self::of(EntraProfile::new(Cloud::Development, TENANT, APP).unwrap())
    }

    pub(super) fn of(profile: EntraProfile) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
        Self { profile, clock }
    }

    pub(super) fn profile(&self) -> EntraProfile {
        self.profile.clone()
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::<ManualClock>::clone(&self.clock)
    }

    pub(super) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(super) fn sleep(&self, by: Duration) {
        self.clock.jump_to(self.clock.now().after(by));
    }

    pub(super) fn user(&self, key: &DevIssuer) -> String {
        self.user_of(&self.profile, key)
    }

    pub(super) fn user_of(&self, profile: &EntraProfile, key: &DevIssuer) -> String {
        let object = Guid::from_u128(7);
        key.issue(&TokenRequest::user(profile, object, self.clock.now()))
            .unwrap()
    }

    /// A token of a key that nobody has.
    pub(super) fn stranger(&self, kid: &str) -> String {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid }).to_string();
        let known = self.user(first());
        let payload = known.split('.').nth(1).unwrap();
        let header =
            base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header);
        first().sign_parts(&header, payload).unwrap()
    }
}

/// What the issuer answers with.
#[derive(Debug, Clone)]
pub(super) enum Mood {
    Good,
    Hang,
    Down,
    Answer(u16, Vec<u8>),
}

#[derive(Debug)]
pub(super) struct Issuer {
    keys: Mutex<Value>,
    mood: Mutex<Mood>,
    document: Mutex<Option<Value>>,
    documents: AtomicUsize,
    sets: AtomicUsize,
    unchanged: AtomicUsize,
    hanging: AtomicUsize,
    has_etag: AtomicBool,
}

impl Issuer {
    pub(super) fn new(keys: Value) -> Self {
        Self {
            keys: Mutex::new(keys),
            mood: Mutex::new(Mood::Good),
            document: Mutex::new(None),
            documents: AtomicUsize::new(0),
            sets: AtomicUsize::new(0),
            unchanged: AtomicUsize::new(0),
            hanging: AtomicUsize::new(0),
            has_etag: AtomicBool::new(true),
        }
    }

    pub(super) fn publish(&self, keys: Value) {
        *self.keys.lock().unwrap() = keys;
    }

    pub(super) fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(super) fn hang(&self) {
        self.be(Mood::Hang);
    }

    pub(super) fn document(&self, document: Value) {
        *self.document.lock().unwrap() = Some(document);
    }

    pub(super) fn documents(&self) -> usize {
        self.documents.load(Ordering::SeqCst)
    }

    pub(super) fn sets(&self) -> usize {
        self.sets.load(Ordering::SeqCst)
    }

    pub(super) fn unchanged(&self) -> usize {
        self.unchanged.load(Ordering::SeqCst)
    }

    pub(super) fn hanging(&self) -> usize {
        self.hanging.load(Ordering::SeqCst)
    }

    pub(super) fn requests(&self) -> usize {
        self.sets() + self.documents()
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_document = request.url.contains("/.well-known/openid-configuration");
        let counted = if is_document {
            &self.documents
        } else {
            &self.sets
        };
        counted.fetch_add(1, Ordering::SeqCst);
        match self.mood.lock().unwrap().clone() {
            Mood::Answer(status, body) => return Ok(HttpResponse::new(status, body)),
            Mood::Down => {
                let host = "login".to_owned();
                return Err(HttpError::Connect { host });
            }
            Mood::Good | Mood::Hang => {}
        }
        if is_document {
            return Ok(HttpResponse::new(
                200,
                self.made_document(&request.url).to_string(),
            ));
        }
        let keys = self.keys.lock().unwrap().to_string();
        let mut hasher = std::hash::DefaultHasher::new();
        std::hash::Hash::hash(&keys, &mut hasher);
        let etag = format!("\"{:x}\"", std::hash::Hasher::finish(&hasher));
        let asked = request
            .headers
            .iter()
            .find(|(name, _)| name == "if-none-match");
        if asked.is_some_and(|(_, value)| **value == etag) {
            self.unchanged.fetch_add(1, Ordering::SeqCst);
            return Ok(HttpResponse::new(304, []));
        }
        let answer = HttpResponse::new(200, keys);
        Ok(match self.has_etag.load(Ordering::SeqCst) {
            true => answer.with_header("etag", etag),
            false => answer,
        })
    }

    /// As Entra writes it for the tenant and format that the address names.
    fn made_document(&self, url: &str) -> Value {
        if let Some(own) = self.document.lock().unwrap().clone() {
            return own;
        }
        let root = "https://zt-development-issuer.invalid/";
        let tenant = url.strip_prefix(root).unwrap().split('/').next().unwrap();
        json!({
            "issuer": format!("{root}{tenant}/v2.0"),
            "jwks_uri": format!("{root}{tenant}/discovery/v2.0/keys"),
            "cloud_instance_name": "zt-development-issuer.invalid",
        })
    }
}

impl HttpClient for Issuer {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            if matches!(*self.mood.lock().unwrap(), Mood::Hang) {
                self.hanging.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(request.deadline).await;
                let (host, deadline) = ("login".to_owned(), request.deadline);
                return Err(HttpError::Timeout { host, deadline });
            }
            self.answer(&request)
        })
    }
}

#[derive(Debug)]
pub(super) struct Tokio;

impl Spawn for Tokio {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(tokio::spawn(task));
    }
}

/// What was told.
#[derive(Debug, Default)]
pub(super) struct News(pub(super) Mutex<Vec<KeyNews>>);

impl KeyObserver for News {
    fn observe(&self, event: &KeyEvent) {
        self.0.lock().unwrap().push(event.what.clone());
    }
}

/// What a process keeps for the next, in memory.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<BTreeMap<String, Vec<u8>>>);

impl KeyStore for Kept {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(name).cloned()
    }

    fn save(&self, name: &str, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap()
            .insert(name.to_owned(), bytes.to_vec());
    }
}

/// Lets what can go on do so; no time passes.
pub(super) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}
