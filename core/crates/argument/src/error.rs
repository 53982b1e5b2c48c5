//! One error type with stable codes.

use std::fmt;

use curve::{PointError, ScalarRangeError};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why something was refused. The text of a code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// Sizes of a statement: n, vectors, inputs, rows, bits, indices, columns.
    StatementShape = "STATEMENT_SHAPE",
    /// Indices that do not rise strictly, or a weight of zero.
    StatementNotCanonical = "STATEMENT_NOT_CANONICAL",
    /// A weight of 2^64 or more.
    StatementWeightRange = "STATEMENT_WEIGHT_RANGE",
    /// A constant of 2^190 or more.
    StatementConstantRange = "STATEMENT_CONSTANT_RANGE",
    /// An auxiliary entry that no row binds.
    StatementUnboundAuxiliary = "STATEMENT_UNBOUND_AUXILIARY",
    /// A row that could wrap around modulo r.
    StatementWrap = "STATEMENT_WRAP",
    /// Not one commitment per input, or an empty list of commitments.
    CommitmentCount = "COMMITMENT_COUNT",
    /// Bytes that are not the canonical encoding of a point on the curve.
    PointEncoding = "POINT_ENCODING",
    /// A point outside the subgroup of order r.
    PointNotInSubgroup = "POINT_NOT_IN_SUBGROUP",
    /// The point at infinity.
    PointAtInfinity = "POINT_AT_INFINITY",
    /// A scalar that is r or more.
    ScalarRange = "SCALAR_RANGE",
    /// A proof of another length than the statement fixes.
    ProofLength = "PROOF_LENGTH",
    /// A challenge that lies in the domain.
    ChallengeInDomain = "CHALLENGE_IN_DOMAIN",
    /// The pairing equation does not hold.
    ProofInvalid = "PROOF_INVALID",
    /// An entry outside the range of its vector.
    EntryRange = "ENTRY_RANGE",
    /// Not one opening per vector, or an opening of another length.
    OpeningCount = "OPENING_COUNT",
    /// The statement is false for these openings.
    RowNotSatisfied = "ROW_NOT_SATISFIED",
    /// Whoever hears of a call's progress ended it.
    Cancelled = "CANCELLED",
    /// The setup compiled in is not the pinned one.
    SetupDigestMismatch = "SETUP_DIGEST_MISMATCH",
    /// The operating system gave no random bytes.
    RandomnessUnavailable = "RANDOMNESS_UNAVAILABLE",
}

/// A refusal: a stable code, a message that says what to do, and where it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentError {
    /// The stable code.
    pub code: Code,
    /// What is wrong and what to do; never a secret.
    pub message: String,
    /// The step of the verifier that refused, 1 to 8.
    pub step: Option<u8>,
    /// The row concerned, from 0.
    pub row: Option<usize>,
}

impl ArgumentError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), step: None, row: None }
    }

    pub(crate) fn in_row(code: Code, row: usize, message: impl fmt::Display) -> Self {
        Self { code, message: format!("row {row}: {message}"), step: None, row: Some(row) }
    }

    pub(crate) fn at_step(self, step: u8) -> Self {
        Self { step: Some(step), ..self }
    }
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for ArgumentError {}

impl From<PointError> for ArgumentError {
    fn from(error: PointError) -> Self {
        match error {
            PointError::Encoding => {
                Self::new(Code::PointEncoding, "not the compressed encoding of a point; send the bytes unchanged")
            }
            PointError::NotInSubgroup => {
                Self::new(Code::PointNotInSubgroup, "a point lies outside the subgroup of order r; use points of G1")
            }
            PointError::Infinity => {
                Self::new(Code::PointAtInfinity, "a point is infinity; commit with fresh random blindings")
            }
        }
    }
}

impl From<ScalarRangeError> for ArgumentError {
    fn from(_: ScalarRangeError) -> Self {
        Self::new(Code::ScalarRange, "a scalar is not below the order r; encode it reduced")
    }
}
