//! The code of each mistake, and what to do about it.

use super::SealError;
use crate::error::{Code, Error};
use crate::text::shown;

impl SealError {
    const fn code(&self) -> Code {
        match self {
            Self::ColumnMissing { .. }
            | Self::AlreadySealed { .. }
            | Self::UsedUp { .. }
            | Self::TooManyKeys { .. }
            | Self::NamesTooLong { .. }
            | Self::RowKeyMissing { .. }
            | Self::RowKeyKind { .. }
            | Self::RowKeyEmpty { .. }
            | Self::RowKeyRepeated { .. }
            | Self::CellOfArrow { .. }
            | Self::ColumnType { .. }
            | Self::ColumnTooLong { .. } => Code::InvalidArgument,
            Self::Crypto => Code::Internal,
            Self::NoKeys
            | Self::KeyMissing { .. }
            | Self::KeyMalformed { .. }
            | Self::KeyVersion { .. }
            | Self::SealedFor { .. }
            | Self::WrongKey { .. }
            | Self::KeyNotHeld { .. }
            | Self::NotSealed { .. }
            | Self::CellMissing { .. }
            | Self::CellVersion { .. }
            | Self::CellMalformed { .. }
            | Self::CellChanged { .. }
            | Self::CellOfColumn { .. }
            | Self::CellOfRow { .. }
            | Self::CellOrRowChanged { .. }
            | Self::RowRepeated { .. }
            | Self::RowKeyGone { .. }
            | Self::CellUnknown { .. }
            | Self::MixedTypes { .. } => Code::SealIntegrity,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::ColumnMissing { near, .. } => {
                let meant = near
                    .as_ref()
                    .map(|near| format!("did you mean `{}`? ", shown(near)));
                let meant = meant.unwrap_or_default();
                return Some(format!("{meant}a renamed column would be stored in plain"));
            }
            Self::AlreadySealed { .. } => "seal plain rows",
            Self::UsedUp { .. } => "make a new sealer",
            Self::TooManyKeys { .. } => "open the rows in parts",
            Self::NamesTooLong { .. } => "give the rule, the table or the key a shorter name",
            Self::CellOfArrow { .. } => "open it as a batch of Arrow: `Opener::unseal_arrow`",
            Self::ColumnType { .. } => "convert it to a type that is",
            Self::ColumnTooLong { .. } => "seal and open the rows in parts",
            Self::RowKeyMissing { .. } => "give the rows with every column of the row key",
            Self::RowKeyKind { .. } => "name other columns in `row_key`",
            Self::RowKeyEmpty { .. } => "give each row a value there",
            Self::RowKeyRepeated { .. } => {
                "name more columns in `row_key`, or leave out the row that comes twice"
            }
            Self::KeyNotHeld { .. } => "make an opener for these rows",
            Self::KeyVersion { .. } | Self::CellVersion { .. } => "use a newer zt",
            Self::SealedFor { .. } => "open it through the output that it was sealed for",
            Self::NoKeys
            | Self::KeyMissing { .. }
            | Self::KeyMalformed { .. }
            | Self::WrongKey { .. }
            | Self::NotSealed { .. }
            | Self::CellMissing { .. }
            | Self::CellMalformed { .. }
            | Self::CellChanged { .. }
            | Self::CellOfColumn { .. }
            | Self::CellOfRow { .. }
            | Self::CellOrRowChanged { .. }
            | Self::RowRepeated { .. }
            | Self::RowKeyGone { .. }
            | Self::CellUnknown { .. }
            | Self::MixedTypes { .. } => "fetch the data again from where it was sealed",
            Self::Crypto => return None,
        };
        Some(help.to_owned())
    }
}

impl From<SealError> for Error {
    fn from(why: SealError) -> Self {
        let error = Self::new(why.code(), why.to_string());
        match why.help() {
            Some(help) => error.with_help(help),
            None => error,
        }
    }
}
