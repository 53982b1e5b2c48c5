//! The known answers of `core/vectors` as typed cases; its FORMAT page says what each key holds.
//!
//! The files are part of the tree and never input of the outside, so whatever is wrong with them panics.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use argument::proof::EncodedPoint;
use argument::statement::Term;
use argument::{ArgumentError, Integer, Opening, Row, Statement};
use serde::Deserialize;

/// One case.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// Unique in its file.
    pub name: String,
    /// Length of every vector.
    pub n: usize,
    /// Inputs and auxiliary vectors together.
    pub vectors: usize,
    /// How many of them the verifier is given.
    pub inputs: usize,
    context: String,
    rows: Vec<JsonRow>,
    /// Accepted cases: 32 bytes, hexadecimal.
    pub statement_digest: Option<String>,
    #[serde(default)]
    openings: Vec<JsonOpening>,
    commitments: Vec<String>,
    /// Accepted cases: hexadecimal by transcript label.
    pub challenges: Option<BTreeMap<String, String>>,
    proof: String,
    /// Whether the verifier accepts.
    pub valid: bool,
    /// Refused cases of the project's own file: why.
    pub code: Option<String>,
    /// Refused cases of the project's own file: the number of the verifier's step.
    pub step: Option<u8>,
}

#[derive(Clone, Debug, Deserialize)]
struct JsonRow {
    bits: u32,
    constant: String,
    weights: Vec<BTreeMap<u32, String>>,
}

#[derive(Clone, Debug, Deserialize)]
struct JsonOpening {
    values: BTreeMap<u32, String>,
    rho: String,
}

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

/// The cases that came with the specification.
pub fn specified() -> Vec<Case> {
    read(include_str!("../../../vectors/linear-range.json"))
}

/// The project's own cases.
pub fn frozen() -> Vec<Case> {
    read(include_str!("../../../vectors/frozen.json"))
}

fn read(text: &str) -> Vec<Case> {
    serde_json::from_str::<File>(text).expect("a file as the FORMAT page says").cases
}

impl Case {
    /// The rows, whether they are well-formed or not.
    pub fn rows(&self) -> Vec<Row> {
        self.rows
            .iter()
            .map(|row| Row {
                bits: row.bits,
                constant: integer(&row.constant),
                weights: row.weights.iter().map(terms).collect(),
            })
            .collect()
    }

    /// The statement.
    ///
    /// # Errors
    /// As [`Statement::new`].
    pub fn statement(&self) -> Result<Statement, ArgumentError> {
        Statement::new(self.n, self.vectors, self.inputs, self.rows())
    }

    /// What the commitments hide; empty for refused cases.
    pub fn openings(&self) -> Vec<Opening> {
        self.openings
            .iter()
            .map(|opening| {
                let entries = opening.values.iter().map(|(index, value)| (*index, integer(value)));
                Opening::new(self.n, entries, &field_bytes(&opening.rho)).expect("openings of accepted cases")
            })
            .collect()
    }

    /// What the verifier is given, one for each input.
    pub fn commitments(&self) -> Vec<EncodedPoint> {
        self.commitments.iter().map(|text| bytes(text).try_into().expect("48 bytes")).collect()
    }

    /// What the proof is tied to.
    pub fn context(&self) -> Vec<u8> {
        bytes(&self.context)
    }

    /// The proof, whether it is one or not.
    pub fn proof(&self) -> Vec<u8> {
        bytes(&self.proof)
    }
}

/// Keys sort as numbers here, which is the canonical order; in the file they sort as text.
fn terms(weights: &BTreeMap<u32, String>) -> Vec<Term> {
    weights.iter().map(|(index, weight)| (*index, small(weight))).collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// "0x…" to 32 bytes, big-endian.
pub fn field_bytes(text: &str) -> [u8; 32] {
    bytes(&format!("{:0>64}", unprefixed(text))).try_into().expect("at most 32 bytes")
}

/// "0x…" or "-0x…" of at most 48 bytes.
pub fn integer(text: &str) -> Integer {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut encoded: Vec<u8> = bytes(&format!("{:0>96}", unprefixed(digits)));
    encoded.reverse();
    let magnitude = Integer::from_le_bytes(&encoded.try_into().expect("at most 48 bytes"));
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
    sign * i128::from_str_radix(unprefixed(digits), 16).expect("hexadecimal")
}

fn unprefixed(text: &str) -> &str {
    text.strip_prefix("0x").expect("integers begin with 0x")
}
