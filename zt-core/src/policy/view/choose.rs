//! Cells of a column, some of them masked or missing.

use crate::batch::Cells;

/// What becomes of one cell.
pub(super) enum Chosen {
    /// It goes missing.
    Nothing,
    /// It is shown.
    Clear,
    /// It is masked: in the cells of this number.
    Masked(usize),
}

impl Cells {
    /// The cells as they may be seen; each of `masked` are the same cells masked.
    pub(super) fn choose(&self, masked: &[&Self], choice: impl Fn(usize) -> Chosen) -> Self {
        macro_rules! each {
            ($($kind:ident),+) => {
                match self {
                    $(Self::$kind(own) => {
                        let masked: Vec<&[_]> = masked
                            .iter()
                            .map(|cells| match cells {
                                Self::$kind(list) => list.as_slice(),
                                // A mask keeps the type of its cells; another one shows nothing.
                                _ => &[],
                            })
                            .collect();
                        Self::$kind(of(own, &masked, choice))
                    })+
                }
            };
        }
        each!(Text, Number, Integer, Bool, Bytes)
    }
}

fn of<T: Clone>(
    own: &[Option<T>],
    masked: &[&[Option<T>]],
    choice: impl Fn(usize) -> Chosen,
) -> Vec<Option<T>> {
    let cells = own.iter().enumerate().map(|(row, cell)| match choice(row) {
        Chosen::Clear => cell.clone(),
        Chosen::Nothing => None,
        Chosen::Masked(which) => masked.get(which)?.get(row).cloned().flatten(),
    });
    cells.collect()
}
