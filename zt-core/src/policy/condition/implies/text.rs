//! What is claimed of one text, and whether any text is like that.
//!
//! In: words that it is one of or is not, parts that it has or lacks. Out: whether no text fits, which is only said where it
//! is sure. Never: a search for a text that fits.

use std::collections::BTreeSet;

use crate::id::{PrincipalId, PrincipalKind};
use crate::policy::ResourceKind;
use crate::policy::condition::evaluate::is_like;
use crate::text::{fold, is_hidden};

/// A part that a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Begins(&'a str),
    Ends(&'a str),
    Holds(&'a str),
    Like(&'a str),
}

/// How texts of an attribute are spelled, whatever a row writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Anyhow.
    Any,
    /// `user:maya`: of a caller.
    Principal,
    /// The same of somebody who can act, so no group.
    Author,
    /// A path of a resource.
    Path,
    /// A path of a kind whose names ignore case: in lowercase, and bare.
    BarePath,
}

/// The claims so far.
#[derive(Debug, Clone)]
pub(super) struct Texts<'a> {
    among: Option<BTreeSet<&'a str>>,
    not_among: BTreeSet<&'a str>,
    has: Vec<Part<'a>>,
    lacks: Vec<Part<'a>>,
}

impl<'a> Texts<'a> {
    /// Nothing is claimed, but that it is one of these words, if there are any.
    pub(super) fn new(words: Option<&'a [String]>) -> Self {
        let words = words.map(|words| words.iter().map(String::as_str).collect());
        Self {
            among: words,
            not_among: BTreeSet::new(),
            has: Vec::new(),
            lacks: Vec::new(),
        }
    }

    /// It is, or is not, one of these.
    pub(super) fn claim_words(&mut self, words: impl Iterator<Item = &'a str>, wanted: bool) {
        if !wanted {
            self.not_among.extend(words);
            return;
        }
        let words: BTreeSet<&str> = words.collect();
        self.among = Some(match &self.among {
            None => words,
            Some(known) => known.intersection(&words).copied().collect(),
        });
    }

    /// It has, or lacks, this part.
    pub(super) fn claim_part(&mut self, part: Part<'a>, wanted: bool) {
        match part {
            // Without a star, a pattern is the word.
            Part::Like(pattern) if !pattern.contains('*') => {
                self.claim_words([pattern].into_iter(), wanted);
            }
            Part::Like(pattern) if wanted => {
                self.has.push(part);
                self.has.extend(pieces(pattern));
            }
            Part::Like(_) | Part::Begins(_) | Part::Ends(_) | Part::Holds(_) => {
                let list = if wanted {
                    &mut self.has
                } else {
                    &mut self.lacks
                };
                list.push(part);
            }
        }
    }

    /// Whether surely no text of this spelling is like that.
    pub(super) fn is_empty(&self, spelling: Spelling) -> bool {
        if let Some(words) = &self.among {
            return !words.iter().any(|word| self.fits(word, spelling));
        }
        let (has, lacks) = (&self.has, &self.lacks);
        let contradicts = |one: &Part<'_>| has.iter().any(|other| one.excludes(*other));
        let lacks_what_it_has =
            |lacked: &Part<'_>| lacked.is_always() || has.iter().any(|one| one.implies(*lacked));
        has.iter().any(contradicts)
            || lacks.iter().any(lacks_what_it_has)
            || !has.iter().all(|part| part.is_spelled(spelling))
    }

    /// Whether this word is like that.
    pub(super) fn fits(&self, word: &str, spelling: Spelling) -> bool {
        self.among.as_ref().is_none_or(|words| words.contains(word))
            && !self.not_among.contains(word)
            && self.has.iter().all(|part| part.is_of(word))
            && !self.lacks.iter().any(|part| part.is_of(word))
            && spelling.allows(word)
    }
}

/// What stands between the stars of a pattern.
fn pieces(pattern: &str) -> Vec<Part<'_>> {
    let Some((first, rest)) = pattern.split_once('*') else {
        return Vec::new();
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let middle = middle.split('*').map(Part::Holds);
    let pieces = [Part::Begins(first), Part::Ends(last)];
    let pieces = pieces.into_iter().chain(middle);
    pieces.filter(|piece| !piece.is_always()).collect()
}

impl Part<'_> {
    fn is_of(self, word: &str) -> bool {
        match self {
            Self::Begins(part) => word.starts_with(part),
            Self::Ends(part) => word.ends_with(part),
            Self::Holds(part) => word.contains(part),
            Self::Like(pattern) => is_like(word, pattern),
        }
    }

    /// Whether every text has it.
    fn is_always(self) -> bool {
        match self {
            Self::Begins(part) | Self::Ends(part) | Self::Holds(part) => part.is_empty(),
            // The star that is matched stands for any text.
            Self::Like(pattern) => is_like("*", pattern),
        }
    }

    /// Whether no text has both.
    fn excludes(self, other: Part<'_>) -> bool {
        match (self, other) {
            (Self::Begins(one), Part::Begins(other)) => {
                !one.starts_with(other) && !other.starts_with(one)
            }
            (Self::Ends(one), Part::Ends(other)) => !one.ends_with(other) && !other.ends_with(one),
            (Self::Begins(_) | Self::Ends(_) | Self::Holds(_) | Self::Like(_), _) => false,
        }
    }

    /// Whether every text that has this has `other` too.
    fn implies(self, other: Part<'_>) -> bool {
        match (self, other) {
            (_, Part::Like(pattern)) => is_like(&self.as_pattern(), pattern),
            (Self::Begins(own), Part::Begins(part)) => own.starts_with(part),
            (Self::Ends(own), Part::Ends(part)) => own.ends_with(part),
            (Self::Begins(own) | Self::Ends(own) | Self::Holds(own), Part::Holds(part)) => {
                own.contains(part)
            }
            // The pieces of a pattern are claimed beside it.
            (Self::Begins(_) | Self::Ends(_) | Self::Holds(_) | Self::Like(_), _) => false,
        }
    }

    /// As a text in which `*` stands for what is not known. Another pattern matches it only where one of its own stars
    /// takes that `*`, because its other parts hold none; and then it takes whatever text stands there.
    fn as_pattern(self) -> String {
        match self {
            Self::Begins(part) => format!("{part}*"),
            Self::Ends(part) => format!("*{part}"),
            Self::Holds(part) => format!("*{part}*"),
            Self::Like(pattern) => pattern.to_owned(),
        }
    }

    fn is_spelled(self, spelling: Spelling) -> bool {
        match self {
            Self::Begins(part) => spelling.allows_part(part) && spelling.allows_begin(part),
            Self::Ends(part) | Self::Holds(part) => spelling.allows_part(part),
            // The pieces of a pattern are claimed beside it.
            Self::Like(_) => true,
        }
    }
}

impl Spelling {
    fn allows(self, word: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Principal => word.parse::<PrincipalId>().is_ok(),
            Self::Author => {
                let id = word.parse::<PrincipalId>();
                id.is_ok_and(|id| id.kind() != PrincipalKind::Group)
            }
            Self::Path | Self::BarePath => !word.is_empty() && self.allows_part(word),
        }
    }

    fn allows_part(self, part: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Principal | Self::Author => {
                !part.chars().any(|c| c.is_whitespace() || c.is_control())
            }
            Self::Path => !part.chars().any(|c| c.is_whitespace() || is_hidden(c)),
            Self::BarePath => {
                let is_bare = |c: char| c.is_alphanumeric() || "._-$@".contains(c);
                part.chars().all(is_bare) && fold(part) == part
            }
        }
    }

    fn allows_begin(self, begin: &str) -> bool {
        let prefixes: &[PrincipalKind] = match self {
            Self::Any | Self::Path | Self::BarePath => return true,
            Self::Principal => &[
                PrincipalKind::User,
                PrincipalKind::ServicePrincipal,
                PrincipalKind::Group,
            ],
            Self::Author => &[PrincipalKind::User, PrincipalKind::ServicePrincipal],
        };
        let fits = |prefix: &str| prefix.starts_with(begin) || begin.starts_with(prefix);
        prefixes.iter().any(|kind| fits(kind.prefix()))
    }

    /// How paths of these kinds are spelled.
    pub(super) fn of_paths(mut kinds: impl Iterator<Item = ResourceKind>) -> Self {
        if kinds.all(ResourceKind::ignores_case) {
            Self::BarePath
        } else {
            Self::Path
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_folded_once_is_folded() {
        for c in '\0'..=char::MAX {
            let once = fold(c.encode_utf8(&mut [0; 4]));
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    fn part(kind: u8, text: &str) -> Part<'_> {
        match kind {
            0 => Part::Begins(text),
            1 => Part::Ends(text),
            2 => Part::Holds(text),
            _ => Part::Like(text),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn parts_are_compared_as_all_texts_say(
            (one, own) in (0..4u8, "[ab*]{0,3}"), (two, other) in (0..4u8, "[ab*]{0,3}"),
        ) {
            let (one, two) = (part(one, &own), part(two, &other));
            for text in texts() {
                let (has, has_too) = (one.is_of(&text), two.is_of(&text));
                prop_assert!(!(one.implies(two) && has && !has_too), "{one:?} {two:?} {text}");
                prop_assert!(!(one.excludes(two) && has && has_too), "{one:?} {two:?} {text}");
                prop_assert!(!one.is_always() || has, "{one:?} {text}");
            }
        }
    }

    /// Every text of up to five letters.
    fn texts() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..5 {
            let begin = all.len();
            for at in from..begin {
                for letter in ["a", "b", "*"] {
                    all.push(format!("{}{letter}", all[at]));
                }
            }
            from = begin;
        }
        all
    }

    #[test]
    fn what_one_part_says_of_another_is_found() {
        for (one, two) in [
            (Part::Begins("ab"), Part::Begins("a")),
            (Part::Begins("ab"), Part::Holds("b")),
            (Part::Begins("ab"), Part::Like("a*")),
            (Part::Ends("ab"), Part::Ends("b")),
            (Part::Holds("abc"), Part::Like("*b*")),
            (Part::Like("ab*c"), Part::Like("a*c")),
        ] {
            assert!(one.implies(two), "{one:?} {two:?}");
            assert!(!two.implies(one), "{two:?} {one:?}");
        }
        assert!(Part::Begins("ab").excludes(Part::Begins("ac")));
        assert!(!Part::Begins("ab").excludes(Part::Begins("a")));
    }
}
