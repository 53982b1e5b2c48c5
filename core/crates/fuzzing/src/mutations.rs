//! Known proofs with something changed: the proof, its context, its commitments or its statement.

use std::sync::OnceLock;

use arbitrary::Unstructured;
use argument::proof::EncodedPoint;
use argument::{ArgumentError, Claim, Row, Setup, Statement, verify};
use curve::{G1_BYTES, MODULUS_BYTES, SCALAR_BYTES};
use known_answers::{Case, frozen, specified};

use crate::groups::{encoded_point, flip_bits, scalar};
use crate::rows::{integer, row};

/// A proof that more columns make slow to verify shows nothing that three do not.
const MOST_COLUMNS: usize = 3;

/// Everything that a verifier is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    n: usize,
    vectors: usize,
    inputs: usize,
    rows: Vec<Row>,
    commitments: Vec<EncodedPoint>,
    context: Vec<u8>,
    proof: Vec<u8>,
}

impl Attempt {
    fn of(case: &Case) -> Self {
        Self {
            n: case.n,
            vectors: case.vectors,
            inputs: case.inputs,
            rows: case.rows(),
            commitments: case.commitments(),
            context: case.context(),
            proof: case.proof(),
        }
    }

    pub(crate) fn statement(&self) -> Result<Statement, ArgumentError> {
        Statement::new(self.n, self.vectors, self.inputs, self.rows.clone())
    }

    pub(crate) fn claim<'a>(&'a self, statement: &'a Statement) -> Claim<'a> {
        Claim { statement, commitments: &self.commitments, context: &self.context, proof: &self.proof }
    }

    /// All steps of the verifier.
    pub(crate) fn verdict(&self) -> Result<(), ArgumentError> {
        let setup = Setup::global().expect("the setup compiled in");
        verify(setup, &self.statement()?, &self.commitments, &self.context, &self.proof)
    }

    /// Changes one thing; what comes out may happen to be what went in.
    pub(crate) fn mutate(&mut self, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        match bytes.int_in_range(0..=6_u8)? {
            0 => flip_bits(bytes, &mut self.proof),
            1 => self.replace_element(bytes),
            2 => self.splice(bytes),
            3 => change_length(bytes, &mut self.proof),
            4 => self.change_context(bytes),
            5 => self.change_commitments(bytes),
            _ => self.change_statement(bytes),
        }
    }

    /// Another point or scalar in the place of one of the proof's.
    fn replace_element(&mut self, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let elements = self.elements();
        let (at, length) = *bytes.choose(&elements)?;
        let mut other = match (length, bytes.int_in_range(0..=3_u8)?) {
            (G1_BYTES, _) => encoded_point(bytes)?.to_vec(),
            (_, 0) => MODULUS_BYTES.to_vec(),
            (_, 1) => vec![0xff; SCALAR_BYTES],
            _ => scalar(bytes)?.to_be_bytes().to_vec(),
        };
        if let Some(place) = self.proof.get_mut(at..at + length) {
            place.swap_with_slice(&mut other);
        }
        Ok(())
    }

    /// Offset and length of every element, by section 5 of the protocol; rows that no statement admits count for little.
    fn elements(&self) -> Vec<(usize, usize)> {
        let digits: usize = self.rows.iter().map(|row| row.bits as usize / 8).sum();
        let columns = digits.div_ceil(self.n).clamp(1, MOST_COLUMNS);
        let points = self.vectors.saturating_sub(self.inputs) + 2 * columns + 4;
        let lengths = [vec![G1_BYTES; points], vec![SCALAR_BYTES; columns + 1], vec![G1_BYTES; 2]].concat();
        lengths
            .iter()
            .scan(0, |at, length| {
                *at += length;
                Some((*at - length, *length))
            })
            .collect()
    }

    /// A piece of this or of another known proof over a piece of this one.
    fn splice(&mut self, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let source = if bytes.arbitrary()? { self.proof.clone() } else { bytes.choose(known())?.proof.clone() };
        let elements = self.elements();
        let ((from, length), (to, _)) = (*bytes.choose(&elements)?, *bytes.choose(&elements)?);
        let length = length * bytes.int_in_range(1..=4_usize)?;
        if let (Some(piece), Some(place)) = (source.get(from..from + length), self.proof.get_mut(to..to + length)) {
            place.copy_from_slice(piece);
        }
        Ok(())
    }

    fn change_context(&mut self, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        match bytes.int_in_range(0..=2_u8)? {
            0 => flip_bits(bytes, &mut self.context)?,
            1 => change_length(bytes, &mut self.context)?,
            _ => self.context = bytes.arbitrary()?,
        }
        Ok(())
    }

    fn change_commitments(&mut self, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let choice = bytes.int_in_range(0..=4_u8)?;
        let Some(last) = self.commitments.len().checked_sub(1) else { return Ok(()) };
        let at = bytes.int_in_range(0..=last)?;
        match choice {
            0 => self.commitments[at] = encoded_point(bytes)?,
            1 => self.commitments[at][0] ^= 0x20, // the opposite point
            2 => self.commitments.swap(0, at),
            3 => drop(self.commitments.remove(at)),
            _ => self.commitments.push(encoded_point(bytes)?),
        }
        Ok(())
    }

    fn change_statement(&mut self, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let choice = bytes.int_in_range(0..=7_u8)?;
        let Some(last) = self.rows.len().checked_sub(1) else { return Ok(()) };
        let at = bytes.int_in_range(0..=last)?;
        match choice {
            0 => self.rows[at].constant = integer(bytes)?,
            1 => self.rows[at].bits = *bytes.choose(&[8, 16, 64, 88, 96, 120, 128])?,
            2 => self.rows.swap(0, at),
            3 => drop(self.rows.remove(at)),
            4 => self.rows.insert(at, row(bytes, self.vectors)?),
            5 => self.change_weight(bytes, at)?,
            6 => self.n = *bytes.choose(&[256, 512, 1024, 2048])?,
            _ => self.inputs = bytes.int_in_range(0..=self.vectors + 1)?,
        }
        Ok(())
    }

    fn change_weight(&mut self, bytes: &mut Unstructured<'_>, row: usize) -> arbitrary::Result<()> {
        let by = i128::from(bytes.arbitrary::<i8>()?);
        let mut terms: Vec<_> = self.rows[row].weights.iter_mut().flatten().collect();
        let Some(last) = terms.len().checked_sub(1) else { return Ok(()) };
        terms[bytes.int_in_range(0..=last)?].1 += by;
        Ok(())
    }
}

fn change_length(bytes: &mut Unstructured<'_>, target: &mut Vec<u8>) -> arbitrary::Result<()> {
    if bytes.arbitrary()? {
        target.truncate(bytes.int_in_range(0..=target.len())?);
    } else {
        target.extend(bytes.arbitrary::<Vec<u8>>()?);
    }
    Ok(())
}

/// The accepted known answers of few columns.
pub(crate) fn known() -> &'static [Attempt] {
    static KNOWN: OnceLock<Vec<Attempt>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let all = specified().into_iter().chain(frozen()).filter(|case| case.valid);
        all.filter(|case| case.statement().is_ok_and(|statement| statement.columns() <= MOST_COLUMNS))
            .map(|case| Attempt::of(&case))
            .collect()
    })
}
