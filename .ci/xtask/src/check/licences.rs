//! Every dependency's licence, name and source against `deny.toml`, read from `cargo tree`.

use crate::source::quoted;

/// How `cargo tree` must print a package: `{p}|{l}`.
pub(crate) const FORMAT: &str = "{p}|{l}";

/// What of the tree `deny.toml` does not allow.
pub(crate) fn findings(deny: &str, tree: &str) -> Vec<String> {
    let allowed = list(deny, "[licenses]", "allow = [");
    let banned = list(deny, "[bans]", "deny = [");
    let mut findings = Vec::new();
    if allowed.is_empty() || banned.is_empty() {
        findings.push("deny.toml: no licence is allowed, or no crate banned".to_owned());
    }
    for line in tree.lines() {
        let Some((package, licence)) = line.rsplit_once('|') else {
            continue;
        };
        let licence = licence.trim_end_matches(" (*)").trim();
        let name = package.split(' ').next().unwrap_or_default();
        if !allows(&allowed, licence) {
            findings.push(format!(
                "{name}: its licence `{licence}` is not in deny.toml"
            ));
        }
        if banned.contains(&name) {
            findings.push(format!("{name}: banned by deny.toml"));
        }
        if package.contains("://") || package.contains("(registry") {
            findings.push(format!("{name}: not from crates.io"));
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

/// The quoted texts of a list of a section of TOML, without comments.
fn list<'a>(toml: &'a str, section: &str, begin: &str) -> Vec<&'a str> {
    let rest = toml.split_once(section).map_or("", |(_, rest)| rest);
    let rest = rest.split_once("\n[").map_or(rest, |(section, _)| section);
    let rest = rest.split_once(begin).map_or("", |(_, rest)| rest);
    let mut entries = Vec::new();
    for line in rest.lines() {
        entries.extend(quoted(line.split('#').next().unwrap_or_default()));
        if line.contains(']') {
            break;
        }
    }
    entries
}

/// Whether an SPDX expression can be met with the allowed licences alone.
fn allows(allowed: &[&str], expression: &str) -> bool {
    // `MIT/Apache-2.0` is how older crates write OR.
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader {
        words: &words,
        allowed,
    };
    reader.any() == Some(true) && reader.words.is_empty()
}

/// Reads an expression from the front: OR binds weaker than AND, AND weaker than WITH.
struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> Option<bool> {
        let mut met = self.all()?;
        while self.accept("OR") {
            met |= self.all()?;
        }
        Some(met)
    }

    fn all(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.accept("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.accept("(") {
            let met = self.any()?;
            return self.accept(")").then_some(met);
        }
        let licence = self.next()?;
        if self.accept("WITH") {
            let whole = format!("{licence} WITH {}", self.next()?);
            return Some(self.allowed.contains(&whole.as_str()));
        }
        Some(self.allowed.contains(&licence))
    }

    fn accept(&mut self, word: &str) -> bool {
        let is_next = self.words.first() == Some(&word);
        if is_next {
            self.words = self.words.get(1..).unwrap_or_default();
        }
        is_next
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[licenses]\nallow = [\n  \"MIT\", # \"GPL-3.0\"\n  \"ISC\",\n  \
        \"Apache-2.0 WITH LLVM-exception\",\n]\n[bans]\ndeny = [\n  { crate = \"openssl\" },\n]\n";

    #[test]
    fn an_expression_is_met_by_allowed_licences_alone() {
        let allowed = list(DENY, "[licenses]", "allow = [");
        assert_eq!(allowed, ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]);
        for (expression, is_met) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("ISC AND (GPL-3.0 OR ISC)", true),
            ("(GPL-3.0 OR MIT) AND GPL-3.0", false),
            ("MIT/GPL-3.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
            ("", false),
            ("MIT)", false),
        ] {
            assert_eq!(allows(&allowed, expression), is_met, "{expression}");
        }
    }

    #[test]
    fn names_and_sources_are_checked_too() {
        let tree = "zt-core v0.1.0 (/somewhere)|MIT\nopenssl v0.10.1|MIT\n\
            a v1.0.0 (proc-macro)|MIT (*)\nb v1.0.0 (https://example.org/b#1)|ISC\n\nc v1.0.0|\n";
        assert_eq!(
            findings(DENY, tree),
            [
                "b: not from crates.io",
                "c: its licence `` is not in deny.toml",
                "openssl: banned by deny.toml",
            ]
        );
    }
}
