//! What the integration tests share: the known answers, a small statement, reproducible randomness.

#![allow(dead_code, reason = "every test file uses its own part")]

pub mod example;

use argument::{Integer, Opening, Row};
#[allow(unused_imports, reason = "every test file uses its own part")]
pub use known_answers::{Case, field_bytes, hex, integer, specified as cases};
use rand_core::{TryCryptoRng, TryRng};

/// A row over input vectors of small integers.
pub fn row(bits: u32, constant: i128, weights: &[&[(u32, i128)]]) -> Row {
    Row { bits, constant: Integer::from(constant), weights: weights.iter().map(|terms| terms.to_vec()).collect() }
}

pub fn opening(n: usize, entries: &[(u32, i128)], rng: &mut Seeded) -> Opening {
    let blinding = curve::Scalar::random(rng).to_be_bytes();
    Opening::new(n, entries.iter().map(|(index, value)| (*index, Integer::from(*value))), &blinding).unwrap()
}

/// SplitMix64: the same numbers in every run. For tests only.
pub struct Seeded(pub u64);

impl TryRng for Seeded {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|word| word as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(word ^ (word >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.try_next_u64()?.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Seeded {}
