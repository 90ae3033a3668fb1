//! Verdicts on a column of resources: one for each distinct value, however long the column is.
//!
//! In: an Arrow array of text, plain or dictionary encoded. Out: an array of booleans, null where the resource is null; and
//! what was answered, counted. Never: an audit record, which is [`Session::check_array`](crate::Session::check_array)'s.

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, BooleanArray};
use arrow_schema::DataType;
use rustc_hash::FxHashMap;

use super::{Action, Context, NotAResource, Projection, Verdict, resource};
use crate::clock::Timestamp;
use crate::metadata::Snapshot;

/// What a column of resources was answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answers {
    /// Whether each is allowed; null where the resource is null.
    pub allowed: BooleanArray,
    /// How many different resources there are.
    pub distinct: usize,
    /// How many of these are denied.
    pub denied: usize,
}

/// Why a column cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotResources {
    /// It is no column of text.
    #[error("expected a column of text, plain or dictionary encoded, not {0}")]
    NotText(DataType),
    /// A cell is no resource.
    #[error("row {row}: {why}: `{}`", crate::text::shown(.text))]
    Malformed {
        /// The row, counted from 1; of a dictionary, the place of its value, counted from 1.
        row: usize,
        /// The cell.
        text: String,
        /// What is wrong with it.
        why: NotAResource,
    },
    /// A cell is a resource that the action does not take.
    #[error("row {row}: `{action}` does not take a {kind}")]
    OtherKind {
        /// The row, counted from 1; of a dictionary, the place of its value, counted from 1.
        row: usize,
        /// The action.
        action: Action,
        /// The kind of the resource.
        kind: super::ResourceKind,
    },
}

impl Projection {
    /// A verdict for each resource of a column: `Utf8`, `LargeUtf8`, `Utf8View`, or a dictionary of one of these. Each
    /// distinct value is decided once, all on one snapshot and at one moment. It is no effect and stands in no audit log.
    ///
    /// # Errors
    /// The first cell that is no resource, with its row, or that the action does not take; another type of column.
    pub fn verdicts(
        &self,
        snapshot: &Snapshot,
        action: Action,
        resources: &dyn Array,
        (context, now): (&Context, Option<Timestamp>),
    ) -> Result<Answers, NotResources> {
        self.verdicts_with(snapshot, action, resources, (context, now), |_, _| {})
    }

    /// The same, telling `told` each distinct resource as the column writes it, in order of its first row.
    pub(crate) fn verdicts_with(
        &self,
        snapshot: &Snapshot,
        action: Action,
        resources: &dyn Array,
        (context, now): (&Context, Option<Timestamp>),
        told: impl FnMut(&str, bool),
    ) -> Result<Answers, NotResources> {
        let mut column = Column {
            decide: |text: &str| {
                resource::read(text, |kind, _| kind).and_then(|kind| {
                    let verdict = self.verdict_of(snapshot, action, text, context, now)?;
                    Ok((kind, verdict))
                })
            },
            action,
            told,
            known: FxHashMap::default(),
            denied: 0,
        };
        let allowed = column.answer(resources)?;
        Ok(Answers {
            allowed,
            distinct: column.known.len(),
            denied: column.denied,
        })
    }
}

struct Column<'a, D, T> {
    decide: D,
    action: Action,
    told: T,
    known: FxHashMap<&'a str, bool>,
    denied: usize,
}

impl<'a, D, T> Column<'a, D, T>
where
    D: Fn(&str) -> Result<(super::ResourceKind, Verdict), NotAResource>,
    T: FnMut(&str, bool),
{
    fn answer(&mut self, resources: &'a dyn Array) -> Result<BooleanArray, NotResources> {
        if let Some(dictionary) = resources.as_any_dictionary_opt() {
            let values = self.answer(dictionary.values())?;
            if values.is_empty() {
                return Ok(BooleanArray::new_null(resources.len()));
            }
            let keys = dictionary.normalized_keys().into_iter();
            let answers = keys.enumerate().map(|(row, key)| {
                let is_there = dictionary.keys().is_valid(row) && values.is_valid(key);
                is_there.then(|| values.value(key))
            });
            return Ok(answers.collect());
        }
        match resources.data_type() {
            DataType::Utf8 => self.each(resources.as_string::<i32>().iter()),
            DataType::LargeUtf8 => self.each(resources.as_string::<i64>().iter()),
            DataType::Utf8View => self.each(resources.as_string_view().iter()),
            other => Err(NotResources::NotText(other.clone())),
        }
    }

    fn each(
        &mut self,
        texts: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<BooleanArray, NotResources> {
        let answers = (1..).zip(texts).map(|(row, text)| {
            let answer = text.map(|text| self.one(row, text));
            answer.transpose()
        });
        answers.collect()
    }

    fn one(&mut self, row: usize, text: &'a str) -> Result<bool, NotResources> {
        if let Some(known) = self.known.get(text) {
            return Ok(*known);
        }
        let (kind, verdict) = (self.decide)(text).map_err(|why| NotResources::Malformed {
            row,
            text: text.chars().take(64).collect(),
            why,
        })?;
        if !self.action.takes(kind) {
            let action = self.action;
            return Err(NotResources::OtherKind { row, action, kind });
        }
        let is_allowed = verdict.is_allowed();
        self.denied += usize::from(!is_allowed);
        (self.told)(text, is_allowed);
        self.known.insert(text, is_allowed);
        Ok(is_allowed)
    }
}
