//! Sealing and unsealing outputs: who may, under which rule and key. Key I/O happens here, the rest is pure computation.

use futures_util::TryStreamExt as _;
use futures_util::stream::FuturesOrdered;

use super::question::{Output, not_all_rows, output_of, parse, uncovered};
use super::record::Unwrapping;
use super::{Session, obligations};
use crate::audit::Durability;
use crate::batch::Batch;
use crate::envelope::{
    self, Binding, DataKey, FileError, FileHeader, Held, KeyError, Opener, SealError, Sealer,
    Unwrapped, WrappedKey,
};
use crate::error::{Error, Result};
use crate::policy::{Action, Decision, Resource, View};

/// How many data keys of one opener are unwrapped at a time: as many as one vault is called for at a time.
const AT_A_TIME: usize = 16;
/// What to do about a right that does not open files.
const WHOLE: &str = "a right to every column and row opens files";

/// What an opener is made for.
#[derive(Clone, Copy)]
enum Sealed<'a> {
    Rows(&'a Batch),
    File(&'a FileHeader),
    #[cfg(feature = "arrow")]
    Arrow(&'a arrow_array::RecordBatch),
}

impl Session {
    /// A sealer for an output of Output_Storage, with a fresh data key that the rule's key has wrapped. Needs `data.seal`.
    /// After the wait for the vault the policy is asked again.
    ///
    /// # Errors
    /// `Denied`, also where the right does not cover every column of the rule; `NotFound` when no row has the output or the
    /// vault has no such key; `Invalid` for an output that is stored plain; `Unavailable` when the vault or the audit log is
    /// down; else as [`check`](Self::check).
    pub async fn sealer(&self, output: &str) -> Result<Sealer> {
        let (action, resource) = parse("data.seal", &format!("output:{output}"))?;
        loop {
            let (_, target) = self.may_use(action, &resource, output)?;
            let dek = DataKey::generate()?;
            let wrapped = self.shared.keys.wrap(&target.key, &dek).await;
            let other = self.deterministic_key(&target).await;
            let (decision, now) = self.may_use(action, &resource, output)?;
            if now != target {
                continue;
            }
            match make_sealer(&target, &dek, wrapped, other) {
                Ok((sealer, version)) => {
                    // A data key that was unwrapped stands on the disk, as for an opener.
                    let (durability, other) = match &target.deterministic {
                        Some(sealed) => (Durability::Durable, Some(&sealed.wrapped.version)),
                        None => (Durability::Ordered, None),
                    };
                    self.record_effect(&decision, durability, |record| {
                        let record = match other {
                            Some(version) => {
                                record.with_detail("deterministic", version.to_string())
                            }
                            None => record,
                        };
                        record
                            .with_detail("key", target.scope.binding.key.as_str())
                            .with_detail("version", version)
                            .with_detail("rule", &target.scope.binding.rule)
                            .with_detail("table", &target.scope.binding.table)
                            .with_detail("columns", target.scope.columns.len().to_string())
                    })?;
                    return Ok(sealer);
                }
                Err(error) => {
                    self.record_failed_effect(&decision, &error)?;
                    return Err(error);
                }
            }
        }
    }

    /// An opener for these sealed rows of an output. Needs `data.open`. Each data key of the rows (at most 1,024) is
    /// unwrapped once; that it was stands in the log, on disk, before the opener is out. After the wait for the vault the
    /// policy is asked again: what was withdrawn in the meantime is not handed out.
    ///
    /// ```
    /// # use zt_core::{Result, Session, batch::Batch};
    /// async fn load(ines: &Session, csv: &[u8]) -> Result<Batch> {
    ///     let sealed = Batch::from_csv(csv)?;
    ///     ines.opener("loan_scores_delta", &sealed).await?.unseal(&sealed)
    /// }
    /// ```
    ///
    /// # Errors
    /// `Denied`; `NotFound` when no row has the output or the vault has no such key or version; `Integrity` for rows without
    /// a key, or sealed for another rule, table or key; `Invalid` for an output that is stored plain; `Unavailable` when the
    /// vault or the audit log is down; else as [`check`](Self::check).
    pub async fn opener(&self, output: &str, sealed: &Batch) -> Result<Opener> {
        self.open_sealed(output, Sealed::Rows(sealed)).await
    }

    /// An opener for a sealed file of an output: as [`opener`](Self::opener), for a right to every column and row, clear,
    /// because a file is opened whole.
    ///
    /// ```no_run
    /// # use zt_core::{Result, Session, envelope::FileHeader};
    /// # use std::fs::File;
    /// async fn load(ines: &Session, to: &mut Vec<u8>) -> Result<u64> {
    ///     let mut file = File::open("model.onnx.zt").unwrap();
    ///     let header = FileHeader::read(&mut file)?;
    ///     let opener = ines.file_opener("models", &header).await?;
    ///     opener.unseal_stream("model.onnx", &header, file, to)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`opener`](Self::opener); `Denied` with [`Code::ObligationUnmet`](crate::Code::ObligationUnmet) where the right
    /// covers only some columns or rows.
    pub async fn file_opener(&self, output: &str, header: &FileHeader) -> Result<Opener> {
        self.open_sealed(output, Sealed::File(header)).await
    }

    /// An opener for the sealed rows of a batch of Arrow: as [`opener`](Self::opener).
    ///
    /// ```
    /// # use arrow_array::RecordBatch;
    /// # use zt_core::{Result, Session};
    /// async fn load(ines: &Session, sealed: &RecordBatch) -> Result<RecordBatch> {
    ///     ines.arrow_opener("loan_scores_delta", sealed).await?.unseal_arrow(sealed)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`opener`](Self::opener).
    #[cfg(feature = "arrow")]
    pub async fn arrow_opener(
        &self,
        output: &str,
        sealed: &arrow_array::RecordBatch,
    ) -> Result<Opener> {
        self.open_sealed(output, Sealed::Arrow(sealed)).await
    }

    async fn open_sealed(&self, output: &str, sealed: Sealed<'_>) -> Result<Opener> {
        let (action, resource) = parse("data.open", &format!("output:{output}"))?;
        loop {
            let (decision, target) = self.may_use(action, &resource, output)?;
            if let Sealed::File(_) = sealed
                && !View::of(&decision).is_everything()
            {
                let why = FileError::NotWhole;
                let error = obligations::unmet(&decision, &why.to_string(), WHOLE);
                self.record_refusal(&decision, &error)?;
                return Err(error);
            }
            let held = self.unwrap_keys(&target, sealed).await;
            let (decision, now) = self.may_use(action, &resource, output)?;
            if now != target {
                continue;
            }
            match held {
                Ok((held, versions)) => {
                    let key = target.scope.binding.key.as_str();
                    self.record_unwrapping(&decision, key, &versions, held.len())?;
                    return Ok(Opener::new(target.scope.columns, held, View::of(&decision)));
                }
                Err(error) => {
                    self.record_failure(&decision, &error)?;
                    return Err(error);
                }
            }
        }
    }

    /// Decides on the snapshot in force and finds what the tables say; a refusal stands in the log.
    pub(super) fn may_use(
        &self,
        action: Action,
        resource: &Resource,
        output: &str,
    ) -> Result<(Decision, Output)> {
        let decision = self.decide(action, resource.clone(), self.context.clone())?;
        if !decision.is_allowed() {
            self.record(&decision)?;
            return Err(self.denied(&decision));
        }
        let found = match output_of(&decision, output) {
            Ok(found) => found,
            Err(error) if action == Action::DataSeal => {
                self.record_failed_effect(&decision, &error)?;
                return Err(error);
            }
            Err(error) => {
                self.record_failure(&decision, &error)?;
                return Err(error);
            }
        };
        // A right to seal some columns is none to seal the others, and sealing some would store the others in plain.
        let is_bare = |column: &&String| !decision.columns().contains(column);
        if action == Action::DataSeal
            && let Some(bare) = found.scope.columns.iter().find(is_bare)
        {
            let error = uncovered(&decision, &found.scope.binding.rule, bare);
            self.record_refusal(&decision, &error)?;
            return Err(error);
        }
        if action == Action::DataSeal && !decision.shows_every_row_whole() {
            let error = not_all_rows(&decision, &found.scope.binding.rule);
            self.record_refusal(&decision, &error)?;
            return Err(error);
        }
        if let Some(error) = unsealable(&decision, action, &found) {
            self.record_refusal(&decision, &error)?;
            return Err(error);
        }
        Ok((decision, found))
    }

    /// Every data key of the rows, with what the record says of how it came.
    async fn unwrap_keys(
        &self,
        target: &Output,
        sealed: Sealed<'_>,
    ) -> Result<(Vec<Held>, Unwrapping)> {
        let needs = &target.scope.binding;
        let found = match sealed {
            Sealed::Rows(rows) => envelope::key_texts(rows, needs)?,
            Sealed::File(header) => vec![header.found(needs)?],
            #[cfg(feature = "arrow")]
            Sealed::Arrow(rows) => envelope::arrow_key_texts(rows, needs)?,
        };
        // The keys of deterministic columns are few, and those of many rows.
        let mut others: Vec<(&WrappedKey, usize)> = Vec::new();
        for found in &found {
            if let Some(sealed) = &found.key.deterministic
                && !others.iter().any(|(known, _)| **known == sealed.wrapped)
            {
                others.push((&sealed.wrapped, found.row));
            }
        }
        let others = self.unwrap_all(target, others).await?;
        let keys = found.iter().map(|found| (&found.key.wrapped, found.row));
        let keys = self.unwrap_all(target, keys.collect()).await?;
        let mut unwrapping = Unwrapping::default();
        for (wrapped, unwrapped) in others.iter().chain(&keys) {
            unwrapping.add(wrapped.version, unwrapped);
        }
        let mut held = Vec::with_capacity(found.len());
        for (found, (_, unwrapped)) in found.iter().zip(&keys) {
            let other = (found.key.deterministic.as_ref())
                .and_then(|sealed| others.iter().find(|(known, _)| **known == sealed.wrapped));
            let other = other.map(|(_, key)| &key.dek);
            held.push(Held::new(
                found,
                &unwrapped.dek,
                other,
                &target.scope.columns,
            )?);
        }
        Ok((held, unwrapping))
    }

    /// Some at a time, so that a batch of many windows waits for a vault a few times and not as often as it has windows. The
    /// first error in order of the rows ends it.
    async fn unwrap_all<'k>(
        &self,
        target: &Output,
        keys: Vec<(&'k WrappedKey, usize)>,
    ) -> Result<Vec<(&'k WrappedKey, Unwrapped)>> {
        let (mut under_way, mut done) = (FuturesOrdered::new(), Vec::with_capacity(keys.len()));
        let mut rest = keys.iter();
        loop {
            for (wrapped, row) in rest.by_ref().take(AT_A_TIME - under_way.len()) {
                under_way.push_back(self.unwrap_key(target, wrapped, *row));
            }
            match under_way.try_next().await? {
                Some(unwrapped) => done.push(unwrapped),
                None => break,
            }
        }
        let wrapped = keys.iter().map(|(wrapped, _)| *wrapped);
        Ok(wrapped.zip(done).collect())
    }

    async fn unwrap_key(
        &self,
        target: &Output,
        wrapped: &WrappedKey,
        row: usize,
    ) -> Result<Unwrapped> {
        let unwrapped = self.shared.keys.unwrap(&target.key, wrapped).await;
        unwrapped.map_err(|why| match why.error() {
            KeyError::Unwrap { .. } => SealError::WrongKey { row }.into(),
            KeyError::NotFound { .. }
            | KeyError::Disabled { .. }
            | KeyError::NotYetValid { .. }
            | KeyError::Expired { .. }
            | KeyError::Denied { .. }
            | KeyError::Vault(_) => Error::from(why),
        })
    }

    /// The key of the rule's deterministic columns, if it has some.
    async fn deterministic_key(&self, target: &Output) -> Result<Option<DataKey>> {
        let Some(sealed) = &target.deterministic else {
            return Ok(None);
        };
        let unwrapped = self.shared.keys.unwrap(&target.key, &sealed.wrapped).await;
        let dek = unwrapped.map_err(Error::from)?.dek;
        let Binding { rule, key, .. } = &target.scope.binding;
        if sealed.is_committed(&dek, rule, key)? {
            Ok(Some(dek))
        } else {
            Err(KeyError::unwrap(&target.key).into())
        }
    }
}

/// Why a restriction does not let this be sealed or opened: what it wants sealed is never shown in plain, and sealing under
/// another rule than it names is not sealing under its own.
fn unsealable(decision: &Decision, action: Action, target: &Output) -> Option<Error> {
    let own = &target.scope.binding.rule;
    let other = obligations::rules(decision).find(|rule| rule.id != *own);
    let (rule, message) = if action == Action::DataSeal {
        let rule = other?;
        (
            rule,
            format!(
                "the output is sealed under rule `{own}`, and it must be under `{}`",
                rule.id
            ),
        )
    } else {
        let rule = obligations::rules(decision).next()?;
        (
            rule,
            format!("what rule `{}` seals must not be shown in plain", rule.id),
        )
    };
    let help = format!("the rows that demand `{}` are in the decision", rule.id);
    Some(obligations::unmet(decision, &message, &help))
}

/// A sealer, with the version of the key that wrapped its data key.
fn make_sealer(
    target: &Output,
    dek: &DataKey,
    wrapped: Result<WrappedKey, KeyError>,
    deterministic: Result<Option<DataKey>>,
) -> Result<(Sealer, String)> {
    let (wrapped, other) = (wrapped?, deterministic?);
    let version = wrapped.version.to_string();
    let other = other.as_ref().zip(target.deterministic.as_ref());
    let sealer = Sealer::new(&target.scope, dek, wrapped, other)?;
    Ok((sealer, version))
}
