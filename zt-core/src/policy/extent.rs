//! Where and when something counts: windows of time, and the extent of a membership or a role.
//!
//! In: a moment, which may be unknown, and a resource. Out: a [`Truth`]; and the next moment at which it can change.

use super::{ResourceKind, ResourcePattern, Truth};
use crate::clock::Timestamp;

/// From when on, and until before when. Without a side it is open there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Window {
    /// The first moment in it.
    pub from: Option<Timestamp>,
    /// The first moment after it.
    pub to: Option<Timestamp>,
}

impl Window {
    /// The window between two moments.
    #[must_use]
    pub const fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        Self { from, to }
    }

    /// Whether it never begins and never ends.
    #[must_use]
    pub const fn is_always(self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Whether the moment is in it; unknown where that depends on a moment that is unknown.
    #[must_use]
    pub fn holds(self, now: Option<Timestamp>) -> Truth {
        let has_begun = self.from.map(|from| now.map(|now| now >= from));
        let is_not_over = self.to.map(|to| now.map(|now| now < to));
        let side = |side: Option<Option<bool>>| side.map_or(Truth::True, Truth::of);
        side(has_begun).and(side(is_not_over))
    }

    /// The first moment after `now` at which it begins or ends.
    #[must_use]
    pub fn next_change(self, now: Timestamp) -> Option<Timestamp> {
        let sides = [self.from, self.to];
        sides.into_iter().flatten().filter(|at| *at > now).min()
    }
}

/// Where and when a membership or a role counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extent {
    /// On resources that one of these matches; none means on all.
    pub scope: Vec<ResourcePattern>,
    /// When.
    pub window: Window,
}

impl Extent {
    /// Whether it counts everywhere and always.
    #[must_use]
    pub const fn is_unlimited(&self) -> bool {
        self.scope.is_empty() && self.window.is_always()
    }

    /// Whether it counts on this resource at this moment. Allocates nothing.
    #[must_use]
    pub fn holds(&self, kind: ResourceKind, path: &str, now: Option<Timestamp>) -> Truth {
        let is_inside = self.scope.is_empty()
            || self
                .scope
                .iter()
                .any(|pattern| pattern.matches_path(kind, path));
        if is_inside {
            self.window.holds(now)
        } else {
            Truth::False
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Option<Timestamp> {
        Some(Timestamp::from_millis(millis))
    }

    #[test]
    fn the_first_moment_is_in_a_window_and_the_last_is_not() {
        let window = Window::new(at(10), at(20));
        let holds = |millis| window.holds(at(millis));
        assert_eq!(
            [9, 10, 19, 20].map(holds),
            [Truth::False, Truth::True, Truth::True, Truth::False]
        );
        assert_eq!(window.holds(None), Truth::Unknown);
        assert_eq!(Window::default().holds(None), Truth::True);
    }

    #[test]
    fn a_window_changes_only_where_it_says() {
        let window = Window::new(at(10), at(20));
        let next = |millis| window.next_change(Timestamp::from_millis(millis));
        assert_eq!([9, 10, 19, 20].map(next), [at(10), at(20), at(20), None]);
    }

    #[test]
    fn outside_its_scope_nothing_counts_however_little_is_known_of_the_time() {
        let extent = Extent {
            scope: vec!["table:gold.**".parse().unwrap()],
            window: Window::new(at(10), None),
        };
        let holds = |path| extent.holds(ResourceKind::Table, path, None);
        assert_eq!(holds("gold.x"), Truth::Unknown);
        assert_eq!(holds("raw.x"), Truth::False);
    }
}
