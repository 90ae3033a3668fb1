//! Resources: on what, `kind:path`, and the patterns of rows.
//!
//! Segments are separated by `.` for Unity Catalog's kinds and by `/` for all others. In a pattern `*` is exactly one
//! segment and a trailing `**` is the subtree, its root included. `**` alone is every resource of every kind.

mod cover;
mod meant;
mod read;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub(super) use read::read;

use unicode_normalization::is_nfc;

use crate::text::{fold, is_hidden};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $separator:literal;)+) => {
        /// What kind of thing a resource is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ResourceKind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ResourceKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The kind as it is written, without the colon.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The kind of this name.
            fn named(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// What separates the segments of its paths.
            #[must_use]
            pub const fn separator(self) -> char {
                match self { $(Self::$name => $separator,)+ }
            }
        }
    };
}

kinds! {
    /// A catalog of Unity Catalog.
    Catalog = "catalog", '.';
    /// A schema of Unity Catalog.
    Schema = "schema", '.';
    /// A table.
    Table = "table", '.';
    /// A view.
    View = "view", '.';
    /// A volume of Unity Catalog.
    Volume = "volume", '.';
    /// A function of Unity Catalog.
    Function = "function", '.';
    /// A row of ML_Models.
    Model = "model", '/';
    /// A row of Secret_References.
    Secret = "secret", '/';
    /// A row of Jobs.
    Job = "job", '/';
    /// A row of Output_Storage.
    Output = "output", '/';
    /// A metadata table.
    Metadata = "metadata", '/';
    /// The audit log.
    Audit = "audit", '/';
}

impl ResourceKind {
    /// Whether its names ignore case, as those of Unity Catalog and, by default, of Azure SQL do.
    #[must_use]
    pub const fn ignores_case(self) -> bool {
        self.separator() == '.'
    }

    /// Whether rows about it may name columns.
    #[must_use]
    pub const fn has_columns(self) -> bool {
        matches!(self, Self::Table | Self::View | Self::Output)
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a resource, or not a pattern of resources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAResource {
    /// There is no colon.
    #[error("expected `kind:path`, such as `table:gold.loan_scores`")]
    NoKind,
    /// The kind is not one of ours.
    #[error("unknown kind of resource")]
    UnknownKind,
    /// Nothing stands behind the colon.
    #[error(
        "the path is empty: name what stands behind the colon, or write `**` for all of the kind"
    )]
    NoPath,
    /// A name of Unity Catalog is separated by slashes.
    #[error("parts of this kind's names are separated by `.`, not by `/`")]
    Slash,
    /// A name that looks like another one and has other bytes.
    #[error("names must be in Unicode's form NFC, in which equal names are equal bytes")]
    NotNfc,
    /// A segment is empty, or holds white space or control characters.
    #[error("every part of the path needs a name without spaces")]
    BadSegment,
    /// A name of Unity Catalog holds something else than letters, digits, `_`, `-`, `$` and `@`.
    #[error("write the name bare: letters, digits, `_`, `-`, `$`, `@`, without quotes or brackets")]
    Quoted,
    /// The number of a job with a sign or leading zeros: a deny of `job:201` must not be passed by as `job:0201`.
    #[error("write the job's number as in Jobs, without sign and leading zeros")]
    Number,
    /// Longer than 1024 bytes.
    #[error("a resource has at most 1024 bytes")]
    TooLong,
    /// A wildcard stands in a place where none may be.
    #[error("`*` must be a whole segment and `**` the last one")]
    BadWildcard,
}

/// One resource: `table:gold.loan_scores`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    kind: ResourceKind,
    text: Arc<str>,
}

impl Resource {
    /// What kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// The whole text with its kind.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path without the kind: `gold.loan_scores`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, path)| path)
    }
}

impl FromStr for Resource {
    type Err = NotAResource;

    fn from_str(text: &str) -> Result<Self, NotAResource> {
        let (kind, text, path) = split(text)?;
        for segment in path.split(kind.separator()) {
            check_segment(kind, segment)?;
            if segment.contains('*') {
                return Err(NotAResource::BadWildcard);
            }
        }
        Ok(Self {
            kind,
            text: Arc::from(&*text),
        })
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({:?})", &*self.text)
    }
}

/// The resource of a row: `table:raw.*`, `job:201`, `**`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePattern {
    text: Arc<str>,
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Everything,
    Path {
        kind: ResourceKind,
        segments: Vec<Segment>,
        subtree: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Any,
    Named(Box<str>),
}

impl ResourcePattern {
    /// The pattern as the row writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The kind that it speaks of; none for `**`.
    #[must_use]
    pub fn kind(&self) -> Option<ResourceKind> {
        match &self.shape {
            Shape::Everything => None,
            Shape::Path { kind, .. } => Some(*kind),
        }
    }

    /// The one resource that it names, if it has no wildcard.
    #[must_use]
    pub fn exact(&self) -> Option<Resource> {
        self.text.parse().ok()
    }

    /// Its kind, its segments (none is `*`) and whether it ends in `**`; nothing for `**` alone.
    pub(super) fn parts(&self) -> Option<(ResourceKind, impl Iterator<Item = Option<&str>>, bool)> {
        let Shape::Path {
            kind,
            segments,
            subtree,
        } = &self.shape
        else {
            return None;
        };
        let names = segments.iter().map(|segment| match segment {
            Segment::Any => None,
            Segment::Named(name) => Some(&**name),
        });
        Some((*kind, names, *subtree))
    }

    /// Its kind, the path at which it begins, and whether it is the subtree from there; nothing for a pattern with `*` and
    /// for `**` alone. The subtree of a whole kind begins at the empty path.
    pub(crate) fn subtree_root(&self) -> Option<(ResourceKind, String, bool)> {
        let (kind, segments, is_subtree) = self.parts()?;
        let segments: Option<Vec<&str>> = segments.collect();
        let path = segments?.join(kind.separator().encode_utf8(&mut [0; 4]));
        Some((kind, path, is_subtree))
    }

    /// Whether the row speaks of this resource.
    #[must_use]
    pub fn matches(&self, resource: &Resource) -> bool {
        self.matches_path(resource.kind(), resource.path())
    }

    /// The same for a resource as its kind and its path, folded as [`Resource`] folds it.
    pub(super) fn matches_path(&self, of_kind: ResourceKind, path: &str) -> bool {
        let Shape::Path {
            kind,
            segments,
            subtree,
        } = &self.shape
        else {
            return true;
        };
        if *kind != of_kind {
            return false;
        }
        let mut given = path.split(kind.separator());
        let all_match = segments
            .iter()
            .all(|segment| match (segment, given.next()) {
                (Segment::Any, Some(_)) => true,
                (Segment::Named(name), Some(given)) => **name == *given,
                (_, None) => false,
            });
        all_match && (*subtree || given.next().is_none())
    }
}

impl FromStr for ResourcePattern {
    type Err = NotAResource;

    fn from_str(text: &str) -> Result<Self, NotAResource> {
        if text == "**" {
            return Ok(Self {
                text: Arc::from(text),
                shape: Shape::Everything,
            });
        }
        let (kind, text, path) = split(text)?;
        let mut segments = Vec::new();
        let mut subtree = false;
        for segment in path.split(kind.separator()) {
            check_segment(kind, segment)?;
            if subtree {
                return Err(NotAResource::BadWildcard);
            }
            match segment {
                "**" => subtree = true,
                "*" => segments.push(Segment::Any),
                name if name.contains('*') => return Err(NotAResource::BadWildcard),
                name => segments.push(Segment::Named(Box::from(name))),
            }
        }
        Ok(Self {
            text: Arc::from(&*text),
            shape: Shape::Path {
                kind,
                segments,
                subtree,
            },
        })
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The kind, the whole text and its path, both folded to lowercase where the kind ignores case.
fn split(text: &str) -> Result<(ResourceKind, String, String), NotAResource> {
    if text.len() > MOST_BYTES {
        return Err(NotAResource::TooLong);
    }
    let (kind, path) = text.split_once(':').ok_or(NotAResource::NoKind)?;
    let kind = ResourceKind::named(kind).ok_or(NotAResource::UnknownKind)?;
    if path.is_empty() {
        return Err(NotAResource::NoPath);
    }
    let path = if kind.ignores_case() {
        fold(path)
    } else {
        path.to_owned()
    };
    Ok((kind, format!("{kind}:{path}"), path))
}

fn check_segment(kind: ResourceKind, segment: &str) -> Result<(), NotAResource> {
    if !is_nfc(segment) {
        return Err(NotAResource::NotNfc);
    }
    if segment.is_empty() || segment.chars().any(|c| c.is_whitespace() || is_hidden(c)) {
        return Err(NotAResource::BadSegment);
    }
    if kind.ignores_case() && segment.contains('/') {
        return Err(NotAResource::Slash);
    }
    let is_bare = |c: char| c.is_alphanumeric() || "_-$@*".contains(c);
    if kind.ignores_case() && !segment.chars().all(is_bare) {
        return Err(NotAResource::Quoted);
    }
    let number = segment.parse().ok().filter(|_| kind == ResourceKind::Job);
    if number.is_some_and(|number: u32| number.to_string() != segment) {
        return Err(NotAResource::Number);
    }
    Ok(())
}

/// The longest resource, in bytes: what an audit record keeps whole.
const MOST_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, resource: &str) -> bool {
        pattern
            .parse::<ResourcePattern>()
            .unwrap()
            .matches(&resource.parse().unwrap())
    }

    #[test]
    fn one_star_is_exactly_one_segment() {
        assert!(matches("table:raw.*", "table:raw.loan_applications"));
        assert!(!matches("table:raw.*", "table:raw"));
        assert!(!matches("table:raw.*", "table:raw.dbo.loan_applications"));
        assert!(matches("table:*.dbo.*", "table:risk.dbo.loan_scores"));
    }

    #[test]
    fn two_stars_are_the_subtree_with_its_root() {
        assert!(matches("table:raw.**", "table:raw"));
        assert!(matches("table:raw.**", "table:raw.dbo.loan_applications"));
        assert!(!matches("table:raw.**", "table:rawest.x"));
        assert!(matches("table:**", "table:a.b.c"));
        assert!(!matches("table:**", "view:a.b.c"));
        assert!(matches("**", "secret:adb-token"));
    }

    #[test]
    fn separators_belong_to_the_kind() {
        assert!(matches("secret:team.a/*", "secret:team.a/key"));
        assert!(!matches("secret:*", "secret:team/key"));
        assert!(matches("secret:*", "secret:a.dotted.name"));
        assert!(matches("job:*", "job:0") && matches("job:201", "job:201"));
    }

    #[test]
    fn another_spelling_of_a_table_is_the_same_table_or_refused() {
        assert!(matches("table:gold.salaries", "table:GOLD.Salaries"));
        assert!(matches("table:Gold.Salaries", "table:gold.salaries"));
        for quoted in [
            "gold.`salaries`",
            "gold.[salaries]",
            "gold.\"salaries\"",
            "gold.sal'aries",
        ] {
            let text = format!("table:{quoted}");
            assert_eq!(text.parse::<Resource>(), Err(NotAResource::Quoted));
        }
        for hidden in ["gold.salaries\u{200b}", "\u{202e}gold.salaries"] {
            let text = format!("table:{hidden}");
            assert_eq!(text.parse::<Resource>(), Err(NotAResource::BadSegment));
        }
        assert!(!matches(
            "metadata:access_policies",
            "metadata:Access_Policies"
        ));
        let long = format!("table:{}", "a".repeat(1024));
        assert_eq!(long.parse::<Resource>(), Err(NotAResource::TooLong));
    }

    #[test]
    fn a_letter_is_folded_alike_whatever_stands_behind_it() {
        for resource in ["table:ΑΣ.x", "table:ας.x", "table:ασ.X"] {
            for pattern in ["table:ΑΣ.*", "table:ας.**", "table:ασ.**", "table:ΑΣ.X"] {
                assert!(matches(pattern, resource), "{pattern} {resource}");
            }
        }
    }

    #[test]
    fn malformed_text_is_refused_with_its_reason() {
        let refused = [
            ("loan_scores", NotAResource::NoKind),
            ("tabel:x", NotAResource::UnknownKind),
            ("table:", NotAResource::NoPath),
            ("table:a/b", NotAResource::Slash),
            ("table:cafe\u{301}", NotAResource::NotNfc),
            ("secret:cafe\u{301}/key", NotAResource::NotNfc),
            ("table:a..b", NotAResource::BadSegment),
            ("table:a b", NotAResource::BadSegment),
            ("table:a\u{0}b", NotAResource::BadSegment),
            ("job:0201", NotAResource::Number),
            ("job:+201", NotAResource::Number),
            ("table:raw.lo*", NotAResource::BadWildcard),
            ("table:**.x", NotAResource::BadWildcard),
        ];
        for (text, why) in refused {
            assert_eq!(text.parse::<ResourcePattern>(), Err(why), "{text}");
        }
        assert_eq!(
            "table:raw.*".parse::<Resource>(),
            Err(NotAResource::BadWildcard)
        );
    }
}
