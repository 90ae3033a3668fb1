//! The text of a grant: written once, read in one spelling.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Claims, GrantError, GrantKey, GrantKind, GrantPublicKey, LONGEST, Right};
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};

/// What the first version begins with.
const VERSION: &str = "ztg1";
/// The longest text, in bytes.
const MOST_BYTES: usize = 16_384;
/// The most rights, columns and outputs, each.
pub(crate) const MOST: usize = 64;

/// A signed statement: see [the module](super). Reading it proves nothing; what takes a grant verifies it.
///
/// `Debug` shows what it says, not the signature, without which it is good for nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    text: String,
    claims: Claims,
    rights: Vec<Right>,
}

impl Grant {
    /// Signs these claims.
    pub(crate) fn sign(claims: &Claims, key: &GrantKey) -> Result<Self> {
        let json = serde_json::to_vec(claims)
            .map_err(|why| Error::new(Code::Internal, "a grant is no JSON").with_source(why))?;
        let signed = format!("{VERSION}.{}", URL_SAFE_NO_PAD.encode(json));
        let signature = key.sign(signed.as_bytes())?;
        let text = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        if text.len() > MOST_BYTES {
            let message = format!("a grant has {MOST_BYTES} bytes at most, and this one is longer");
            return Err(Error::new(Code::InvalidArgument, message)
                .with_help("grant fewer rights and columns at once"));
        }
        Ok(Self::parse(&text)?)
    }

    /// Reads a text; whether it is true is not known then.
    ///
    /// # Errors
    /// [`GrantError::Malformed`] for whatever is not spelled exactly as [`as_str`](Self::as_str) writes it.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        let wrong = GrantError::Malformed;
        if text.len() > MOST_BYTES {
            return Err(wrong("it is longer than 16 KiB"));
        }
        let (version, rest) = text
            .split_once('.')
            .ok_or_else(|| wrong("it has no parts"))?;
        if version != VERSION {
            return Err(wrong("it is of another version than `ztg1`"));
        }
        let (json, signature) = rest
            .split_once('.')
            .ok_or_else(|| wrong("it has no signature"))?;
        let json = URL_SAFE_NO_PAD.decode(json).ok();
        let json = json.ok_or_else(|| wrong("its claims are no base64url"))?;
        if signature.len() != 86 || URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(wrong("its signature is not 64 bytes in base64url"));
        }
        let claims: Claims = serde_json::from_slice(&json)
            .map_err(|_| wrong("its claims are not those of this version"))?;
        let again = serde_json::to_vec(&claims).ok();
        if again.as_ref() != Some(&json) {
            return Err(wrong("its claims are spelled in another way"));
        }
        refuse_crowded(&claims)?;
        if !is_key_name(&claims.key) {
            return Err(wrong("its key has no name of a key"));
        }
        let rights = claims.rights.iter().map(|right| one_spelling(right));
        let rights = rights.collect::<Result<Vec<Right>, _>>()?;
        let text = text.to_owned();
        Ok(Self(Arc::new(Inner {
            text,
            claims,
            rights,
        })))
    }

    /// The text itself, to be handed on. Whoever has it can do what it says until it expires.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether one of these keys signed it, and it is valid at `now`. A clock may be behind the issuer's by `skew`; the end
    /// is the end.
    ///
    /// # Errors
    /// [`GrantError`] with the reason.
    pub fn verify(
        &self,
        trusted: &[GrantPublicKey],
        now: Timestamp,
        skew: Duration,
    ) -> Result<(), GrantError> {
        self.verify_signature(trusted)?;
        let claims = &self.0.claims;
        if claims.until() > claims.from().after(LONGEST) || claims.until() <= claims.from() {
            let reason = "it lasts longer than an hour, or not at all";
            return Err(GrantError::Malformed(reason));
        }
        if now.after(skew) < claims.from() {
            let from = claims.from();
            return Err(GrantError::NotYetValid { from });
        }
        if now >= claims.until() {
            let until = claims.until();
            return Err(GrantError::Expired { until });
        }
        Ok(())
    }

    /// Whether one of these keys signed it, ever.
    pub(crate) fn verify_signature(&self, trusted: &[GrantPublicKey]) -> Result<(), GrantError> {
        let name = &self.0.claims.key;
        let key = trusted.iter().find(|key| key.name() == *name);
        let key = key.ok_or_else(|| GrantError::UnknownKey { key: name.clone() })?;
        let parts = self.0.text.rsplit_once('.');
        let (signed, signature) = parts.ok_or(GrantError::Forged)?;
        let signature = URL_SAFE_NO_PAD.decode(signature);
        let signature = signature.map_err(|_| GrantError::Forged)?;
        key.verify(signed.as_bytes(), &signature)
    }

    /// Refuses a grant of the other kind.
    pub(crate) fn refuse_other_kind(&self, needed: GrantKind) -> Result<(), GrantError> {
        let found = self.0.claims.kind;
        if found == needed {
            return Ok(());
        }
        let (found, needed) = (found.as_str(), needed.as_str());
        Err(GrantError::WrongKind { found, needed })
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// SHA-256 of the text, by which an executor's statement says under which grant it worked.
    pub(crate) fn mark(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.0.text.as_bytes()))
    }

    /// The decision that allowed its issue, as the audit log names it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.claims.id
    }

    /// What it is good for.
    #[must_use]
    pub fn kind(&self) -> GrantKind {
        self.0.claims.kind
    }

    /// Who issued it: a readable id.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.claims.issuer
    }

    /// Whom it is about: a readable id.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.claims.subject
    }

    /// The job that its subject is in.
    #[must_use]
    pub fn job(&self) -> u32 {
        self.0.claims.job
    }

    /// The stage of that job, if it names one.
    #[must_use]
    pub fn stage(&self) -> Option<u32> {
        self.0.claims.stage
    }

    /// What executors may.
    #[must_use]
    pub fn rights(&self) -> &[Right] {
        &self.0.rights
    }

    /// The columns of tables that executors may use; `None` for all of them.
    #[must_use]
    pub fn columns(&self) -> Option<&[String]> {
        self.0.claims.columns.as_deref()
    }

    /// The outputs that executors can seal.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.0.claims.seals.iter().map(|seal| seal.output.as_str())
    }

    /// The columns of an output that its rule seals; `None` for an output that it cannot seal.
    #[must_use]
    pub fn sealed_columns(&self, output: &str) -> Option<&[String]> {
        let mut seals = self.0.claims.seals.iter();
        let seal = seals.find(|seal| seal.output == output);
        seal.map(|seal| seal.columns.as_slice())
    }

    /// From when on it is valid.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.0.claims.from()
    }

    /// When it ends.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.claims.until()
    }
}

/// Prints `Grant(sp:sp-score-201, job 201, stage 2, model.infer model:car_loan_scorer, until 2026-10-01T02:15:00.000Z)`.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant({}, job {}", self.subject(), self.job())?;
        if let Some(stage) = self.stage() {
            write!(f, ", stage {stage}")?;
        }
        for right in self.rights() {
            write!(f, ", {right}")?;
        }
        if let Some(columns) = self.columns() {
            write!(f, ", columns {}", columns.join(" "))?;
        }
        write!(f, ", until {})", self.expires_at())
    }
}

/// As [`GrantPublicKey::name`] writes it: nobody has signed it yet, and it is repeated to whoever presents the text.
fn is_key_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == 16 && text.bytes().all(is_letter)
}

/// A right, if it is written as rights print.
fn one_spelling(text: &str) -> Result<Right, GrantError> {
    let right: Right = text.parse()?;
    if right.to_string() == text {
        return Ok(right);
    }
    let reason = "a right is spelled in another way";
    Err(GrantError::Malformed(reason))
}

fn refuse_crowded(claims: &Claims) -> Result<(), GrantError> {
    let columns = claims.columns.as_ref().map_or(0, Vec::len);
    let most = [claims.rights.len(), columns, claims.seals.len()];
    if most.iter().any(|count| *count > MOST) {
        let reason = "it has more than 64 rights, columns or outputs";
        return Err(GrantError::Malformed(reason));
    }
    let is_empty = claims.rights.is_empty();
    match claims.kind {
        GrantKind::Stage if !is_empty || columns > 0 || !claims.seals.is_empty() => Err(
            GrantError::Malformed("a grant for a stage carries no right"),
        ),
        GrantKind::Executors if is_empty => Err(GrantError::Malformed(
            "a grant for executors carries no right",
        )),
        GrantKind::Stage | GrantKind::Executors => Ok(()),
    }
}
