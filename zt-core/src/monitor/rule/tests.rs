use super::*;

fn rule(metric: &str, fires: Fires, threshold: f64) -> AlertRule {
    AlertRule {
        id: "AL-00".to_owned(),
        model: Some("m".to_owned()),
        pipeline: None,
        metric: metric.parse().unwrap(),
        column: None,
        fires,
        threshold,
        window_rows: Some(5000),
        window_s: None,
        min_rows: None,
        confidence: None,
        severity: 1,
        action_group: None,
    }
}

fn state(rule: &AlertRule, value: f64, rows: u64) -> RuleState {
    evaluate(rule, Extent::of(rows), &Ok(Measurement::new(value, rows)))
}

fn reason(state: &RuleState) -> String {
    state.no_data().unwrap().to_string()
}

#[test]
fn the_direction_is_the_rows_and_nothing_elses() {
    let below = rule("accuracy", Fires::Below, 0.93);
    assert!(state(&below, 0.60, 100).is_fired());
    assert!(!state(&below, 0.99, 100).is_fired());
    let above = rule("accuracy", Fires::Above, 0.93);
    assert!(!state(&above, 0.60, 100).is_fired());
    assert!(state(&above, 0.99, 100).is_fired());
}

#[test]
fn exactly_at_the_threshold_does_not_fire() {
    for fires in [Fires::Below, Fires::Above] {
        let rule = rule("null_rate", fires, 0.15);
        let state = state(&rule, 0.15, 100);
        assert_eq!(state.to_string(), "ok 0.15");
    }
}

#[test]
fn a_threshold_of_zero_is_a_threshold() {
    let rule = rule("null_rate", Fires::Above, 0.0);
    assert!(state(&rule, 0.001, 1000).is_fired());
    assert!(!state(&rule, 0.0, 1000).is_fired());
}

#[test]
fn what_is_no_number_is_no_data_and_never_fires() {
    for fires in [Fires::Below, Fires::Above] {
        let rule = rule("latency_ms", fires, 250.0);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let state = state(&rule, value, 100);
            assert_eq!(reason(&state), "not a finite number");
            assert!(state.no_data().is_some() && !state.is_fired());
        }
    }
}

#[test]
fn fewer_rows_than_the_rule_needs_are_no_data() {
    let mut rule = rule("accuracy", Fires::Below, 0.93);
    rule.min_rows = Some(2500);
    assert_eq!(
        reason(&state(&rule, 0.1, 2499)),
        "2499 rows count, the rule needs 2500"
    );
    assert!(state(&rule, 0.1, 2500).is_fired());
    // The rows that count, and not those of the window.
    let measured = Ok(Measurement::new(0.1, 10));
    assert!(
        evaluate(&rule, Extent::of(5000), &measured)
            .no_data()
            .is_some()
    );
}

#[test]
fn no_rows_are_no_data() {
    let rule = rule("accuracy", Fires::Below, 0.93);
    assert_eq!(reason(&state(&rule, 0.1, 0)), "the window is empty");
}

#[test]
fn a_window_of_another_length_is_no_data() {
    let mut rule = rule("denied_decisions", Fires::Above, 5.0);
    let longer = state(&rule, 9.0, 5001);
    assert_eq!(
        reason(&longer),
        "the rule looks at 5000 rows, the window has 5001 rows"
    );
    assert!(state(&rule, 9.0, 5000).is_fired() && state(&rule, 9.0, 1).is_fired());

    (rule.window_rows, rule.window_s) = (None, Some(300));
    let measured = Ok(Measurement::new(9.0, 1));
    let over = |seconds| {
        let extent = Extent::of(1).lasting(Duration::from_millis(seconds));
        evaluate(&rule, extent, &measured)
    };
    assert!(over(300_000).is_fired());
    assert_eq!(
        reason(&over(300_500)),
        "the rule looks at 300 s, the window has 300.5 s"
    );
    let none = evaluate(&rule, Extent::of(1), &measured);
    assert_eq!(
        reason(&none),
        "the rule looks at 300 s, the window has no duration"
    );
}

/// 0.92 is below 0.93: of 100 rows that says little, of 5,000 it says enough.
#[test]
fn confidence_keeps_a_near_miss_of_few_rows_from_firing() {
    let mut rule = rule("accuracy", Fires::Below, 0.93);
    assert!(state(&rule, 0.92, 100).is_fired());
    rule.confidence = Some(0.95);
    let few = state(&rule, 0.92, 100);
    let RuleState::Ok { value, bound, rows } = few else {
        panic!("{few}");
    };
    assert!(value < 0.93 && bound.unwrap() > 0.93 && rows == 100);
    assert!(state(&rule, 0.92, 5000).is_fired());
    assert!(
        !state(&rule, 0.94, 5000).is_fired(),
        "a bound alone never fires"
    );
}

#[test]
fn what_fires_above_must_be_above_at_its_lowest() {
    let mut rule = rule("null_rate", Fires::Above, 0.15);
    rule.confidence = Some(0.95);
    assert!(!state(&rule, 0.16, 200).is_fired());
    assert!(state(&rule, 0.22, 5000).is_fired());
}

#[test]
fn the_confidence_of_a_ranking_needs_its_classes() {
    let mut rule = rule("roc_auc", Fires::Below, 0.965);
    rule.confidence = Some(0.95);
    let measured = |classes: Option<(u64, u64)>| {
        let measurement = Measurement::new(0.96, 5000);
        Ok(match classes {
            Some((positive, negative)) => measurement.with_classes(positive, negative),
            None => measurement,
        })
    };
    let of = |classes| evaluate(&rule, Extent::of(5000), &measured(classes));
    assert_eq!(
        reason(&of(None)),
        "its confidence needs the rows of each class"
    );
    assert_eq!(reason(&of(Some((0, 9)))), "all labels are of one class");
    assert!(!of(Some((20, 20))).is_fired());
    assert!(of(Some((2500, 2500))).is_fired());
}

#[test]
fn the_state_is_a_word_in_json() {
    let mut rule = rule("accuracy", Fires::Below, 0.93);
    let json = |state: &RuleState| serde_json::to_string(state).unwrap();
    let fired = state(&rule, 0.5, 10);
    assert_eq!(json(&fired), r#"{"state":"fired","value":0.5,"rows":10}"#);
    rule.min_rows = Some(11);
    let none = state(&rule, 0.5, 10);
    assert_eq!(
        json(&none),
        r#"{"state":"no_data","reason":"10 rows count, the rule needs 11"}"#
    );
}
