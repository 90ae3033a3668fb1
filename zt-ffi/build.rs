//! Gives the shared library its name for the linker, with the ABI version in it; cargo sets none. On Linux it stays in memory
//! when a program closes it: its threads and what it registered with the C library may still run its code.

#[expect(
    clippy::disallowed_methods,
    reason = "a build script is told by the environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libzt.so.1,-z,nodelete"),
        Ok("macos") => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libzt.1.dylib");
        }
        _ => {}
    }
}
