//! Characters that a person cannot see but a terminal obeys.

/// Whether a character controls or reorders what is shown instead of being shown: C0 and C1 controls, Unicode's format
/// characters (general category Cf: bidirectional overrides, zero-width characters) and its line separators.
pub(crate) const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}'
        | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

/// Whether such a character is in a text.
pub(crate) fn has_hidden(text: &str) -> bool {
    let is_plain = |byte: &u8| (b' '..=b'~').contains(byte);
    !text.as_bytes().iter().all(is_plain) && text.chars().any(is_hidden)
}

/// A name in lowercase, letter by letter: two names that differ only in case fold to one. `str::to_lowercase` writes a
/// sigma by what stands behind it, so that `ΑΣ.*` and `ΑΣ.x` would begin with different names.
pub(crate) fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let lower = name.chars().flat_map(char::to_lowercase);
    lower.map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// The text with its hidden characters written out: `\u{202e}`.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The valid value that a person most likely meant: at most a third of its letters differ, or it begins the same.
pub(crate) fn nearest(text: &str, valid: &[&str]) -> Option<String> {
    let text = text.to_lowercase();
    let distances = valid.iter().filter_map(|candidate| {
        let lower = candidate.to_lowercase();
        let distance = strsim::damerau_levenshtein(&text, &lower);
        let same = text
            .chars()
            .zip(lower.chars())
            .take_while(|(a, b)| a == b)
            .count();
        let length = lower.chars().count();
        let is_near = distance <= (length / 3).max(1) || (same >= 3 && same * 5 >= length * 3);
        is_near.then_some((distance, candidate))
    });
    distances
        .min()
        .map(|(_, candidate)| (*candidate).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_alone_fold_to_one() {
        for name in ["ΑΣ", "ας", "ασ", "Ασ"] {
            assert_eq!(fold(name), "ασ");
        }
        assert_eq!(fold("Name_1"), "name_1");
        assert_ne!(fold("straße"), fold("strasse"));
    }

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(shown("a\u{1b}[2K\u{202e}b"), "a\\u{1b}[2K\\u{202e}b");
        assert_eq!(shown("Größe, 大きさ, `x`"), "Größe, 大きさ, `x`");
    }
}
