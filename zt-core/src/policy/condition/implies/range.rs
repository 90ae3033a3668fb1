//! Sets of points of an ordered domain, as closed ranges.
//!
//! In: values of conditions, ranges of addresses. Out: [`Ranges`], and what is left of them. Every domain of conditions is a
//! grid: whole numbers, decimals of 18 digits, milliseconds, the two truths, addresses. So `< 5` is `<= 4` in grid points,
//! and no range has an open end. Never: text and sets, which have no order.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::policy::condition::types::Comparison;
use crate::policy::value::{Value, ValueType};

/// Points between bounds, both included; sorted, no two touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u128, u128)>);

impl Ranges {
    /// These ranges; one whose ends are exchanged is empty.
    pub(super) fn new(ranges: impl IntoIterator<Item = (u128, u128)>) -> Self {
        let mut ranges: Vec<_> = ranges
            .into_iter()
            .filter(|(low, high)| low <= high)
            .collect();
        ranges.sort_unstable();
        let mut joined: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match joined.last_mut() {
                Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
                Some(_) | None => joined.push((low, high)),
            }
        }
        Self(joined)
    }

    /// Whole numbers from `low` to `high`.
    pub(super) fn integers(low: i64, high: i64) -> Self {
        Self::new([(point(i128::from(low)), point(i128::from(high)))])
    }

    /// Everything that a value of this type can be; none for text and sets.
    pub(super) fn of_type(kind: ValueType) -> Option<Self> {
        match kind {
            ValueType::Bool => Some(Self::integers(0, 1)),
            ValueType::Int | ValueType::Datetime => Some(Self::integers(i64::MIN, i64::MAX)),
            ValueType::Decimal | ValueType::Ip => Some(Self::new([(0, u128::MAX)])),
            ValueType::Text | ValueType::Enum | ValueType::Set => None,
        }
    }

    /// The values that compare so with this one; none for text and sets.
    pub(super) fn comparing(comparison: Comparison, value: &Value) -> Option<Self> {
        let at = place(value)?;
        let below = at.checked_sub(1).map(|end| (0, end));
        let above = at.checked_add(1).map(|begin| (begin, u128::MAX));
        Some(match comparison {
            Comparison::Equal => Self::new([(at, at)]),
            Comparison::NotEqual => Self::new(below.into_iter().chain(above)),
            Comparison::Less => Self::new(below),
            Comparison::AtMost => Self::new([(0, at)]),
            Comparison::Greater => Self::new(above),
            Comparison::AtLeast => Self::new([(at, u128::MAX)]),
        })
    }

    /// These values alone; none where one is text or a set.
    pub(super) fn among(values: &[Value]) -> Option<Self> {
        let points: Option<Vec<_>> = values.iter().map(place).collect();
        Some(Self::new(points?.into_iter().map(|at| (at, at))))
    }

    /// The addresses in these ranges.
    pub(super) fn addresses(nets: &[IpNet]) -> Self {
        Self::new(nets.iter().flat_map(of_net))
    }

    /// What is not in it.
    pub(super) fn not(&self) -> Self {
        let mut gaps = Vec::with_capacity(self.0.len().saturating_add(1));
        let mut next = Some(0);
        for (low, high) in &self.0 {
            if let (Some(begin), Some(end)) = (next, low.checked_sub(1)) {
                gaps.push((begin, end));
            }
            next = high.checked_add(1);
        }
        gaps.extend(next.map(|begin| (begin, u128::MAX)));
        Self::new(gaps)
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let (mut own, mut others) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut common = Vec::new();
        while let (Some((low, high)), Some((other_low, other_high))) = (own.peek(), others.peek()) {
            common.push((*low.max(other_low), *high.min(other_high)));
            if high <= other_high {
                own.next();
            } else {
                others.next();
            }
        }
        Self::new(common)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where a number lies, in its order.
const fn point(number: i128) -> u128 {
    number.cast_unsigned() ^ (1 << 127)
}

fn place(value: &Value) -> Option<u128> {
    match value {
        Value::Bool(value) => Some(point(i128::from(*value))),
        Value::Int(number) => Some(point(i128::from(*number))),
        Value::Decimal(number) => Some(point(number.units())),
        Value::Datetime(moment) => Some(point(i128::from(moment.as_millis()))),
        Value::Ip(address) => Some(of_address(*address)),
        Value::Text(_) | Value::Set(_) => None,
    }
}

/// An address as one of IPv6. An IPv4 address written as IPv6 is the IPv4 address, so no two addresses meet.
fn of_address(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The IPv4 addresses among those of IPv6.
const MAPPED: (u128, u128) = (0xffff_0000_0000, 0xffff_ffff_ffff);

/// A range of IPv6 holds no IPv4 address.
fn of_net(net: &IpNet) -> Vec<(u128, u128)> {
    match net {
        IpNet::V4(net) => {
            let ends = [net.network(), net.broadcast()];
            let [low, high] = ends.map(|end| end.to_ipv6_mapped().to_bits());
            vec![(low, high)]
        }
        IpNet::V6(net) => {
            let (low, high) = (net.network().to_bits(), net.broadcast().to_bits());
            let (first, last) = MAPPED;
            vec![
                (low, high.min(first.saturating_sub(1))),
                (low.max(last.saturating_add(1)), high),
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_no_open_end() {
        let int = |comparison, n| Ranges::comparing(comparison, &Value::Int(n)).unwrap();
        let below = int(Comparison::Less, 5);
        assert_eq!(below, int(Comparison::AtMost, 4));
        assert!(below.and(&int(Comparison::Greater, 4)).is_empty());
        assert!(!below.and(&int(Comparison::Greater, 3)).is_empty());
        assert_eq!(below.not(), int(Comparison::AtLeast, 5));
        assert_eq!(
            int(Comparison::NotEqual, 5),
            int(Comparison::Equal, 5).not()
        );
    }

    #[test]
    fn the_ends_of_a_domain_do_not_wrap() {
        let least = Value::Int(i64::MIN);
        let below = Ranges::comparing(Comparison::Less, &least).unwrap();
        let all = Ranges::of_type(ValueType::Int).unwrap();
        assert!(below.and(&all).is_empty());
        assert!(Ranges::new([(0, u128::MAX)]).not().is_empty());
        assert_eq!(Ranges::new([]).not(), Ranges::new([(0, u128::MAX)]));
    }

    #[test]
    fn addresses_of_both_families_keep_apart() {
        let nets = |text: &str| Ranges::addresses(&[text.parse().unwrap()]);
        let one = Ranges::among(&[Value::Ip("10.0.0.1".parse().unwrap())]).unwrap();
        assert!(!nets("10.0.0.0/8").and(&one).is_empty());
        assert!(nets("::/0").and(&one).is_empty());
        let mapped = Ranges::among(&[Value::Ip("::ffff:10.0.0.1".parse().unwrap())]).unwrap();
        assert_eq!(mapped, one);
        assert!(nets("::/0").and(&nets("0.0.0.0/0")).is_empty());
    }

    #[test]
    fn ranges_that_touch_are_one() {
        assert_eq!(Ranges::new([(5, 7), (0, 4), (9, 8)]), Ranges::new([(0, 7)]));
        let (one, other) = (Ranges::new([(0, 3), (6, 9)]), Ranges::new([(2, 7)]));
        assert_eq!(one.and(&other), Ranges::new([(2, 3), (6, 7)]));
        assert_eq!(one.and(&one.not()), Ranges::new([]));
    }
}
