//! The words of a condition, each with its position. At most [`LONGEST`] bytes are looked at.

use super::Mistake;
use crate::text::is_hidden;
use unicode_normalization::is_nfc;

/// The longest condition, in bytes.
pub(super) const LONGEST: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// `context.zone`, `and`, `true`: letters, digits, `_` and points.
    Word,
    /// `42`, `-0.5`.
    Number,
    /// Text between quotes, unescaped.
    Text(String),
    /// `==`, `(`.
    Sign,
    /// After the last token.
    End,
}

/// One token: what it is, as it is written, and where (1 for the first character).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) position: usize,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text == text
    }

    /// As messages name it.
    pub(super) fn shown(&self) -> &str {
        if self.kind == Kind::End {
            "the end"
        } else {
            &self.text
        }
    }
}

/// Reads all tokens; the last is [`Kind::End`].
pub(super) fn lex(source: &str) -> Result<Vec<Token>, Mistake> {
    if source.len() > LONGEST {
        let reason = format!(
            "a condition has at most {LONGEST} bytes, this one {}",
            source.len()
        );
        return Err(Mistake::new(1, "", reason));
    }
    let mut letters = Letters {
        chars: source.chars().collect(),
        at: 0,
    };
    let mut tokens = Vec::new();
    loop {
        let token = letters.token()?;
        let is_end = token.kind == Kind::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Letters {
    chars: Vec<char>,
    at: usize,
}

impl Letters {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at.saturating_add(ahead)).copied()
    }

    fn from(&self, start: usize) -> String {
        self.chars.iter().take(self.at).skip(start).collect()
    }

    fn skip(&mut self, is_in: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&is_in) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn token(&mut self) -> Result<Token, Mistake> {
        self.skip(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        let start = self.at;
        let Some(first) = self.peek(0) else {
            return Ok(self.made(Kind::End, start));
        };
        match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                self.skip(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
                Ok(self.made(Kind::Word, start))
            }
            '0'..='9' => Ok(self.number(start)),
            '-' if self.peek(1).is_some_and(|c| c.is_ascii_digit()) => Ok(self.number(start)),
            '"' | '\'' => self.text(first),
            _ => self.sign(first),
        }
    }

    fn number(&mut self, start: usize) -> Token {
        self.at = self.at.saturating_add(1);
        self.skip(|c| c.is_ascii_alphanumeric() || c == '.');
        self.made(Kind::Number, start)
    }

    fn text(&mut self, quote: char) -> Result<Token, Mistake> {
        let start = self.at;
        let mut text = String::new();
        loop {
            self.at = self.at.saturating_add(1);
            let found = match self.peek(0) {
                Some(c) if c == quote => break,
                Some('\\') => {
                    self.at = self.at.saturating_add(1);
                    self.peek(0).filter(|c| matches!(c, '\\' | '"' | '\''))
                }
                Some(c) if is_hidden(c) => {
                    let reason = "text must not hold control and format characters";
                    return Err(self.wrong(start, reason));
                }
                other => other,
            };
            let Some(found) = found else {
                let reason = if self.peek(0).is_none() {
                    format!("the text has no closing `{quote}`")
                } else {
                    "after `\\` expected `\\`, `\"` or `'`".to_owned()
                };
                return Err(self.wrong(start, reason));
            };
            text.push(found);
        }
        self.at = self.at.saturating_add(1);
        if !is_nfc(&text) {
            let reason = "text must be in Unicode's form NFC, in which equal words are equal bytes";
            return Err(self.wrong(start, reason));
        }
        Ok(self.made(Kind::Text(text), start))
    }

    fn sign(&mut self, first: char) -> Result<Token, Mistake> {
        let start = self.at;
        let next = self.peek(1);
        let is_long = matches!((first, next), ('=' | '!' | '<' | '>', Some('=')));
        let is_short = matches!(first, '<' | '>' | '(' | ')' | '[' | ']' | ',');
        let is_twice = matches!(first, '&' | '|') && next == Some(first);
        self.at = self
            .at
            .saturating_add(if is_long || is_twice { 2 } else { 1 });
        if is_long || is_short {
            return Ok(self.made(Kind::Sign, start));
        }
        let meant = match first {
            '=' => Some("=="),
            '!' => Some("not"),
            '&' => Some("and"),
            '|' => Some("or"),
            _ => None,
        };
        let mut mistake = self.wrong(start, "not a sign of conditions");
        mistake.nearest = meant.map(str::to_owned);
        Err(mistake)
    }

    fn made(&self, kind: Kind, start: usize) -> Token {
        Token {
            kind,
            text: self.from(start),
            position: start.saturating_add(1),
        }
    }

    fn wrong(&self, start: usize, reason: impl Into<String>) -> Mistake {
        Mistake::new(start.saturating_add(1), &self.from(start), reason)
    }
}
