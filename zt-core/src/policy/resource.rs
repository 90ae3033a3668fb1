//! Resources: on what, `kind:path`, and the patterns of rows.
//!
//! Segments are separated by `.` for Unity Catalog's kinds and by `/` for all others. In a pattern `*` is exactly one
//! segment and a trailing `**` is the subtree, its root included. `**` alone is every resource of every kind.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

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
    /// A segment is empty, or holds white space or control characters.
    #[error("every part of the path needs a name without spaces")]
    BadSegment,
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

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.path().split(self.kind.separator())
    }
}

impl FromStr for Resource {
    type Err = NotAResource;

    fn from_str(text: &str) -> Result<Self, NotAResource> {
        let (kind, path) = split(text)?;
        for segment in path.split(kind.separator()) {
            check_segment(segment)?;
            if segment.contains('*') {
                return Err(NotAResource::BadWildcard);
            }
        }
        Ok(Self {
            kind,
            text: Arc::from(text),
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

    /// Whether the row speaks of this resource.
    #[must_use]
    pub fn matches(&self, resource: &Resource) -> bool {
        let Shape::Path {
            kind,
            segments,
            subtree,
        } = &self.shape
        else {
            return true;
        };
        if *kind != resource.kind() {
            return false;
        }
        let mut given = resource.segments();
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
        let (kind, path) = split(text)?;
        let mut segments = Vec::new();
        let mut subtree = false;
        for segment in path.split(kind.separator()) {
            check_segment(segment)?;
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
            text: Arc::from(text),
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

fn split(text: &str) -> Result<(ResourceKind, &str), NotAResource> {
    let (kind, path) = text.split_once(':').ok_or(NotAResource::NoKind)?;
    let known = ResourceKind::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == kind);
    Ok((known.ok_or(NotAResource::UnknownKind)?, path))
}

fn check_segment(segment: &str) -> Result<(), NotAResource> {
    if segment.is_empty() || segment.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(NotAResource::BadSegment);
    }
    Ok(())
}

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
    }

    #[test]
    fn malformed_text_is_refused_with_its_reason() {
        let refused = [
            ("loan_scores", NotAResource::NoKind),
            ("tabel:x", NotAResource::UnknownKind),
            ("table:", NotAResource::BadSegment),
            ("table:a..b", NotAResource::BadSegment),
            ("table:a b", NotAResource::BadSegment),
            ("table:a\u{0}b", NotAResource::BadSegment),
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
