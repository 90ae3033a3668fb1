//! Tokens become a tree whose names and types nobody has checked yet.
//!
//! ```text
//! condition = all { "or" all }
//! all       = one { "and" one }
//! one       = "not" one | "(" condition ")" | "has" attribute | operand [ test ]
//! test      = ("==" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "startsWith" | "endsWith" | "like") operand
//!           | ("in" | "cidr") (operand | list) | "between" operand "and" operand
//! list      = "[" literal { "," literal } "]"
//! operand   = attribute | literal
//! ```
//!
//! Bounded: [`DEEPEST`] levels of `not` and parentheses, [`MOST`] nodes, so that no later walk can overflow the stack.

use super::Mistake;
use super::lex::{Kind, Token, lex};

/// The deepest nesting of `not` and parentheses.
pub(super) const DEEPEST: usize = 32;
/// The most tests, operands and connectives.
pub(super) const MOST: usize = 256;

/// The operators, as conditions write them.
pub(super) const OPERATORS: &[&str] = &[
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "contains",
    "startsWith",
    "endsWith",
    "like",
    "cidr",
    "between",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// An attribute alone, which must be true or false.
    Alone(Token),
    Has(Token),
    Test {
        left: Token,
        operator: Token,
        right: Right,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Right {
    One(Token),
    Two(Token, Token),
    List(Vec<Token>),
}

/// Reads a condition.
pub(super) fn parse(source: &str) -> Result<Tree, Mistake> {
    let tokens = lex(source)?;
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        depth: 0,
        nodes: 0,
    };
    let tree = parser.any()?;
    let rest = parser.next();
    if rest.kind != Kind::End {
        return Err(expected(&rest, "`and`, `or` or the end").nearest(&["and", "or"]));
    }
    Ok(tree)
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
    nodes: usize,
}

impl Parser {
    fn next(&mut self) -> Token {
        self.tokens.next().unwrap_or(Token {
            kind: Kind::End,
            text: String::new(),
            position: 1,
        })
    }

    fn takes(&mut self, text: &str) -> bool {
        self.tokens.next_if(|token| token.is(text)).is_some()
    }

    fn is_next(&mut self, text: &str) -> bool {
        self.tokens.peek().is_some_and(|token| token.is(text))
    }

    fn count(&mut self, at: &Token) -> Result<(), Mistake> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MOST {
            let reason = format!("a condition has at most {MOST} tests, operands and connectives");
            return Err(Mistake::new(at.position, at.shown(), reason));
        }
        Ok(())
    }

    fn any(&mut self) -> Result<Tree, Mistake> {
        let mut parts = vec![self.all()?];
        while self.is_next("or") {
            let word = self.next();
            self.count(&word)?;
            parts.push(self.all()?);
        }
        Ok(joined(parts, Joint::Any))
    }

    fn all(&mut self) -> Result<Tree, Mistake> {
        let mut parts = vec![self.one()?];
        while self.is_next("and") {
            let word = self.next();
            self.count(&word)?;
            parts.push(self.one()?);
        }
        Ok(joined(parts, Joint::All))
    }

    fn one(&mut self) -> Result<Tree, Mistake> {
        let first = self.next();
        if first.is("not") {
            self.deeper(&first)?;
            let part = self.one()?;
            self.depth = self.depth.saturating_sub(1);
            return Ok(Tree::Not(Box::new(part)));
        }
        if first.is("(") {
            self.deeper(&first)?;
            let inner = self.any()?;
            let end = self.next();
            if !end.is(")") {
                return Err(expected(&end, "`)`"));
            }
            self.depth = self.depth.saturating_sub(1);
            return Ok(inner);
        }
        if first.is("has") {
            let attribute = self.operand()?;
            return if is_attribute(&attribute) {
                Ok(Tree::Has(attribute))
            } else {
                Err(expected(&attribute, "an attribute such as `context.job`"))
            };
        }
        self.test(first)
    }

    fn deeper(&mut self, at: &Token) -> Result<(), Mistake> {
        self.count(at)?;
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST {
            let reason = format!("`not` and parentheses nest at most {DEEPEST} deep");
            return Err(Mistake::new(at.position, at.shown(), reason));
        }
        Ok(())
    }

    fn test(&mut self, left: Token) -> Result<Tree, Mistake> {
        let left = self.as_operand(left, "`not`, `has`, `(`, an attribute or a value")?;
        let ends = |token: &Token| {
            token.kind == Kind::End || ["and", "or", ")"].iter().any(|end| token.is(end))
        };
        if self.tokens.peek().is_none_or(ends) {
            return if is_attribute(&left) {
                Ok(Tree::Alone(left))
            } else {
                let end = self.next();
                Err(expected(&end, "an operator after a value"))
            };
        }
        let operator = self.next();
        if !OPERATORS.iter().any(|known| operator.is(known)) {
            let what = format!("an operator ({}), `and` or `or`", OPERATORS.join(" "));
            let known: Vec<&str> = OPERATORS.iter().copied().chain(["and", "or"]).collect();
            return Err(expected(&operator, &what).nearest(&known));
        }
        self.count(&operator)?;
        let right = match operator.text.as_str() {
            "between" => {
                let low = self.operand()?;
                let and = self.next();
                if !and.is("and") {
                    return Err(expected(&and, "`and` and the upper bound"));
                }
                Right::Two(low, self.operand()?)
            }
            "in" | "cidr" if self.takes("[") => Right::List(self.list()?),
            _ => Right::One(self.operand()?),
        };
        Ok(Tree::Test {
            left,
            operator,
            right,
        })
    }

    fn list(&mut self) -> Result<Vec<Token>, Mistake> {
        let mut members = Vec::new();
        loop {
            let member = self.next();
            if member.is("]") && members.is_empty() {
                return Err(Mistake::new(
                    member.position,
                    "[]",
                    "a list names at least one value",
                ));
            }
            let member = self.as_operand(member, "a value")?;
            if is_attribute(&member) {
                return Err(expected(&member, "a value: lists hold no attributes"));
            }
            members.push(member);
            let next = self.next();
            if next.is("]") {
                return Ok(members);
            }
            if !next.is(",") {
                return Err(expected(&next, "`,` or `]`"));
            }
        }
    }

    fn operand(&mut self) -> Result<Token, Mistake> {
        let token = self.next();
        self.as_operand(token, "an attribute or a value")
    }

    fn as_operand(&mut self, token: Token, what: &str) -> Result<Token, Mistake> {
        self.count(&token)?;
        match token.kind {
            Kind::Number | Kind::Text(_) => Ok(token),
            Kind::Word if is_attribute(&token) || token.is("true") || token.is("false") => {
                Ok(token)
            }
            Kind::Word | Kind::Sign | Kind::End => {
                Err(expected(&token, what).nearest(&["not", "has", "true", "false"]))
            }
        }
    }
}

/// `context.zone`; whether it exists is checked later.
pub(super) fn is_attribute(token: &Token) -> bool {
    token.kind == Kind::Word && token.text.contains('.')
}

#[derive(Clone, Copy)]
enum Joint {
    All,
    Any,
}

/// One part stands for itself; parts of the same kind are drawn in, so that `a and (b and c)` is `a and b and c`.
fn joined(mut parts: Vec<Tree>, joint: Joint) -> Tree {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, joint) {
            (Tree::All(inner), Joint::All) | (Tree::Any(inner), Joint::Any) => flat.extend(inner),
            (other, Joint::All | Joint::Any) => flat.push(other),
        }
    }
    match joint {
        Joint::All => Tree::All(flat),
        Joint::Any => Tree::Any(flat),
    }
}

fn expected(found: &Token, what: &str) -> Mistake {
    Mistake::new(found.position, found.shown(), format!("expected {what}"))
}
