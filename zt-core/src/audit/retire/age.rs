//! Against what age is measured: the clock, unless it is far ahead of all that the folder holds.
//!
//! In: when things were recorded, and the clock. Out: what was written before is old. A clock that leaps, by more than the age
//! or thirty days, is believed once it is a week, or the age if that is less, beyond the leap; until then age is measured from
//! a day after what was recorded before it. So a clock that is set right within a week has nothing removed early, in however many
//! starts: times that were taken back, by a log that ended before it began or by one that began later with an earlier time, prove
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use super::super::entry::timestamp;
use super::super::folder::{Folder, segment_name};
use super::super::recover::End;
use super::super::scan::parse;
use super::super::verify::claims::Claims;
use crate::clock::Timestamp;

const DAY: i64 = 86_400_000;
/// The longest time without a record that is believed at once.
const LEAP: i64 = 30 * DAY;
/// How long after a longer one the clock is believed.
const PROOF: i64 = 7 * DAY;
/// How many records of one log are looked at; leaps that are not seen through stay leaps.
const MOST_LOOKS: usize = 1024;
/// How much of a segment is read for one of them.
const LOOK: u64 = 16 << 10;

/// What was written before this is old.
pub(super) fn limit(
    folder: &Path,
    found: &Folder,
    claims: &Claims,
    now: Timestamp,
    age: Duration,
) -> Timestamp {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let times = times(folder, found, &taken_back(claims.linked()), LEAP.min(age));
    let now = believed(times, now.as_millis(), age);
    Timestamp::from_millis(now.saturating_sub(age))
}

/// The clock, or a day after what was recorded before a leap that it does not prove.
fn believed(mut times: Vec<i64>, now: i64, age: i64) -> i64 {
    times.retain(|at| *at <= now);
    if times.is_empty() {
        return i64::MIN;
    }
    times.push(now);
    times.sort_unstable();
    let is_leap = |from: i64, to: i64| to.saturating_sub(from) > LEAP.min(age);
    let is_proven = |at: i64| now.saturating_sub(at) >= PROOF.min(age);
    let leapt = times.windows(2).find_map(|pair| match pair {
        [from, to] if is_leap(*from, *to) && !is_proven(*to) => Some(*from),
        _ => None,
    });
    leapt.map_or(now, |from| from.saturating_add(DAY.min(age / 2)))
}

/// The logs that began later, by their own clock, than one that was opened after them, as links tell: that clock was taken back.
fn taken_back<'a>(linked: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeSet<&'a str> {
    let mut links: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (by, log) in linked {
        links.entry(by).or_default().insert(log);
    }
    let (mut seen, mut taken) = (BTreeSet::new(), BTreeSet::new());
    // By name, which is by time: the first that leads to a log is the earliest of those that were opened after it.
    for by in links.keys() {
        let mut open = vec![*by];
        while let Some(at) = open.pop() {
            for log in links.get(at).into_iter().flatten().copied() {
                if seen.insert(log) {
                    if began(log) > began(by) {
                        taken.insert(log);
                    }
                    open.push(log);
                }
            }
        }
    }
    taken
}

/// When something was recorded: where each log begins and ends, and between where that is further apart than a leap.
fn times(folder: &Path, found: &Folder, taken_back: &BTreeSet<&str>, leap: i64) -> Vec<i64> {
    let mut times = Vec::new();
    let logs = found.writers.iter();
    for (writer, numbers) in logs.filter(|(writer, _)| !taken_back.contains(writer.as_str())) {
        let begin = began(writer);
        let last = numbers.last().map(|last| segment_name(writer, *last));
        let end = last.and_then(|last| end_of(&File::open(folder.join(last)).ok()?));
        let is_short = begin.zip(end);
        let was_set_back = is_short.is_some_and(|(begin, end)| end < begin);
        times.extend(begin.filter(|_| !was_set_back));
        times.extend(end);
        if is_short.is_none_or(|(begin, end)| end.saturating_sub(begin) > leap) {
            let mut looks = MOST_LOOKS;
            for number in numbers {
                let path = folder.join(segment_name(writer, *number));
                // What cannot be read proves nothing.
                drop(look(&path, leap, &mut looks, &mut times));
            }
        }
    }
    times
}

/// When a log began, as its name says.
fn began(writer: &str) -> Option<i64> {
    let part = |from: usize, to: usize| writer.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}.000Z");
    Some(timestamp(&text)?.as_millis())
}

fn end_of(segment: &File) -> Option<i64> {
    Some(End::read(segment).ok()?.at?.as_millis())
}

/// Halves a segment until no two records that were looked at are further apart than a leap, or stand side by side.
fn look(path: &Path, leap: i64, looks: &mut usize, times: &mut Vec<i64>) -> io::Result<()> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let (Some(first), Some(last)) = (record_at(&file, 0)?, end_of(&file)) else {
        return Ok(());
    };
    times.extend([first, last]);
    let mut parts = vec![((0, first), (length, last))];
    while let Some((from, to)) = parts.pop() {
        let middle = from.0 + (to.0 - from.0) / 2;
        let is_over = middle == from.0 || to.1.saturating_sub(from.1) <= leap;
        if is_over || *looks == 0 {
            continue;
        }
        *looks -= 1;
        // Behind the last line there is none.
        let at = record_at(&file, middle)?.unwrap_or(to.1);
        times.push(at);
        parts.extend([(from, (middle, at)), ((middle, at), to)]);
    }
    Ok(())
}

/// When the first record was written that starts at this byte or behind it.
fn record_at(mut file: &File, byte: u64) -> io::Result<Option<i64>> {
    // A line starts here if the byte before ends one.
    let start = byte.saturating_sub(1);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(LOOK).read_to_end(&mut bytes)?;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    if byte > 0 {
        lines.next();
    }
    let record = lines.next().and_then(parse);
    Ok(record.and_then(|(_, stamp)| Some(stamp.timestamp()?.as_millis())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: &[i64], now: i64, age: i64) -> i64 {
        let times = days.iter().map(|day| day * DAY).collect();
        believed(times, now * DAY, age * DAY) / DAY
    }

    #[test]
    fn a_leap_is_believed_once_the_folder_is_a_week_beyond_it() {
        assert_eq!(days(&[0, 20, 40], 60, 30), 60, "no leap");
        assert_eq!(days(&[0, 10], 3650, 30), 11);
        // However often it is looked at meanwhile, and whatever else leaps.
        assert_eq!(days(&[0, 10, 3650, 3651, 3655], 3656, 30), 11);
        assert_eq!(days(&[0, 10, 3650, 3655, 9000], 9001, 30), 3656);
        assert_eq!(days(&[0, 10, 3650, 3655], 3657, 30), 3657);
        // The clock is right again.
        assert_eq!(days(&[0, 10, 3650, 3655], 12, 30), 12);
    }

    #[test]
    fn an_age_of_years_is_not_how_far_a_clock_may_leap() {
        assert_eq!(days(&[0, 10], 300, 365), 11);
        assert_eq!(days(&[0, 10], 40, 365), 40);
    }

    #[test]
    fn a_short_age_has_a_short_proof() {
        let hour = DAY / 24;
        assert_eq!(believed(vec![0], 3 * hour, hour), hour / 2);
        assert_eq!(believed(vec![0, 3 * hour], 4 * hour, hour), 4 * hour);
        assert_eq!(believed(Vec::new(), DAY, hour), i64::MIN);
        assert_eq!(believed(vec![DAY], hour, hour), i64::MIN);
    }

    fn taken<'a>(links: &[(&'a str, &'a str)]) -> Vec<&'a str> {
        taken_back(links.iter().copied()).into_iter().collect()
    }

    #[test]
    fn a_log_that_an_earlier_one_leads_to_was_taken_back() {
        let names = [1970, 2026, 2027, 2028, 2036, 2037]
            .map(|year| format!("{year}0101T000000Z-0123456789abcdef"));
        let [old, a, b, c, far, further] = names.each_ref().map(String::as_str);
        assert_eq!(taken(&[(b, a), (c, b)]), [""; 0]);
        // What came after the clock was right again counts, also while it links what went too far.
        assert_eq!(taken(&[(far, a), (b, far), (c, far)]), [far]);
        let through = [(far, a), (further, far), (b, further)];
        assert_eq!(taken(&through), [far, further]);
        assert_eq!(taken(&[(b, a), (old, b), (c, old)]), [a, b]);
        assert_eq!(taken(&[(a, b), (b, a)]), [b], "a circle ends");
    }

    #[test]
    fn a_log_says_in_its_name_when_it_began() {
        assert_eq!(
            began("20260921T141320Z-0123456789abcdef"),
            Some(1_790_000_000_000)
        );
        assert_eq!(began("00000000T000000Z-0123456789abcdef"), None);
    }

    #[test]
    fn a_log_that_lived_on_is_no_leap_and_one_whose_clock_leapt_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segment");
        let write = |days: &[i64]| {
            let line = |day: &i64| {
                let (at, hash) = (Timestamp::from_millis(day * DAY), "0".repeat(64));
                format!(
                    "{{\"seq\":1,\"kind\":\"admin\",\"at\":\"{at}\",\"action\":\"a\",\"hash\":\"{hash}\"}}\n"
                )
            };
            std::fs::write(&path, days.iter().map(line).collect::<String>()).unwrap();
            let (mut looks, mut times) = (MOST_LOOKS, Vec::new());
            look(&path, 30 * DAY, &mut looks, &mut times).unwrap();
            times.sort_unstable();
            let widest = times.windows(2).map(|pair| pair[1] - pair[0]).max();
            (widest.unwrap() / DAY, MOST_LOOKS - looks)
        };
        let lived: Vec<i64> = (1000..1400).collect();
        let (widest, looks) = write(&lived);
        assert!(widest <= 30 && looks < 40, "{widest} {looks}");
        let leapt: Vec<i64> = (1000..1100).chain(5000..5100).collect();
        let (widest, looks) = write(&leapt);
        assert!(widest == 5000 - 1099 && looks < 100, "{widest} {looks}");
        // Who makes a leap of each record is not followed for ever.
        let wild: Vec<i64> = (0..3000).map(|at| at * 40).collect();
        assert_eq!(write(&wild).1, MOST_LOOKS);
    }
}
