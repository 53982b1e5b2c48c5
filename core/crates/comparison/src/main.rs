//! The argument beside `bulletproofs` (dalek) and Tari's Bulletproofs+, medians of one run on one machine.
//!
//! Usage: `comparison figures|sweep FILE` prints tables and writes the figures to FILE as JSON, milliseconds unless a
//! key says otherwise. Figures are no tests: a missed target is named, and the exit code is 0.

mod figures;
mod interleaved;
mod machine;
mod ours;
mod parts;
mod peers;
mod report;
mod sweep;
mod targets;

use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, file] = arguments.as_slice() else { return usage() };
    match what.as_str() {
        "figures" => {
            let document = figures::measure();
            report::print_figures(&document);
            write(file, &document)
        }
        "sweep" => {
            let document = sweep::measure();
            report::print_sweep(&document);
            write(file, &document)
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: comparison figures|sweep FILE");
    ExitCode::from(2)
}

fn write(file: &str, document: &Value) -> ExitCode {
    let text = serde_json::to_string_pretty(document).expect("numbers have a text");
    match std::fs::write(file, text + "\n") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {file}: {error}");
            ExitCode::FAILURE
        }
    }
}
