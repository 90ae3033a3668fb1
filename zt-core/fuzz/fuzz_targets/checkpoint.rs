#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    zt_fuzz::checkpoint(input);
});
