#![no_main]

#[path = "../../suite/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::hold("rule", bytes));
