//! Texts and numbers of JSON (RFC 8259), appended to what is there already, without memory of its own: most of
//! a record's time goes here.
//!
//! In: a value. Out: the bytes that `serde_json` writes for it.

/// Appends a text with its quotes.
pub(super) fn push_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len().saturating_add(2));
    out.push(b'"');
    if plain(bytes) == bytes.len() {
        out.extend_from_slice(bytes);
    } else {
        bytes.iter().for_each(|byte| push_byte(*byte, out));
    }
    out.push(b'"');
}

/// What is no ASCII stands as it is.
fn push_byte(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x8 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0xc => b'f',
        b'\r' => b'r',
        0..=0x1f => {
            out.extend_from_slice(b"\\u00");
            out.extend([byte >> 4, byte & 15].map(digit));
            return;
        }
        _ => return out.push(byte),
    };
    out.extend([b'\\', short]);
}

/// How long a text is with its quotes, the first of which stands first; up to the end if it has no last one.
pub(super) fn text_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = plain(rest);
        at += length;
        match rest.get(length) {
            None => return bytes.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// A lowercase hexadecimal digit.
pub(super) const fn digit(nibble: u8) -> u8 {
    let to_letters = if nibble > 9 { b'a' - b'0' - 10 } else { 0 };
    b'0' + nibble + to_letters
}

/// A number in decimal, in memory of the caller.
pub(super) fn decimal(mut number: u64, memory: &mut [u8; 20]) -> &str {
    let mut first = memory.len();
    for (at, place) in memory.iter_mut().enumerate().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        first = at;
        if number == 0 {
            break;
        }
    }
    let digits = memory.get(first..).unwrap_or_default();
    std::str::from_utf8(digits).unwrap_or_default()
}

/// How many bytes from the first on are ASCII that stands in a text as it is: no quote, no backslash, no control character.
pub(super) fn plain(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut length = 0;
    for word in words {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return length + special.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let is_plain = |byte: &&u8| matches!(byte, 0x20..=0x7f) && !matches!(byte, b'"' | b'\\');
    length + rest.iter().take_while(is_plain).count()
}

/// Where the first quote is.
pub(super) fn quote(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut length = 0;
    for word in words {
        let quote = has_zero(u64::from_le_bytes(*word) ^ (ONES * u64::from(b'"'))) & HIGH;
        if quote != 0 {
            return Some(length + quote.trailing_zeros() as usize / 8);
        }
        length += 8;
    }
    let at = rest.iter().position(|byte| *byte == b'"')?;
    Some(length + at)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

/// The high bit of the first byte of a word that is not plain, and of some behind it ("Bit Twiddling Hacks", determine if a
/// word has a zero byte, or one less than n: exact up to the first).
const fn special(word: u64) -> u64 {
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = has_zero(word ^ (ONES * b'"' as u64));
    let escape = has_zero(word ^ (ONES * b'\\' as u64));
    (word | control | quote | escape) & HIGH
}

/// The high bit of the first byte that is zero, and of some behind it, beside other bits.
const fn has_zero(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_letter_is_written_as_serde_writes_it() {
        for letter in ('\0'..='\u{ff}').chain(['…', '\u{2028}', '\u{10ffff}']) {
            for text in [letter.to_string(), format!("a word and {letter} behind it")] {
                let mut out = Vec::new();
                push_text(&text, &mut out);
                assert_eq!(out, serde_json::to_vec(&text).unwrap());
            }
        }
        for number in [0, 1, 9, 10, 1_234_567_890, u64::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string());
        }
    }

    proptest! {
        #[test]
        fn a_text_is_written_as_serde_writes_it(text in any::<String>()) {
            let mut out = Vec::new();
            push_text(&text, &mut out);
            prop_assert_eq!(&out, &serde_json::to_vec(&text).unwrap());
            let length = out.len();
            out.extend_from_slice(b":\"more\"");
            prop_assert_eq!(text_length(&out), length);
        }

        #[test]
        fn a_word_says_where_its_first_special_byte_is(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let is_plain = |byte: &&u8| byte.is_ascii() && **byte >= 0x20 && !b"\"\\".contains(byte);
            prop_assert_eq!(plain(&bytes), bytes.iter().take_while(is_plain).count());
            prop_assert_eq!(quote(&bytes), bytes.iter().position(|byte| *byte == b'"'));
        }
    }
}
