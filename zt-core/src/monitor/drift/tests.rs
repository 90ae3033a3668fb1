use proptest::prelude::*;

use super::*;

fn some(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

fn psi(reference: &[f64], window: &[f64]) -> f64 {
    let deciles = Deciles::of(&some(reference)).unwrap();
    deciles.psi(&some(window)).unwrap().value
}

/// The example of Hyndman and Fan's definition 7, as R's `quantile` and NumPy's `percentile` compute it.
#[test]
fn quantiles_are_of_type_7() {
    let values: Vec<f64> = (1..=10).map(f64::from).collect();
    let found: Vec<f64> = (1..10)
        .filter_map(|tenth| quantile(&values, tenth))
        .collect();
    let expected = [1.9, 2.8, 3.7, 4.6, 5.5, 6.4, 7.3, 8.2, 9.1];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }
    let values: Vec<f64> = (0..=10).map(f64::from).collect();
    assert_eq!(
        quantile(&values, 3),
        Some(3.0),
        "a whole rank is the value itself"
    );
}

/// Worked by hand: a reference of 0 to 10 has the edges 1 to 9 and two values in the last bin; all of the window is in one.
#[test]
fn a_small_case_worked_by_hand() {
    let reference: Vec<f64> = (0..=10).map(f64::from).collect();
    let deciles = Deciles::of(&some(&reference)).unwrap();
    assert_eq!(deciles.edges, (1..10).map(f64::from).collect::<Vec<_>>());
    let one = 1.0 / 11.0;
    let least: f64 = 1e-4;
    let eight = 8.0 * (least - one) * (least / one).ln();
    let last = (least - 2.0 * one) * (least / (2.0 * one)).ln();
    let full = (1.0 - one) * (1.0 / one).ln();
    let found = psi(&reference, &[5.0, 5.5]);
    assert!((found - (eight + last + full)).abs() < 1e-12, "{found}");
}

#[test]
fn a_value_on_an_edge_belongs_to_the_bin_above() {
    let reference: Vec<f64> = (0..=10).map(f64::from).collect();
    let below = psi(&reference, &[0.999_999]);
    let at = psi(&reference, &[1.0]);
    let above = psi(&reference, &[1.5]);
    assert!((at - above).abs() < 1e-15 && (below - at).abs() < 1e-15);
    // The last bin is the larger one, so it is told apart.
    assert!((psi(&reference, &[9.0]) - psi(&reference, &[8.999])).abs() > 0.1);
}

#[test]
fn a_constant_reference_is_two_bins() {
    let deciles = Deciles::of(&some(&[3.0; 50])).unwrap();
    assert_eq!((deciles.edges.len(), deciles.shares.len()), (1, 2));
    assert!(psi(&[3.0; 50], &[3.0]).abs() < 1e-15);
    assert!(psi(&[3.0; 50], &[2.0]) > 10.0, "below it is another bin");
    assert!(
        psi(&[3.0], &[3.0]).abs() < 1e-15,
        "one value is a reference"
    );
}

#[test]
fn a_constant_window_is_measured() {
    let reference: Vec<f64> = (0..100).map(f64::from).collect();
    assert!(psi(&reference, &[50.0; 100]) > 1.0);
}

#[test]
fn infinite_values_fall_into_the_outer_bins() {
    let reference: Vec<f64> = (0..=10).map(f64::from).collect();
    let same = |one: f64, other: f64| {
        let (one, other) = (psi(&reference, &[one]), psi(&reference, &[other]));
        assert!((one - other).abs() < 1e-15);
    };
    same(f64::INFINITY, 1e9);
    same(f64::NEG_INFINITY, -1e9);
}

#[test]
fn a_reference_of_infinite_and_huge_values_has_deciles() {
    for reference in [
        vec![f64::NEG_INFINITY, f64::INFINITY],
        vec![f64::NEG_INFINITY, 0.0, f64::INFINITY],
        vec![-f64::MAX, f64::MAX],
        vec![-f64::MAX, 0.0, f64::MAX],
        vec![f64::INFINITY; 3],
    ] {
        let deciles = Deciles::of(&some(&reference)).unwrap();
        assert!(deciles.edges.iter().all(|edge| !edge.is_nan()));
        assert!(deciles.edges.is_sorted(), "{reference:?}");
        assert!(psi(&reference, &reference).abs() < 1e-15, "{reference:?}");
    }
}

#[test]
fn missing_cells_and_nan_are_dropped_on_both_sides() {
    let with = [Some(1.0), None, Some(f64::NAN), Some(2.0), Some(3.0)];
    let without = some(&[1.0, 2.0, 3.0]);
    assert_eq!(Deciles::of(&with), Deciles::of(&without));
    let deciles = Deciles::of(&without).unwrap();
    assert_eq!(deciles.psi(&with), deciles.psi(&without));
    assert_eq!(deciles.psi(&with).unwrap().rows, 3);
}

#[test]
fn what_cannot_be_measured_says_why() {
    let deciles = Deciles::of(&some(&[1.0, 2.0])).unwrap();
    assert_eq!(deciles.psi(&[]), Err(NoData::EmptyWindow));
    assert_eq!(deciles.psi(&[None, Some(f64::NAN)]), Err(NoData::AllNull));
    assert_eq!(Deciles::of(&[]), None);
    assert_eq!(Deciles::of(&[None, Some(f64::NAN)]), None);
}

fn values() -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![
        (-20..20_i32).prop_map(f64::from),
        any::<f64>(),
        Just(f64::INFINITY),
    ];
    prop::collection::vec(prop::option::weighted(0.9, value), 1..80)
}

proptest! {
    #[test]
    fn it_is_never_negative_and_zero_for_the_same_data(reference in values(), window in values()) {
        let Some(deciles) = Deciles::of(&reference) else {
            return Ok(());
        };
        prop_assert!(deciles.psi(&reference).unwrap().value.abs() < 1e-12);
        if let Ok(found) = deciles.psi(&window) {
            prop_assert!(found.value >= 0.0 && found.value.is_finite());
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        (reference, shuffled) in values().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        (window, mixed) in values().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let (one, other) = (Deciles::of(&reference), Deciles::of(&shuffled));
        prop_assert_eq!(&one, &other);
        if let (Some(one), Some(other)) = (one, other) {
            prop_assert_eq!(one.psi(&window), other.psi(&mixed));
        }
    }
}
