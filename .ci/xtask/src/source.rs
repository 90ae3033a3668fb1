//! The workspace's text: which files there are, and what of a Rust file is code.

use std::fs;
use std::io;
use std::path::Path;

/// A committed text file.
pub(crate) struct Source {
    /// Its path below the root, with `/`.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

impl Source {
    /// Whether its name ends in this.
    pub(crate) fn is(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|is| is == extension)
    }

    /// Whether all of it is tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.split('/').any(|part| part == "tests")
    }
}

/// Every text file below the root that is not built, fetched or hidden.
pub(crate) fn walk(root: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    read_folder(root, "", &mut sources)?;
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn read_folder(folder: &Path, prefix: &str, sources: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (path, kind) = (format!("{prefix}{name}"), entry.file_type()?);
        if kind.is_dir() && !is_passed_over(&name) {
            read_folder(&entry.path(), &format!("{path}/"), sources)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
        {
            sources.push(Source { path, text });
        }
    }
    Ok(())
}

fn is_passed_over(folder: &str) -> bool {
    let hidden = folder.starts_with('.') && !matches!(folder, ".ci" | ".cargo");
    hidden || matches!(folder, "target" | "venv" | "node_modules" | "__pycache__")
}

/// A Rust file with comments and literals as spaces, line by line what it was.
pub(crate) fn code(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(character) = characters.get(at) {
        let rest = characters.get(at..).unwrap_or_default();
        let length = opaque(rest, at.checked_sub(1).and_then(|at| characters.get(at)));
        if length == 0 {
            code.push(*character);
            at += 1;
        } else {
            let covered = rest.iter().take(length);
            code.extend(covered.map(|character| if *character == '\n' { '\n' } else { ' ' }));
            at += length;
        }
    }
    code
}

/// How many characters the comment or literal at the beginning of `rest` takes; 0 for code.
fn opaque(rest: &[char], before: Option<&char>) -> usize {
    match rest {
        ['/', '/', ..] => rest.iter().take_while(|c| **c != '\n').count(),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => string(rest),
        ['\'', '\\', _, tail @ ..] => 3 + tail.iter().take_while(|c| **c != '\'').count() + 1,
        ['\'', _, '\'', ..] => 3,
        ['r', ..] if !before.is_some_and(|c| is_word(*c) && !matches!(c, 'b' | 'c')) => {
            raw_string(rest)
        }
        _ => 0,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        match tail {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while let Some(character) = rest.get(at) {
        match character {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[char]) -> usize {
    let hashes = rest.iter().skip(1).take_while(|c| **c == '#').count();
    if rest.get(hashes + 1) != Some(&'"') {
        return 0;
    }
    let closes = |at: usize| {
        let end = rest.get(at..).unwrap_or_default();
        end.first() == Some(&'"') && end.iter().skip(1).take_while(|c| **c == '#').count() >= hashes
    };
    let end = (hashes + 2..rest.len()).find(|at| closes(*at));
    end.map_or(rest.len(), |end| end + 1 + hashes)
}

/// The numbered lines that stand outside of inline `#[cfg(test)] mod` blocks, as rustfmt lays them out.
pub(crate) fn outside_tests(text: &str) -> Vec<(usize, &str)> {
    let mut kept = Vec::new();
    let mut lines = (1..).zip(text.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        kept.push((number, line));
        if line.trim() != "#[cfg(test)]" {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let closing = format!("{}}}", " ".repeat(indent));
        while let Some((number, line)) = lines.next_if(|(_, line)| !ends_attributes(line)) {
            kept.push((number, line));
        }
        if lines.peek().is_some_and(|(_, line)| is_inline_module(line)) {
            while lines.next_if(|(_, line)| *line != closing).is_some() {}
        }
    }
    kept
}

/// Whether the line is an item and no attribute of one.
fn ends_attributes(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    first.starts_with("mod") || first.starts_with("pub") || matches!(first, "use" | "fn" | "impl")
}

fn is_inline_module(line: &str) -> bool {
    line.split_whitespace().any(|word| word == "mod") && line.ends_with('{')
}

/// Whether `word` stands in the line, not as part of another word.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line
            .get(at + word.len()..)
            .and_then(|after| after.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The texts between double quotes.
pub(crate) fn quoted(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

/// The texts between backticks.
pub(crate) fn ticked(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let text =
            "let a = \"unsafe \\\" {\"; // unsafe\n/* unsafe /* nested */ { */ let c = '{';\n";
        let code = code(text);
        assert_eq!(code.lines().count(), 2);
        assert!(!code.contains("unsafe") && !code.contains('{') && !code.contains("nested"));
        assert!(code.contains("let a =") && code.contains("let c ="));
    }

    #[test]
    fn raw_strings_end_where_their_hashes_do_and_lifetimes_are_code() {
        assert_eq!(
            code("r#\"a \" b\"# + br\"\\\" + '\\''"),
            format!(
                "{} + b{} + {}",
                " ".repeat(10),
                " ".repeat(4),
                " ".repeat(4)
            )
        );
        assert_eq!(code("fn f<'a>(x: &'a str)"), "fn f<'a>(x: &'a str)");
        assert_eq!(code("for_r\"x\""), "for_r   ");
    }

    #[test]
    fn an_inline_test_module_is_not_counted_and_what_follows_is() {
        let text = "fn a() {}\n#[cfg(test)]\n#[cfg(feature = \"x\")]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}";
        let lines: Vec<&str> = outside_tests(text)
            .into_iter()
            .map(|(_, line)| line)
            .collect();
        assert_eq!(
            lines,
            [
                "fn a() {}",
                "#[cfg(test)]",
                "#[cfg(feature = \"x\")]",
                "}",
                "fn c() {}"
            ]
        );
        let text = "#[cfg(test)]\nmod tests;\nfn c() {}";
        assert_eq!(outside_tests(text).len(), 3);
    }

    #[test]
    fn a_word_ends_where_words_end() {
        assert!(has_word("unsafe { x }", "unsafe"));
        assert!(!has_word("deny(unsafe_code)", "unsafe"));
    }

    #[test]
    fn quotes_and_ticks_come_in_pairs() {
        assert_eq!(quoted("Mode = \"mode\", \"ZT_MODE\";"), ["mode", "ZT_MODE"]);
        assert_eq!(ticked("a `b` c `d`"), ["b", "d"]);
    }
}
