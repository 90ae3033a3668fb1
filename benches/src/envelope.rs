//! Sealing short cells: the raw cipher, zt, and a cipher set up anew for each cell, as notebooks do it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use zt_core::batch::{Batch, Cells, Column};

use crate::Outcome;
use crate::harness::{Case, Effort, Group, compare};
use crate::world::World;

const ROWS: usize = 10_000;
const COLUMNS: [&str; 3] = ["y_pred_proba", "salary_range", "debt_to_income_ratio"];

pub fn groups(world: &World, effort: Effort) -> Outcome<Vec<Group>> {
    let zt = world.open()?;
    let job = world.sign_in(&zt, "sp:sp-score-201")?.claiming(201, 2);
    let sealer = world.executor.block_on(job.sealer("loan_scores_delta"))?;
    let texts: Vec<String> = (0..ROWS)
        .map(|row| format!("a cell of 23 bytes {row:04}"))
        .collect();
    let column = |name: &&str| {
        let cells = texts.iter().cloned().map(Some).collect();
        Column::new(*name, Cells::Text(cells))
    };
    let batch = Batch::new(COLUMNS.iter().map(column).collect())?;
    let sealed = sealer.seal(&batch)?;
    let ines = world.sign_in(&zt, "user:ines")?;
    let opener = world
        .executor
        .block_on(ines.opener("loan_scores_delta", &sealed))?;
    if opener.unseal(&sealed)? != batch {
        return Err("what was sealed does not open".into());
    }

    let secret = [7; 32];
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &secret)?);
    let aad = [0; 64];
    let raw = || {
        let mut sealed = 0;
        for text in texts.iter().cycle().take(ROWS * COLUMNS.len()) {
            let mut nonce = [0; 12];
            nonce[..8].copy_from_slice(&(sealed as u64).to_le_bytes());
            let mut cell = text.clone().into_bytes();
            let nonce = Nonce::assume_unique_for_key(nonce);
            sealed += usize::from(
                key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut cell)
                    .is_ok(),
            );
        }
        sealed
    };
    let naive = || {
        let mut sealed = 0;
        for text in texts.iter().cycle().take(ROWS * COLUMNS.len()) {
            let Ok(unbound) = UnboundKey::new(&AES_256_GCM, &secret) else {
                continue;
            };
            let (key, mut nonce) = (LessSafeKey::new(unbound), [0; 12]);
            if rand::fill(&mut nonce).is_err() {
                continue;
            }
            let mut cell = text.clone().into_bytes();
            let nonce = Nonce::assume_unique_for_key(nonce);
            sealed += usize::from(
                key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut cell)
                    .is_ok(),
            );
        }
        sealed
    };
    let cases = vec![
        Case::new("bare aws-lc-rs, AES-256-GCM, counter nonces", raw),
        Case::new("`sealer.seal`: bound cells as text, with their key", || {
            sealer.seal(&batch).map(|b| b.rows())
        }),
        Case::new("`opener.unseal`", || {
            opener.unseal(&sealed).map(|b| b.rows())
        }),
        Case::new("key and random nonce set up for each cell", naive),
    ];
    Ok(vec![compare(
        "Sealing 30,000 cells of 23 bytes",
        effort,
        cases,
    )])
}
