//! Secrets: an encrypted local vault, and a job that may read one of them in one stage.

use std::time::Instant;

use aws_lc_rs::rand;
use zeroize::Zeroizing;
use zt_core::metadata::SecretKind;
use zt_core::runtime::{self, Config};
use zt_core::secrets::{SecretId, Validity};
use zt_core::{Error, Session};

use crate::Outcome;
use crate::people::Sessions;
use crate::story::{Story, time};

/// Gives every secret reference a random value and every key reference a key, where it has none yet.
pub(crate) async fn fill_the_vault(story: &mut Story, config: &Config) -> Outcome {
    let began = Instant::now();
    let snapshot = runtime::tables(config).await?.current();
    let vault = runtime::local_vault(config)?;
    let known = vault.list().unwrap_or_default();
    let (mut secrets, mut keys) = (Vec::new(), Vec::new());
    for row in &snapshot.tables().secret_references {
        let id = SecretId::new(row.vault.clone(), row.name.clone());
        let is_there = known
            .iter()
            .any(|entry| entry.vault == row.vault && entry.name == row.name);
        if row.kind == SecretKind::Key {
            keys.push(row.name.to_string());
            if !is_there {
                vault.create_key(&id)?;
            }
            continue;
        }
        secrets.push(row.name.to_string());
        if !is_there {
            vault.set(&id, random_value()?, Validity::ALWAYS)?;
        }
    }
    story.step(
        "the local vault holds secrets and keys, encrypted",
        began.elapsed(),
    );
    let holds = vault.list()?.len() >= secrets.len() + keys.len();
    story.check(
        holds,
        format!(
            "AES-256-GCM, key in a file of its owner's: {}; to seal with: {}",
            secrets.join(", "),
            keys.join(", ")
        ),
    );
    Ok(())
}

fn random_value() -> Outcome<Zeroizing<Vec<u8>>> {
    let mut value = Zeroizing::new(vec![0; 24]);
    rand::fill(&mut value).map_err(|_| "the operating system gives no random bytes")?;
    Ok(value)
}

pub(crate) async fn read_as_the_job(story: &mut Story, sessions: &Sessions) -> Outcome {
    let session = |name: &str| sessions.get(name).ok_or("the caller has signed in");
    let job = session("sp:sp-score-201")?;
    let in_stage_2 = job.claiming(201, 2);

    let began = Instant::now();
    let secret = in_stage_2.secret("bureau-api-key").await?;
    story.step(
        "the scoring job reads its secret in stage 2",
        began.elapsed(),
    );
    story.check(
        !secret.is_empty(),
        format!("{secret:?}: {} bytes, never printed", secret.len()),
    );
    let began = Instant::now();
    let again = in_stage_2.secret("bureau-api-key").await?;
    let took = time(began.elapsed());
    story.check(
        again.version() == secret.version(),
        format!("again from the cache in {took}: policy checked and audited once more"),
    );

    let began = Instant::now();
    let refused = job.claiming(201, 1).secret("bureau-api-key").await;
    story.step("the same job is refused in stage 1", began.elapsed());
    match refused {
        Ok(_) => story.differs("the secret was handed out in stage 1"),
        Err(error) => refusal(story, &error, job, session("user:priya")?)?,
    }
    Ok(())
}

/// Near misses tell an attacker what to claim, so only holders of `policy.explain` see them.
fn refusal(story: &mut Story, error: &Error, job: &Session, priya: &Session) -> Outcome {
    story.check(error.is_denied(), error.message());
    let decision = error
        .decision()
        .ok_or("a denied error carries its decision")?;
    let hidden = job.explain(decision).is_err_and(|error| error.is_denied());
    story.check(
        hidden,
        "the job itself may not see what it would have needed",
    );
    let near = priya.explain(decision)?.near_misses;
    let text = near.first().map(ToString::to_string).unwrap_or_default();
    let holds = text == "AP-07 would allow: stage is 1, needs 2";
    story.check(holds, format!("user:priya, security, may: {text}"));
    Ok(())
}
