//! `Encryption_Rules`: which columns of an output are sealed, under which key.

use crate::batch::is_plain;
use crate::envelope::KEY_COLUMN;
use crate::id::SecretRef;
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One encryption rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptionRule {
    /// The row's id.
    pub id: String,
    /// The key encryption key: a Secret_Reference of kind `key`.
    pub key: SecretRef,
    /// The columns that are sealed, distinct where case does not count.
    pub columns: Vec<String>,
    /// The algorithm.
    pub algorithm: Algorithm,
}

/// An algorithm for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// AES-256 in Galois/Counter Mode (NIST SP 800-38D).
    Aes256Gcm,
}

impl Row for EncryptionRule {
    const TABLE: &'static str = "Encryption_Rules";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::text("key"),
        Column::texts("columns"),
        Column::text("algorithm"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let (id, key) = (cells.required_text("id"), cells.required_text("key"));
        let columns = cells.texts("columns").unwrap_or_default();
        if columns.is_empty() {
            cells.problem("columns", "[]", "name at least one column to seal");
        }
        for (at, column) in columns.iter().enumerate() {
            let is_same = |other: &String| other.to_lowercase() == column.to_lowercase();
            if is_same(&KEY_COLUMN.to_owned()) {
                cells.problem("columns", column, "is where sealed rows keep their key");
            } else if column.trim().is_empty() {
                cells.problem("columns", column, "a column has a name");
            } else if !is_plain(column) {
                cells.problem("columns", column, "no column has a blank at its edge");
            } else if columns.iter().take(at).any(is_same) {
                let reason = "stands here already; case does not tell columns apart";
                cells.problem("columns", column, reason);
            }
        }
        let algorithms = [("AES-256-GCM", Algorithm::Aes256Gcm)];
        let algorithm = cells
            .one_of("algorithm", &algorithms)
            .unwrap_or(Algorithm::Aes256Gcm);
        Some(Self {
            id: id?,
            key: SecretRef::new(&key?),
            columns,
            algorithm,
        })
    }
}
