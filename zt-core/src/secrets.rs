//! Secrets, the vault port and the slots.
