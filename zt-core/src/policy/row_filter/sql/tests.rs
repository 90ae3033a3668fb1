//! The text of each dialect; that no value ends its literal is read back with a parser that is not ours.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the parser are not ours, and any other variant fails the test"
)]

use proptest::prelude::*;
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Value as Literal,
};
use sqlparser::dialect::{DatabricksDialect, GenericDialect, MsSqlDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::super::tests::{any_condition, request, rows_of, snapshot, stated};
use super::super::{granted, spared};
use super::*;
use crate::clock::Timestamp;
use crate::policy::{Condition, Context};

const ALL: [Dialect; 3] = [Dialect::Spark, Dialect::TransactSql, Dialect::DataFusion];

/// The one expression that a text is.
fn parsed(sql: &str, dialect: Dialect) -> Expr {
    let dialect: &dyn sqlparser::dialect::Dialect = match dialect {
        Dialect::Spark => &DatabricksDialect {},
        Dialect::TransactSql => &MsSqlDialect {},
        Dialect::DataFusion => &GenericDialect {},
    };
    let mut parser = Parser::new(dialect).try_with_sql(sql).unwrap();
    let expression = parser.parse_expr();
    let expression = expression.unwrap_or_else(|why| panic!("{sql}: {why}"));
    assert_eq!(parser.peek_token().token, Token::EOF, "{sql}");
    expression
}

fn sql(text: &str, home: &str) -> [String; 3] {
    let rows = rows_of(text, &[("principal.home", Value::text(home))], true);
    ALL.map(|dialect| {
        let sql = rows.to_sql(dialect).unwrap();
        drop(parsed(&sql, dialect));
        sql
    })
}

#[test]
fn text_is_compared_byte_for_byte_and_found_by_an_index() {
    assert_eq!(
        sql("row.region == principal.home", "NL"),
        [
            "(`region` = 'NL' AND CAST(`region` AS BINARY) = X'4E4C')",
            "([region] = N'NL' AND (CAST([region] AS nvarchar(max)) + N'.') COLLATE Latin1_General_100_BIN2 = N'NL.')",
            "(\"region\" = 'NL')",
        ]
    );
    assert_eq!(
        sql("not row.region in ['NL', 'BE']", "NL"),
        [
            "(CAST(`region` AS BINARY) NOT IN (X'4E4C', X'4245'))",
            "((CAST([region] AS nvarchar(max)) + N'.') COLLATE Latin1_General_100_BIN2 NOT IN (N'NL.', N'BE.') \
             AND [region] IS NOT NULL)",
            "(\"region\" NOT IN ('NL', 'BE'))",
        ]
    );
    assert_eq!(
        sql("row.region endsWith ' '", "NL"),
        [
            "(CAST(CAST(`region` AS BINARY) AS STRING) LIKE '% ' ESCAPE '!')",
            "((CAST([region] AS nvarchar(max)) + N'.') COLLATE Latin1_General_100_BIN2 LIKE N'% .' ESCAPE N'!' \
             AND [region] IS NOT NULL)",
            "(\"region\" LIKE '% ')",
        ]
    );
}

#[test]
fn truth_moments_and_numbers_have_the_dialects_own_words() {
    assert_eq!(
        sql("row.age >= 18 and not row.active", "NL"),
        [
            "((`age` >= 18 AND `age` BETWEEN -9223372036854775808 AND 9223372036854775807) AND `active` = FALSE)",
            "(([age] >= 18 AND [age] BETWEEN -9223372036854775808 AND 9223372036854775807) AND [active] = 0)",
            "((\"age\" >= 18 AND \"age\" BETWEEN -9223372036854775808 AND 9223372036854775807) AND \"active\" = FALSE)",
        ]
    );
    assert_eq!(
        sql("row.since < '2026-10-01T10:00:00+02:00'", "NL"),
        [
            "(`since` < TIMESTAMP '2026-10-01T08:00:00.000Z')",
            "([since] < CAST(N'2026-10-01T08:00:00.000Z' AS datetimeoffset(3)))",
            "(\"since\" < arrow_cast('2026-10-01T08:00:00.000Z', 'Timestamp(Millisecond, Some(\"+00:00\"))'))",
        ]
    );
    assert_eq!(
        sql("row.score in [0.5, 0.100000000000000001]", "NL"),
        [
            "(`score` IN (0.5, 0.100000000000000001))",
            "([score] IN (0.5, 0.100000000000000001))",
            "(\"score\" IN (0.5, CAST('0.100000000000000001' AS DECIMAL(19, 18))))",
        ]
    );
}

#[test]
fn a_cell_that_is_no_word_of_its_enum_passes_no_opposite() {
    let last = |text: &str| sql(text, "lead")[2].clone();
    assert_eq!(last("row.tier == 'gold'"), "(\"tier\" = 'gold')");
    let guard = "(\"tier\" IN ('gold', 'iron'))";
    assert_eq!(
        last("row.tier != 'gold'"),
        format!("(\"tier\" <> 'gold' AND {guard})")
    );
    assert_eq!(
        last("row.tier == principal.home"),
        format!("(\"tier\" = 'lead' AND {guard})")
    );
    assert_eq!(
        last("has row.tier"),
        format!("(\"tier\" IS NOT NULL AND {guard})")
    );
    assert_eq!(
        last("row.tier == row.region"),
        format!("(\"tier\" = \"region\" AND {guard})")
    );
}

/// What people try, and what it is in each dialect.
const HOSTILE: [(&str, [&str; 3]); 9] = [
    (
        "' OR 1=1 --",
        [
            "decode(unhex('27204F5220313D31202D2D'), 'UTF-8')",
            "N''' OR 1=1 --'",
            "''' OR 1=1 --'",
        ],
    ),
    (
        "\\' OR 1=1",
        [
            "decode(unhex('5C27204F5220313D31'), 'UTF-8')",
            "N'\\'' OR 1=1'",
            "'\\'' OR 1=1'",
        ],
    ),
    ("\\", ["decode(unhex('5C'), 'UTF-8')", "N'\\'", "'\\'"]),
    (
        "a\\\nb",
        [
            "decode(unhex('615C0A62'), 'UTF-8')",
            "(N'a\\' + NCHAR(10) + N'b')",
            "'a\\\nb'",
        ],
    ),
    (
        "/* x */; DROP TABLE t",
        [
            "decode(unhex('2F2A2078202A2F3B2044524F50205441424C452074'), 'UTF-8')",
            "N'/* x */; DROP TABLE t'",
            "'/* x */; DROP TABLE t'",
        ],
    ),
    (
        "\u{2bc}\u{2019}\u{ff07}",
        [
            "decode(unhex('CABCE28099EFBC87'), 'UTF-8')",
            "N'\u{2bc}\u{2019}\u{ff07}'",
            "'\u{2bc}\u{2019}\u{ff07}'",
        ],
    ),
    (
        "${env:KEY}$(x)",
        [
            "decode(unhex('247B656E763A4B45597D24287829'), 'UTF-8')",
            "(NCHAR(36) + N'{env:KEY}' + NCHAR(36) + N'(x)')",
            "'${env:KEY}$(x)'",
        ],
    ),
    ("", ["''", "N''", "''"]),
    ("Größe", ["'Größe'", "N'Größe'", "'Größe'"]),
];

#[test]
fn what_people_try_stays_a_value() {
    for (value, expected) in HOSTILE {
        for (dialect, expected) in ALL.into_iter().zip(expected) {
            assert_eq!(quote::text(dialect, value).unwrap(), expected);
            let found = &sql("row.region == principal.home", value);
            assert!(found.iter().any(|sql| sql.contains(expected)), "{found:?}");
        }
    }
}

#[test]
fn what_a_dialect_cannot_hold_is_an_error_that_does_not_repeat_it_cut() {
    let refused = |text: &str, home: &str, dialect| {
        let rows = rows_of(text, &[("principal.home", Value::text(home))], true);
        rows.to_sql(dialect).unwrap_err().why
    };
    for dialect in ALL {
        let why = refused("row.region == principal.home", "a\0b", dialect);
        assert!(why.contains("U+0000"), "{why}");
        let early = Value::Datetime(Timestamp::from_millis(-99_999_999_999_999));
        assert!(quote::literal(dialect, &early).is_err());
    }
    let (fits, long) = ("x".repeat(3999), "x".repeat(4000));
    assert_eq!(sql("row.region == principal.home", &fits).len(), 3);
    for text in [
        "row.region == principal.home",
        "row.region startsWith principal.home",
    ] {
        let why = refused(text, &long, Dialect::TransactSql);
        assert!(why.contains("longer than 3999"), "{why}");
    }
}

#[test]
fn a_name_that_a_reader_would_replace_is_refused() {
    let name = |dialect, name| column_name(dialect, name).ok();
    assert_eq!(name(Dialect::Spark, "a`b$c").unwrap(), "`a``b$c`");
    assert_eq!(name(Dialect::TransactSql, "a]b${c}").unwrap(), "[a]]b${c}]");
    assert_eq!(name(Dialect::DataFusion, "a\"b").unwrap(), "\"a\"\"b\"");
    assert_eq!(name(Dialect::Spark, "a${b}"), None);
    assert_eq!(name(Dialect::TransactSql, "a$(b)"), None);
    assert!(ALL.into_iter().all(|dialect| name(dialect, "\0").is_none()));
}

/// What an engine makes of a text's expression.
fn read_back(expression: &Expr) -> String {
    match expression {
        Expr::Nested(inner) => read_back(inner),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Plus,
            right,
        } => read_back(left) + &read_back(right),
        Expr::Value(value) => match &value.value {
            Literal::SingleQuotedString(text) | Literal::NationalStringLiteral(text) => {
                text.clone()
            }
            Literal::Number(number, _) => number.clone(),
            Literal::HexStringLiteral(hex) => unhex(hex),
            other => panic!("{other}"),
        },
        Expr::Function(function) => {
            let first = read_back(&first_of(function));
            match function.name.to_string().as_str() {
                "NCHAR" => char::from_u32(first.parse().unwrap()).unwrap().to_string(),
                "decode" => first,
                "unhex" => unhex(&first),
                other => panic!("{other}"),
            }
        }
        other => panic!("{other}"),
    }
}

fn unhex(hex: &str) -> String {
    let bytes = (0..hex.len()).step_by(2);
    let bytes = bytes.map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap());
    String::from_utf8(bytes.collect()).unwrap()
}

fn first_of(function: &Function) -> Expr {
    let FunctionArguments::List(list) = &function.args else {
        panic!("{function}")
    };
    match &list.args[0] {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(first)) => first.clone(),
        other => panic!("{other}"),
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "'",
        "''",
        "\\",
        "\\'",
        "\"",
        "`",
        "]",
        "--",
        "/*",
        "*/",
        ";",
        "\n",
        "\r\n",
        "\t",
        "%",
        "_",
        "[",
        "!",
        "$",
        "${a}",
        "$(a)",
        "{{a}}",
        ":a",
        "?",
        "N'",
        "0x41",
        "\u{2bc}",
        "\u{2019}",
        "\u{ff07}",
        "\u{85}",
        "\u{2028}",
        "é",
        "\u{1f600}",
        " ",
        "a",
        "OR 1=1",
        "GO",
    ]);
    prop_oneof![
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
        "[^\0]{0,40}",
    ]
}

/// Whether a pattern of `LIKE` finds a text, as the dialects document it.
fn finds(pattern: &str, text: &str, dialect: Dialect) -> bool {
    let escape = if dialect == Dialect::DataFusion {
        '\\'
    } else {
        '!'
    };
    let (mut literal, mut parts) = (String::new(), Vec::new());
    let mut signs = pattern.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '%' => parts.push(std::mem::take(&mut literal)),
            '_' => panic!("any sign"),
            '[' if dialect == Dialect::TransactSql => panic!("a set of signs"),
            sign if sign == escape => literal.push(signs.next().unwrap()),
            sign => literal.push(sign),
        }
    }
    assert_eq!(
        (parts.len(), parts[0].as_str(), literal.as_str()),
        (2, "", "")
    );
    text.contains(&parts[1])
}

proptest! {
    #[test]
    fn every_value_reads_back_as_itself_and_nothing_else(text in hostile()) {
        for dialect in ALL {
            let sql = quote::text(dialect, &text).unwrap();
            prop_assert_eq!(read_back(&parsed(&sql, dialect)), text.clone(), "{}", sql);
            // Nothing that a tool takes for its own before the engine reads it.
            let is_safe = match dialect {
                Dialect::Spark => !sql.contains(['\\', '$', '"', ';', '\n', '\r', '{']),
                Dialect::TransactSql => !sql.contains(['$', '\n', '\r']),
                Dialect::DataFusion => true,
            };
            prop_assert!(is_safe, "{}", sql);
        }
        prop_assert_eq!(read_back(&parsed(&quote::bytes(&text), Dialect::Spark)), text);
    }

    #[test]
    fn every_name_reads_back_as_itself(name in hostile()) {
        prop_assume!(!name.is_empty());
        for dialect in ALL {
            let Ok(sql) = quote::name(dialect, &name) else { continue };
            match parsed(&sql, dialect) {
                Expr::Identifier(found) => prop_assert_eq!(found.value, name.clone()),
                other => prop_assert!(false, "{} is {}", sql, other),
            }
        }
    }

    #[test]
    fn a_pattern_finds_the_text_itself_and_no_other(text in hostile(), other in hostile()) {
        for dialect in ALL {
            let pattern = format!("%{}%", escaped(dialect, &text));
            prop_assert!(finds(&pattern, &format!("x{text}y"), dialect), "{}", pattern);
            prop_assert_eq!(finds(&pattern, &other, dialect), other.contains(&text), "{} in {}", pattern, other);
        }
    }

    /// Whatever is said is one expression, whoever says what is put in.
    #[test]
    fn every_filter_is_one_expression(text in any_condition(), home in hostile()) {
        let snapshot = snapshot();
        let request = stated(request(), &[("principal.home", Value::text(&home))]).with_context(Context::new());
        let facts = request.facts(&snapshot);
        let condition = Condition::parse(&text, snapshot.attributes()).unwrap();
        for rows in [granted(&condition, &facts), spared(&condition, &facts)] {
            for dialect in ALL {
                drop(parsed(&rows.to_sql(dialect).unwrap(), dialect));
            }
        }
    }
}
