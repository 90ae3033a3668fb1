//! Sealed outputs of a whole runtime under a key of the simulated Key Vault: over real sockets, through Azure's own SDK, under
//! policy and audit.

mod contract;
mod failures;
mod lifetime;

use std::sync::Arc;

use zt_azure_simulator::{Fault, KeyKind, KeyVault, Right};
use zt_core::batch::{Batch, Cells, Column};
use zt_core::{Error, Result, Runtime, Session};

use super::office::{Office, ready};

pub(crate) const VAULT: &str = "kv-brindlewick-prod";
pub(crate) const HOST: &str = "kv-brindlewick-prod.vault.azure.net";
/// The row of Secret_References, and the key's name.
pub(crate) const KEY: &str = "scores-kek";
pub(crate) const OUTPUT: &str = "loan_scores_delta";
/// The key's TTL in these tests, in seconds, and how long it may be stale.
pub(crate) const TTL: u64 = 60;
pub(crate) const STALE: u64 = 600;
/// Longer than any pause of a slot or a gate.
pub(crate) const LONG: u64 = 400;
/// In a cell.
pub(crate) const NEEDLE: &str = "zt-needle-salary";

/// A process that may do both, with the job that seals and the officer who opens.
pub(crate) struct Scene {
    pub(crate) office: Arc<Office>,
    pub(crate) zt: Runtime,
    pub(crate) job: Session,
    pub(crate) ines: Session,
}

impl Scene {
    pub(crate) async fn open() -> Self {
        let office = Office::new("[vault]\nstore = \"key_vault\"");
        office.sim.vault(VAULT).ready_key(KEY).unwrap();
        office.edit_tables(
            "kind = \"key\"\nttl_s = 3600\n",
            &format!("kind = \"key\"\nttl_s = {TTL}\nmax_stale_s = {STALE}\n"),
        );
        Self::of(Arc::new(office), "zt").await
    }

    /// Another process over the same tables and vault, as whom.
    pub(crate) async fn of(office: Arc<Office>, who: &'static str) -> Self {
        let builder = office.builder().unwrap();
        let builder = builder.with_credential(office.credential(who));
        let zt = builder.open().await.unwrap();
        ready(&zt).await;
        let job = office.sign_in(&zt, "sp-score-201").await.claiming(201, 2);
        let ines = office.sign_in(&zt, "ines").await;
        Self {
            office,
            zt,
            job,
            ines,
        }
    }

    pub(crate) fn vault(&self) -> KeyVault<'_> {
        self.office.sim.vault(VAULT)
    }

    pub(crate) async fn seal(&self) -> Result<Batch> {
        self.job.sealer(OUTPUT).await?.seal(&scores())
    }

    /// A new version of the key.
    pub(crate) fn rotate(&self, kind: KeyKind) -> String {
        let version = self.vault().make_key(KEY, kind).unwrap();
        self.vault().ready_key(KEY).unwrap();
        version
    }

    /// Opens, and sees what was sealed.
    pub(crate) async fn opens(&self, sealed: &Batch) {
        let opener = self.ines.opener(OUTPUT, sealed).await.unwrap();
        let plain = opener.unseal(sealed).unwrap();
        assert_eq!(plain.to_csv(), scores().to_csv());
    }

    pub(crate) async fn does_not_open(&self, sealed: &Batch) -> Error {
        let error = self.ines.opener(OUTPUT, sealed).await.unwrap_err();
        self.office.keep(&error);
        error
    }

    pub(crate) async fn does_not_seal(&self) -> Error {
        let error = self.seal().await.unwrap_err();
        self.office.keep(&error);
        error
    }

    /// Until told otherwise, for every request about a key of the vault.
    pub(crate) fn spoil(&self, fault: Fault) {
        let at = format!("{HOST}/keys");
        self.office.sim.fault(&at, fault, u32::MAX);
    }

    /// Requests about the key with a token: for its public part, to unwrap, for anything else.
    pub(crate) fn requests(&self) -> (usize, usize, usize) {
        let all = self.office.sim.requests();
        let here = all.iter().filter(|one| one.host == HOST && one.shows_token);
        let here: Vec<_> = here.filter(|one| one.path.starts_with("/keys/")).collect();
        let gets = here.iter().filter(|one| one.method == "GET").count();
        let unwraps = here.iter().filter(|one| one.path.ends_with("/unwrapkey"));
        let unwraps = unwraps.count();
        (gets, unwraps, here.len() - gets - unwraps)
    }

    /// Once the clock moved on, people sign in again.
    pub(crate) async fn later(&mut self, seconds: u64) {
        self.office.advance(seconds);
        let job = self.office.sign_in(&self.zt, "sp-score-201").await;
        self.job = job.claiming(201, 2);
        self.ines = self.office.sign_in(&self.zt, "ines").await;
    }
}

pub(crate) fn scores() -> Batch {
    let text = |cells: [&str; 2]| Cells::Text(cells.map(|cell| Some(cell.to_owned())).into());
    Batch::new(vec![
        Column::new("id", text(["70000", "70001"])),
        Column::new("y_pred_proba", Cells::Number(vec![Some(0.97), Some(0.2)])),
        Column::new("salary_range", text([NEEDLE, "30k-40k"])),
        Column::new("debt_to_income_ratio", Cells::Number(vec![Some(0.5); 2])),
    ])
    .unwrap()
}

/// Rights on keys are taken from whom.
pub(crate) fn without(scene: &Scene, who: &str, rights: &[Right]) {
    scene.vault().revoke(who, rights).unwrap();
}
