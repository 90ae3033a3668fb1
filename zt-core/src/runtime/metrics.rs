//! What a live process counts, as text that Prometheus and its kin scrape.
//!
//! In: a [`Status`]. Out: the text exposition format, version 0.0.4. Counters end in `_total` and only grow; labels are states,
//! vaults, tenants and sinks, so that their number is bounded. Never the name or a value of a secret, a token or a claim.
//!
//! Source: "Exposition formats", Prometheus documentation.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::sync::atomic::Ordering;

use super::{Runtime, Status};
use crate::audit::{self, SinkHealth};
use crate::identity::KeyHealth;
use crate::secrets::{Counts, SecretsHealth};

impl Runtime {
    /// What this process counts, for `/metrics`: the text format of Prometheus, version 0.0.4. Cheap; asks nobody, and answers
    /// also when the runtime is closed. `docs/src/operations.md` has every name.
    ///
    /// ```no_run
    /// # fn scrape(zt: &zt_core::Runtime) {
    /// let text = zt.metrics_text();
    /// assert!(text.contains("zt_ready 1\n"));
    /// # }
    /// ```
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let status = self.status();
        let mut page = Page::default();
        process(&mut page, &status);
        shadow(&mut page, self);
        keys(&mut page, &self.key_health());
        reads(&mut page, &status.secrets.counts);
        slots(&mut page, &status.secrets);
        data_keys(&mut page, &status);
        memory(&mut page, &status);
        log(&mut page, &status.audit);
        sinks(&mut page, &status.audit.sinks);
        page.0
    }
}

fn process(page: &mut Page, status: &Status) {
    page.gauge("zt_info", "The release and the mode, in labels.");
    let version = env!("CARGO_PKG_VERSION");
    page.labelled("zt_info", &[("version", version), ("mode", status.mode)], 1);
    page.one_gauge(
        "zt_ready",
        "Whether callers can be verified and the tables are young enough.",
        u8::from(status.ready.is_none()),
    );
    page.one_gauge(
        "zt_snapshot_version",
        "The version of the metadata tables in force.",
        status.snapshot.version,
    );
    page.one_gauge(
        "zt_snapshot_age_seconds",
        "How long ago the tables were last seen to be like this.",
        status.snapshot.confirmed_s,
    );
}

fn shadow(page: &mut Page, zt: &Runtime) {
    let (current, totals) = (zt.in_shadow(), zt.0.shadows.totals());
    page.one_gauge(
        "zt_shadow_version",
        "The version that the tables in shadow would have, 0 where there are none.",
        current.as_ref().map_or(0, |own| own.snapshot().version()),
    );
    let kept_back = current
        .as_ref()
        .is_some_and(|own| own.kept_back().is_some());
    page.one_gauge(
        "zt_shadow_kept_back",
        "Whether tables are kept back because they would change too much.",
        u8::from(kept_back),
    );
    let counts: Vec<_> = totals.tally.by_action().collect();
    page.counter(
        "zt_shadow_decisions_total",
        "Decisions that were compared with tables in shadow.",
    );
    for (action, counts) in &counts {
        let labels = [("action", action.as_str())];
        page.labelled("zt_shadow_decisions_total", &labels, counts.decisions);
    }
    page.counter(
        "zt_shadow_flips_total",
        "Of these, those that would change.",
    );
    for (action, counts) in &counts {
        for (direction, count) in [
            ("granted", counts.granted),
            ("withdrawn", counts.withdrawn),
            ("reshaped", counts.reshaped),
            ("ended", counts.ended),
        ] {
            let labels = [("action", action.as_str()), ("direction", direction)];
            page.labelled("zt_shadow_flips_total", &labels, count);
        }
    }
    page.counter("zt_shadow_trials_total", "Trials of tables that ended.");
    for (end, count) in [
        ("taken", &totals.taken),
        ("kept_back", &totals.kept_back),
        ("outdated", &totals.outdated),
    ] {
        let count = count.load(Ordering::Relaxed);
        page.labelled("zt_shadow_trials_total", &[("end", end)], count);
    }
}

fn keys(page: &mut Page, keys: &[KeyHealth]) {
    page.gauge("zt_issuer_keys", "Keys of an issuer, of one token format.");
    for set in keys {
        let (tenant, format) = (set.tenant.to_string(), set.version.as_str());
        let labels = [
            ("tenant", tenant.as_str()),
            ("format", format),
            ("state", set.state.as_str()),
        ];
        page.labelled("zt_issuer_keys", &labels, set.keys);
    }
    page.gauge(
        "zt_issuer_key_failures",
        "Failed fetches of an issuer's keys since the last good one.",
    );
    for set in keys {
        let (tenant, format) = (set.tenant.to_string(), set.version.as_str());
        let labels = [("tenant", tenant.as_str()), ("format", format)];
        page.labelled("zt_issuer_key_failures", &labels, set.failures);
    }
}

fn reads(page: &mut Page, counts: &Counts) {
    for (name, help, value) in [
        (
            "zt_secret_hits_total",
            "Reads served from a slot.",
            counts.hits,
        ),
        (
            "zt_secret_stale_hits_total",
            "Of these, values past their TTL.",
            counts.stale,
        ),
        (
            "zt_secret_misses_total",
            "Reads that waited for the vault or were refused.",
            counts.misses,
        ),
        (
            "zt_secret_negative_total",
            "Reads answered by a no that was still believed.",
            counts.negative,
        ),
        (
            "zt_secret_refreshes_total",
            "Refreshes ahead that gave a value.",
            counts.refreshes,
        ),
        (
            "zt_secret_near_expiry_total",
            "Values that came close to their exp.",
            counts.near_expiry,
        ),
        (
            "zt_vault_calls_total",
            "Calls to the vaults.",
            counts.fetches,
        ),
        (
            "zt_vault_failures_total",
            "Calls that gave no usable value.",
            counts.failures,
        ),
        (
            "zt_vault_failovers_total",
            "Calls to a second vault.",
            counts.failovers,
        ),
        (
            "zt_vault_turned_away_total",
            "Fetches that a closed gate turned away.",
            counts.turned_away,
        ),
        (
            "zt_vault_closings_total",
            "How often a gate closed.",
            counts.closings,
        ),
    ] {
        page.one_counter(name, help, value);
    }
}

fn slots(page: &mut Page, health: &SecretsHealth) {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for slot in &health.slots {
        *states.entry(slot.state.as_str()).or_default() += 1;
    }
    page.gauge("zt_secret_slots", "Slots of secrets, by state.");
    for (state, count) in states {
        page.labelled("zt_secret_slots", &[("state", state)], count);
    }
    page.gauge("zt_vault_open", "Whether the gate of a vault is open.");
    for gate in &health.gates {
        let is_open = u8::from(gate.state == "open");
        page.labelled("zt_vault_open", &[("vault", &gate.vault)], is_open);
    }
    page.gauge("zt_vault_under_way", "Calls to a vault under way.");
    for gate in &health.gates {
        let labels = [("vault", gate.vault.as_str())];
        page.labelled("zt_vault_under_way", &labels, gate.under_way);
    }
}

fn data_keys(page: &mut Page, status: &Status) {
    let keys = &status.data_keys;
    page.one_gauge("zt_data_keys", "Unwrapped data keys held.", keys.held);
    page.one_counter(
        "zt_data_key_hits_total",
        "Openers that found their data key.",
        keys.hits,
    );
    page.one_counter(
        "zt_data_key_misses_total",
        "Openers that waited for their data key.",
        keys.misses,
    );
    page.one_counter(
        "zt_data_key_stale_hits_total",
        "Openers given a data key past its TTL.",
        keys.stale,
    );
}

fn memory(page: &mut Page, status: &Status) {
    let memory = &status.memory;
    page.gauge(
        "zt_memory_mapped_bytes",
        "Bytes mapped for secrets, by protection.",
    );
    let labels = [("protection", memory.protection)];
    page.labelled("zt_memory_mapped_bytes", &labels, memory.mapped_bytes);
    page.one_gauge(
        "zt_memory_values",
        "Values that lie in them.",
        memory.in_use,
    );
    page.one_counter(
        "zt_memory_heap_fallbacks_total",
        "Values that found no room there.",
        memory.heap_fallbacks,
    );
    page.one_counter(
        "zt_memory_broken_total",
        "Values that somebody wrote past the end of.",
        memory.broken,
    );
}

fn log(page: &mut Page, health: &audit::Health) {
    page.one_gauge(
        "zt_audit_writable",
        "Whether records can be written.",
        u8::from(health.is_writable),
    );
    page.one_counter(
        "zt_audit_records_total",
        "Records on the disk.",
        health.records,
    );
    page.one_counter("zt_audit_syncs_total", "Syncs of the log.", health.syncs);
    page.one_gauge(
        "zt_audit_queued",
        "Records waiting to be written.",
        health.queued,
    );
    page.one_counter(
        "zt_audit_signed_records_total",
        "Records under a signed checkpoint.",
        health.signed,
    );
}

fn sinks(page: &mut Page, sinks: &[SinkHealth]) {
    page.gauge(
        "zt_audit_sink_delivering",
        "Whether a sink delivered at the last attempt.",
    );
    for sink in sinks {
        let labels = [("sink", sink.name.as_str())];
        let is_delivering = u8::from(sink.is_delivering);
        page.labelled("zt_audit_sink_delivering", &labels, is_delivering);
    }
    page.counter(
        "zt_audit_sink_delivered_total",
        "Records that a sink acknowledged.",
    );
    for sink in sinks {
        let labels = [("sink", sink.name.as_str())];
        page.labelled("zt_audit_sink_delivered_total", &labels, sink.delivered);
    }
    page.counter("zt_audit_sink_refused_total", "Records set aside for ever.");
    for sink in sinks {
        let labels = [("sink", sink.name.as_str())];
        page.labelled("zt_audit_sink_refused_total", &labels, sink.refused);
    }
    page.gauge("zt_audit_sink_behind", "Records that a sink lacks.");
    for sink in sinks {
        let labels = [("sink", sink.name.as_str())];
        page.labelled("zt_audit_sink_behind", &labels, sink.behind);
    }
    page.gauge(
        "zt_audit_sink_behind_seconds",
        "For how long a sink has lacked any.",
    );
    for sink in sinks {
        let labels = [("sink", sink.name.as_str())];
        page.labelled("zt_audit_sink_behind_seconds", &labels, sink.behind_s);
    }
}

/// The text so far. Writing to it cannot fail.
#[derive(Default)]
struct Page(String);

impl Page {
    fn gauge(&mut self, name: &str, help: &str) {
        self.family(name, help, "gauge");
    }

    fn counter(&mut self, name: &str, help: &str) {
        self.family(name, help, "counter");
    }

    fn family(&mut self, name: &str, help: &str, kind: &str) {
        let _cannot_fail = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one_gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.gauge(name, help);
        self.labelled(name, &[], value);
    }

    fn one_counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.counter(name, help);
        self.labelled(name, &[], value);
    }

    fn labelled(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.0.push_str(if at == 0 { "{" } else { "," });
            let _cannot_fail = write!(self.0, "{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _cannot_fail = writeln!(self.0, " {value}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_label_cannot_end_its_line() {
        let mut page = Page::default();
        page.labelled("zt_info", &[("a", "x\"} 1\nzt_ready 1"), ("b", "\\")], 2);
        assert_eq!(
            page.0,
            "zt_info{a=\"x\\\"} 1\\nzt_ready 1\",b=\"\\\\\"} 2\n"
        );
    }

    #[test]
    fn every_metric_stands_in_the_book_once_and_each_sample_has_a_type() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["zt.toml", "brindlewick.toml"] {
            let from = std::path::Path::new("../examples/world").join(file);
            std::fs::copy(from, folder.path().join(file)).unwrap();
        }
        let executor = tokio::runtime::Runtime::new().unwrap();
        let text = executor.block_on(async {
            let zt = Runtime::open(folder.path()).await.unwrap();
            let text = zt.metrics_text();
            zt.close(std::time::Duration::from_secs(5)).await.unwrap();
            text
        });
        let types: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
            .collect();
        let distinct: BTreeSet<&str> = types.iter().copied().collect();
        assert_eq!(types.len(), distinct.len());
        assert!(types.len() > 30);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(distinct.contains(name), "{line}");
        }
        let book = include_str!("../../../docs/src/operations.md");
        for name in distinct {
            assert!(book.contains(&format!("| `{name}` |")), "{name}");
        }
        assert!(text.contains("zt_audit_records_total "));
    }
}
