//! Sealing: the scores are encrypted before they leave the job, and opened for whom the policy allows.

use std::fs;
use std::time::Instant;

use zt_core::Session;
use zt_core::batch::{Batch, Cells, Column};
use zt_core::runtime::Config;

use crate::Outcome;
use crate::expected::Expected;
use crate::people::Sessions;
use crate::scoring::Loans;
use crate::story::{Story, aside};

const OUTPUT: &str = "loan_scores_delta";
const TABLE: &str = "table:gold.loan_scores";

/// The columns of `gold.loan_scores`, of all loans.
pub(crate) fn scores(data: &Loans) -> Outcome<Batch> {
    let columns = [
        "id",
        "salary_range",
        "debt_to_income_ratio",
        "y_pred_proba",
        "y_pred",
    ];
    let rows = data.loans.select(&columns)?;
    let scored_at = data.loans.require("timestamp")?.cells().clone();
    Ok(rows.with_column(Column::new("scored_at", scored_at))?)
}

pub(crate) async fn seal_and_open(
    story: &mut Story,
    scores: &Batch,
    sessions: &Sessions,
    config: &Config,
) -> Outcome {
    let session = |name: &str| sessions.get(name).ok_or("the caller has signed in");
    let job = session("sp:sp-score-201")?.claiming(201, 2);

    let began = Instant::now();
    let sealer = job.sealer(OUTPUT).await?;
    let sealed = sealer.seal(scores)?;
    story.step("the job seals the scores", began.elapsed());
    let file = config.folder().join(".zt/loan_scores.csv");
    fs::write(&file, sealed.to_csv())?;
    let text = fs::read_to_string(&file)?;
    let cells = sealed.rows() * (scores.columns().len() - plain_columns(scores, &sealed));
    story.check(
        !text.contains('€') && cells > 0,
        format!(
            "{cells} cells of salary_range, debt_to_income_ratio and y_pred_proba: AES-256-GCM"
        ),
    );
    aside(format!("{} bytes in .zt/loan_scores.csv", text.len()));

    let stored = Batch::from_csv(text.as_bytes())?;
    let began = Instant::now();
    let opener = session("user:ines")?.opener(OUTPUT, &stored).await?;
    let opened = opener.unseal(&stored)?;
    story.step("Ines, credit risk, opens them", began.elapsed());
    story.check(
        opened == *scores,
        "every cell is what it was before it was sealed",
    );

    let refused = session("user:maya")?.opener(OUTPUT, &stored).await;
    story.check(
        refused.is_err_and(|error| error.is_denied()),
        "user:maya may not: no policy allows `data.open`",
    );
    let swapped = opener.unseal(&swap(&stored)?);
    story.check(
        swapped.is_err(),
        swapped
            .err()
            .map_or_else(String::new, |error| error.message().to_owned()),
    );
    Ok(())
}

/// How many columns are the same in both.
fn plain_columns(one: &Batch, other: &Batch) -> usize {
    let is_same = |column: &&Column| other.column(column.name()) == Some(*column);
    one.columns().iter().filter(is_same).count()
}

/// The same rows with two sealed columns under each other's name.
fn swap(batch: &Batch) -> Outcome<Batch> {
    let columns = batch.clone().into_columns().into_iter().map(|column| {
        let name = match column.name() {
            "salary_range" => "y_pred_proba",
            "y_pred_proba" => "salary_range",
            other => other,
        };
        Column::new(name.to_owned(), column.into_cells())
    });
    Ok(Batch::new(columns.collect())?)
}

/// What two readers see of the same rows.
pub(crate) fn show(
    story: &mut Story,
    expected: &Expected,
    scores: &Batch,
    sessions: &Sessions,
) -> Outcome {
    let began = Instant::now();
    let mut told = Vec::new();
    for case in &expected.visible_columns {
        let session = sessions
            .get(&case.caller)
            .ok_or("the caller has signed in")?;
        let view = view(session, &case.resource, scores)?;
        let names: Vec<&str> = view.names().collect();
        told.push((
            names == case.visible && view.rows() == scores.rows(),
            format!(
                "{} sees {} of {}",
                case.caller,
                names.join(", "),
                case.resource
            ),
        ));
    }
    let jonas = sessions.get("user:jonas").ok_or("jonas has signed in")?;
    let view = view(jonas, TABLE, scores)?;
    let masked = view.require("salary_range")?.cells();
    let is_masked = matches!(masked, Cells::Text(list) if list.iter().flatten().all(|cell| cell == "[redacted]"));
    told.push((
        is_masked,
        "user:jonas sees salary_range as [redacted]".to_owned(),
    ));
    story.step(
        "a permit applies columns and masks to the rows",
        began.elapsed(),
    );
    for (holds, line) in told {
        story.check(holds, line);
    }
    Ok(())
}

fn view(session: &Session, table: &str, rows: &Batch) -> Outcome<Batch> {
    Ok(session.require("table.read", table)?.apply(rows)?)
}
