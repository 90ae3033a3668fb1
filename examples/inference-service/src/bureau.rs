//! Stands for the credit bureau, `api.creditbureau.example`: it knows the debt-to-income ratio of an application.
//!
//! In: the bureau's key and the id of an application. Out: the ratio, if it knows it. A service of a partner is behind a port
//! like any other; this one answers from the sample's loans, to whoever has a key.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use zt_core::batch::Batch;
use zt_core::secrets::Secret;

use crate::service::Failed;

const LOANS: &str = "data/loans.csv";

/// What the bureau knows.
#[derive(Debug, Default)]
pub(crate) struct Bureau(HashMap<i64, f64>);

impl Bureau {
    /// From the loans below the folder; a folder without any is a bureau that knows nobody.
    ///
    /// # Errors
    /// Loans that cannot be read.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failed> {
        let file = match File::open(folder.join(LOANS)) {
            Ok(file) => file,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(why) => return Err(why.into()),
        };
        let loans = Batch::from_csv(file)?;
        let ids = loans.require("id")?.numbers()?;
        let ratios = loans.require("debt_to_income_ratio")?.numbers()?;
        let known = ids.iter().zip(ratios.iter());
        let known = known.filter_map(|(id, ratio)| Some((whole((*id)?)?, (*ratio)?)));
        Ok(Self(known.collect()))
    }

    /// The ratio of an application, for who presents a key.
    pub(crate) fn ratio(&self, key: &Secret, application: i64) -> Option<f64> {
        if key.is_empty() {
            return None;
        }
        self.0.get(&application).copied()
    }
}

/// An id that was read as a number.
fn whole(number: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared with what it was made of"
    )]
    let whole = number as i64;
    let is_same = |text: String| text.parse() == Ok(whole);
    is_same(format!("{number}")).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_are_ids() {
        assert_eq!(whole(70000.0), Some(70000));
        for number in [0.5, f64::NAN, f64::INFINITY] {
            assert_eq!(whole(number), None, "{number}");
        }
    }
}
