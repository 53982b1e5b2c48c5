#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::Target::named("mutated_proof").run(data));
