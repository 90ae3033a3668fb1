//! Reads a resource without keeping it: no copy where its spelling needs none.
//!
//! In: text as people write it. Out: kind and path, exactly those that [`Resource`] has. What is not plain ASCII is read
//! by [`Resource`] itself, which allocates.

use super::{MOST_BYTES, NotAResource, Resource, ResourceKind};

/// Calls `with` on the kind and the folded path of a resource.
pub(in crate::policy) fn read<T>(
    text: &str,
    with: impl FnOnce(ResourceKind, &str) -> T,
) -> Result<T, NotAResource> {
    let plain = text.split_once(':').and_then(|(kind, path)| {
        let kind = ResourceKind::named(kind)?;
        let spelling = Spelling::of(kind, path)?;
        (text.len() <= MOST_BYTES).then_some((kind, path, spelling))
    });
    match plain {
        Some((kind, path, Spelling::AsIs)) => Ok(with(kind, path)),
        Some((kind, path, Spelling::Capitals)) => folded(text, kind, path, with),
        None => slowly(text, with),
    }
}

/// How an ASCII path is spelled that has nothing unusual about it.
#[derive(Clone, Copy)]
enum Spelling {
    AsIs,
    /// It has capitals, and its kind ignores case.
    Capitals,
}

impl Spelling {
    /// None for everything that needs a closer look: empty segments, wildcards, spaces, other scripts.
    fn of(kind: ResourceKind, path: &str) -> Option<Self> {
        let ignores_case = kind.ignores_case();
        let separator = if ignores_case { b'.' } else { b'/' };
        let mut is_at_start = true;
        let mut spelling = Self::AsIs;
        for byte in path.bytes() {
            match byte {
                byte if byte == separator => {
                    if is_at_start {
                        return None;
                    }
                    is_at_start = true;
                    continue;
                }
                b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'$' | b'@' => {}
                b'A'..=b'Z' if ignores_case => spelling = Self::Capitals,
                b'*' => return None,
                byte if !ignores_case && byte.is_ascii_graphic() => {}
                _ => return None,
            }
            is_at_start = false;
        }
        (!is_at_start).then_some(spelling)
    }
}

/// Out of line, so that only who needs the space clears it.
#[inline(never)]
fn folded<T>(
    text: &str,
    kind: ResourceKind,
    path: &str,
    with: impl FnOnce(ResourceKind, &str) -> T,
) -> Result<T, NotAResource> {
    let mut space = [0; MOST_BYTES];
    let lower = space.get_mut(..path.len()).and_then(|lower| {
        lower.copy_from_slice(path.as_bytes());
        lower.make_ascii_lowercase();
        str::from_utf8(lower).ok()
    });
    match lower {
        Some(lower) => Ok(with(kind, lower)),
        None => slowly(text, with),
    }
}

#[inline(never)]
fn slowly<T>(text: &str, with: impl FnOnce(ResourceKind, &str) -> T) -> Result<T, NotAResource> {
    let resource: Resource = text.parse()?;
    Ok(with(resource.kind(), resource.path()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn both(text: &str) -> [Result<(ResourceKind, String), NotAResource>; 2] {
        let parsed = text.parse::<Resource>();
        [
            read(text, |kind, path| (kind, path.to_owned())),
            parsed.map(|found| (found.kind(), found.path().to_owned())),
        ]
    }

    #[test]
    fn every_spelling_is_read_as_a_resource_reads_it() {
        let long = format!("secret:{}", "a".repeat(1024));
        for text in [
            "table:gold.loan_scores",
            "table:Gold.Salaries",
            "secret:Team.A/key",
            "table:gold.`x`",
            "table:",
            "table:a..b",
            "table:.a",
            "secret:a/",
            "secret:*",
            "tabel:x",
            "x",
            "table:STRASSE.straße",
            "view:İ.x",
            "table:ΑΣ.x",
            "table:a\u{200b}",
            "secret:a b",
            "secret:a:b",
            &long,
        ] {
            let [read, parsed] = both(text);
            assert_eq!(read, parsed, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_a_resource_reads_it(text in "(table|secret|view|x)?:?[ -~.İß\u{200b}*/]{0,12}") {
            let [read, parsed] = both(&text);
            prop_assert_eq!(read, parsed);
        }
    }
}
