//! Which private DNS zone stands behind a public name, and under which sub-resources its endpoints are made.
//!
//! Source: Microsoft Learn, "Azure Private Endpoint private DNS zone values" (read 2026-11), sections Commercial,
//! Government and China; the zones of Managed HSM and Foundry after the module `private-link-private-dns-zones` of Azure
//! Verified Modules. A service that is not here is not judged by it.

/// A service of Azure with private endpoints.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// As the portal calls it.
    pub name: &'static str,
    /// The sub-resources, which rows call `group_id`.
    pub group_ids: &'static [&'static str],
    /// What its public names end in.
    pub suffix: &'static str,
    /// The private DNS zone.
    pub zone: &'static str,
}

impl Service {
    /// The service that owns a host, which is written in lowercase.
    #[must_use]
    pub fn of(host: &str) -> Option<&'static Self> {
        let owns = |service: &&Self| {
            let own = host.strip_suffix(service.suffix);
            let own = own.and_then(|own| own.strip_suffix('.'));
            // A managed instance of SQL has a zone for each DNS prefix: two labels in front are not this service.
            own.is_some_and(|own| !own.is_empty() && (service.name != SQL || !own.contains('.')))
        };
        SERVICES.iter().find(owns)
    }

    /// Whether it is the service of secrets.
    #[must_use]
    pub fn is_key_vault(&self) -> bool {
        self.name == KEY_VAULT
    }

    /// Whether its answers say on which path a request came in ([`Testimony`](super::Testimony)). Nobody else's word counts.
    #[must_use]
    pub fn testifies(&self) -> bool {
        self.is_key_vault() || self.name == MANAGED_HSM
    }

    /// Whether an endpoint can be made for this sub-resource. App Service has one for each deployment slot.
    #[must_use]
    pub fn takes(&self, group_id: &str) -> bool {
        let slot = group_id.strip_prefix("sites-");
        self.group_ids.contains(&group_id)
            || (self.name == APP_SERVICE && slot.is_some_and(|slot| !slot.is_empty()))
    }

    /// The name of a host in the private zone.
    #[must_use]
    pub fn private_name(&self, host: &str) -> Option<String> {
        let own = host.strip_suffix(self.suffix)?.strip_suffix('.')?;
        Some(format!("{own}.{}", self.zone))
    }
}

/// Whether a vault answers under this host.
pub(crate) fn is_key_vault(host: &str) -> bool {
    Service::of(host).is_some_and(Service::is_key_vault)
}

/// Whether the answers of a host say on which path a request came in.
pub(crate) fn testifies(host: &str) -> bool {
    Service::of(host).is_some_and(Service::testifies)
}

const KEY_VAULT: &str = "Key Vault";
const MANAGED_HSM: &str = "Managed HSM";
const SQL: &str = "Azure SQL";
const BLOB: &str = "Blob storage";
const LAKE: &str = "Data Lake Storage";
const TABLE: &str = "Table storage";
const QUEUE: &str = "Queue storage";
const FILES: &str = "Azure Files";
const WEB: &str = "Static websites";
const DATABRICKS: &str = "Azure Databricks";
const ML: &str = "Azure Machine Learning";
const MONITOR: &str = "Azure Monitor";
const FACTORY: &str = "Data Factory";
const APP_SERVICE: &str = "App Service";
const APP_CONFIGURATION: &str = "App Configuration";
const BUS: &str = "Event Hubs or Service Bus";
const AI: &str = "Azure AI services";

const VAULT_IDS: &[&str] = &["vault"];
const SQL_IDS: &[&str] = &["sqlServer"];
/// A scope of Azure Monitor uses the zone of blobs too.
const BLOB_IDS: &[&str] = &["blob", "blob_secondary", "azuremonitor"];
const LAKE_IDS: &[&str] = &["dfs", "dfs_secondary"];
const TABLE_IDS: &[&str] = &["table", "table_secondary"];
const QUEUE_IDS: &[&str] = &["queue", "queue_secondary"];
const FILE_IDS: &[&str] = &["file"];
const WEB_IDS: &[&str] = &["web", "web_secondary"];
const DATABRICKS_IDS: &[&str] = &[
    "databricks_ui_api",
    "browser_authentication",
    "general_access",
];
const ML_IDS: &[&str] = &["amlworkspace"];
const MONITOR_IDS: &[&str] = &["azuremonitor"];
const FACTORY_IDS: &[&str] = &["dataFactory"];
const PORTAL_IDS: &[&str] = &["portal"];
const SITE_IDS: &[&str] = &["sites"];
const STORE_IDS: &[&str] = &["configurationStores"];
const BUS_IDS: &[&str] = &["namespace"];
const AI_IDS: &[&str] = &["account"];

macro_rules! services {
    ($(($name:expr, $group_ids:expr, $suffix:literal, $zone:literal),)+) => {
        &[$(Service { name: $name, group_ids: $group_ids, suffix: $suffix, zone: $zone }),+]
    };
}

#[rustfmt::skip]
const SERVICES: &[Service] = services![
    (KEY_VAULT, VAULT_IDS, "vault.azure.net", "privatelink.vaultcore.azure.net"),
    (KEY_VAULT, VAULT_IDS, "vault.usgovcloudapi.net", "privatelink.vaultcore.usgovcloudapi.net"),
    (KEY_VAULT, VAULT_IDS, "vault.azure.cn", "privatelink.vaultcore.azure.cn"),
    (MANAGED_HSM, &["managedhsm"], "managedhsm.azure.net", "privatelink.managedhsm.azure.net"),
    (SQL, SQL_IDS, "database.windows.net", "privatelink.database.windows.net"),
    (SQL, SQL_IDS, "database.usgovcloudapi.net", "privatelink.database.usgovcloudapi.net"),
    (SQL, SQL_IDS, "database.chinacloudapi.cn", "privatelink.database.chinacloudapi.cn"),
    (BLOB, BLOB_IDS, "blob.core.windows.net", "privatelink.blob.core.windows.net"),
    (BLOB, BLOB_IDS, "blob.core.usgovcloudapi.net", "privatelink.blob.core.usgovcloudapi.net"),
    (BLOB, BLOB_IDS, "blob.core.chinacloudapi.cn", "privatelink.blob.core.chinacloudapi.cn"),
    (LAKE, LAKE_IDS, "dfs.core.windows.net", "privatelink.dfs.core.windows.net"),
    (LAKE, LAKE_IDS, "dfs.core.usgovcloudapi.net", "privatelink.dfs.core.usgovcloudapi.net"),
    (LAKE, LAKE_IDS, "dfs.core.chinacloudapi.cn", "privatelink.dfs.core.chinacloudapi.cn"),
    (TABLE, TABLE_IDS, "table.core.windows.net", "privatelink.table.core.windows.net"),
    (TABLE, TABLE_IDS, "table.core.usgovcloudapi.net", "privatelink.table.core.usgovcloudapi.net"),
    (TABLE, TABLE_IDS, "table.core.chinacloudapi.cn", "privatelink.table.core.chinacloudapi.cn"),
    (QUEUE, QUEUE_IDS, "queue.core.windows.net", "privatelink.queue.core.windows.net"),
    (QUEUE, QUEUE_IDS, "queue.core.usgovcloudapi.net", "privatelink.queue.core.usgovcloudapi.net"),
    (QUEUE, QUEUE_IDS, "queue.core.chinacloudapi.cn", "privatelink.queue.core.chinacloudapi.cn"),
    (FILES, FILE_IDS, "file.core.windows.net", "privatelink.file.core.windows.net"),
    (FILES, FILE_IDS, "file.core.usgovcloudapi.net", "privatelink.file.core.usgovcloudapi.net"),
    (FILES, FILE_IDS, "file.core.chinacloudapi.cn", "privatelink.file.core.chinacloudapi.cn"),
    (WEB, WEB_IDS, "web.core.windows.net", "privatelink.web.core.windows.net"),
    (WEB, WEB_IDS, "web.core.usgovcloudapi.net", "privatelink.web.core.usgovcloudapi.net"),
    (WEB, WEB_IDS, "web.core.chinacloudapi.cn", "privatelink.web.core.chinacloudapi.cn"),
    (DATABRICKS, DATABRICKS_IDS, "azuredatabricks.net", "privatelink.azuredatabricks.net"),
    (DATABRICKS, DATABRICKS_IDS, "databricks.azure.us", "privatelink.databricks.azure.us"),
    (ML, ML_IDS, "api.azureml.ms", "privatelink.api.azureml.ms"),
    (ML, ML_IDS, "api.ml.azure.us", "privatelink.api.ml.azure.us"),
    (ML, ML_IDS, "api.ml.azure.cn", "privatelink.api.ml.azure.cn"),
    (ML, ML_IDS, "notebooks.azure.net", "privatelink.notebooks.azure.net"),
    (ML, ML_IDS, "notebooks.usgovcloudapi.net", "privatelink.notebooks.usgovcloudapi.net"),
    (ML, ML_IDS, "notebooks.chinacloudapi.cn", "privatelink.notebooks.chinacloudapi.cn"),
    (MONITOR, MONITOR_IDS, "monitor.azure.com", "privatelink.monitor.azure.com"),
    (MONITOR, MONITOR_IDS, "monitor.azure.us", "privatelink.monitor.azure.us"),
    (MONITOR, MONITOR_IDS, "oms.opinsights.azure.com", "privatelink.oms.opinsights.azure.com"),
    (MONITOR, MONITOR_IDS, "oms.opinsights.azure.us", "privatelink.oms.opinsights.azure.us"),
    (MONITOR, MONITOR_IDS, "ods.opinsights.azure.com", "privatelink.ods.opinsights.azure.com"),
    (MONITOR, MONITOR_IDS, "ods.opinsights.azure.us", "privatelink.ods.opinsights.azure.us"),
    (MONITOR, MONITOR_IDS, "agentsvc.azure-automation.net", "privatelink.agentsvc.azure-automation.net"),
    (MONITOR, MONITOR_IDS, "agentsvc.azure-automation.us", "privatelink.agentsvc.azure-automation.us"),
    (FACTORY, FACTORY_IDS, "datafactory.azure.net", "privatelink.datafactory.azure.net"),
    (FACTORY, FACTORY_IDS, "datafactory.azure.us", "privatelink.datafactory.azure.us"),
    (FACTORY, FACTORY_IDS, "datafactory.azure.cn", "privatelink.datafactory.azure.cn"),
    (FACTORY, PORTAL_IDS, "adf.azure.com", "privatelink.adf.azure.com"),
    (FACTORY, PORTAL_IDS, "adf.azure.us", "privatelink.adf.azure.us"),
    (FACTORY, PORTAL_IDS, "adf.azure.cn", "privatelink.adf.azure.cn"),
    (APP_SERVICE, SITE_IDS, "azurewebsites.net", "privatelink.azurewebsites.net"),
    (APP_SERVICE, SITE_IDS, "azurewebsites.us", "privatelink.azurewebsites.us"),
    (APP_SERVICE, SITE_IDS, "chinacloudsites.cn", "privatelink.chinacloudsites.cn"),
    (APP_CONFIGURATION, STORE_IDS, "azconfig.io", "privatelink.azconfig.io"),
    (APP_CONFIGURATION, STORE_IDS, "azconfig.azure.us", "privatelink.azconfig.azure.us"),
    (BUS, BUS_IDS, "servicebus.windows.net", "privatelink.servicebus.windows.net"),
    (BUS, BUS_IDS, "servicebus.usgovcloudapi.net", "privatelink.servicebus.usgovcloudapi.net"),
    (BUS, BUS_IDS, "servicebus.chinacloudapi.cn", "privatelink.servicebus.chinacloudapi.cn"),
    (AI, AI_IDS, "cognitiveservices.azure.com", "privatelink.cognitiveservices.azure.com"),
    (AI, AI_IDS, "cognitiveservices.azure.us", "privatelink.cognitiveservices.azure.us"),
    (AI, AI_IDS, "openai.azure.com", "privatelink.openai.azure.com"),
    (AI, AI_IDS, "services.ai.azure.com", "privatelink.services.ai.azure.com"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_the_zone_of_its_service() {
        for (host, name, private) in [
            (
                "kv.vault.azure.net",
                KEY_VAULT,
                "kv.privatelink.vaultcore.azure.net",
            ),
            (
                "kv.vault.azure.cn",
                KEY_VAULT,
                "kv.privatelink.vaultcore.azure.cn",
            ),
            (
                "hsm.managedhsm.azure.net",
                MANAGED_HSM,
                "hsm.privatelink.managedhsm.azure.net",
            ),
            (
                "a.scm.azurewebsites.net",
                APP_SERVICE,
                "a.scm.privatelink.azurewebsites.net",
            ),
            (
                "lake.z6.web.core.windows.net",
                WEB,
                "lake.z6.privatelink.web.core.windows.net",
            ),
            (
                "dce.westeurope-1.ingest.monitor.azure.com",
                MONITOR,
                "dce.westeurope-1.ingest.privatelink.monitor.azure.com",
            ),
        ] {
            let service = Service::of(host).unwrap();
            assert_eq!(service.name, name);
            assert_eq!(service.private_name(host).unwrap(), private);
        }
    }

    #[test]
    fn what_only_looks_like_a_service_is_none() {
        for host in [
            "vault.azure.net",
            ".vault.azure.net",
            "evilvault.azure.net",
            "kv.vault.azure.net.example",
            "mi.0a1b2c3d.database.windows.net",
            "pg.postgres.database.usgovcloudapi.net",
            "example.com",
        ] {
            assert_eq!(Service::of(host), None, "{host}");
        }
    }

    #[test]
    fn vaults_alone_testify() {
        for service in SERVICES {
            let is_vault = service.suffix.contains("vault") || service.suffix.contains("hsm");
            assert_eq!(service.testifies(), is_vault, "{service:?}");
        }
    }

    #[test]
    fn every_row_of_the_table_is_well_formed_and_found() {
        for service in SERVICES {
            assert!(service.zone.starts_with("privatelink."), "{service:?}");
            let host = format!("x.{}", service.suffix);
            assert_eq!(Service::of(&host), Some(service));
            assert!(service.group_ids.iter().all(|id| service.takes(id)));
            assert!(!service.takes("") && !service.takes("sites-"));
        }
        assert!(
            Service::of("a.azurewebsites.net")
                .unwrap()
                .takes("sites-green")
        );
        assert!(
            !Service::of("a.vault.azure.net")
                .unwrap()
                .takes("sites-green")
        );
    }
}
