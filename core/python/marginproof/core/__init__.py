"""The cryptographic core: commitments, the linear-range argument, BLS signatures, deterministic option prices.

Everything here is Rust behind a small typed face. Functions that take longer than a few microseconds release the
interpreter lock; every object is immutable and may be shared between threads. Refusals are :class:`CoreError`.

``prove`` and ``verify_batch`` use at most ``threads`` threads: by default one, but all of the machine's for n ≥ 1024
and for batches of 32 claims or more. Results do not depend on it. ``progress(done, total)`` hears of every step, not
always from the calling thread; what it raises ends the call and is raised again.
"""

from marginproof.core._errors import CoreError
from marginproof.core._native import (
    ERROR_CODES,
    FIELD_MODULUS,
    SETUP_DIGEST,
    Claim,
    Opening,
    Row,
    SigningKey,
    Statement,
    __version__,
    add_blindings,
    add_commitments,
    aggregate_signatures,
    black76_price,
    challenges,
    commit,
    normal_cdf,
    prove,
    random_blinding,
    reduce_blinding,
    verify,
    verify_aggregate,
    verify_batch,
    verify_possession,
    verify_signature,
)

__all__ = [
    "ERROR_CODES",
    "FIELD_MODULUS",
    "SETUP_DIGEST",
    "Claim",
    "CoreError",
    "Opening",
    "Row",
    "SigningKey",
    "Statement",
    "__version__",
    "add_blindings",
    "add_commitments",
    "aggregate_signatures",
    "black76_price",
    "challenges",
    "commit",
    "normal_cdf",
    "prove",
    "random_blinding",
    "reduce_blinding",
    "verify",
    "verify_aggregate",
    "verify_batch",
    "verify_possession",
    "verify_signature",
]
