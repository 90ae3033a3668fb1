//! Markdown that people start from: links, the README's commands, the changelog's headings.

use std::collections::BTreeSet;

use super::Tree;

/// The two commands that the README must show.
const COMMANDS: [&str; 2] = [
    "cargo run --release --example quickstart",
    "cargo xtask test",
];

/// The headings of Keep a Changelog that we use.
const HEADINGS: [&str; 5] = ["Added", "Changed", "Fixed", "Security", "Breaking"];

/// Every relative link of every Markdown file leads to a file, and every page of the book stands in its summary.
pub(crate) fn links(tree: &Tree) -> Vec<String> {
    let paths: BTreeSet<&str> = tree.all().map(|source| source.path.as_str()).collect();
    let mut findings = Vec::new();
    for source in tree.all().filter(|source| source.is("md")) {
        for target in targets(&source.text) {
            let reached = resolve(&source.path, target);
            let folder = format!("{reached}/");
            let exists = paths.contains(reached.as_str())
                || paths.iter().any(|path| path.starts_with(&folder));
            if !exists {
                findings.push(format!("{}: `{target}` does not exist", source.path));
            }
        }
    }
    let summary = tree.text("docs/src/SUMMARY.md");
    for page in paths
        .iter()
        .filter_map(|path| path.strip_prefix("docs/src/"))
    {
        if page != "SUMMARY.md" && page.ends_with(".md") && !summary.contains(&format!("({page})"))
        {
            findings.push(format!("docs/src/SUMMARY.md: `{page}` is missing"));
        }
    }
    findings
}

/// The README has code blocks that close, and both commands stand in them.
pub(crate) fn readme(tree: &Tree) -> Vec<String> {
    let text = tree.text("README.md");
    let fences = text.lines().filter(|line| line.starts_with("```")).count();
    let mut findings = Vec::new();
    if fences == 0 || fences % 2 == 1 {
        findings.push("README.md: no code block, or one that does not close".to_owned());
    }
    let blocks: Vec<&str> = text.split("\n```").skip(1).step_by(2).collect();
    for command in COMMANDS {
        if !blocks.iter().any(|block| block.contains(command)) {
            findings.push(format!("README.md: no code block shows `{command}`"));
        }
    }
    findings
}

/// The changelog begins with what is not released yet and uses our five headings.
pub(crate) fn changelog(tree: &Tree) -> Vec<String> {
    let text = tree.text("CHANGELOG.md");
    let mut findings = Vec::new();
    let first = text.lines().find_map(|line| line.strip_prefix("## "));
    if first != Some("Unreleased") {
        findings.push("CHANGELOG.md: its first section is `Unreleased`".to_owned());
    }
    for heading in text.lines().filter_map(|line| line.strip_prefix("### ")) {
        if !HEADINGS.contains(&heading) {
            findings.push(format!(
                "CHANGELOG.md: `{heading}` is not one of {HEADINGS:?}"
            ));
        }
    }
    findings
}

/// The relative targets of `[text](target)`, without their anchors, outside of code blocks.
fn targets(text: &str) -> Vec<&str> {
    let prose = text.split("\n```").step_by(2);
    let links = prose.flat_map(|prose| prose.split("](").skip(1));
    links
        .filter_map(|link| link.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains(':'))
        .collect()
}

/// A link's target as a path below the root.
fn resolve(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_resolves_against_its_page() {
        assert_eq!(resolve("docs/src/a.md", "../../SECURITY.md"), "SECURITY.md");
        assert_eq!(resolve("README.md", "./docs/"), "docs");
        let text = "[a](b.md#c) [w](https://x.y) [d](#e)\n```\n[x](y.md)\n```\n[f](g.md)";
        assert_eq!(targets(text), ["b.md", "g.md"]);
    }

    #[test]
    fn a_link_to_nothing_and_a_page_outside_the_summary_are_found() {
        let tree = Tree::of(&[
            ("docs/src/SUMMARY.md", "- [A](a.md)\n"),
            ("docs/src/a.md", "[gone](gone.md) [core](../../zt-core)\n"),
            ("docs/src/b.md", "x\n"),
            ("zt-core/Cargo.toml", ""),
        ]);
        let findings = links(&tree);
        assert_eq!(
            findings,
            [
                "docs/src/a.md: `gone.md` does not exist",
                "docs/src/SUMMARY.md: `b.md` is missing"
            ]
        );
    }

    #[test]
    fn a_readme_shows_both_commands() {
        let text = "# zt\n```sh\ncargo run --release --example quickstart\ncargo xtask test\n```\n";
        assert!(readme(&Tree::of(&[("README.md", text)])).is_empty());
        assert_eq!(readme(&Tree::of(&[])).len(), 3);
    }

    #[test]
    fn a_changelog_has_no_other_headings() {
        let text = "# Changelog\n\n## Unreleased\n\n### Added\n\n### Removed\n";
        assert_eq!(changelog(&Tree::of(&[("CHANGELOG.md", text)])).len(), 1);
    }
}
