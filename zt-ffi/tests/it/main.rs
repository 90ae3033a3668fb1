//! The C ABI as C programs meet it: the header, the exported names, and programs compiled against both libraries.

mod header;
#[cfg(target_os = "linux")]
mod linux;
