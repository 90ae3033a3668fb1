//! Whether one pattern speaks of everything that another speaks of.

use super::{ResourcePattern, Segment, Shape};

impl ResourcePattern {
    /// Whether every resource that `other` matches is matched by this one too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let Shape::Path {
            kind,
            segments,
            subtree,
        } = &self.shape
        else {
            return true;
        };
        let Shape::Path {
            kind: other_kind,
            segments: others,
            subtree: other_subtree,
        } = &other.shape
        else {
            return false;
        };
        let fits = |(own, other): (&Segment, &Segment)| match own {
            Segment::Any => true,
            Segment::Named(_) => own == other,
        };
        let reaches = if *subtree {
            others.len() >= segments.len()
        } else {
            others.len() == segments.len() && !other_subtree
        };
        kind == other_kind && reaches && segments.iter().zip(others).all(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Resource;

    fn pattern(text: &str) -> ResourcePattern {
        text.parse().unwrap()
    }

    /// Every path of up to three segments of two names, as patterns and as resources.
    fn all(names: &[&str], ends: &[&str]) -> Vec<String> {
        let mut paths: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        for _ in 0..2 {
            let longer: Vec<String> = paths
                .iter()
                .flat_map(|path| names.iter().map(move |name| format!("{path}.{name}")))
                .collect();
            paths.extend(longer);
        }
        paths.sort();
        paths.dedup();
        let paths = paths.iter();
        paths
            .flat_map(|path| ends.iter().map(move |end| format!("table:{path}{end}")))
            .collect()
    }

    #[test]
    fn it_covers_exactly_what_it_matches() {
        let patterns: Vec<ResourcePattern> = all(&["a", "*"], &["", ".**"])
            .iter()
            .map(|text| pattern(text))
            .collect();
        // One segment and one name more than any pattern has, so that each difference shows in some resource.
        let resources: Vec<Resource> = all(&["a", "c"], &["", ".c", ".c.c"])
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        for one in &patterns {
            for other in &patterns {
                let mut matched = resources.iter().filter(|resource| other.matches(resource));
                let expected = matched.all(|resource| one.matches(resource));
                assert_eq!(one.covers(other), expected, "{one} {other}");
            }
        }
    }

    #[test]
    fn everything_covers_all_kinds_and_no_kind_covers_another() {
        assert!(pattern("**").covers(&pattern("secret:*")));
        assert!(!pattern("secret:**").covers(&pattern("**")));
        assert!(!pattern("table:**").covers(&pattern("view:a")));
    }
}
