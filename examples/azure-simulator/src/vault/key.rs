//! A key with its versions.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::attributes::Attributes;
use super::crypto::{KeyKind, Material};
use super::refusal::Refusal;
use crate::random;

/// A key. The name is as it was first written; names compare ignoring case.
pub(crate) struct Key {
    pub(crate) name: String,
    /// Oldest first.
    pub(super) versions: Vec<KeyVersion>,
}

/// Holds a private key: there is no `Debug`.
pub(crate) struct KeyVersion {
    pub(super) version: String,
    pub(super) attributes: Attributes,
    kind: KeyKind,
    tags: Value,
    material: OnceLock<Material>,
}

impl Key {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            versions: Vec::new(),
        }
    }

    /// Adds a version, with what a body says beside the kind, and returns what names it.
    pub(super) fn add(&mut self, kind: KeyKind, body: &Value, now: i64) -> String {
        let version = random::hex();
        let mut attributes = Attributes::new(now);
        attributes.change(body.get("attributes"), now);
        let tags = body.get("tags").filter(|tags| tags.is_object());
        self.versions.push(KeyVersion {
            version: version.clone(),
            attributes,
            kind,
            tags: tags.cloned().unwrap_or_else(|| json!({})),
            material: OnceLock::new(),
        });
        version
    }

    /// The version of this name, or the latest.
    pub(super) fn version(&self, version: Option<&str>) -> Option<&KeyVersion> {
        match version {
            Some(version) => self.versions.iter().find(|own| own.version == version),
            None => self.versions.last(),
        }
    }

    pub(super) fn version_mut(&mut self, version: Option<&str>) -> Option<&mut KeyVersion> {
        match version {
            Some(version) => self.versions.iter_mut().find(|own| own.version == version),
            None => self.versions.last_mut(),
        }
    }

    /// Names of its versions, oldest first.
    pub(crate) fn version_names(&self) -> Vec<&str> {
        let all = self.versions.iter();
        all.map(|one| one.version.as_str()).collect()
    }
}

impl KeyVersion {
    pub(super) fn material(&self) -> Result<&Material, Refusal> {
        if let Some(material) = self.material.get() {
            return Ok(material);
        }
        let made = Material::make(self.kind);
        let made = made.ok_or_else(|| Refusal::new(500, "InternalServerError", "no key"))?;
        Ok(self.material.get_or_init(|| made))
    }

    /// What a list says of it.
    pub(super) fn item(&self, id: &str) -> Value {
        json!({ "kid": id, "attributes": self.attributes.json(), "tags": self.tags })
    }

    /// With the public part.
    pub(super) fn bundle(&self, id: &str) -> Result<Value, Refusal> {
        let mut key = Map::new();
        key.insert("kid".to_owned(), id.into());
        key.insert("key_ops".to_owned(), json!(self.kind.operations()));
        if let Some(Value::Object(public)) = self.material()?.public() {
            key.extend(public);
        }
        Ok(json!({ "key": key, "attributes": self.attributes.json(), "tags": self.tags }))
    }
}
