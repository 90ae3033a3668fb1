//! A secret with its versions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::attributes::Attributes;
use crate::random;

/// What a secret is set with, beside its value; by default enabled and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct SecretOptions {
    enabled: bool,
    not_before: Option<i64>,
    expires: Option<i64>,
    content_type: Option<String>,
    tags: BTreeMap<String, String>,
}

impl SecretOptions {
    /// Enabled, and nothing else.
    pub const fn new() -> Self {
        Self {
            enabled: true,
            not_before: None,
            expires: None,
            content_type: None,
            tags: BTreeMap::new(),
        }
    }

    /// Disabled from the start.
    pub const fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// Not to be used before this moment (`nbf`), in seconds since the Unix epoch. Vaults serve it all the same.
    pub const fn not_before(mut self, unix: i64) -> Self {
        self.not_before = Some(unix);
        self
    }

    /// Not to be used from this moment on (`exp`), in seconds since the Unix epoch. Vaults serve it all the same.
    pub const fn expires(mut self, unix: i64) -> Self {
        self.expires = Some(unix);
        self
    }

    /// With this content type.
    pub fn with_content_type(mut self, content_type: &str) -> Self {
        self.content_type = Some(content_type.to_owned());
        self
    }

    /// With this tag.
    pub fn with_tag(mut self, name: &str, value: &str) -> Self {
        self.tags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What the body of a request says.
    pub(crate) fn read(body: &Value) -> Self {
        let mut attributes = Attributes::new(0);
        attributes.change(body.get("attributes"), 0);
        let content_type = body.get("contentType").and_then(Value::as_str);
        Self {
            enabled: attributes.enabled,
            not_before: attributes.not_before,
            expires: attributes.expires,
            content_type: content_type.map(str::to_owned),
            tags: tags(body).unwrap_or_default(),
        }
    }
}

impl Default for SecretOptions {
    fn default() -> Self {
        Self::new()
    }
}

fn tags(body: &Value) -> Option<BTreeMap<String, String>> {
    let all = body.get("tags")?.as_object()?.iter();
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    Some(all.filter_map(text).collect())
}

/// A secret. The name is as it was first written; names compare ignoring case.
pub(crate) struct Secret {
    pub(crate) name: String,
    /// Oldest first.
    pub(super) versions: Vec<SecretVersion>,
}

/// Holds the value: there is no `Debug`.
pub(crate) struct SecretVersion {
    pub(super) version: String,
    value: String,
    pub(super) attributes: Attributes,
    content_type: Option<String>,
    tags: BTreeMap<String, String>,
}

impl Secret {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            versions: Vec::new(),
        }
    }

    /// Adds a version and returns what names it.
    pub(super) fn add(&mut self, value: &str, options: SecretOptions, now: i64) -> String {
        let version = random::hex();
        self.versions.push(SecretVersion {
            version: version.clone(),
            value: value.to_owned(),
            attributes: Attributes {
                enabled: options.enabled,
                not_before: options.not_before,
                expires: options.expires,
                ..Attributes::new(now)
            },
            content_type: options.content_type,
            tags: options.tags,
        });
        version
    }

    /// The version of this name, or the latest.
    pub(super) fn version(&self, version: Option<&str>) -> Option<&SecretVersion> {
        match version {
            Some(version) => self.versions.iter().find(|own| own.version == version),
            None => self.versions.last(),
        }
    }

    pub(super) fn version_mut(&mut self, version: Option<&str>) -> Option<&mut SecretVersion> {
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

impl SecretVersion {
    /// Changes attributes, content type and tags as a body says. A value never changes.
    pub(super) fn change(&mut self, body: &Value, now: i64) {
        self.attributes.change(body.get("attributes"), now);
        if let Some(content_type) = body.get("contentType").and_then(Value::as_str) {
            self.content_type = Some(content_type.to_owned());
        }
        if let Some(tags) = tags(body) {
            self.tags = tags;
        }
    }

    /// Everything but the value, under this id.
    pub(super) fn item(&self, id: &str) -> Map<String, Value> {
        let mut item = Map::new();
        item.insert("id".to_owned(), id.into());
        if let Some(content_type) = &self.content_type {
            item.insert("contentType".to_owned(), content_type.as_str().into());
        }
        item.insert("attributes".to_owned(), self.attributes.json());
        item.insert("tags".to_owned(), json!(self.tags));
        item
    }

    /// With the value.
    pub(super) fn bundle(&self, id: &str) -> Value {
        let mut bundle = self.item(id);
        bundle.insert("value".to_owned(), self.value.as_str().into());
        Value::Object(bundle)
    }
}
