//! Verdicts on a column of resources: one for each distinct value, however long the column is.
//!
//! In: an Arrow array of text, plain or dictionary encoded. Out: an array of booleans, null where the resource is null; and
//! what was answered, counted. Never: an audit record, which is [`Session::check_array`](crate::Session::check_array)'s.

use arrow_array::array::AnyDictionaryArray;
use arrow_array::cast::AsArray as _;
use arrow_array::{Array, BooleanArray};
use arrow_schema::DataType;
use rustc_hash::FxHashMap;

use super::{Action, Context, NotAResource, Projection, Verdict, resource};
use crate::batch::bare_type;
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
        /// The row, counted from 1.
        row: usize,
        /// The cell.
        text: String,
        /// What is wrong with it.
        why: NotAResource,
    },
    /// A cell is a resource that the action does not take.
    #[error("row {row}: `{action}` does not take a {kind}")]
    OtherKind {
        /// The row, counted from 1.
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
            return self.looked_up(dictionary);
        }
        if let Some(texts) = resources.as_string_opt::<i32>() {
            self.each(texts.iter())
        } else if let Some(texts) = resources.as_string_opt::<i64>() {
            self.each(texts.iter())
        } else if let Some(texts) = resources.as_string_view_opt() {
            self.each(texts.iter())
        } else {
            Err(NotResources::NotText(bare_type(resources.data_type())))
        }
    }

    /// A dictionary may hold values that no row asks for: these are neither decided nor told.
    fn looked_up(
        &mut self,
        dictionary: &'a dyn AnyDictionaryArray,
    ) -> Result<BooleanArray, NotResources> {
        let values: Vec<Option<&'a str>> = texts(&**dictionary.values())?;
        if values.is_empty() {
            return Ok(BooleanArray::new_null(dictionary.len()));
        }
        let mut known: Vec<Option<bool>> = vec![None; values.len()];
        let keys = dictionary.normalized_keys().into_iter();
        let answers = (0..).zip(keys).map(|(row, key)| {
            let text = values.get(key).copied().flatten();
            let Some(text) = text.filter(|_| dictionary.keys().is_valid(row)) else {
                return Ok(None);
            };
            if let Some(known) = known.get(key).copied().flatten() {
                return Ok(Some(known));
            }
            let answer = Some(self.one(row.saturating_add(1), text)?);
            if let Some(known) = known.get_mut(key) {
                *known = answer;
            }
            Ok(answer)
        });
        answers.collect()
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

fn texts(array: &dyn Array) -> Result<Vec<Option<&str>>, NotResources> {
    if let Some(texts) = array.as_string_opt::<i32>() {
        Ok(texts.iter().collect())
    } else if let Some(texts) = array.as_string_opt::<i64>() {
        Ok(texts.iter().collect())
    } else if let Some(texts) = array.as_string_view_opt() {
        Ok(texts.iter().collect())
    } else {
        Err(NotResources::NotText(bare_type(array.data_type())))
    }
}
