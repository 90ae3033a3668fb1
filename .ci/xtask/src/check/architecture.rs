//! The structure that the design fixes: where unsafe code, adapters and long files may be.

use super::Tree;
use crate::source::{code, has_word, outside_tests};

/// More lines than this belong to two files.
const MOST_LINES: usize = 400;

/// Folders whose purpose needs `unsafe`.
const UNSAFE_FOLDERS: [&str; 2] = ["zt-ffi/", "zt-core/memory/"];

/// Committed text that must name such a path, and why.
const PATHS_ALLOWED: [(&str, &str); 1] =
    [(".ci/xtask/src/check/architecture.rs", "it looks for them")];

/// `unsafe` stands in zt-ffi, in zt-memory and in one file of zt-py, the one that speaks Arrow's C interface.
pub(crate) fn unsafe_code(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let mut arrow = Vec::new();
    for source in tree.rust() {
        if UNSAFE_FOLDERS
            .iter()
            .any(|folder| source.path.starts_with(folder))
        {
            continue;
        }
        let code = code(&source.text);
        let Some((number, _)) = (1..)
            .zip(code.lines())
            .find(|(_, line)| has_word(line, "unsafe"))
        else {
            continue;
        };
        let name = source.path.rsplit('/').next().unwrap_or_default();
        if source.path.starts_with("zt-py/") && name.contains("arrow") && arrow.is_empty() {
            arrow.push(&source.path);
        } else {
            findings.push(format!(
                "{}:{number}: `unsafe` has no place here",
                source.path
            ));
        }
    }
    findings
}

/// Domain modules know ports; which adapter is behind one, only `runtime/builder.rs` and its folder say.
pub(crate) fn adapters(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for source in tree.rust() {
        let path = source.path.as_str();
        let may = path == "zt-core/src/runtime/builder.rs"
            || path.starts_with("zt-core/src/runtime/builder/")
            || path.starts_with("zt-core/src/adapters")
            || source.is_test();
        if may || !path.starts_with("zt-core/src/") {
            continue;
        }
        let code = code(&source.text);
        for (number, line) in outside_tests(&code) {
            if line.contains("crate::adapters") || line.contains("super::adapters") {
                findings.push(format!("{path}:{number}: names an adapter"));
            }
        }
    }
    findings
}

/// A file has one subject. Tests are not counted.
pub(crate) fn lengths(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for source in tree.rust().filter(|source| !source.is_test()) {
        let lines = outside_tests(&source.text).len();
        if lines > MOST_LINES {
            findings.push(format!(
                "{}: {lines} lines, at most {MOST_LINES}",
                source.path
            ));
        }
    }
    findings
}

/// What is not done is not committed.
pub(crate) fn unfinished(tree: &Tree) -> Vec<String> {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    let macros = ["todo!", "unimplemented!"];
    let mut findings = Vec::new();
    for source in tree.all() {
        for (number, line) in (1..).zip(source.text.lines()) {
            if words.iter().any(|word| has_word(line, word)) {
                findings.push(format!(
                    "{}:{number}: a note of unfinished work",
                    source.path
                ));
            }
        }
        if source.is("rs") {
            for (number, line) in (1..).zip(code(&source.text).lines()) {
                if macros.iter().any(|name| line.contains(name)) {
                    findings.push(format!("{}:{number}: unfinished code", source.path));
                }
            }
        }
    }
    findings
}

/// A path of somebody's machine works on no other.
pub(crate) fn machine_paths(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for source in tree.all() {
        if PATHS_ALLOWED.iter().any(|(path, _)| *path == source.path) {
            continue;
        }
        for (number, line) in (1..).zip(source.text.lines()) {
            if ["/root/", "/home/", "/tmp/"]
                .iter()
                .any(|path| line.contains(path))
            {
                findings.push(format!("{}:{number}: a path of one machine", source.path));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_is_found_in_code_and_not_in_words_about_it() {
        let tree = Tree::of(&[
            (
                "zt-core/src/a.rs",
                "// unsafe\n#![forbid(unsafe_code)]\nlet s = \"unsafe\";",
            ),
            ("zt-core/src/b.rs", "fn f() {\n    unsafe { g() }\n}"),
            ("zt-ffi/src/lib.rs", "unsafe extern \"C\" {}"),
            ("zt-py/src/arrow.rs", "unsafe { import() }"),
            ("zt-py/src/arrow_more.rs", "unsafe { import() }"),
        ]);
        let findings = unsafe_code(&tree);
        assert_eq!(findings.len(), 2);
        assert!(findings[0].starts_with("zt-core/src/b.rs:2:"));
        assert!(findings[1].starts_with("zt-py/src/arrow_more.rs:1:"));
    }

    #[test]
    fn an_adapter_in_a_test_module_is_no_finding() {
        let inline = "#[cfg(test)]\nmod tests {\n    use crate::adapters::memory;\n}\n";
        let tree = Tree::of(&[
            ("zt-core/src/a.rs", inline),
            (
                "zt-core/src/secrets/tests.rs",
                "use crate::adapters::memory;",
            ),
            (
                "zt-core/src/runtime/builder.rs",
                "use crate::adapters::file;",
            ),
            ("zt-core/src/session.rs", "use crate::adapters::file;"),
        ]);
        assert_eq!(
            adapters(&tree),
            ["zt-core/src/session.rs:1: names an adapter"]
        );
    }

    #[test]
    fn a_file_of_four_hundred_lines_is_short_enough() {
        let tree = Tree::of(&[
            ("a.rs", &"x\n".repeat(400)),
            ("b.rs", &"x\n".repeat(401)),
            ("b/tests.rs", &"x\n".repeat(401)),
        ]);
        assert_eq!(lengths(&tree), ["b.rs: 401 lines, at most 400"]);
    }

    #[test]
    fn unfinished_work_and_machine_paths_are_found_in_any_text() {
        let note = format!("# {}DO: later\n", "TO");
        let path = format!("see /{}/log\n", "tmp");
        let tree = Tree::of(&[
            ("a.md", &note),
            ("b.rs", "fn f() { todo!() }"),
            ("c.toml", &path),
        ]);
        assert_eq!(unfinished(&tree).len(), 2);
        assert_eq!(machine_paths(&tree), ["c.toml:1: a path of one machine"]);
    }
}
