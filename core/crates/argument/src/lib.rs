//! The linear-range argument, v1: for committed integer vectors a₀ … and public integer rows it shows
//! `0 ≤ bₛ + Σₖ ⟨Wₛₖ, aₖ⟩ < 2^bitsₛ` for every row s, and nothing else.
//!
//! Module by module: [`setup`] holds the powers of τ and the bases made of them, [`commitment`] the openings,
//! [`statement`] the rows with their canonical form, `intervals` the proof that no row wraps around, [`verifier`] the
//! numbered procedure, [`prover`] the other side.

#![forbid(unsafe_code)]

pub mod batch;
mod claim;
pub mod commitment;
mod digit_runs;
pub mod effort;
mod error;
mod evaluation_point;
mod integer;
mod intervals;
mod lookup;
mod polynomial;
pub mod proof;
pub mod prover;
mod public_vectors;
mod quotient;
pub mod randomness;
pub mod setup;
mod sparse_rows;
pub mod statement;
pub mod table_cache;
pub mod transcript;
pub mod verifier;
mod witness;

pub use batch::{verify_batch, verify_batch_with};
pub use claim::Claim;
pub use commitment::{Opening, add_commitments, commit};
pub use effort::{Effort, Progress};
pub use error::{ArgumentError, Code};
pub use integer::Integer;
#[cfg(feature = "seeded")]
pub use prover::prove_seeded;
pub use prover::{prove, prove_with};
pub use randomness::random_blinding;
pub use setup::{SETUP_DIGEST, Setup};
pub use statement::{Row, Statement};
pub use table_cache::TableSettings;
pub use transcript::Challenges;
pub use verifier::{challenges, verify};
pub use witness::row_values;
