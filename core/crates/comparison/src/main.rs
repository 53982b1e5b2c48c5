//! `make bench-core`: the argument beside `bulletproofs` (dalek) and Tari's Bulletproofs+, medians of one run.
//!
//! Usage: comparison [FILE] — prints a table; writes the figures to FILE as JSON, milliseconds unless a key says
//! otherwise.

mod ours;
mod peers;

use std::time::Instant;

use serde_json::{Map, Value, json};

const ROUNDS: usize = 31;
/// The unit in which both sides prove a batch.
const BATCH: usize = 64;

fn main() {
    let mut figures = Map::new();
    let mut put = |key: &str, value: f64| {
        eprintln!("{key:24} {value:10.3}");
        figures.insert(key.into(), json!((value * 1e4).round() / 1e4));
    };
    put("threads", 1.0);
    let example = ours::Example::new(256, 16, 96);
    let (prove, verify) = (median(|| example.prove()), median(|| example.verify()));
    put("prove", prove);
    put("prove_without_check", prove - verify);
    put("verify", verify);
    let batch = example.batch(BATCH);
    let batch64 = median(|| batch.verify()) / BATCH as f64;
    put("verify_batch64_each", batch64);
    put("proof_bytes", example.proof_bytes() as f64);
    let large = ours::Example::new(2048, 2048, 64);
    put("prove_2048x64", median(|| large.prove()));
    put("verify_2048x64", median(|| large.verify()));
    put("table_mib", ours::table_mebibytes(256));
    let dalek = peers::Dalek::new(16);
    let (dalek_prove, dalek_verify) = (median(|| dalek.prove()), median(|| dalek.verify()));
    put("dalek_prove", dalek_prove);
    put("dalek_verify", dalek_verify);
    let tari = peers::Tari::new(16, BATCH);
    let tari_batch = median(|| tari.verify_batch()) / BATCH as f64;
    put("tari_batch64_each", tari_batch);
    put("ratio_prove", dalek_prove / prove);
    put("ratio_verify", dalek_verify / verify);
    put("ratio_batch_vs_dalek", dalek_verify / batch64);
    put("ratio_batch_vs_tari", tari_batch / batch64);
    let text = serde_json::to_string_pretty(&Value::Object(figures)).expect("numbers have a text");
    match std::env::args().nth(1) {
        Some(file) => std::fs::write(&file, text + "\n").expect("the file named on the command line can be written"),
        None => println!("{text}"),
    }
}

/// Median of the milliseconds that a piece of work takes, after one run to warm up.
fn median(mut work: impl FnMut()) -> f64 {
    work();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}
