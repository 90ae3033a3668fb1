//! Sign-in: every person and workload of the tables presents an Entra-shaped token of the development issuer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use zt_core::id::PrincipalKind;
use zt_core::{Runtime, Session, testing};

use crate::Outcome;
use crate::story::{Story, aside, time};

/// Sessions by readable id.
pub(crate) type Sessions = BTreeMap<String, Session>;

const LIFETIME: Duration = Duration::from_secs(3600);

pub(crate) async fn sign_in(story: &mut Story, zt: &Runtime) -> Outcome<Sessions> {
    let began = Instant::now();
    let snapshot = zt.snapshot();
    let mut sessions = Sessions::new();
    let mut verifying = Duration::ZERO;
    for row in &snapshot.tables().principals {
        if row.id.kind() == PrincipalKind::Group {
            continue;
        }
        let token = testing::sign_in(zt.config(), &snapshot, &row.id, LIFETIME)?;
        let verified = Instant::now();
        let session = zt.authenticate(&token).await?;
        verifying += verified.elapsed();
        sessions.insert(session.name(), session);
    }
    story.step("people and workloads sign in", began.elapsed());
    let names: Vec<&str> = sessions.keys().map(String::as_str).collect();
    story.check(
        names.len() == 9,
        format!(
            "{} tokens (RS256) verified against the pinned keys",
            names.len()
        ),
    );
    let each = verifying / u32::try_from(names.len().max(1))?;
    aside(format!("{} each, audit record included", time(each)));
    for three in names.chunks(3) {
        aside(three.join(", "));
    }
    Ok(sessions)
}

/// One changed character of a signature must make it worthless, and the answer must not help to guess.
pub(crate) async fn refuse_a_forged_token(story: &mut Story, zt: &Runtime) -> Outcome {
    let snapshot = zt.snapshot();
    let maya = "user:maya".parse()?;
    let token = testing::sign_in(zt.config(), &snapshot, &maya, LIFETIME)?;
    let (signed, signature) = token.rsplit_once('.').ok_or("a token has three parts")?;
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let rest: String = signature.chars().skip(1).collect();
    let began = Instant::now();
    let refused = zt.authenticate(&format!("{signed}.{first}{rest}")).await;
    story.step("a forged token is refused", began.elapsed());
    match refused {
        Ok(_) => story.differs("the forged token was accepted"),
        Err(error) => {
            let said = error.public_message();
            story.check(
                said == "invalid_token",
                format!("the caller hears only `{said}`"),
            );
            aside(format!("the log knows: {}", error.message()));
        }
    }
    Ok(())
}
