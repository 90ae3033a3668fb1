//! The proof: the audit log verifies, and one flipped bit in a copy of it is found.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use zt_core::audit;
use zt_core::runtime::Config;

use crate::Outcome;
use crate::story::Story;

pub(crate) fn verify(story: &mut Story, config: &Config) -> Outcome {
    let folder = config.audit_folder();
    let began = Instant::now();
    let found = audit::verify(&folder)?;
    story.step("the audit log proves what happened", began.elapsed());
    let logs = if found.writers == 1 {
        "1 log"
    } else {
        "several logs"
    };
    let count = format!("{} records in {logs}, every chain intact", found.records);
    story.check(found.is_intact(), count);
    for finding in &found.findings {
        story.differs(&format!(
            "{}:{}: {}",
            finding.file, finding.line, finding.message
        ));
    }

    let copy = folder.with_extension("copy");
    let flipped = flip_one_bit(&folder, &copy)?;
    let began = Instant::now();
    let found = audit::verify(&copy)?;
    story.step("one bit of a copy is flipped", began.elapsed());
    let finding = found.findings.first();
    let holds = finding.is_some_and(|finding| finding.file == flipped);
    let text = finding.map_or_else(
        || "verification did not see it".to_owned(),
        |finding| {
            format!(
                "found at {}:{}: {}",
                finding.file, finding.line, finding.message
            )
        },
    );
    story.check(holds, text);
    fs::remove_dir_all(&copy)?;
    Ok(())
}

/// Copies the log and flips one bit in the middle of its newest segment; answers that segment's name.
fn flip_one_bit(folder: &Path, copy: &Path) -> Outcome<String> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    fs::create_dir_all(copy)?;
    let mut segments: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Outcome<_>>()?;
    segments.sort();
    for segment in &segments {
        fs::copy(segment, copy.join(segment.file_name().unwrap_or_default()))?;
    }
    let newest = segments
        .last()
        .and_then(|path| path.file_name())
        .ok_or("the log is empty")?;
    let mut bytes = fs::read(copy.join(newest))?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    fs::write(copy.join(newest), bytes)?;
    Ok(newest.to_string_lossy().into_owned())
}
