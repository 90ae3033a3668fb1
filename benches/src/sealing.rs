//! Sealing by size: files and columns of Arrow beside the bare ciphers of two libraries, and one call for each cell.

use std::sync::Arc;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zt_core::envelope::{FileHeader, Store};

use crate::Outcome;
use crate::harness::{Case, Effort, Group, compare};
use crate::world::World;

const ROWS: usize = 100_000;
const SECRET: [u8; 32] = [7; 32];
const OUTPUT: &str = "loan_scores_delta";

pub fn groups(world: &World, effort: Effort) -> Outcome<Vec<Group>> {
    let sizes = [
        ("Sealing a file of 1 KiB", 1 << 10),
        ("Sealing a file of 64 KiB", 64 << 10),
        ("Sealing a file of 16 MiB", 16 << 20),
    ];
    let mut groups = Vec::new();
    for (title, size) in sizes {
        groups.push(files(world, effort, title, size)?);
    }
    groups.push(cells(world, effort)?);
    Ok(groups)
}

fn aws_lc() -> Outcome<LessSafeKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &SECRET)?))
}

fn nonce(number: usize) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&(number as u64).to_le_bytes());
    nonce
}

fn files(world: &World, effort: Effort, title: &'static str, size: usize) -> Outcome<Group> {
    let zt = world.open()?;
    let job = world.sign_in(&zt, "sp:sp-score-201")?.claiming(201, 2);
    let sealer = world.executor.block_on(job.sealer(OUTPUT))?;
    let ines = world.sign_in(&zt, "user:ines")?;
    let plain: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
    let sealed = sealer.seal_bytes("file", &plain)?;
    let header = FileHeader::read(sealed.as_slice())?;
    let opener = world.executor.block_on(ines.file_opener(OUTPUT, &header))?;
    if *opener.unseal_bytes("file", &sealed)? != plain {
        return Err("what was sealed does not open".into());
    }
    let (raw, other) = (aws_lc()?, aes_gcm::Aes256Gcm::new(&SECRET.into()));
    let mut number = 0;
    let mut buffer = plain.clone();
    let bare = || {
        number += 1;
        buffer.copy_from_slice(&plain);
        let nonce = Nonce::assume_unique_for_key(nonce(number));
        raw.seal_in_place_separate_tag(nonce, Aad::empty(), &mut buffer)
            .is_ok()
    };
    let (mut count, mut copy) = (0, plain.clone());
    let rust_crypto = || {
        count += 1;
        copy.copy_from_slice(&plain);
        other
            .encrypt_inout_detached(&nonce(count).into(), b"", copy.as_mut_slice().into())
            .is_ok()
    };
    let cases = vec![
        Case::new("bare aws-lc-rs, AES-256-GCM, and a copy", bare),
        Case::new("`sealer.seal_bytes`", || {
            sealer.seal_bytes("file", &plain).map(|sealed| sealed.len())
        }),
        Case::new("`opener.unseal_bytes`", || {
            opener
                .unseal_bytes("file", &sealed)
                .map(|plain| plain.len())
        }),
        Case::new("RustCrypto `aes-gcm`, and a copy", rust_crypto),
    ];
    Ok(compare(title, effort, cases))
}

fn cells(world: &World, effort: Effort) -> Outcome<Group> {
    let zt = world.open()?;
    let job = world.sign_in(&zt, "sp:sp-score-201")?.claiming(201, 2);
    let sealer = world.executor.block_on(job.sealer(OUTPUT))?;
    let ines = world.sign_in(&zt, "user:ines")?;
    let texts: Vec<String> = (0..ROWS)
        .map(|row| format!("a cell of 23 bytes {row:04}"))
        .collect();
    let column: ArrayRef = Arc::new(StringArray::from(texts.clone()));
    let names = ["y_pred_proba", "salary_range", "debt_to_income_ratio"];
    let batch = RecordBatch::try_from_iter(names.map(|name| (name, Arc::clone(&column))))?;
    let [bytes, text] = [Store::Bytes, Store::Text].map(|store| sealer.seal_arrow(&batch, store));
    let (bytes, text) = (bytes?, text?);
    let opener = world.executor.block_on(ines.arrow_opener(OUTPUT, &bytes))?;
    if opener.unseal_arrow(&bytes)?.columns() != batch.columns() {
        return Err("what was sealed does not open".into());
    }
    let raw = aws_lc()?;
    let bare = || {
        let mut cell = Vec::with_capacity(64);
        let mut sealed = 0;
        for text in texts.iter().cycle().take(ROWS * names.len()) {
            cell.clear();
            cell.extend_from_slice(text.as_bytes());
            let nonce = Nonce::assume_unique_for_key(nonce(sealed));
            let tag = raw.seal_in_place_separate_tag(nonce, Aad::from([0; 64]), &mut cell);
            sealed += usize::from(tag.is_ok());
        }
        sealed
    };
    let other = aes_gcm::Aes256Gcm::new(&SECRET.into());
    let rust_crypto = || {
        let mut cell = Vec::with_capacity(64);
        let mut sealed = 0;
        for text in texts.iter().cycle().take(ROWS * names.len()) {
            cell.clear();
            cell.extend_from_slice(text.as_bytes());
            let nonce = nonce(sealed).into();
            let tag = other.encrypt_inout_detached(&nonce, &[0; 64], cell.as_mut_slice().into());
            sealed += usize::from(tag.is_ok());
        }
        sealed
    };
    let cases = vec![
        Case::new("bare aws-lc-rs, one buffer", bare),
        Case::new("`sealer.seal_arrow`, bytes", || {
            sealer
                .seal_arrow(&batch, Store::Bytes)
                .map(|b| b.num_rows())
        }),
        Case::new("`sealer.seal_arrow`, text", || {
            sealer.seal_arrow(&batch, Store::Text).map(|b| b.num_rows())
        }),
        Case::new("`opener.unseal_arrow`, bytes", || {
            opener.unseal_arrow(&bytes).map(|b| b.num_rows())
        }),
        Case::new("`opener.unseal_arrow`, text", || {
            opener.unseal_arrow(&text).map(|b| b.num_rows())
        }),
        Case::new("RustCrypto `aes-gcm`, one buffer", rust_crypto),
    ];
    Ok(compare(
        "Sealing 300,000 cells of 23 bytes in three columns of Arrow",
        effort,
        cases,
    ))
}
