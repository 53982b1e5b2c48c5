//! What the fuzzers run: one function over arbitrary bytes for every place where bytes of the outside enter the core,
//! and for the properties that nothing of the outside may break.
//!
//! A target panics where a property is broken; to end is all that is asked of it otherwise. `core/fuzz` gives each one
//! to libFuzzer, and the tests of this crate replay its corpus and random changes of it on every build.

#![forbid(unsafe_code)]

mod encodings;
mod engines;
mod groups;
mod mutations;
mod openings;
mod prices;
mod proofs;
mod rows;
mod signatures;
mod statements;
mod tables;

use arbitrary::Unstructured;

/// One target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name in `core/fuzz`.
    pub name: &'static str,
    run: fn(&mut Unstructured<'_>) -> arbitrary::Result<()>,
    /// What lies beyond is not read: longer inputs bring nothing new.
    pub longest: usize,
    /// Heap that any input may take.
    pub memory: usize,
    /// Heap that each byte of an input may take on top of that.
    pub memory_per_byte: usize,
}

impl Target {
    /// Runs the target; bytes that end too early for what it builds of them are no finding.
    pub fn run(&self, data: &[u8]) {
        let data = &data[..data.len().min(self.longest)];
        let _ended_early = (self.run)(&mut Unstructured::new(data));
    }

    /// The target of this name.
    ///
    /// # Panics
    /// When there is none.
    pub fn named(name: &str) -> Self {
        *TARGETS.iter().find(|target| target.name == name).expect("a name of TARGETS")
    }
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Every target.
pub const TARGETS: [Target; 10] = [
    Target { name: "encodings", run: encodings::run, longest: 256, memory: 64 * KIB, memory_per_byte: 0 },
    Target { name: "signatures", run: signatures::run, longest: 512, memory: 64 * KIB, memory_per_byte: 16 },
    Target { name: "openings", run: openings::run, longest: 512, memory: 2 * MIB, memory_per_byte: 64 },
    Target { name: "statements", run: statements::run, longest: 1024, memory: 4 * MIB, memory_per_byte: 256 },
    Target { name: "proof_bytes", run: proofs::run_bytes, longest: 2048, memory: MIB, memory_per_byte: 16 },
    Target { name: "mutated_proof", run: proofs::run_mutated, longest: 256, memory: 2 * MIB, memory_per_byte: 64 },
    Target { name: "batch", run: proofs::run_batch, longest: 512, memory: 8 * MIB, memory_per_byte: 64 },
    Target { name: "engines", run: engines::run, longest: 1024, memory: 4 * MIB, memory_per_byte: 4 * KIB },
    Target { name: "tables", run: tables::run, longest: 512, memory: 2 * MIB, memory_per_byte: 64 },
    Target { name: "prices", run: prices::run, longest: 33, memory: 4 * KIB, memory_per_byte: 0 },
];
