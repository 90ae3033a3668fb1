//! Seals the columns of a rule, cell by cell, under one data key.
//!
//! In: a batch of plain rows. Out: the same batch with the rule's columns sealed and [`KEY_COLUMN`] at its end. Pure
//! computation: nothing here reaches a vault.
//!
//! A nonce is 8 random bytes, drawn anew for each batch, and a counter of 4 bytes; it is never used twice under a key with
//! a probability of at least 1 - 2^-33 for 65,536 batches (NIST SP 800-38D section 8 asks for 1 - 2^-32).

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::aead::{NONCE_LEN, TAG_LEN};
use super::deterministic::Sealed;
use super::form::{NoRowKey, RowKeys};
use super::format::{self, Value};
use super::stream::FilesKey;
use super::{Binding, ColumnKey, DataKey, Form, KEY_COLUMN, KeyText, SealError, WrappedKey};
use crate::batch::{Batch, Cells, Column};
use crate::error::Result;

/// So many batches one data key may seal.
const MOST_CALLS: u32 = 65_536;

/// The random part of a nonce.
pub(super) type Prefix = [u8; 8];

/// Seals batches and files for one output. Safe across threads, and in a forked child: each batch draws its own random numbers.
///
/// It serves 65,536 batches of at most 2^32 sealed cells each; then a new one must be made, with a new data key. Files do
/// not count: each has a key of its own.
pub struct Sealer {
    rule: String,
    form: Form,
    columns: Vec<(String, ColumnKey)>,
    key_text: String,
    files: FilesKey,
    calls: AtomicU32,
}

/// What a sealer seals: the columns of a rule, bound to these names, in this form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) binding: Binding,
    pub(crate) columns: Vec<String>,
    pub(crate) form: Form,
}

impl Sealer {
    /// A sealer of these columns under a data key, whose wrapped form the sealed rows will carry. `deterministic` is the key
    /// of the deterministic columns, if the form has some.
    ///
    /// # Errors
    /// [`SealError::NamesTooLong`], [`SealError::Crypto`].
    pub(crate) fn new(
        scope: &Scope,
        dek: &DataKey,
        wrapped: WrappedKey,
        deterministic: Option<(&DataKey, &Sealed)>,
    ) -> Result<Self, SealError> {
        let (binding, form) = (&scope.binding, &scope.form);
        let other = deterministic.map(|(_, sealed)| sealed);
        let text = KeyText {
            binding: binding.clone(),
            commitment: binding.commitment(dek, wrapped.version, form, other)?,
            wrapped,
            form: form.clone(),
            deterministic: other.cloned(),
        };
        let key_of = |name: &String| {
            let key = match deterministic {
                Some((key, _)) if form.is_deterministic(name) => {
                    ColumnKey::deterministic(key, &binding.rule, name)?
                }
                None if form.is_deterministic(name) => return Err(SealError::Crypto),
                Some(_) | None => {
                    ColumnKey::new(dek, binding, text.version(), name, &text.commitment)?
                }
            };
            Ok((name.clone(), key))
        };
        Ok(Self {
            rule: binding.rule.clone(),
            form: form.clone(),
            columns: scope.columns.iter().map(key_of).collect::<Result<_, _>>()?,
            key_text: text.write()?,
            files: FilesKey::new(dek, binding)?,
            calls: AtomicU32::new(0),
        })
    }

    /// The batch with the columns of the rule sealed, missing values too, and with the column `_zt_key`. Other columns stay
    /// as they are. How long a text is can still be seen, and how many rows there are.
    ///
    /// ```
    /// # use zt_core::{Result, Session, batch::Batch};
    /// async fn store(job: &Session, scores: &Batch) -> Result<String> {
    ///     let sealer = job.sealer("loan_scores_delta").await?; // key I/O here…
    ///     Ok(sealer.seal(scores)?.to_csv())                    // …pure computation here
    /// }
    /// ```
    ///
    /// # Errors
    /// `Invalid` if a column of the rule is not there under its name (case does not count), if something is sealed already,
    /// if a row has no row key where the rule names one, or two have the same, or if the sealer is used up.
    pub fn seal(&self, batch: &Batch) -> Result<Batch> {
        self.refuse(batch)?;
        self.count_call()?;
        let mut prefix = Prefix::default();
        rand::fill(&mut prefix).map_err(|_| SealError::Crypto)?;
        self.seal_under(batch, prefix)
    }

    /// The same with a given random part, which must never have been used under this key.
    pub(super) fn seal_under(&self, batch: &Batch, prefix: Prefix) -> Result<Batch> {
        let names = vec![self.form.row_key.as_slice(); batch.rows()];
        let rows = RowKeys::read(batch, &names).map_err(NoRowKey::sealing)?;
        let mut nonces = Nonces::new(prefix);
        let mut columns = Vec::with_capacity(batch.columns().len() + 1);
        for column in batch.columns() {
            columns.push(match self.key_of(column) {
                Some(key) => seal_column(column, key, &rows, &mut nonces)?,
                None => column.clone(),
            });
        }
        let keys = vec![Some(self.key_text.clone()); batch.rows()];
        columns.push(Column::new(KEY_COLUMN, Cells::Text(keys)));
        Ok(Batch::new(columns)?)
    }

    /// What stands in `_zt_key` of each row, and in the header of each file.
    pub(super) fn key_text(&self) -> &str {
        &self.key_text
    }

    pub(super) const fn files(&self) -> &FilesKey {
        &self.files
    }

    #[cfg(feature = "arrow")]
    pub(super) fn rule(&self) -> &str {
        &self.rule
    }

    #[cfg(feature = "arrow")]
    pub(super) const fn form(&self) -> &Form {
        &self.form
    }

    #[cfg(feature = "arrow")]
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The key of the column of this name, if it is sealed.
    #[cfg(feature = "arrow")]
    pub(super) fn key_called(&self, name: &str) -> Option<&ColumnKey> {
        let name = name.to_lowercase();
        let mut found = self.columns.iter();
        let found = found.find(|(own, _)| own.to_lowercase() == name);
        found.map(|(_, key)| key)
    }

    fn key_of(&self, column: &Column) -> Option<&ColumnKey> {
        let found = self.columns.iter().find(|(name, _)| column.is_called(name));
        found.map(|(_, key)| key)
    }

    /// What must not be stored: a column of the rule that would stay plain, and what nobody could open again.
    fn refuse(&self, batch: &Batch) -> Result<(), SealError> {
        let sealed =
            |column: &&Column| column.is_called(KEY_COLUMN) || format::is_sealed(column.cells());
        if let Some(column) = batch.columns().iter().find(sealed) {
            let column = column.name().to_owned();
            return Err(SealError::AlreadySealed { column });
        }
        let is_missing = |(name, _): &&(String, ColumnKey)| batch.column(name).is_none();
        if let Some((name, _)) = self.columns.iter().find(is_missing) {
            return Err(SealError::ColumnMissing {
                rule: self.rule.clone(),
                column: name.clone(),
                near: crate::text::nearest(name, &batch.names().collect::<Vec<_>>()),
            });
        }
        Ok(())
    }

    pub(super) fn count_call(&self) -> Result<(), SealError> {
        let next = |calls: u32| (calls < MOST_CALLS).then_some(calls + 1);
        let counted = self
            .calls
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        counted.map(drop).map_err(|_| SealError::UsedUp {
            limit: "65,536 batches",
        })
    }
}

fn seal_column(
    column: &Column,
    key: &ColumnKey,
    rows: &RowKeys,
    nonces: &mut Nonces,
) -> Result<Column, SealError> {
    let cells = column.cells();
    let mut sealed = Vec::with_capacity(cells.len());
    let (mut buffer, mut scratch) = (Zeroizing::new(Vec::new()), Vec::new());
    for row in 0..cells.len() {
        buffer.clear();
        if key.has_nonce() {
            buffer.extend_from_slice(&nonces.next()?);
        }
        Value::at(cells, row)
            .unwrap_or(Value::Null)
            .write(&mut buffer);
        buffer.extend_from_slice(&[0; TAG_LEN]);
        key.seal(&mut buffer, rows.of(row), &mut scratch)?;
        sealed.push(Some(format::encode(key.version(), &buffer)));
    }
    Ok(Column::new(column.name(), Cells::Text(sealed)))
}

/// The nonces of one batch: the columns in order of the batch, in each the rows in order.
pub(super) struct Nonces {
    prefix: Prefix,
    next: u64,
}

impl Nonces {
    const fn new(prefix: Prefix) -> Self {
        Self { prefix, next: 0 }
    }

    /// The nonces behind the first `count`.
    #[cfg(feature = "arrow")]
    pub(super) const fn after(prefix: Prefix, count: usize) -> Self {
        Self {
            prefix,
            next: count as u64,
        }
    }

    pub(super) fn next(&mut self) -> Result<[u8; NONCE_LEN], SealError> {
        let counter = u32::try_from(self.next).map_err(|_| SealError::UsedUp {
            limit: "2^32 cells of one batch",
        })?;
        self.next += 1;
        let mut nonce = [0; NONCE_LEN];
        let (random, count) = nonce.split_at_mut(self.prefix.len());
        random.copy_from_slice(&self.prefix);
        count.copy_from_slice(&counter.to_be_bytes());
        Ok(nonce)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Sealer")
            .field("rule", &self.rule)
            .field("columns", &columns)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SecretRef;
    use crate::secrets::SecretVersion;

    #[test]
    fn no_nonce_comes_twice_and_the_last_one_is_the_last() {
        let mut nonces = Nonces::new(*b"random_8");
        assert_eq!(nonces.next().unwrap(), *b"random_8\0\0\0\0");
        assert_eq!(nonces.next().unwrap(), *b"random_8\0\0\0\x01");
        nonces.next = u64::from(u32::MAX);
        assert_eq!(nonces.next().unwrap(), *b"random_8\xff\xff\xff\xff");
        assert!(matches!(nonces.next(), Err(SealError::UsedUp { .. })));
    }

    #[test]
    fn a_data_key_seals_so_many_batches_and_no_more() {
        let wrapped = WrappedKey::new(
            crate::envelope::WrapAlgorithm::Aes256Kw,
            SecretVersion::from_u128(1),
            vec![0; 40],
        );
        let binding = Binding::new("ER-01", "t", SecretRef::new("kek"));
        let dek = DataKey::generate().unwrap();
        let scope = Scope {
            binding,
            columns: vec!["a".to_owned()],
            form: Form::default(),
        };
        let sealer = Sealer::new(&scope, &dek, wrapped, None).unwrap();
        let batch = Batch::new(vec![Column::new("a", Cells::Integer(vec![]))]).unwrap();
        sealer.calls.store(MOST_CALLS - 1, Ordering::Relaxed);
        assert!(sealer.seal(&batch).is_ok());
        let why = sealer.seal(&batch).unwrap_err();
        assert_eq!(why.help(), Some("make a new sealer"));
        assert_eq!(sealer.calls.load(Ordering::Relaxed), MOST_CALLS);
    }
}
