//! How far the truth may lie from what a window shows: one-sided bounds at a confidence.
//!
//! In: a measurement and a confidence of 0.5 or more. Out: the bound on the side towards the threshold.
//!
//! Shares of rows: the score interval of Wilson, "Probable inference, the law of succession, and statistical inference",
//! Journal of the American Statistical Association 22 (1927), 209-212. `roc_auc`: the standard error of Hanley and McNeil
//! (1982), see the head of `quality`. The normal quantile: algorithm AS 241, PPND7, of Wichura, "The percentage points of
//! the normal distribution", Applied Statistics 37 (1988), 477-484.

use super::{Classes, float};

/// The side of a value on which its bound lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The truth is at most this, at the confidence.
    Upper,
    /// The truth is at least this, at the confidence.
    Lower,
}

impl Side {
    const fn signed(self, z: f64) -> f64 {
        match self {
            Self::Upper => z,
            Self::Lower => -z,
        }
    }
}

/// The bound of a share of `rows` rows, Wilson's.
pub(super) fn wilson(share: f64, rows: u64, confidence: f64, side: Side) -> f64 {
    let (n, z) = (float(rows), normal_quantile(confidence));
    let z2_n = z * z / n;
    let spread = (share * (1.0 - share) / n + z2_n / (4.0 * n)).sqrt();
    let bound = (share + z2_n / 2.0 + side.signed(z) * spread) / (1.0 + z2_n);
    bound.clamp(0.0, 1.0)
}

/// The bound of an area under the ROC curve, by the standard error of Hanley and McNeil.
pub(super) fn hanley_mcneil(area: f64, classes: Classes, confidence: f64, side: Side) -> f64 {
    let (positive, negative) = (float(classes.positive), float(classes.negative));
    let q1 = area / (2.0 - area);
    let q2 = 2.0 * area * area / (1.0 + area);
    let variance = (area * (1.0 - area)
        + (positive - 1.0) * (q1 - area * area)
        + (negative - 1.0) * (q2 - area * area))
        / (positive * negative);
    let error = variance.max(0.0).sqrt();
    (area + side.signed(normal_quantile(confidence)) * error).clamp(0.0, 1.0)
}

/// The z below which a standard normal value lies with chance `p`, for `p` from 0.5 to less than 1; about seven digits.
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(
            r,
            [
                59.109_374_72,
                159.291_132_02,
                50.434_271_938,
                3.387_132_717_9,
            ],
            [67.187_563_6, 78.757_757_664, 17.895_169_469, 1.0],
        );
    }
    let r = (-(1.0 - p).ln()).sqrt();
    if r <= 5.0 {
        return ratio(
            r - 1.6,
            [
                0.170_238_211_03,
                1.306_728_481_6,
                2.756_815_39,
                1.423_437_277_7,
            ],
            [0.0, 0.120_211_329_75, 0.737_001_642_5, 1.0],
        );
    }
    ratio(
        r - 5.0,
        [
            0.017_337_203_997,
            0.428_682_943_37,
            3.081_226_386,
            6.657_905_115,
        ],
        [0.0, 0.012_258_202_635, 0.241_978_942_25, 1.0],
    )
}

/// A polynomial over another, the coefficients of the highest powers first.
fn ratio(r: f64, above: [f64; 4], below: [f64; 4]) -> f64 {
    let at = |coefficients: [f64; 4]| coefficients.iter().fold(0.0, |sum, next| sum * r + next);
    at(above) / at(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values as R's `qnorm` prints them; two of them are the check values of AS 241.
    #[test]
    fn the_normal_quantile_has_seven_digits() {
        for (p, z) in [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.9, 1.281_551_565_544_600_5),
            (0.95, 1.644_853_626_951_472_2),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_841),
            (0.999, 3.090_232_306_167_813_5),
            (0.999_999, 4.753_424_308_822_899),
            (1.0 - 1e-12, 7.034_483_825_344_7),
        ] {
            let found = normal_quantile(p);
            assert!(
                (found - z).abs() <= 5e-7 * z.max(1.0),
                "{p}: {found}, not {z}"
            );
        }
    }

    /// Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), 857-872,
    /// table I, method 3: the two-sided 95 % interval is the one-sided one at 97.5 %.
    #[test]
    fn wilsons_bounds_are_those_of_newcombes_table() {
        for (hits, rows, lower, upper) in [
            (81_u32, 263_u64, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let share = f64::from(hits) / float(rows);
            let bound = |side| wilson(share, rows, 0.975, side);
            assert!(
                (bound(Side::Lower) - lower).abs() < 5e-5,
                "{hits} of {rows}"
            );
            assert!(
                (bound(Side::Upper) - upper).abs() < 5e-5,
                "{hits} of {rows}"
            );
        }
    }

    /// Worked by hand for an area of 0.893 of 51 and 58 rows: Q1 is 0.806685, Q2 is 0.842524, and the variance
    /// (0.095551 + 50 × 0.009236 + 57 × 0.045075) ÷ 2958, so the standard error is 0.03251.
    #[test]
    fn the_standard_error_is_that_of_hanley_and_mcneil() {
        let classes = Classes {
            positive: 51,
            negative: 58,
        };
        let bound = hanley_mcneil(0.893, classes, 0.841_344_746, Side::Lower);
        assert!((0.893 - bound - 0.032_51).abs() < 5e-6, "{bound}");
    }

    #[test]
    fn bounds_stay_shares_and_meet_the_value_at_one_half() {
        let classes = Classes {
            positive: 1,
            negative: 1,
        };
        for value in [0.0, 0.3, 1.0] {
            for side in [Side::Lower, Side::Upper] {
                let both = [
                    wilson(value, 1, 0.999, side),
                    hanley_mcneil(value, classes, 0.999, side),
                ];
                assert!(both.iter().all(|bound| (0.0..=1.0).contains(bound)));
                assert!((wilson(value, 7, 0.5, side) - value).abs() < 1e-12);
            }
        }
    }
}
