//! Job 201 with and without zt: what security adds to real work, in percent.
//!
//! Without: read the loans, score them, count how often the model is right, write the scores. With: the same, and plan the
//! job, sign both workloads in, ask for each right, read the secret, look at the alert rules, seal three columns, and close
//! the audit log. The model is fitted before, as a real job loads one. Both write to the same disk.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::time::{Duration, Instant};

use zt_core::batch::{Batch, Cells, Column};
use zt_examples::model::LoanModel;

use crate::Outcome;
use crate::harness::Effort;
use crate::report::time;
use crate::world::World;

const OUTPUT: &str = "loan_scores_delta";
const KEPT: [&str; 4] = ["id", "salary_range", "debt_to_income_ratio", "y_pred"];

pub fn markdown(effort: Effort) -> Outcome<String> {
    let mut text = String::from(
        "\n## Job 201 with and without zt\n\n\
         | loans | without | with | zt adds | in percent |\n|---:|---:|---:|---:|---:|\n",
    );
    for copies in effort.jobs() {
        let world = World::new()?;
        let model = LoanModel::fit(&read(&world, "loans_reference.csv")?, "repaid")?;
        let rows = enlarge(&world, *copies)?;
        // Tokens come from Entra, not from zt.
        let zt = world.open()?;
        let tokens = Tokens {
            orchestrator: world.token(&zt, "sp:mi-adf-brindlewick")?,
            job: world.token(&zt, "sp:sp-score-201")?,
        };
        drop(zt);
        let (mut without, mut with) = (Vec::new(), Vec::new());
        // In turn, so that a busy machine is busy for both.
        for _ in 0..effort.runs() {
            without.push(timed(|| plain(&world, &model))?);
            with.push(timed(|| guarded(&world, &model, &tokens))?);
        }
        let (without, with) = (median(without), median(with));
        let added = with.saturating_sub(without);
        let percent = 100.0 * added.as_secs_f64() / without.as_secs_f64();
        let (plain, guarded, adds) = (time(without), time(with), time(added));
        writeln!(
            text,
            "| {rows} | {plain} | {guarded} | {adds} | {percent:.1} % |"
        )?;
    }
    text.push_str(
        "\nThe job is small on purpose: it starts no cluster. A job of ten minutes with as many rows pays the same \
         milliseconds.\n",
    );
    Ok(text)
}

fn plain(world: &World, model: &LoanModel) -> Outcome {
    let loans = read(world, "loans.csv")?;
    let scores = scored(&loans, model.score(&loans)?)?;
    let right = accuracy(&loans)?;
    fs::write(world.path().join("plain.csv"), scores.to_csv())?;
    if right > 0.5 {
        Ok(())
    } else {
        Err("the model is worse than a coin".into())
    }
}

struct Tokens {
    orchestrator: String,
    job: String,
}

fn guarded(world: &World, model: &LoanModel, tokens: &Tokens) -> Outcome {
    let zt = world.open()?;
    let orchestrator = world
        .executor
        .block_on(zt.authenticate(&tokens.orchestrator))?;
    if !orchestrator.plan(201)?.is_runnable() {
        return Err("job 201 is not runnable".into());
    }
    orchestrator.require("job.run", "job:201")?.decision();
    let job = world
        .executor
        .block_on(zt.authenticate(&tokens.job))?
        .claiming(201, 2);
    let _permit = job.require("table.read", "table:raw.loan_applications")?;
    let _permit = job.require("model.infer", "model:car_loan_scorer")?;
    let _key = world.executor.block_on(job.secret("bureau-api-key"))?;

    let loans = read(world, "loans.csv")?;
    let scores = scored(&loans, model.score(&loans)?)?;
    world
        .executor
        .block_on(job.log_batch("car_loan_scorer", &loans))?;
    let _permit = job.require("table.write", "table:gold.loan_scores")?;
    let sealer = world.executor.block_on(job.sealer(OUTPUT))?;
    fs::write(
        world.path().join("sealed.csv"),
        sealer.seal(&scores)?.to_csv(),
    )?;
    Ok(world.executor.block_on(zt.close(Duration::from_secs(30)))?)
}

fn scored(loans: &Batch, scores: Vec<f64>) -> Outcome<Batch> {
    let scores = Cells::Number(scores.into_iter().map(Some).collect());
    Ok(loans
        .select(&KEPT)?
        .with_column(Column::new("y_pred_proba", scores))?)
}

fn accuracy(loans: &Batch) -> Outcome<f64> {
    let (predicted, labels) = (
        loans.require("y_pred")?.numbers()?,
        loans.require("repaid")?.numbers()?,
    );
    Ok(zt_core::monitor::accuracy(&predicted, &labels)?.value)
}

fn read(world: &World, name: &str) -> Outcome<Batch> {
    Ok(Batch::from_csv(File::open(
        world.path().join("data").join(name),
    )?)?)
}

/// The sample's loans so many times over; answers how many rows that are.
fn enlarge(world: &World, copies: usize) -> Outcome<usize> {
    let file = world.path().join("data/loans.csv");
    let text = fs::read_to_string(&file)?;
    let (header, rows) = text.split_once('\n').ok_or("the sample has rows")?;
    fs::write(&file, format!("{header}\n{}", rows.repeat(copies)))?;
    Ok(rows.lines().count() * copies)
}

fn timed(run: impl FnOnce() -> Outcome) -> Outcome<Duration> {
    let began = Instant::now();
    run()?;
    Ok(began.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
