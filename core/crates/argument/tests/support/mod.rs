//! What the integration tests share: the known answers, a small statement, reproducible randomness.

#![allow(dead_code, reason = "every test file uses its own part")]

pub mod example;

use std::collections::BTreeMap;

use argument::proof::EncodedPoint;
use argument::{ArgumentError, Integer, Opening, Row, Statement};
use rand_core::{TryCryptoRng, TryRng};
use serde::Deserialize;

/// One case of the known answers.
#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub n: usize,
    pub vectors: usize,
    pub inputs: usize,
    pub context: String,
    rows: Vec<JsonRow>,
    pub statement_digest: Option<String>,
    #[serde(default)]
    openings: Vec<JsonOpening>,
    commitments: Vec<String>,
    pub challenges: Option<BTreeMap<String, String>>,
    proof: String,
    pub valid: bool,
}

#[derive(Deserialize)]
struct JsonRow {
    bits: u32,
    constant: String,
    weights: Vec<BTreeMap<u32, String>>,
}

#[derive(Deserialize)]
struct JsonOpening {
    values: BTreeMap<u32, String>,
    rho: String,
}

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

/// Every case.
pub fn cases() -> Vec<Case> {
    let file: File = serde_json::from_str(include_str!("../../../../vectors/linear-range.json")).unwrap();
    file.cases
}

impl Case {
    pub fn rows(&self) -> Vec<Row> {
        self.rows
            .iter()
            .map(|row| Row {
                bits: row.bits,
                constant: integer(&row.constant),
                weights: row
                    .weights
                    .iter()
                    .map(|terms| {
                        // Text keys sort as text in the file; rows want rising numbers.
                        terms.iter().map(|(index, weight)| (*index, small(weight))).collect()
                    })
                    .collect(),
            })
            .collect()
    }

    pub fn statement(&self) -> Result<Statement, ArgumentError> {
        Statement::new(self.n, self.vectors, self.inputs, self.rows())
    }

    pub fn openings(&self) -> Vec<Opening> {
        self.openings
            .iter()
            .map(|opening| {
                let entries = opening.values.iter().map(|(index, value)| (*index, integer(value)));
                Opening::new(self.n, entries, &field_bytes(&opening.rho)).unwrap()
            })
            .collect()
    }

    pub fn commitments(&self) -> Vec<EncodedPoint> {
        self.commitments.iter().map(|text| bytes(text).try_into().unwrap()).collect()
    }

    pub fn context(&self) -> Vec<u8> {
        bytes(&self.context)
    }

    pub fn proof(&self) -> Vec<u8> {
        bytes(&self.proof)
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// "0x…" to 32 bytes, big-endian.
pub fn field_bytes(text: &str) -> [u8; 32] {
    bytes(&format!("{:0>64}", text.strip_prefix("0x").unwrap())).try_into().unwrap()
}

/// "-0x…" of any size.
pub fn integer(text: &str) -> Integer {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut encoded: Vec<u8> = bytes(&format!("{:0>96}", digits.strip_prefix("0x").unwrap()));
    encoded.reverse();
    let magnitude = Integer::from_le_bytes(&encoded.try_into().unwrap());
    if !negative {
        return magnitude;
    }
    let mut carry = true;
    Integer::from_le_bytes(&magnitude.to_le_bytes().map(|byte| {
        let (sum, overflow) = (!byte).overflowing_add(u8::from(carry));
        carry = overflow;
        sum
    }))
}

fn small(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    sign * i128::from_str_radix(digits.strip_prefix("0x").unwrap(), 16).unwrap()
}

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
