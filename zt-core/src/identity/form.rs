//! Writes the body of a form post: what token endpoints read (RFC 6749 §4.1.3, WHATWG URL §5.2).

use zeroize::Zeroizing;

/// The media type of such a body.
pub(crate) const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Names and values, encoded. The buffer has its final size from the start: growing would leave copies of secrets behind.
pub(crate) fn encode(pairs: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let most = |text: &str| text.len() * 3 + 1;
    let room = pairs
        .iter()
        .map(|(name, value)| most(name) + most(value))
        .sum();
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    for (name, value) in pairs {
        if !body.is_empty() {
            body.push(b'&');
        }
        append(&mut body, name);
        body.push(b'=');
        append(&mut body, value);
    }
    body
}

/// One name or value as it stands in a form or in the query of a URL (RFC 3986 §2.1).
pub(crate) fn append(into: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |four: u8| HEX.get(usize::from(four)).copied().unwrap_or(b'0');
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(byte);
        } else {
            into.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn names_and_values_are_encoded_and_nothing_is_copied() {
        let body = encode(&[("a b", "x&y=z"), ("grün", "urn:ietf/é+%"), ("empty", "")]);
        let text = std::str::from_utf8(&body).unwrap();
        assert_eq!(
            text,
            "a%20b=x%26y%3Dz&gr%C3%BCn=urn%3Aietf%2F%C3%A9%2B%25&empty="
        );
        assert_eq!(encode(&[]).len(), 0);
    }
}
