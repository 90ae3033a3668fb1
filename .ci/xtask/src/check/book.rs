//! The reference pages of the book against the source that they describe.

use std::collections::BTreeSet;

use super::Tree;
use crate::source::{quoted, ticked};

/// Every setting and its environment variable stand in `config.md`.
pub(crate) fn settings(tree: &Tree) -> Vec<String> {
    let block = block(
        tree.text("zt-core/src/runtime/config/key.rs"),
        "\nconfig_keys! {",
    );
    let known: BTreeSet<&str> = ticked(tree.text("docs/src/config.md"))
        .into_iter()
        .collect();
    let names = declared(block);
    missing(&names, &known, "docs/src/config.md")
}

/// Every code stands in `errors.md` with its name and its HTTP status, in one line.
pub(crate) fn codes(tree: &Tree) -> Vec<String> {
    let block = block(tree.text("zt-core/src/error/code.rs"), "\ncodes! {");
    let page = tree.text("docs/src/errors.md");
    let mut findings = Vec::new();
    let mut count = 0;
    for line in block.lines().filter(|line| line.trim().ends_with(';')) {
        count += 1;
        let parts: Vec<&str> = line
            .trim()
            .trim_end_matches(';')
            .split([' ', ','])
            .collect();
        let (Some(name), Some(number), Some(http)) = (parts.first(), parts.get(2), parts.last())
        else {
            findings.push(format!(
                "zt-core/src/error/code.rs: cannot read `{}`",
                line.trim()
            ));
            continue;
        };
        let cells = [
            format!("`ZT-{number}`"),
            format!("`{name}`"),
            format!("| {http} |"),
        ];
        if !page
            .lines()
            .any(|row| cells.iter().all(|cell| row.contains(cell)))
        {
            findings.push(format!(
                "docs/src/errors.md: no row has ZT-{number}, {name} and {http}"
            ));
        }
    }
    if count == 0 {
        findings.push("zt-core/src/error/code.rs: no codes found".to_owned());
    }
    findings
}

/// Every table has a section of `tables.md` with exactly its columns; every action stands there.
pub(crate) fn tables(tree: &Tree) -> Vec<String> {
    let page = tree.text("docs/src/tables.md");
    let mut findings = Vec::new();
    for source in tree.rust() {
        if !source.path.starts_with("zt-core/src/metadata/tables/") {
            continue;
        }
        let Some(table) = constant(&source.text, "const TABLE:", ";").first().copied() else {
            continue;
        };
        let columns: BTreeSet<&str> = constant(&source.text, "const COLUMNS:", "];")
            .into_iter()
            .collect();
        let documented: BTreeSet<&str> = section(page, table)
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .collect();
        for column in columns.difference(&documented) {
            findings.push(format!("docs/src/tables.md: {table} lacks `{column}`"));
        }
        for column in documented.difference(&columns) {
            findings.push(format!(
                "docs/src/tables.md: {table} has no column `{column}`"
            ));
        }
    }
    let actions = block(tree.text("zt-core/src/policy/action.rs"), "\nactions! {");
    let actions = declared(actions);
    let known: BTreeSet<&str> = ticked(page).into_iter().collect();
    findings.extend(missing(&actions, &known, "docs/src/tables.md"));
    findings
}

/// The auditor's Python program of `audit-log.md` is, line by line, the one in the docs of `audit.rs`.
pub(crate) fn program(tree: &Tree) -> Vec<String> {
    let source = tree.text("zt-core/src/audit.rs");
    let docs: Vec<&str> = source
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let ours = python(docs.into_iter());
    let page = python(tree.text("docs/src/audit-log.md").lines());
    if ours.is_empty() || ours != page {
        return vec!["docs/src/audit-log.md: not the program of zt-core/src/audit.rs".to_owned()];
    }
    Vec::new()
}

/// The tests that the threat model's tables name (fourth column) are functions somewhere in the workspace.
pub(crate) fn evidence(tree: &Tree) -> Vec<String> {
    let rows = tree.text("docs/src/threat-model.md").lines();
    let cells = rows.filter_map(|row| row.strip_prefix('|')?.split('|').nth(3));
    let names: BTreeSet<&str> = cells.flat_map(ticked).collect();
    let mut findings = Vec::new();
    for name in &names {
        let exists = tree.all().any(|source| {
            let is_code = source.is("rs") || source.is("py") || source.is("c");
            let definition = if source.is("py") { "def " } else { "fn " };
            is_code && source.text.contains(&format!("{definition}{name}("))
        });
        let is_file = tree.all().any(|source| source.path == *name);
        if !exists && !is_file {
            findings.push(format!(
                "docs/src/threat-model.md: no test is called `{name}`"
            ));
        }
    }
    if names.is_empty() {
        findings.push("docs/src/threat-model.md: names no test".to_owned());
    }
    findings
}

fn missing(names: &[&str], known: &BTreeSet<&str>, page: &str) -> Vec<String> {
    if names.is_empty() {
        return vec![format!("{page}: its source has nothing to compare with")];
    }
    let absent = names.iter().filter(|name| !known.contains(*name));
    absent
        .map(|name| format!("{page}: `{name}` is not documented"))
        .collect()
}

/// The text from `begin` to the next line that is a closing brace.
fn block<'a>(text: &'a str, begin: &str) -> &'a str {
    let rest = text.split_once(begin).map_or("", |(_, rest)| rest);
    rest.split_once("\n}").map_or("", |(block, _)| block)
}

/// The quoted texts of a block, without those of its comments.
fn declared(block: &str) -> Vec<&str> {
    let lines = block.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(quoted).collect()
}

/// The quoted texts of a constant's value.
fn constant<'a>(text: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    let rest = text.split_once(begin).map_or("", |(_, rest)| rest);
    let value = rest.split_once(" = ").map_or("", |(_, value)| value);
    quoted(value.split_once(end).map_or("", |(value, _)| value))
}

/// The text under a heading `## name`, up to the next.
fn section<'a>(page: &'a str, name: &str) -> &'a str {
    let rest = page
        .split_once(&format!("\n## {name}\n"))
        .map_or("", |(_, rest)| rest);
    rest.split_once("\n## ")
        .map_or(rest, |(section, _)| section)
}

fn python<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let inside = lines.skip_while(|line| *line != "```python").skip(1);
    inside.take_while(|line| *line != "```").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "macro_rules! config_keys {\n}\nconfig_keys! {\n    /// Says \"x\".\n    \
        Mode = \"mode\", \"ZT_MODE\";\n}\n";

    #[test]
    fn a_setting_without_a_word_about_it_is_found() {
        let page = "| `mode` | `ZT_MODE` |";
        let tree = |page| {
            Tree::of(&[
                ("zt-core/src/runtime/config/key.rs", CONFIG),
                ("docs/src/config.md", page),
            ])
        };
        assert!(settings(&tree(page)).is_empty());
        assert_eq!(
            settings(&tree("| `mode` |")),
            ["docs/src/config.md: `ZT_MODE` is not documented"]
        );
        assert_eq!(settings(&Tree::of(&[])).len(), 1);
    }

    #[test]
    fn a_code_needs_a_row_with_its_status() {
        let source = "\ncodes! {\n    /// No.\n    Denied = 1001, Denied, 403;\n}\n";
        let tree = |page| {
            Tree::of(&[
                ("zt-core/src/error/code.rs", source),
                ("docs/src/errors.md", page),
            ])
        };
        assert!(codes(&tree("| `ZT-1001` | `Denied` | 403 | Ask. |")).is_empty());
        assert_eq!(
            codes(&tree("| `ZT-1001` | `Denied` | 401 | Ask. |")).len(),
            1
        );
    }

    #[test]
    fn columns_must_be_the_same_on_both_sides() {
        let row = "const TABLE: &'static str = \"Jobs\";\n\
            const COLUMNS: &'static [&'static str] = &[\n \"job_id\",\n \"name\",\n];\n";
        let page = "# T\n\n## Jobs\n\n| `job_id` | x |\n| `pay` | x |\n\n## Stages\n\n`job.run`\n";
        let actions = "\nactions! {\n    JobRun = \"job.run\" on [Job];\n}\n";
        let tree = Tree::of(&[
            ("zt-core/src/metadata/tables/jobs.rs", row),
            ("zt-core/src/policy/action.rs", actions),
            ("docs/src/tables.md", page),
        ]);
        let findings = tables(&tree);
        assert_eq!(
            findings,
            [
                "docs/src/tables.md: Jobs lacks `name`",
                "docs/src/tables.md: Jobs has no column `pay`",
            ]
        );
    }

    #[test]
    fn a_named_test_must_exist() {
        let page = "| Threat | Control | By | Test | Not |\n|---|---|---|---|---|\n\
            | a | b `no_test` | c | `a_deny_wins` | d |\n";
        let tree = Tree::of(&[
            ("docs/src/threat-model.md", page),
            ("zt-core/src/a.rs", "fn a_deny_wins() {}"),
        ]);
        assert!(evidence(&tree).is_empty());
        let tree = Tree::of(&[("docs/src/threat-model.md", page)]);
        assert_eq!(evidence(&tree).len(), 1);
    }

    #[test]
    fn the_program_is_compared_line_by_line() {
        let source = "//! Text.\n//! ```python\n//! import json\n//!\n//! x = 1\n//! ```\n";
        let page = "```python\nimport json\n\nx = 1\n```\n";
        let tree = |page| {
            Tree::of(&[
                ("zt-core/src/audit.rs", source),
                ("docs/src/audit-log.md", page),
            ])
        };
        assert!(program(&tree(page)).is_empty());
        assert_eq!(program(&tree("```python\nx = 1\n```\n")).len(), 1);
    }
}
