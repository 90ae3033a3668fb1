//! What else keeps values in a process, filled with the shelf's: each as its documentation says to use it, with a TTL where it
//! has one.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::at_once;
use super::contest::Contender;
use super::shelf::{BYTES, SECRETS, Shelf, TTL};

type Value = Arc<[u8]>;

fn value() -> Value {
    Arc::from([b'x'; BYTES])
}

/// The first is what the others are compared with.
pub fn all(shelf: &Shelf) -> Vec<Contender<'_>> {
    let names = &shelf.names;
    let room = u64::try_from(SECRETS * 10).unwrap_or(u64::MAX);

    let cache = moka::future::Cache::builder();
    let future = cache.max_capacity(room).time_to_live(TTL).build();
    let cache = moka::sync::Cache::builder();
    let sync = cache.max_capacity(room).time_to_live(TTL).build();
    let quick = quick_cache::sync::Cache::<String, Value>::new(SECRETS * 10);
    let mut map = HashMap::new();
    for name in names {
        let _is_inserted = at_once(future.insert(name.clone(), value()));
        sync.insert(name.clone(), value());
        quick.insert(name.clone(), value());
        map.insert(name.clone(), value());
    }
    let map = RwLock::new(map);
    let agent = Agent::filled(names);
    vec![
        Contender::new("moka::future::get", move |at| {
            at_once(future.get(&names[at]))?.map(|value| value.len())
        }),
        Contender::new("moka::sync::get", move |at| {
            sync.get(&names[at]).map(|value| value.len())
        }),
        Contender::new("hit of the AWS secrets cache, a model", move |at| {
            at_once(agent.get(&names[at]))?.map(|answer| answer.text.len())
        }),
        Contender::new("quick_cache, no TTL", move |at| {
            quick.get(&names[at]).map(|value| value.len())
        }),
        Contender::new("RwLock<HashMap>, no TTL", move |at| {
            let map = map.read().unwrap_or_else(PoisonError::into_inner);
            map.get(&names[at]).map(|value| Arc::clone(value).len())
        }),
    ]
}

/// How `aws_secretsmanager_caching` 2.0.0 answers a hit, rebuilt from its description: an asynchronous lock, a key of three
/// texts that are copied for the look-up, the age of the entry, and a copy of the whole answer. A `HashMap` of boxes stands
/// for its linked map, whose order a hit does not touch.
struct Agent(tokio::sync::RwLock<HashMap<Key, Box<Entry>>>);

#[derive(PartialEq, Eq, Hash)]
struct Key {
    id: String,
    version: Option<String>,
    stage: Option<String>,
}

struct Entry {
    answer: Answer,
    updated: Instant,
}

#[derive(Clone)]
#[expect(dead_code, reason = "it is copied for the time that takes")]
struct Answer {
    arn: String,
    name: String,
    version: String,
    text: String,
    binary: Option<Vec<u8>>,
    stages: Vec<String>,
    created: Duration,
}

const VERSION: &str = "00000000-0000-4000-8000-000000000001";
const STAGE: &str = "AWSCURRENT";

impl Key {
    fn of(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            version: Some(VERSION.to_owned()),
            stage: Some(STAGE.to_owned()),
        }
    }
}

impl Agent {
    fn filled(names: &[String]) -> Self {
        let entry = |name: &String| Entry {
            answer: Answer {
                arn: format!("arn:aws:secretsmanager:eu-west-1:000000000000:secret:{name}"),
                name: name.clone(),
                version: VERSION.to_owned(),
                text: "x".repeat(BYTES),
                binary: None,
                stages: vec![STAGE.to_owned()],
                created: Duration::ZERO,
            },
            updated: Instant::now(),
        };
        let entries = names
            .iter()
            .map(|name| (Key::of(name), Box::new(entry(name))));
        Self(tokio::sync::RwLock::new(entries.collect()))
    }

    async fn get(&self, id: &str) -> Option<Answer> {
        let entries = self.0.read().await;
        let entry = entries.get(&Key::of(id))?;
        (entry.updated.elapsed() < TTL).then(|| entry.answer.clone())
    }
}
