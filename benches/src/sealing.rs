//! Sealing by size: files and columns of Arrow beside the bare ciphers of three libraries. Time is that of processors, so
//! that what is done on two threads is counted twice: the numbers are those of one core.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use zt_core::envelope::{FileHeader, Opener, Sealer, Store};

use crate::Outcome;
use crate::harness::{Case, Effort, Group, Measured, compare_cores};
use crate::report::time;
use crate::world::World;

const ROWS: usize = 100_000;
const COLUMNS: [&str; 3] = ["y_pred_proba", "salary_range", "debt_to_income_ratio"];
const SECRET: [u8; 32] = [7; 32];
const OUTPUT: &str = "loan_scores_delta";
/// As many bytes as zt authenticates beside each of these cells.
const BOUND: [u8; 112] = [0; 112];

/// Seals a text in its place under the nonce of this number, bound to something; whether it did.
type Bare = Box<dyn Fn(usize, &[u8], &mut [u8]) -> bool>;

/// One table for each size and one for cells, beside the library that zt seals with here.
pub fn markdown(world: &World, effort: Effort) -> Outcome<String> {
    let mut text = String::new();
    let sizes = [
        ("Sealing a file of 1 KiB", 1 << 10),
        ("Sealing a file of 64 KiB", 64 << 10),
        ("Sealing a file of 16 MiB", 16 << 20),
    ];
    for (title, size) in sizes {
        let group = files(world, effort, title, size)?;
        let of_each = |measured: &Measured| {
            let rate = size as f64 / measured.median.as_secs_f64() / 1e9;
            format!("{rate:.2} GB/s")
        };
        table(&group, of_each, &mut text);
    }
    let group = cells(world, effort)?;
    let of_each = |measured: &Measured| {
        let rate = (ROWS * COLUMNS.len()) as f64 / measured.median.as_secs_f64() / 1e6;
        format!("{rate:.2} M cells/s")
    };
    table(&group, of_each, &mut text);
    Ok(text)
}

/// The share is how much of the first line's rate each line has.
fn table(group: &Group, rate: impl Fn(&Measured) -> String, text: &mut String) {
    let first = group
        .measured
        .first()
        .map_or(0.0, |first| first.median.as_secs_f64());
    let _ = writeln!(text, "\n## {}\n", group.title);
    text.push_str(
        "| what, on one core | median | least | rate | share |\n|---|---:|---:|---:|---:|\n",
    );
    for measured in &group.measured {
        let (median, least) = (time(measured.median), time(measured.least));
        let share = first / measured.median.as_secs_f64() * 100.0;
        let (name, rate) = (&measured.name, rate(measured));
        let _ = writeln!(
            text,
            "| {name} | {median} | {least} | {rate} | {share:.0} % |"
        );
    }
}

fn nonce(number: usize) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&(number as u64).to_le_bytes());
    nonce
}

/// The libraries, that which zt seals with first.
fn libraries() -> Outcome<Vec<(&'static str, Bare)>> {
    let mut all = vec![("aws-lc-rs", aws_lc()?), ("ring", ring()?)];
    if cfg!(feature = "ring") && seals_with_ring() {
        all.reverse();
    }
    all.push(("RustCrypto `aes-gcm`", rust_crypto()));
    Ok(all)
}

/// As zt decides it.
fn seals_with_ring() -> bool {
    #[cfg(target_arch = "x86_64")]
    let is_faster = std::arch::is_x86_feature_detected!("vaes")
        && std::arch::is_x86_feature_detected!("avx2")
        && !std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let is_faster = false;
    is_faster
}

fn aws_lc() -> Outcome<Bare> {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &SECRET)?);
    Ok(Box::new(move |number, bound, text| {
        let nonce = Nonce::assume_unique_for_key(nonce(number));
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(bound), text);
        black_box(tag).is_ok()
    }))
}

fn ring() -> Outcome<Bare> {
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let key = UnboundKey::new(&AES_256_GCM, &SECRET).map_err(|_| "ring takes no such key")?;
    let key = LessSafeKey::new(key);
    Ok(Box::new(move |number, bound, text| {
        let nonce = Nonce::assume_unique_for_key(nonce(number));
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(bound), text);
        black_box(tag).is_ok()
    }))
}

fn rust_crypto() -> Bare {
    let key = aes_gcm::Aes256Gcm::new(&SECRET.into());
    Box::new(move |number, bound, text| {
        let tag = key.encrypt_inout_detached(&nonce(number).into(), bound, text.into());
        black_box(tag).is_ok()
    })
}

fn sealer(world: &World) -> Outcome<Sealer> {
    let zt = world.open()?;
    let job = world.sign_in(&zt, "sp:sp-score-201")?.claiming(201, 2);
    Ok(world.executor.block_on(job.sealer(OUTPUT))?)
}

fn files(world: &World, effort: Effort, title: &'static str, size: usize) -> Outcome<Group> {
    let sealer = sealer(world)?;
    let plain: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
    let sealed = sealer.seal_bytes("file", &plain)?;
    let opener = file_opener(world, &sealed)?;
    if *opener.unseal_bytes("file", &sealed)? != plain {
        return Err("what was sealed does not open".into());
    }
    let mut libraries = libraries()?.into_iter();
    let bare = |(name, seal): (&str, Bare)| {
        let (mut number, plain) = (0, &plain);
        Case::new(format!("bare {name}, into a new buffer"), move || {
            number += 1;
            let mut sealed = Vec::with_capacity(plain.len() + 16);
            sealed.extend_from_slice(plain);
            let is_sealed = seal(number, &[], &mut sealed);
            (is_sealed, sealed)
        })
    };
    let mut cases: Vec<Case<'_>> = libraries.next().map(bare).into_iter().collect();
    cases.extend([
        Case::new("`sealer.seal_bytes`", || {
            sealer.seal_bytes("file", &plain).map(|sealed| sealed.len())
        }),
        Case::new("`sealer.seal_stream`, to nowhere", || {
            sealer.seal_stream("file", plain.as_slice(), std::io::sink())
        }),
        Case::new("`opener.unseal_bytes`", || {
            opener
                .unseal_bytes("file", &sealed)
                .map(|plain| plain.len())
        }),
        Case::new("`opener.unseal_stream`, to nowhere", || {
            let mut sealed = sealed.as_slice();
            let header = FileHeader::read(&mut sealed)?;
            opener.unseal_stream("file", &header, sealed, std::io::sink())
        }),
    ]);
    cases.extend(libraries.map(bare));
    Ok(compare_cores(title, effort, cases))
}

fn file_opener(world: &World, sealed: &[u8]) -> Outcome<Opener> {
    let (zt, header) = (world.open()?, FileHeader::read(sealed)?);
    let ines = world.sign_in(&zt, "user:ines")?;
    Ok(world.executor.block_on(ines.file_opener(OUTPUT, &header))?)
}

fn cells(world: &World, effort: Effort) -> Outcome<Group> {
    let sealer = sealer(world)?;
    let zt = world.open()?;
    let ines = world.sign_in(&zt, "user:ines")?;
    let texts: Vec<String> = (0..ROWS)
        .map(|row| format!("a cell of 23 byte {row:05}"))
        .collect();
    let column: ArrayRef = Arc::new(StringArray::from(texts.clone()));
    let batch = RecordBatch::try_from_iter(COLUMNS.map(|name| (name, Arc::clone(&column))))?;
    let [bytes, text] = [Store::Bytes, Store::Text].map(|store| sealer.seal_arrow(&batch, store));
    let (bytes, text) = (bytes?, text?);
    let opener = world.executor.block_on(ines.arrow_opener(OUTPUT, &bytes))?;
    if opener.unseal_arrow(&bytes)?.columns() != batch.columns() {
        return Err("what was sealed does not open".into());
    }
    let opener_of_text = world.executor.block_on(ines.arrow_opener(OUTPUT, &text))?;
    if opener_of_text.unseal_arrow(&text)?.columns() != batch.columns() {
        return Err("what was sealed as text does not open".into());
    }
    let mut libraries = libraries()?.into_iter();
    let texts = &texts;
    let bare = |(name, seal): (&str, Bare)| {
        Case::new(format!("bare {name}, one buffer"), move || {
            let (mut cell, mut sealed) = (Vec::with_capacity(64), 0);
            for text in texts.iter().cycle().take(ROWS * COLUMNS.len()) {
                cell.clear();
                cell.extend_from_slice(text.as_bytes());
                sealed += usize::from(seal(sealed, &BOUND, &mut cell));
            }
            sealed
        })
    };
    let mut cases: Vec<Case<'_>> = libraries.next().map(bare).into_iter().collect();
    for (name, store) in [("bytes", Store::Bytes), ("text", Store::Text)] {
        let (sealer, batch) = (&sealer, &batch);
        cases.push(Case::new(
            format!("`sealer.seal_arrow`, {name}"),
            move || {
                sealer
                    .seal_arrow(batch, store)
                    .map(|batch| batch.num_rows())
            },
        ));
    }
    for (name, opener, sealed) in [("bytes", &opener, &bytes), ("text", &opener_of_text, &text)] {
        cases.push(Case::new(
            format!("`opener.unseal_arrow`, {name}"),
            move || opener.unseal_arrow(sealed).map(|batch| batch.num_rows()),
        ));
    }
    cases.extend(libraries.map(bare));
    Ok(compare_cores(
        "Sealing 300,000 cells of 23 bytes in three columns of Arrow",
        effort,
        cases,
    ))
}
