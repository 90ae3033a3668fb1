//! Verdicts on a column of resources: one for each distinct value, however long the column is.
//!
//! In: an Arrow array of text, plain or dictionary encoded. Out: an array of booleans, null where the resource is null; and
//! what was answered, counted. Never: an audit record, which is [`Session::check_array`](crate::Session::check_array)'s.

use arrow_array::array::AnyDictionaryArray;
use arrow_array::cast::AsArray as _;
use arrow_array::types::ArrowDictionaryKeyType;
use arrow_array::{Array, BooleanArray, PrimitiveArray, downcast_integer_array};
use arrow_buffer::{ArrowNativeType as _, BooleanBuffer};
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

/// What is known of one value of a dictionary.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    /// No row has asked for it yet, or there is none.
    Unasked,
    Denied,
    Allowed,
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
            self.each(resources, texts.iter())
        } else if let Some(texts) = resources.as_string_opt::<i64>() {
            self.each(resources, texts.iter())
        } else if let Some(texts) = resources.as_string_view_opt() {
            self.each(resources, texts.iter())
        } else {
            Err(NotResources::NotText(bare_type(resources.data_type())))
        }
    }

    fn looked_up(
        &mut self,
        dictionary: &'a dyn AnyDictionaryArray,
    ) -> Result<BooleanArray, NotResources> {
        let values: Vec<Option<&'a str>> = texts(&**dictionary.values())?;
        let keys = dictionary.keys();
        let allowed = downcast_integer_array!(
            keys => self.by_keys(keys, &values)?,
            other => return Err(NotResources::NotText(bare_type(other)))
        );
        let nulls = dictionary.logical_nulls();
        // A row that asks for nothing has no allow, also for who does not look at what is missing.
        let allowed = match &nulls {
            Some(nulls) => &allowed & nulls.inner(),
            None => allowed,
        };
        Ok(BooleanArray::new(allowed, nulls))
    }

    /// Rows read their key alone. A dictionary may hold values that no row asks for: these are neither decided nor told.
    fn by_keys<K: ArrowDictionaryKeyType>(
        &mut self,
        keys: &PrimitiveArray<K>,
        values: &[Option<&'a str>],
    ) -> Result<BooleanBuffer, NotResources> {
        let mut known = vec![Value::Unasked; values.len()];
        let mut rows = keys.values().iter();
        let mut refused = None;
        let allowed = BooleanBuffer::collect_bool(keys.len(), |row| {
            let key = rows.next().map_or(usize::MAX, |key| key.as_usize());
            match known.get_mut(key) {
                Some(Value::Allowed) => true,
                Some(Value::Denied) | None => false,
                Some(value @ Value::Unasked) => {
                    let text = values.get(key).copied().flatten();
                    let text = text.filter(|_| refused.is_none() && keys.is_valid(row));
                    let asked = text.map(|text| self.ask(row.saturating_add(1), text));
                    match asked.transpose() {
                        Ok(Some(true)) => *value = Value::Allowed,
                        Ok(Some(false)) => *value = Value::Denied,
                        Ok(None) => {}
                        Err(why) => refused = Some(why),
                    }
                    *value == Value::Allowed
                }
            }
        });
        refused.map_or(Ok(allowed), Err)
    }

    fn each(
        &mut self,
        resources: &dyn Array,
        mut texts: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<BooleanArray, NotResources> {
        let mut refused = None;
        let allowed = BooleanBuffer::collect_bool(resources.len(), |row| {
            let Some(text) = texts.next().flatten() else {
                return false;
            };
            if let Some(known) = self.known.get(text) {
                return *known;
            }
            if refused.is_some() {
                return false;
            }
            self.ask(row.saturating_add(1), text).unwrap_or_else(|why| {
                refused = Some(why);
                false
            })
        });
        match refused {
            None => Ok(BooleanArray::new(allowed, resources.nulls().cloned())),
            Some(why) => Err(why),
        }
    }

    /// What is asked for the first time; but a dictionary may hold a value twice.
    #[cold]
    fn ask(&mut self, row: usize, text: &'a str) -> Result<bool, NotResources> {
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
