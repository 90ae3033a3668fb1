use proptest::prelude::*;

use super::*;

fn some(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

fn area(scores: &[f64], labels: &[f64]) -> f64 {
    roc_auc(&some(scores), &some(labels)).unwrap().value
}

#[test]
fn accuracy_is_the_share_of_equal_rows() {
    let found = accuracy(&some(&[1.0, 0.0, 1.0, 2.0]), &some(&[1.0, 1.0, 1.0, 2.0])).unwrap();
    assert_eq!(found, Measurement::new(0.75, 4));
}

#[test]
fn rows_that_lack_a_label_or_a_prediction_do_not_count() {
    let predictions = [Some(1.0), Some(1.0), None, Some(f64::NAN), Some(0.0)];
    let labels = [Some(1.0), None, Some(1.0), Some(1.0), Some(1.0)];
    let found = accuracy(&predictions, &labels).unwrap();
    assert_eq!(found, Measurement::new(0.5, 2));
    let found = roc_auc(
        &predictions,
        &[Some(1.0), None, Some(1.0), Some(0.0), Some(0.0)],
    );
    assert_eq!(found.unwrap().rows, 2);
}

/// Four scores, worked by hand: of the four pairs of a positive and a negative three are in order.
#[test]
fn the_area_is_the_share_of_pairs_in_order() {
    let found = roc_auc(&some(&[0.1, 0.4, 0.35, 0.8]), &some(&[0.0, 0.0, 1.0, 1.0])).unwrap();
    assert_eq!(found, Measurement::new(0.75, 4).with_classes(2, 2));
    let is = |scores: &[f64], labels: &[f64], expected: f64| {
        assert!(
            (area(scores, labels) - expected).abs() < 1e-15,
            "{scores:?}"
        );
    };
    is(&[0.1, 0.9], &[0.0, 1.0], 1.0);
    is(&[0.9, 0.1], &[0.0, 1.0], 0.0);
}

#[test]
fn ties_count_half() {
    let is = |scores: &[f64], labels: &[f64], expected: f64| {
        assert!(
            (area(scores, labels) - expected).abs() < 1e-15,
            "{scores:?}"
        );
    };
    is(&[0.5, 0.5], &[0.0, 1.0], 0.5);
    is(&[0.5, 0.5, 0.5, 0.9], &[0.0, 1.0, 0.0, 1.0], 0.75);
    // Zero has two signs and one place.
    is(&[-0.0, 0.0], &[1.0, 0.0], 0.5);
}

#[test]
fn infinite_scores_are_ranked_at_the_ends() {
    let found = area(&[f64::NEG_INFINITY, 0.5, f64::INFINITY], &[0.0, 0.0, 1.0]);
    assert!((found - 1.0).abs() < 1e-15);
}

#[test]
fn what_cannot_be_measured_says_why() {
    assert_eq!(accuracy(&[], &[]), Err(NoData::EmptyWindow));
    assert_eq!(roc_auc(&[], &[]), Err(NoData::EmptyWindow));
    assert_eq!(missing_share(&[]), Err(NoData::EmptyWindow));
    assert_eq!(accuracy(&[None], &[Some(1.0)]), Err(NoData::AllNull));
    assert_eq!(
        roc_auc(&[Some(f64::NAN)], &[Some(1.0)]),
        Err(NoData::AllNull)
    );
    for label in [0.0, 1.0] {
        let labels = some(&[label, label]);
        assert_eq!(roc_auc(&some(&[0.1, 0.2]), &labels), Err(NoData::OneClass));
    }
    assert_eq!(roc_auc(&[Some(0.1)], &[Some(1.0)]), Err(NoData::OneClass));
}

#[test]
fn one_row_is_a_window() {
    assert_eq!(
        accuracy(&[Some(1.0)], &[Some(1.0)]),
        Ok(Measurement::new(1.0, 1))
    );
    assert_eq!(missing_share(&[true]), Ok(Measurement::new(1.0, 1)));
}

#[test]
fn nulls_are_a_share_of_all_rows() {
    let found = missing_share(&[true, false, false, false]).unwrap();
    assert_eq!(found, Measurement::new(0.25, 4));
}

/// Scores with many ties, labels, some of either missing.
fn rows() -> impl Strategy<Value = Vec<(Option<f64>, Option<f64>)>> {
    let score = prop::option::weighted(0.9, (0..8_i32).prop_map(|score| f64::from(score) / 8.0));
    let label = prop::option::weighted(0.9, prop::sample::select(vec![0.0, 1.0]));
    prop::collection::vec((score, label), 0..60)
}

fn measured(rows: &[(Option<f64>, Option<f64>)]) -> Result<Measurement, NoData> {
    let (scores, labels): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
    roc_auc(&scores, &labels)
}

/// The definition: over all pairs of a positive and a negative row.
fn by_pairs(rows: &[(Option<f64>, Option<f64>)]) -> Option<f64> {
    let scores = |class: f64| {
        let of_class = rows.iter().filter(move |(_, label)| *label == Some(class));
        of_class.filter_map(|(score, _)| *score)
    };
    let (mut wins, mut all) = (0.0, 0.0);
    for positive in scores(1.0) {
        for negative in scores(0.0) {
            all += 1.0;
            wins += match positive.total_cmp(&negative) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    (all > 0.0).then_some(wins / all)
}

proptest! {
    #[test]
    fn the_area_by_ranks_is_the_area_by_pairs(rows in rows()) {
        match (measured(&rows), by_pairs(&rows)) {
            (Ok(found), Some(expected)) => prop_assert!((found.value - expected).abs() < 1e-12),
            (Err(_), None) => {}
            (found, expected) => prop_assert!(false, "{found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        prop_assert_eq!(measured(&rows), measured(&shuffled));
        let by = |rows: &[(Option<f64>, Option<f64>)]| {
            let (one, other): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            accuracy(&one, &other)
        };
        prop_assert_eq!(by(&rows), by(&shuffled));
    }
}
