use super::*;
use crate::batch::Cells;
use crate::metadata::Fires;
use crate::monitor::RuleState;

fn rule(metric: &str, column: Option<&str>, window_rows: u32) -> AlertRule {
    AlertRule {
        id: "AL-00".to_owned(),
        model: Some("m".to_owned()),
        pipeline: None,
        metric: metric.parse().unwrap(),
        column: column.map(str::to_owned),
        fires: Fires::Above,
        threshold: 0.5,
        window_rows: Some(window_rows),
        window_s: None,
        min_rows: None,
        confidence: None,
        severity: 1,
        action_group: None,
    }
}

fn model() -> MlModel {
    MlModel {
        name: "m".to_owned(),
        kind: None,
        notebook: None,
        label: Some("label".to_owned()),
        prediction: Some("prediction".to_owned()),
        score: Some("score".to_owned()),
        reference: Some("r.csv".to_owned()),
        sha256: None,
    }
}

fn batch(csv: &str) -> Batch {
    Batch::from_csv(csv.as_bytes()).unwrap()
}

fn states(rule: &AlertRule, batch: &Batch) -> Vec<String> {
    let reference = Reference::default();
    let evaluated = evaluate_batch(&model(), &[rule], batch, &reference).unwrap();
    let state = |(_, evaluated): &(&AlertRule, Evaluated)| evaluated.state.to_string();
    evaluated.iter().map(state).collect()
}

fn error(rule: &AlertRule, batch: &Batch) -> Error {
    evaluate_batch(&model(), &[rule], batch, &Reference::default()).unwrap_err()
}

#[test]
fn a_rule_sees_its_own_windows() {
    let rows = batch("label,prediction\n1,1\n1,0\n0,0\n0,0\n1,0\n");
    let by_two = rule("accuracy", None, 2);
    assert_eq!(states(&by_two, &rows), ["ok 0.5", "fired 1", "ok 0"]);
    assert_eq!(states(&rule("accuracy", None, 9), &rows), ["fired 0.6"]);
    assert_eq!(states(&rule("accuracy", None, 1), &rows).len(), 5);
}

#[test]
fn an_empty_batch_is_no_data_and_not_silence() {
    let rows = batch("label,prediction,score\n");
    for metric in ["accuracy", "roc_auc"] {
        let found = states(&rule(metric, None, 2), &rows);
        assert_eq!(found, ["no_data: the window is empty"]);
    }
    let nulls = rule("null_rate", Some("score"), 2);
    assert_eq!(states(&nulls, &rows), ["no_data: the window is empty"]);
}

#[test]
fn a_column_that_is_missing_names_the_nearest_and_the_rule() {
    let rows = batch("labels,prediction\n1,1\n");
    let error = error(&rule("accuracy", None, 2), &rows);
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(
        error.message(),
        "no column is called `label`; did you mean `labels`?"
    );
    assert_eq!(error.help(), Some("rule `AL-00` needs it"));
}

#[test]
fn a_cell_that_is_no_number_is_named_and_never_repeated() {
    let rows = batch("label,prediction\n1,1\n1,zt-needle-cell\n");
    let why = error(&rule("accuracy", None, 2), &rows);
    assert_eq!(
        why.message(),
        "row 2 of column `prediction` is not a number"
    );
    let rows = batch("label,score\n1,0.5\n7,0.5\n");
    let why = error(&rule("roc_auc", None, 2), &rows);
    assert_eq!(why.message(), "row 2 of column `label` is neither 0 nor 1");
    assert!(!format!("{why:?}").contains('7'));
}

#[test]
fn every_column_is_read_before_any_rule_answers() {
    let rows = batch("label,prediction\n1,1\n");
    let (good, bad) = (
        rule("accuracy", None, 2),
        rule("null_rate", Some("none"), 2),
    );
    let evaluated = evaluate_batch(&model(), &[&good, &bad], &rows, &Reference::default());
    assert!(evaluated.is_err());
}

#[test]
fn nan_in_a_column_of_numbers_is_missing_and_the_word_in_a_text_is_not() {
    let cells = Cells::Number(vec![Some(f64::NAN), None, Some(1.0), Some(f64::INFINITY)]);
    let rows = Batch::new(vec![Column::new("a", cells)]).unwrap();
    assert_eq!(states(&rule("null_rate", Some("a"), 4), &rows), ["ok 0.5"]);
    let rows = batch("a,b\nNan,1\nBob,1\n");
    assert_eq!(states(&rule("null_rate", Some("A"), 4), &rows), ["ok 0"]);
}

#[test]
fn a_reference_without_values_is_no_data() {
    let rows = batch("a,b\n1,1\n");
    let psi = rule("psi/reference-deciles", Some("a"), 4);
    let reference = Reference::prepare(&batch("a,b\n,1\n"), &["a"]).unwrap();
    let evaluated = evaluate_batch(&model(), &[&psi], &rows, &reference).unwrap();
    assert_eq!(
        evaluated[0].1.state,
        RuleState::NoData {
            reason: NoData::NoReference
        }
    );
}

#[test]
fn rules_that_rows_cannot_answer_are_left_out() {
    let rows = batch("label,prediction\n1,1\n");
    assert!(states(&rule("latency_ms", None, 2), &rows).is_empty());
    let mut of_seconds = rule("accuracy", None, 2);
    (of_seconds.window_rows, of_seconds.window_s) = (None, Some(300));
    let found = states(&of_seconds, &rows);
    assert_eq!(
        found,
        ["no_data: the rule looks at 300 s, the window has no duration"]
    );
}

#[test]
fn more_than_a_thousand_windows_are_refused_before_any_is_looked_at() {
    let rows = |count: usize| batch(&format!("a,b\n{}", "1,1\n".repeat(count)));
    let rule = rule("null_rate", Some("a"), 2);
    let evaluated = |count| evaluate_batch(&model(), &[&rule], &rows(count), &Reference::default());
    assert_eq!(evaluated(2000).unwrap().len(), 1000);
    let why = evaluated(2001).unwrap_err();
    assert_eq!(
        why.message(),
        "the rows are 1001 windows of rule `AL-00`, more than 1000"
    );
}
