//! The one form in which zt writes moments, `2026-09-21T14:13:20.000Z`, without a general calendar: the audit log writes and
//! reads one with each record.
//!
//! In: milliseconds since 1970, or 24 bytes. Out: the other. Years 0 to 9999 but for their last days; `None` for everything else, which `jiff` answers.
//! Source: the proleptic Gregorian calendar of RFC 3339; days and dates as Howard Hinnant's "chrono-Compatible Low-Level Date
//! Algorithms" turn one into the other.

use std::ops::RangeInclusive;

const DAY_MS: i64 = 86_400_000;
/// From 0000-03-01 to 1970-01-01, in days.
const EPOCH: i64 = 719_468;
/// 400 years, in days.
const ERA: i64 = 146_097;
/// 0000-01-01 to 9999-12-29, in days since 1970: `jiff` ends in the middle of the day behind it.
const DAYS: RangeInclusive<i64> = -719_528..=2_932_894;
/// What stands between the digits.
const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";

/// The text of a moment.
pub(crate) fn text(millis: i64) -> Option<[u8; 24]> {
    let days = millis.div_euclid(DAY_MS);
    if !DAYS.contains(&days) {
        return None;
    }
    let (year, month, day) = date(days);
    let of_day = millis.rem_euclid(DAY_MS);
    let (second, milli) = (of_day / 1000, of_day % 1000);
    let (minute, second) = (second / 60, second % 60);
    let (hour, minute) = (minute / 60, minute % 60);
    let digit = |number: i64| u8::try_from(number % 10).map_or(b'0', |digit| b'0' + digit);
    let two = |number: i64| [digit(number / 10), digit(number)];
    let [y3, y2] = two(year / 100);
    let [y1, y0] = two(year);
    let [m1, m0] = two(month);
    let [d1, d0] = two(day);
    let [h1, h0] = two(hour);
    let [i1, i0] = two(minute);
    let [s1, s0] = two(second);
    let [z2, z1, z0] = [digit(milli / 100), digit(milli / 10), digit(milli)];
    Some([
        y3, y2, y1, y0, b'-', m1, m0, b'-', d1, d0, b'T', h1, h0, b':', i1, i0, b':', s1, s0, b'.',
        z2, z1, z0, b'Z',
    ])
}

/// The moment of a text.
pub(crate) fn millis(text: &[u8]) -> Option<i64> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let mut digits = 0;
    for (byte, form) in text.iter().zip(FORM) {
        if *form == b'0' {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            digits = digits * 10 + i64::from(digit);
        } else if byte != form {
            return None;
        }
    }
    let (rest, milli) = (digits / 1000, digits % 1000);
    let (rest, second) = (rest / 100, rest % 100);
    let (rest, minute) = (rest / 100, rest % 100);
    let (rest, hour) = (rest / 100, rest % 100);
    let (rest, day) = (rest / 100, rest % 100);
    let (year, month) = (rest / 100, rest % 100);
    let days = days(year, month, day);
    // A date that is none is another one's number.
    let is_real =
        (1..=12).contains(&month) && date(days) == (year, month, day) && DAYS.contains(&days);
    let of_day = ((hour * 60 + minute) * 60 + second) * 1000 + milli;
    (is_real && hour < 24 && minute < 60 && second < 60).then_some(days * DAY_MS + of_day)
}

/// Reads moments that come one after another: all of one minute share its date.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// As the text of its moments begins.
    minute: [u8; 17],
    millis: i64,
}

impl Reader {
    /// As [`millis`].
    pub(crate) fn millis(&mut self, text: &[u8]) -> Option<i64> {
        let (minute, rest) = text.split_first_chunk::<17>()?;
        let [s1, s0, b'.', z2, z1, z0, b'Z'] = rest else {
            return None;
        };
        let digits = [s1, s0, z2, z1, z0];
        if *minute != self.minute || *s1 > b'5' || !digits.iter().all(|d| d.is_ascii_digit()) {
            let at = millis(text)?;
            (self.minute, self.millis) = (*minute, at - at.rem_euclid(60_000));
            return Some(at);
        }
        let of_minute = digits
            .into_iter()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        Some(self.millis + of_minute)
    }
}

/// Writes moments that come one after another: all of one minute share its text.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    minute: i64,
    text: Option<[u8; 24]>,
}

impl Writer {
    /// As [`text`].
    pub(crate) fn text(&mut self, millis: i64) -> Option<[u8; 24]> {
        let (minute, of_minute) = (millis.div_euclid(60_000), millis.rem_euclid(60_000));
        if self.text.is_none() || minute != self.minute {
            (self.minute, self.text) = (minute, text(millis));
        }
        let mut text = self.text?;
        let digit = |number: i64| u8::try_from(number % 10).map_or(b'0', |digit| b'0' + digit);
        let (second, milli) = (of_minute / 1000, of_minute % 1000);
        let [.., s1, s0, _, z2, z1, z0, _] = &mut text;
        (*s1, *s0) = (digit(second / 10), digit(second));
        (*z2, *z1, *z0) = (digit(milli / 100), digit(milli / 10), digit(milli));
        Some(text)
    }
}

/// Year, month and day of a day since 1970.
const fn date(days: i64) -> (i64, i64, i64) {
    let since = days + EPOCH;
    let (era, of_era) = (since.div_euclid(ERA), since.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Of a year that begins in March.
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (year_of_era + era * 400 + next, month, day)
}

/// The day since 1970 of a date.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * ERA + of_era - EPOCH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(millis: i64) -> String {
        let at = jiff::Timestamp::from_millisecond(millis).unwrap();
        format!("{at:.3}")
    }

    fn read(text: &str) -> Option<i64> {
        let at: Result<jiff::Timestamp, _> = text.parse();
        at.ok().map(jiff::Timestamp::as_millisecond)
    }

    #[test]
    fn every_day_of_ten_thousand_years_is_what_a_calendar_says() {
        for day in DAYS {
            let at = day * DAY_MS;
            let text = text(at).unwrap();
            assert_eq!(millis(&text), Some(at));
            if day % 97 == 0 || date(day).2 >= 28 || date(day).2 == 1 {
                assert_eq!(std::str::from_utf8(&text).unwrap(), printed(at));
            }
        }
        let (before, behind) = (DAYS.start() * DAY_MS - 1, (DAYS.end() + 1) * DAY_MS);
        assert_eq!((text(before), text(behind)), (None, None));
        assert!(text(behind - 1).is_some() && text(i64::MIN).is_none() && text(i64::MAX).is_none());
    }

    proptest! {
        #[test]
        fn a_moment_is_written_and_read_as_by_the_calendar(at in -62_000_000_000_000..253_000_000_000_000_i64) {
            let text = text(at).unwrap();
            prop_assert_eq!(std::str::from_utf8(&text).unwrap(), printed(at));
            prop_assert_eq!(millis(&text), Some(at));
        }

        #[test]
        fn moments_after_each_other_are_written_as_alone(
            moments in prop::collection::vec(
                prop_oneof![0..180_000_i64, -100_000_000_000_000..300_000_000_000_000_i64], 1..9),
        ) {
            let mut writer = Writer::default();
            for at in moments {
                prop_assert_eq!(writer.text(at), text(at), "{}", at);
            }
        }

        #[test]
        fn what_is_read_is_what_the_calendar_reads(
            text in "[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z",
            at in 0..24_usize,
            byte in "[0-9A-Za-z:. +-]",
        ) {
            let mut changed = text.clone();
            changed.replace_range(at..=at, &byte);
            let mut reader = Reader::default();
            for text in [&text, &changed, &text, &changed] {
                let at = millis(text.as_bytes());
                prop_assert_eq!(reader.millis(text.as_bytes()), at);
                if at.is_some() {
                    prop_assert_eq!(at, read(text), "{}", text);
                }
            }
        }
    }
}
