//! Decimals from numbers with a scale, as columns of Arrow hold them. Exact, or nothing.

use super::{DIGITS, Decimal, ONE};

impl Decimal {
    /// This many units of ten to the power of `-scale`; none where it has more digits than a decimal holds.
    pub(in crate::policy) fn of_units(units: i128, scale: i8) -> Option<Self> {
        let (scale, digits) = (i32::from(scale), i32::try_from(DIGITS).ok()?);
        let power = 10_i128.checked_pow(digits.abs_diff(scale))?;
        let value = if scale <= digits {
            units.checked_mul(power)?
        } else {
            (units % power == 0).then(|| units / power)?
        };
        i64::try_from(value / ONE).is_ok().then_some(Self(value))
    }

    /// The same as a whole number, if it is one.
    pub(in crate::policy) fn to_whole(self) -> Option<i64> {
        let is_whole = self.0 % ONE == 0;
        is_whole.then(|| i64::try_from(self.0 / ONE).ok())?
    }
}
