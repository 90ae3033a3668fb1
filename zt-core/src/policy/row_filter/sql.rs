//! A row filter as SQL.
//!
//! Every atom is written so that a missing cell makes it NULL, and atoms are joined by `AND` and `OR` alone: a `WHERE`
//! keeps no row for a cell that is not there. Text is compared byte for byte, whatever the collation of the database.
//! Values come from facts that a stranger may have stated, so a literal is built from nothing but its own characters:
//! quotes are doubled or the text is written in hexadecimal, names stand in the dialect's own brackets.

use std::fmt;
use std::fmt::Write as _;

use super::{Atom, Node};
use crate::policy::Attribute;
use crate::policy::condition::{Comparison, Operand, Predicate};
use crate::policy::value::{Value, ValueType};

/// A dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Spark SQL and Databricks SQL, version 3.3 and newer.
    Spark,
    /// Transact-SQL of Azure SQL and SQL Server.
    TransactSql,
    /// The SQL of Apache DataFusion, which delta-rs and other engines on Arrow take.
    DataFusion,
}

impl Dialect {
    /// Every dialect with its name.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("spark", Self::Spark),
        ("tsql", Self::TransactSql),
        ("datafusion", Self::DataFusion),
    ];

    /// The dialect of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut words = Self::WORDS.iter();
        words.find(|(word, _)| *word == name).map(|(_, one)| *one)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Self::WORDS.iter();
        f.write_str(
            words
                .find(|(_, one)| one == self)
                .map_or("", |(word, _)| word),
        )
    }
}

/// A dialect cannot say exactly what a filter says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{dialect} cannot say `{test}` exactly: {why}")]
#[non_exhaustive]
pub struct NotInDialect {
    /// The dialect.
    pub dialect: Dialect,
    /// The test.
    pub test: String,
    /// Why not.
    pub why: &'static str,
}

/// The filter as a search condition.
pub(super) fn write(node: &Node, dialect: Dialect) -> Result<String, NotInDialect> {
    let mut text = String::new();
    Writer { dialect }.node(node, &mut text)?;
    Ok(text)
}

struct Writer {
    dialect: Dialect,
}

type Written = Result<(), NotInDialect>;

impl Writer {
    fn node(&self, node: &Node, to: &mut String) -> Written {
        let (parts, word) = match node {
            Node::All(parts) => (parts, " AND "),
            Node::Any(parts) => (parts, " OR "),
            Node::Atom(atom) => return self.atom(atom, to),
        };
        for (at, part) in parts.iter().enumerate() {
            to.push_str(if at == 0 { "(" } else { word });
            self.node(part, to)?;
        }
        to.push(')');
        Ok(())
    }

    fn atom(&self, atom: &Atom, to: &mut String) -> Written {
        let column = &*atom.test.attribute;
        let refuse = |why| {
            Err(NotInDialect {
                dialect: self.dialect,
                test: atom.test.to_string(),
                why,
            })
        };
        if column.kind == ValueType::Ip && atom.test.predicate != Predicate::Has {
            return refuse("an address may be written in several ways");
        }
        let not = if atom.wanted { "" } else { "NOT " };
        let left = self.operand_of(column);
        match &atom.test.predicate {
            Predicate::Has => push(to, format_args!("{} IS NOT NULL", self.name(column))),
            Predicate::True => {
                let value = Value::Bool(atom.wanted);
                push(to, format_args!("{left} = {}", self.literal(&value)));
            }
            Predicate::Compare(comparison, operand) => {
                let comparison = if atom.wanted {
                    *comparison
                } else {
                    comparison.opposite()
                };
                self.compare(column, comparison, operand, to);
            }
            Predicate::Between(low, high) => {
                let (open, first, word, second) = if atom.wanted {
                    ("(", Comparison::AtLeast, " AND ", Comparison::AtMost)
                } else {
                    ("(", Comparison::Less, " OR ", Comparison::Greater)
                };
                to.push_str(open);
                self.compare(column, first, low, to);
                to.push_str(word);
                self.compare(column, second, high, to);
                to.push(')');
            }
            Predicate::Among(values) if values.is_empty() => {
                // Nothing is in it; a missing cell is neither in it nor not.
                let never = if atom.wanted { "1 = 0" } else { "1 = 1" };
                push(
                    to,
                    format_args!("({} IS NOT NULL AND {never})", self.name(column)),
                );
            }
            Predicate::Among(values) => {
                let values: Vec<String> = values.iter().map(|value| self.literal(value)).collect();
                push(to, format_args!("({left} {not}IN ({})", values.join(", ")));
                self.guard(column, to);
                to.push(')');
            }
            Predicate::Contains(Operand::Value(value)) if column.kind == ValueType::Set => {
                let (name, value) = (self.name(column), self.literal(value));
                match self.dialect {
                    Dialect::Spark => {
                        push(to, format_args!("{not}array_contains({name}, {value})"))
                    }
                    Dialect::DataFusion => {
                        push(to, format_args!("{not}array_has({name}, {value})"))
                    }
                    Dialect::TransactSql => return refuse("it has no sets"),
                }
            }
            Predicate::Contains(operand)
            | Predicate::StartsWith(operand)
            | Predicate::EndsWith(operand) => {
                let Operand::Value(Value::Text(part)) = operand else {
                    return refuse("a part of a text must be a value");
                };
                let (begins, ends) = match &atom.test.predicate {
                    Predicate::StartsWith(_) => (true, false),
                    Predicate::EndsWith(_) => (false, true),
                    _ => (false, false),
                };
                self.part(column, not, (begins, part, ends), to);
            }
            Predicate::Like(pattern) => self.like(column, not, pattern, to),
            Predicate::MemberOf(_) => return refuse("a set must be a value"),
            Predicate::Cidr(_) => return refuse("it knows no ranges of addresses"),
        }
        Ok(())
    }

    fn compare(
        &self,
        column: &Attribute,
        comparison: Comparison,
        to_what: &Operand,
        to: &mut String,
    ) {
        let sign = match comparison {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::Greater => ">",
            Comparison::AtLeast => ">=",
        };
        let right = match to_what {
            Operand::Value(value) => self.literal(value),
            Operand::Attribute(other) => self.operand_of(other),
        };
        push(
            to,
            format_args!("({} {sign} {right}", self.operand_of(column)),
        );
        self.guard(column, to);
        if let Operand::Attribute(other) = to_what {
            self.guard(other, to);
        }
        to.push(')');
    }

    /// In engines that order it, `NaN` is greater than every number and equal to itself; here it is no number at all.
    fn guard(&self, column: &Attribute, to: &mut String) {
        let is_number = matches!(column.kind, ValueType::Int | ValueType::Decimal);
        match self.dialect {
            Dialect::Spark | Dialect::DataFusion if is_number => {
                push(to, format_args!(" AND NOT isnan({})", self.name(column)));
            }
            Dialect::Spark | Dialect::DataFusion | Dialect::TransactSql => {}
        }
    }

    /// `LIKE` with a text whose own characters stand for themselves.
    fn part(
        &self,
        column: &Attribute,
        not: &str,
        (begins, part, ends): (bool, &str, bool),
        to: &mut String,
    ) {
        let mut pattern = String::new();
        pattern.push_str(if begins { "" } else { "%" });
        self.escape(part, &mut pattern);
        pattern.push_str(if ends { "" } else { "%" });
        self.matching(column, not, &pattern, to);
    }

    fn like(&self, column: &Attribute, not: &str, pattern: &str, to: &mut String) {
        let mut like = String::new();
        for (at, part) in pattern.split('*').enumerate() {
            like.push_str(if at == 0 { "" } else { "%" });
            self.escape(part, &mut like);
        }
        self.matching(column, not, &like, to);
    }

    fn matching(&self, column: &Attribute, not: &str, pattern: &str, to: &mut String) {
        let left = self.operand_of(column);
        let pattern = self.text(&self.ended(pattern));
        let escape = match self.dialect {
            Dialect::Spark => " ESCAPE '!'",
            Dialect::TransactSql => " ESCAPE N'!'",
            Dialect::DataFusion => "",
        };
        push(to, format_args!("({left} {not}LIKE {pattern}{escape})"));
    }

    /// The characters of a text that stand for themselves in a pattern. Spark takes no escape before others than the
    /// pattern's own signs; DataFusion takes no other escape than a backslash.
    fn escape(&self, part: &str, to: &mut String) {
        let (sign, special): (char, &[char]) = match self.dialect {
            Dialect::Spark => ('!', &['%', '_', '!']),
            Dialect::TransactSql => ('!', &['%', '_', '!', '[']),
            Dialect::DataFusion => ('\\', &['%', '_', '\\']),
        };
        for c in part.chars() {
            if special.contains(&c) {
                to.push(sign);
            }
            to.push(c);
        }
    }

    /// A column as an operand: in Transact-SQL text is compared by its code points, with a mark behind it, since blanks at
    /// the end of a text would not count.
    fn operand_of(&self, column: &Attribute) -> String {
        let name = self.name(column);
        let is_text = matches!(column.kind, ValueType::Text | ValueType::Enum);
        if self.dialect == Dialect::TransactSql && is_text {
            format!("({name} + N'{END}') COLLATE Latin1_General_100_BIN2")
        } else {
            name
        }
    }

    fn name(&self, column: &Attribute) -> String {
        column_name(self.dialect, &column.name)
    }

    /// The text with the mark that its column has.
    fn ended(&self, text: &str) -> String {
        match self.dialect {
            Dialect::TransactSql => format!("{text}{END}"),
            Dialect::Spark | Dialect::DataFusion => text.to_owned(),
        }
    }

    fn literal(&self, value: &Value) -> String {
        match (value, self.dialect) {
            (Value::Bool(value), Dialect::TransactSql) => u8::from(*value).to_string(),
            (Value::Bool(value), Dialect::Spark | Dialect::DataFusion) => {
                value.to_string().to_uppercase()
            }
            (Value::Int(number), _) => number.to_string(),
            (Value::Decimal(number), _) => number.to_string(),
            (Value::Text(text), _) => self.text(&self.ended(text)),
            (Value::Datetime(moment), Dialect::TransactSql) => {
                format!("CAST(N'{moment}' AS datetimeoffset(3))")
            }
            (Value::Datetime(moment), Dialect::Spark | Dialect::DataFusion) => {
                format!("TIMESTAMP '{moment}'")
            }
            // No atom with a literal of these is written.
            (Value::Set(_) | Value::Ip(_), _) => "NULL".to_owned(),
        }
    }

    /// A literal of text. In Spark a backslash may or may not be an escape, as the session is set, and a doubled quote is
    /// none; so texts with one of them are written in hexadecimal.
    fn text(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Spark if text.contains(['\'', '\\']) => {
                let mut hex = String::new();
                for byte in text.bytes() {
                    push(&mut hex, format_args!("{byte:02X}"));
                }
                format!("decode(unhex('{hex}'), 'UTF-8')")
            }
            Dialect::Spark => format!("'{text}'"),
            Dialect::DataFusion => format!("'{}'", text.replace('\'', "''")),
            Dialect::TransactSql => format!("N'{}'", text.replace('\'', "''")),
        }
    }
}

/// A column's name in the dialect's own brackets.
pub(in crate::policy) fn column_name(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Spark => format!("`{}`", name.replace('`', "``")),
        Dialect::TransactSql => format!("[{}]", name.replace(']', "]]")),
        Dialect::DataFusion => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// Stands behind every text in Transact-SQL.
const END: char = '.';

/// Writing to a string does not fail.
fn push(to: &mut String, text: fmt::Arguments<'_>) {
    let _ = to.write_fmt(text);
}
