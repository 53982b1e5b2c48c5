//! The fuzzers' corpora and random changes of them, without a fuzzer: no panic, no hang, and no more memory than the
//! length of an input allows.
//!
//! One test holds everything: it measures the heap of the whole process.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use fuzzing::{TARGETS, Target};
use peak_alloc::PeakAlloc;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const RANDOM_INPUTS: usize = 300;
const CORPUS_BYTES: u64 = 300_000;

/// Far beyond what all inputs of a target take together on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

fn fuzz_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = fuzz_directory().join("corpus").join(target.name);
    let mut files: Vec<PathBuf> = folder
        .read_dir()
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no corpus", target.name);
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Two inputs of the corpus, cut and joined, with some bytes changed.
fn random_input(corpus: &[Vec<u8>], longest: usize, rng: &mut TestRng) -> Vec<u8> {
    let mut below = |limit: usize| usize::try_from(rng.next_u32()).unwrap() % limit.max(1);
    let (first, second) = (&corpus[below(corpus.len())], &corpus[below(corpus.len())]);
    let (head, tail) = (&first[..below(first.len() + 1)], &second[below(second.len() + 1)..]);
    let mut input = [head, tail].concat();
    if below(4) == 0 {
        input.resize(below(longest), 0);
    }
    for _ in 0..below(9) {
        let at = below(input.len());
        if let Some(byte) = input.get_mut(at) {
            *byte = u8::try_from(below(256)).unwrap();
        }
    }
    input.truncate(longest);
    input
}

/// Runs the inputs and measures each. What a target makes once, at its first use, belongs to no input: one that takes
/// too much is measured again.
fn replay(target: Target, inputs: Vec<Vec<u8>>) {
    for input in &inputs {
        let allowed = target.memory + target.memory_per_byte * input.len();
        if heap_of(&target, input) > allowed {
            let taken = heap_of(&target, input);
            assert!(taken <= allowed, "{} took {taken} bytes, not {allowed}, for {input:02x?}", target.name);
        }
    }
}

fn heap_of(target: &Target, input: &[u8]) -> usize {
    HEAP.reset_peak_usage();
    let before = HEAP.current_usage();
    target.run(input);
    HEAP.peak_usage() - before
}

fn without_hanging(target: Target, inputs: Vec<Vec<u8>>) {
    let (done, waiting) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        replay(target, inputs);
        done.send(()).unwrap();
    });
    match waiting.recv_timeout(PATIENCE) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{} hangs", target.name),
        _ => worker.join().unwrap(),
    }
}

#[test]
fn corpora_and_random_changes_of_them_break_nothing() {
    for target in TARGETS {
        let corpus = corpus(&target);
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut inputs = corpus.clone();
        inputs.extend((0..RANDOM_INPUTS).map(|_| random_input(&corpus, target.longest, &mut rng)));
        without_hanging(target, inputs);
    }
}

#[test]
fn every_target_has_its_fuzzer_and_corpora_stay_small() {
    let files = |folder: &Path| -> Vec<PathBuf> {
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let stems = |folder: &str| -> Vec<String> {
        files(&fuzz_directory().join(folder))
            .iter()
            .map(|file| file.file_stem().unwrap().to_str().unwrap().into())
            .collect()
    };
    let mut names: Vec<String> = TARGETS.iter().map(|target| target.name.into()).collect();
    names.sort();
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
    let manifest = std::fs::read_to_string(fuzz_directory().join("Cargo.toml")).unwrap();
    for name in &names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no program of core/fuzz");
    }
    let corpora = names.iter().flat_map(|name| files(&fuzz_directory().join("corpus").join(name)));
    assert!(corpora.map(|file| file.metadata().unwrap().len()).sum::<u64>() <= CORPUS_BYTES);
}
