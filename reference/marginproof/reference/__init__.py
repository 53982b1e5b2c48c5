"""The linear-range argument, slow and readable: the executable specification of docs/protocol.md.

Each module stands beside one section of the document: `setting` (1), `statement` and `intervals` (2), `transcript` (3),
`public_vectors` and `prover` (4), `proof` (5), `verifier` (6). Arithmetic is in `field`, `polynomial` and `curve`.
It is written for reading and for tests against the core; it is not constant-time and never used at run time.
"""

from marginproof.reference.errors import ArgumentError
from marginproof.reference.prover import prove
from marginproof.reference.setting import SETUP_DIGEST, Opening, Setup
from marginproof.reference.statement import Row, Statement
from marginproof.reference.transcript import Challenges
from marginproof.reference.verifier import challenges, verify
from marginproof.reference.witness import row_values

__all__ = [
    "SETUP_DIGEST",
    "ArgumentError",
    "Challenges",
    "Opening",
    "Row",
    "Setup",
    "Statement",
    "challenges",
    "prove",
    "row_values",
    "verify",
]
