//! Resources, patterns of them, and whether one matches the other: by the pattern, by the index, by the book.

use std::sync::Arc;

use zt_core::clock::Timestamp;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{
    self, Action, Context, DecisionId, Projection, Request, Resource, ResourcePattern,
};

use super::check_message;

/// A line with a pattern and a line with a resource.
///
/// Both print as text that reads back as the same. The pattern, a snapshot with it in a row, asked by value and by text, and
/// the rule as it is documented all say alike whether they match.
pub fn pattern(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let (pattern, resource) = text.split_once('\n').unwrap_or((text, text));
    let pattern = read::<ResourcePattern>(pattern);
    let resource_text = resource;
    let resource = read::<Resource>(resource);
    if let Some(pattern) = &pattern
        && let Some(exact) = pattern.exact()
    {
        assert!(pattern.matches(&exact), "{pattern} is not itself");
    }
    let (Some(pattern), Some(resource)) = (pattern, resource) else {
        return false;
    };
    let matches = pattern.matches(&resource);
    assert_eq!(
        matches,
        by_the_book(pattern.as_str(), &resource),
        "{pattern} {resource}"
    );
    if let Some(snapshot) = snapshot(&pattern) {
        let fitting = Action::ALL
            .iter()
            .find(|action| action.takes(resource.kind()));
        let action = *fitting.expect("every kind has an action");
        let request = Request::new(None, action, resource.clone());
        let decision = policy::decide(&snapshot, request, DecisionId::new(0, 0));
        assert_eq!(decision.is_allowed(), matches, "{pattern} {resource}");
        let nobody = Projection::new(&snapshot, None, Arc::from([]));
        let context = Context::new();
        let verdict = nobody.verdict_of(&snapshot, action, resource_text, &context, None);
        let verdict = verdict.expect("it reads as a resource");
        assert_eq!(verdict.is_allowed(), matches, "{pattern} {resource_text:?}");
    }
    true
}

fn read<T>(text: &str) -> Option<T>
where
    T: std::str::FromStr<Err: ToString> + ToString + PartialEq + std::fmt::Debug,
{
    match text.parse::<T>() {
        Ok(read) => {
            let printed = read.to_string();
            assert_eq!(
                printed.parse::<T>().ok().as_ref(),
                Some(&read),
                "{printed:?}"
            );
            Some(read)
        }
        Err(why) => {
            check_message(&why.to_string());
            None
        }
    }
}

/// One row that allows everybody everything on the pattern; none where such a row is refused.
fn snapshot(pattern: &ResourcePattern) -> Option<Arc<Snapshot>> {
    let mut raw = RawTables::new("fuzz".to_owned());
    let cells = [
        ("id", "P"),
        ("principal", "*"),
        ("action", "*"),
        ("resource", pattern.as_str()),
        ("effect", "allow"),
    ];
    let cells = cells.map(|(name, text)| (name.to_owned(), Cell::Text(text.to_owned())));
    raw.push("Access_Policies", RawRow::new(None, cells.to_vec()));
    match Snapshot::compile(&raw, 1, Timestamp::from_millis(0)) {
        Ok(snapshot) => Some(Arc::new(snapshot)),
        Err(report) => {
            let problems = report.problems().iter();
            problems.for_each(|problem| check_message(&problem.to_string()));
            None
        }
    }
}

/// `**` is everything; else the kinds are the same, and of the pattern's segments `*` is any one, a last `**` any number.
fn by_the_book(pattern: &str, resource: &Resource) -> bool {
    let Some((kind, path)) = pattern.split_once(':') else {
        return pattern == "**";
    };
    let separator = resource.kind().separator();
    let mut wanted: Vec<&str> = path.split(separator).collect();
    let is_subtree = wanted.last() == Some(&"**");
    if is_subtree {
        wanted.pop();
    }
    let given: Vec<&str> = resource.path().split(separator).collect();
    let is_long_enough = if is_subtree {
        given.len() >= wanted.len()
    } else {
        given.len() == wanted.len()
    };
    let mut pairs = wanted.iter().zip(&given);
    kind == resource.kind().as_str()
        && is_long_enough
        && pairs.all(|(wanted, given)| *wanted == "*" || wanted == given)
}
