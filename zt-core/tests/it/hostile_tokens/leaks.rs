//! What a refusal says: never the token, a part of it, a name or a mail address; to the caller, nothing but a code.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use zt_core::Error;
use zt_core::clock::{Clock, Timestamp};
use zt_core::runtime::RuntimeBuilder;
use zt_core::testing::ManualClock;

use super::mint::{Door, NEEDLES, NOW_S, knock};
use super::{Case, cases};
use crate::world::World;

/// So many bytes of a token in a row are a part of it.
const WINDOW: usize = 12;

/// Every stretch of so many bytes of what was said.
struct Said(HashSet<Vec<u8>>, String);

impl Said {
    fn new(text: String) -> Self {
        let windows = text.as_bytes().windows(WINDOW).map(<[u8]>::to_vec);
        Self(windows.collect(), text)
    }

    /// What of a token, or of the names in it, was said.
    fn leak(&self, case: &Case) -> Option<String> {
        // Claims in the clear hold ids, and ids may be said.
        let parts = case
            .token
            .split('.')
            .filter(|_| !case.token.starts_with('{'));
        let leaked = parts
            .flat_map(|part| part.as_bytes().windows(WINDOW))
            .find(|window| self.0.contains(*window))
            .map(|window| String::from_utf8_lossy(window).into_owned());
        let named = NEEDLES.iter().find(|needle| self.1.contains(*needle));
        leaked.or_else(|| named.map(|needle| (*needle).to_owned()))
    }
}

#[test]
fn no_refusal_repeats_the_token_or_who_is_in_it() {
    let mut leaks = Vec::new();
    for case in cases() {
        let answer = knock(case.door, &case.token);
        let mut said = format!("{answer:?}");
        if let Err(reason) = answer {
            let error = Error::from(reason.clone());
            said = format!(
                "{said}\n{reason}\n{error}\n{error:?}\n{}",
                error.public_message()
            );
            assert!(
                !reason.to_string().chars().any(char::is_control),
                "{}",
                case.line()
            );
            assert!(said.len() < 2_000, "{}: {} bytes", case.line(), said.len());
        }
        if let Some(leak) = Said::new(said).leak(&case) {
            leaks.push(format!("{}: {leak:?}", case.line()));
        }
    }
    assert!(
        leaks.is_empty(),
        "{} leaks\n{}",
        leaks.len(),
        leaks.join("\n")
    );
}

#[test]
fn a_caller_learns_a_code_and_no_reason() {
    for case in cases() {
        let Err(reason) = knock(case.door, &case.token) else {
            continue;
        };
        let error = Error::from(reason);
        let public = error.public_message();
        let expected = match case.expected.as_str() {
            "missing" => "missing_credentials",
            "expired" => "token_expired",
            "not yet valid" => "token_not_yet_valid",
            _ => "invalid_token",
        };
        assert_eq!(
            (public.as_str(), error.http_status()),
            (expected, 401),
            "{}",
            case.line()
        );
    }
}

#[tokio::test]
async fn the_audit_log_holds_no_token_and_no_name() {
    let world = World::new();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    let builder = RuntimeBuilder::new(world.config()).with_clock(clock);
    let zt = builder.open().await.unwrap();
    let cases = cases();
    let mut accepted = 0;
    for case in &cases {
        let answer = zt.authenticate(&case.token).await;
        // Another door's refusals are not this one's.
        let may_enter = case.expected == "accepted" || case.door != Door::Development;
        assert!(answer.is_err() || may_enter, "{}", case.line());
        accepted += usize::from(answer.is_ok());
    }
    assert!(accepted > 90, "{accepted}");
    let folder = zt.audit_folder().clone();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let mut text = String::new();
    read_all(&folder, &mut text);
    assert!(text.len() > 1_000, "{} bytes", text.len());
    let said = Said::new(text);
    let leaks: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {:?}", case.line(), said.leak(case)?)))
        .collect();
    assert!(
        leaks.is_empty(),
        "{} leaks\n{}",
        leaks.len(),
        leaks.join("\n")
    );
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, text);
        } else {
            text.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap()));
        }
    }
}
