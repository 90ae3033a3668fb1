//! A row filter as SQL.
//!
//! Every atom is written so that a missing cell makes it NULL or false, and atoms are joined by `AND` and `OR` alone: a
//! `WHERE` keeps no row for a cell that is not there. Text is compared byte for byte, whatever the collation of its column.
//! A cell that its attribute does not take (a word that an enum does not list, a number that is none or beyond 64 bits)
//! passes nothing, as in memory. Values come from facts that a stranger may have stated: see [`quote`].

mod quote;

use std::fmt;
use std::fmt::Write as _;

use self::quote::escaped;
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
    write_node(node, dialect, &mut text)?;
    Ok(text)
}

fn write_node(node: &Node, dialect: Dialect, to: &mut String) -> Result<(), NotInDialect> {
    let (parts, word) = match node {
        Node::All(parts) => (parts, " AND "),
        Node::Any(parts) => (parts, " OR "),
        Node::Atom(atom) => {
            let written = Writer { dialect }.atom(atom);
            to.push_str(&written.map_err(|why| NotInDialect {
                dialect,
                test: atom.test.to_string(),
                why,
            })?);
            return Ok(());
        }
    };
    for (at, part) in parts.iter().enumerate() {
        to.push_str(if at == 0 { "(" } else { word });
        write_node(part, dialect, to)?;
    }
    to.push(')');
    Ok(())
}

/// A column's name in the dialect's own brackets.
pub(in crate::policy) fn column_name(dialect: Dialect, name: &str) -> Result<String, NotInDialect> {
    quote::name(dialect, name).map_err(|why| NotInDialect {
        dialect,
        test: name.to_owned(),
        why,
    })
}

/// Stands behind every text in Transact-SQL, where blanks at the end of a text do not count.
const END: char = '.';

/// SQL, or why there is none.
type Written = Result<String, &'static str>;

#[derive(Clone, Copy)]
struct Writer {
    dialect: Dialect,
}

impl Writer {
    fn atom(self, atom: &Atom) -> Written {
        let (column, wanted) = (&*atom.test.attribute, atom.wanted);
        if column.kind == ValueType::Ip && atom.test.predicate != Predicate::Has {
            return Err("an address may be written in several ways");
        }
        match &atom.test.predicate {
            Predicate::Has => {
                let known = format!("{} IS NOT NULL", self.name(column)?);
                self.guarded(known, &[column])
            }
            Predicate::True => {
                let value = self.literal(&Value::Bool(wanted))?;
                Ok(format!("{} = {value}", self.name(column)?))
            }
            Predicate::Compare(comparison, operand) if wanted => {
                self.compare(column, *comparison, operand)
            }
            Predicate::Compare(comparison, operand) => {
                self.compare(column, comparison.opposite(), operand)
            }
            Predicate::Between(low, high) => {
                let (first, word, second) = if wanted {
                    (Comparison::AtLeast, "AND", Comparison::AtMost)
                } else {
                    (Comparison::Less, "OR", Comparison::Greater)
                };
                let low = self.compare(column, first, low)?;
                let high = self.compare(column, second, high)?;
                Ok(format!("({low} {word} {high})"))
            }
            Predicate::Among(values) => self.among(column, values, wanted),
            Predicate::Contains(operand) if column.kind == ValueType::Set => {
                self.member(column, operand, wanted)
            }
            Predicate::Contains(operand) => self.part(column, ("%", operand, "%"), wanted),
            Predicate::StartsWith(operand) => self.part(column, ("", operand, "%"), wanted),
            Predicate::EndsWith(operand) => self.part(column, ("%", operand, ""), wanted),
            Predicate::Like(pattern) => {
                let parts = pattern.split('*');
                let parts: Vec<String> = parts.map(|part| escaped(self.dialect, part)).collect();
                self.like(column, &parts.join("%"), wanted)
            }
            Predicate::MemberOf(_) => Err("a set must be a value"),
            Predicate::Cidr(_) => Err("it knows no ranges of addresses"),
        }
    }

    fn compare(self, column: &Attribute, comparison: Comparison, with: &Operand) -> Written {
        let sign = match comparison {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::Greater => ">",
            Comparison::AtLeast => ">=",
        };
        let left = self.exact(column)?;
        let value = match with {
            Operand::Attribute(other) => {
                let compared = format!("{left} {sign} {}", self.exact(other)?);
                return self.guarded(compared, &[column, other]);
            }
            Operand::Value(value) => value,
        };
        let compared = format!("{left} {sign} {}", self.exact_literal(value)?);
        if comparison != Comparison::Equal || !is_word(column, value) {
            return self.guarded(compared, &[column]);
        }
        if left == self.name(column)? {
            return Ok(format!("({compared})"));
        }
        // What is the same byte for byte is so in any collation: this half finds the row by an index or by statistics.
        let quick = format!("{} = {}", self.name(column)?, self.literal(value)?);
        Ok(format!("({quick} AND {compared})"))
    }

    fn among(self, column: &Attribute, values: &[Value], wanted: bool) -> Written {
        if values.is_empty() {
            // Nothing is in it; a missing cell is neither in it nor not.
            let never = if wanted { "1 = 0" } else { "1 = 1" };
            let known = format!("{} IS NOT NULL AND {never}", self.name(column)?);
            return self.guarded(known, &[column]);
        }
        let list = |write: &dyn Fn(&Value) -> Written| {
            let values: Result<Vec<String>, _> = values.iter().map(write).collect();
            values.map(|values| values.join(", "))
        };
        let (left, not) = (self.exact(column)?, if wanted { "" } else { "NOT " });
        let exact = format!("{left} {not}IN ({})", list(&|one| self.exact_literal(one))?);
        if !wanted || !values.iter().all(|value| is_word(column, value)) {
            return self.guarded(exact, &[column]);
        }
        if left == self.name(column)? {
            return Ok(format!("({exact})"));
        }
        let quick = list(&|one| self.literal(one))?;
        Ok(format!("({} IN ({quick}) AND {exact})", self.name(column)?))
    }

    fn member(self, column: &Attribute, operand: &Operand, wanted: bool) -> Written {
        let Operand::Value(value) = operand else {
            return Err("a member of a set must be a value");
        };
        let (name, value) = (self.name(column)?, self.exact_literal(value)?);
        let bytes = format!("array_contains(CAST({name} AS ARRAY<BINARY>), {value})");
        match (self.dialect, wanted) {
            (Dialect::Spark, true) => Ok(bytes),
            (Dialect::Spark, false) => Ok(format!("NOT {bytes}")),
            (Dialect::DataFusion, true) => Ok(format!("array_has({name}, {value})")),
            // Here a missing member is none; in memory and in Spark it may be the one.
            (Dialect::DataFusion, false) => Ok(format!(
                "({name} IS NOT NULL AND array_position({name}, NULL) IS NULL AND NOT array_has({name}, {value}))"
            )),
            (Dialect::TransactSql, _) => Err("it has no sets"),
        }
    }

    /// `LIKE` with a text whose own characters stand for themselves.
    fn part(
        self,
        column: &Attribute,
        (before, operand, after): (&str, &Operand, &str),
        wanted: bool,
    ) -> Written {
        let Operand::Value(Value::Text(part)) = operand else {
            return Err("a part of a text must be a value");
        };
        let part = escaped(self.dialect, part);
        self.like(column, &format!("{before}{part}{after}"), wanted)
    }

    fn like(self, column: &Attribute, pattern: &str, wanted: bool) -> Written {
        let name = self.name(column)?;
        let (left, pattern, escape) = match self.dialect {
            // Bytes become text of the collation that tells all bytes apart.
            Dialect::Spark => (
                format!("CAST(CAST({name} AS BINARY) AS STRING)"),
                quote::text(self.dialect, pattern)?,
                " ESCAPE '!'",
            ),
            Dialect::TransactSql => (
                self.exact(column)?,
                quote::text(self.dialect, &format!("{pattern}{END}"))?,
                " ESCAPE N'!'",
            ),
            Dialect::DataFusion => (name, quote::text(self.dialect, pattern)?, ""),
        };
        let not = if wanted { "" } else { "NOT " };
        self.guarded(format!("{left} {not}LIKE {pattern}{escape}"), &[column])
    }

    /// A cell that is none of its attribute's values is unknown, and passes no test nor its opposite: a word that an enum
    /// does not list; `NaN`, which engines take for the greatest number, and numbers beyond those of 64 bits. In
    /// Transact-SQL a session may take a missing text for an empty one where texts are joined.
    fn guarded(self, mut written: String, columns: &[&Attribute]) -> Written {
        for column in columns {
            match column.kind {
                ValueType::Enum => {
                    let words: Vec<Value> =
                        column.values.iter().map(|one| Value::text(one)).collect();
                    push(
                        &mut written,
                        format_args!(" AND {}", self.among(column, &words, true)?),
                    );
                }
                ValueType::Int | ValueType::Decimal => {
                    let (name, low, high) = (self.name(column)?, i64::MIN, i64::MAX);
                    push(
                        &mut written,
                        format_args!(" AND {name} BETWEEN {low} AND {high}"),
                    );
                }
                ValueType::Text if self.dialect == Dialect::TransactSql => {
                    push(
                        &mut written,
                        format_args!(" AND {} IS NOT NULL", self.name(column)?),
                    );
                }
                ValueType::Text
                | ValueType::Bool
                | ValueType::Set
                | ValueType::Ip
                | ValueType::Datetime => {}
            }
        }
        Ok(format!("({written})"))
    }

    /// A column as an operand; of text its bytes, or its code points with a mark behind them.
    fn exact(self, column: &Attribute) -> Written {
        let name = self.name(column)?;
        let is_text = matches!(column.kind, ValueType::Text | ValueType::Enum);
        Ok(match self.dialect {
            Dialect::Spark if is_text => format!("CAST({name} AS BINARY)"),
            // Of a shorter type the joined text would be cut.
            Dialect::TransactSql if is_text => format!(
                "(CAST({name} AS nvarchar(max)) + N'{END}') COLLATE Latin1_General_100_BIN2"
            ),
            Dialect::Spark | Dialect::TransactSql | Dialect::DataFusion => name,
        })
    }

    /// A value as [`exact`](Self::exact) has its column.
    fn exact_literal(self, value: &Value) -> Written {
        match (value, self.dialect) {
            (Value::Text(text), Dialect::Spark) => {
                quote::text(self.dialect, text).map(|_| quote::bytes(text))
            }
            (Value::Text(text), Dialect::TransactSql) => {
                quote::text(self.dialect, &format!("{text}{END}"))
            }
            _ => self.literal(value),
        }
    }

    fn name(self, column: &Attribute) -> Written {
        quote::name(self.dialect, &column.name)
    }

    fn literal(self, value: &Value) -> Written {
        quote::literal(self.dialect, value)
    }
}

/// Whether a value is one that a cell of the column may have.
fn is_word(column: &Attribute, value: &Value) -> bool {
    column.kind != ValueType::Enum
        || matches!(value, Value::Text(text) if column.values.contains(text))
}

/// Writing to a string does not fail.
fn push(to: &mut String, text: fmt::Arguments<'_>) {
    let _ = to.write_fmt(text);
}

#[cfg(test)]
mod tests;
