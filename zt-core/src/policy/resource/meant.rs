//! What a person most likely meant who wrote something that is no pattern of resources.
//!
//! In: the text. Out: a pattern that can be read and differs little, or nothing. Never: a pattern of more than was written,
//! where what was written says how much that is.

use super::{ResourceKind, ResourcePattern};
use crate::text::nearest;

impl ResourcePattern {
    /// The pattern that was meant, to be offered and never to be taken.
    pub(crate) fn meant(text: &str) -> Option<String> {
        if text == "*" {
            return Some("**".to_owned());
        }
        let (kind, path) = parts(text)?;
        let separator = kind.separator();
        let path = if kind.ignores_case() {
            path.replace('/', ".")
        } else {
            path.to_owned()
        };
        let mut segments: Vec<&str> = path.split(separator).filter(|s| !s.is_empty()).collect();
        if let Some((_last, others)) = segments.split_last_mut() {
            for segment in others.iter_mut().filter(|segment| **segment == "**") {
                *segment = "*";
            }
        }
        let path = segments.join(&separator.to_string());
        let meant = format!("{kind}:{path}");
        (meant != text && meant.parse::<Self>().is_ok()).then_some(meant)
    }
}

/// The kind, if need be the nearest one, and the path; `job/201` lacks no more than its colon.
fn parts(text: &str) -> Option<(ResourceKind, &str)> {
    let (kind, path) = text
        .split_once(':')
        .or_else(|| text.split_once(['/', '.']))?;
    let kinds: Vec<&str> = ResourceKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let kind = ResourceKind::named(kind)
        .or_else(|| ResourceKind::named(nearest(kind, &kinds)?.as_str()))?;
    Some((kind, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_little_from_a_pattern_is_offered_as_one() {
        for (written, meant) in [
            ("tabel:raw.x", "table:raw.x"),
            ("Table:raw.x", "table:raw.x"),
            ("job/201", "job:201"),
            ("table:raw/x", "table:raw.x"),
            ("table:raw..x", "table:raw.x"),
            ("secret:/a//b", "secret:a/b"),
            ("table:raw.**.x", "table:raw.*.x"),
            ("*", "**"),
        ] {
            assert_eq!(ResourcePattern::meant(written).as_deref(), Some(meant));
        }
    }

    #[test]
    fn nothing_is_offered_where_it_would_be_a_guess() {
        for written in [
            "",
            "table",
            "table:",
            "nothing:like.it",
            "table:a b",
            "table:a.x*",
            "table:a",
        ] {
            assert_eq!(ResourcePattern::meant(written), None, "{written}");
        }
    }
}
