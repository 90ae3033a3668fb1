//! `Attributes`: what conditions may test beside the built-in attributes, of which type, and how it must be known to count.

use unicode_normalization::is_nfc;

use crate::identity::is_chosen;
use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Column, Problem};
use crate::policy::{
    Attribute, AttributeSet, Namespace, Provenance, Sensitivity, Value, ValueType,
};

impl Row for Attribute {
    const TABLE: &'static str = "Attributes";
    const KEY: &'static [&'static str] = &["namespace", "name"];
    const COLUMNS: &'static [Column] = &[
        Column::text("namespace"),
        Column::text("name"),
        Column::text("type"),
        Column::texts("values"),
        Column::text("default"),
        Column::text("provenance"),
        Column::text("sensitivity"),
        Column::text("claim"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let namespace = cells.required_one_of("namespace", Namespace::OPEN);
        let name = read_name(cells, namespace);
        let kind = cells.required_one_of("type", ValueType::WORDS);
        let values = read_values(cells, kind);
        let provenance = cells.required_one_of("provenance", Provenance::WORDS);
        let sensitivity = match cells.cell("sensitivity") {
            None => Some(Sensitivity::default()),
            Some(_) => cells.one_of("sensitivity", Sensitivity::WORDS),
        };
        let claim = read_claim(cells, name.as_deref(), namespace, provenance);
        refuse_row(cells, namespace, provenance);
        let kind = kind?;
        let default = read_default(cells, kind, &values);
        Some(Self::declared(
            (namespace?, name?),
            (kind, values),
            default?,
            (provenance?, claim),
            sensitivity?,
        ))
    }
}

fn read_name(cells: &mut RowReader<'_>, namespace: Option<Namespace>) -> Option<String> {
    let name = cells.required_text("name")?;
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    if !begins || name.len() > 64 || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let reason = "a name has at most 64 letters, digits and `_`, and begins with a letter";
        cells.problem("name", &name, reason);
        return None;
    }
    let full = namespace.map(|space| format!("{}.{name}", space.as_str()));
    if full.is_some_and(|full| AttributeSet::is_built_in(&full)) {
        cells.problem("name", &name, "this attribute is built in and needs no row");
        return None;
    }
    Some(name)
}

/// The claim of a token that says it. What a person can choose is no ground for a right.
fn read_claim(
    cells: &mut RowReader<'_>,
    name: Option<&str>,
    namespace: Option<Namespace>,
    provenance: Option<Provenance>,
) -> Option<String> {
    let claim = cells.optional_text("claim");
    if provenance != Some(Provenance::Token) {
        if let Some(claim) = &claim {
            let reason = "only an attribute of provenance token is read from a claim";
            cells.problem("claim", claim, reason);
        }
        return claim;
    }
    if matches!(namespace, Some(Namespace::Resource | Namespace::Action)) {
        let reason = "a token speaks of its caller: the namespace must be principal or context";
        cells.push("provenance", Problem::new(reason).text("token"));
    }
    let (column, said) = match (&claim, name) {
        (Some(claim), _) => ("claim", claim.as_str()),
        (None, Some(name)) => ("name", name),
        (None, None) => return claim,
    };
    if is_chosen(said) {
        let reason =
            "its owner can choose this claim, or it changes hands: no right may hang on it";
        cells.problem(column, said, reason);
    }
    claim
}

/// What a row holds, the data say: nobody states it, and no default stands in for a cell that is missing.
fn refuse_row(
    cells: &mut RowReader<'_>,
    namespace: Option<Namespace>,
    provenance: Option<Provenance>,
) {
    if namespace != Some(Namespace::Row) {
        return;
    }
    if provenance.is_some_and(|known| known != Provenance::Store) {
        let reason = "a column is known by the data themselves: the provenance must be store";
        cells.push("provenance", Problem::new(reason));
    }
    if cells.cell("default").is_some() {
        let reason = "a column has no default: a missing cell lets no row pass";
        cells.push("default", Problem::new(reason));
    }
}

fn read_values(cells: &mut RowReader<'_>, kind: Option<ValueType>) -> Vec<String> {
    let values = cells.texts("values").unwrap_or_default();
    let is_enum = kind == Some(ValueType::Enum);
    if is_enum && values.is_empty() {
        cells.push("values", Problem::new("an enum lists its words"));
    }
    if let (Some(kind), Some(first), false) = (kind, values.first(), is_enum) {
        let reason = format!("only an enum lists words, not {kind}");
        cells.problem("values", first, reason);
    }
    for (at, word) in values.iter().enumerate() {
        if word.is_empty() || !is_nfc(word) {
            let reason = "expected text in Unicode's form NFC, not empty";
            cells.problem("values", word, reason);
        }
        if values.iter().take(at).any(|earlier| earlier == word) {
            cells.problem("values", word, "stands twice");
        }
    }
    values
}

/// Whether the default fits, and the default, if there is one.
fn read_default(
    cells: &mut RowReader<'_>,
    kind: ValueType,
    values: &[String],
) -> Option<Option<Value>> {
    if cells.cell("default").is_none() {
        return Some(None);
    }
    let text = cells.text("default")?;
    let words: Vec<&str> = values.iter().map(String::as_str).collect();
    if kind == ValueType::Enum && !words.contains(&text) {
        let problem = Problem::new("not one of `values`").text(text);
        cells.push("default", problem.nearest(&words));
        return None;
    }
    let value = Value::read(kind, text);
    if value.is_none() {
        let reason = format!(
            "expected {} in quotes, a value of type {kind}",
            kind.example()
        );
        cells.problem("default", text, reason);
    }
    value.map(Some)
}
