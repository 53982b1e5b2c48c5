"""Section 3: the SHA-256 transcript and the order in which it takes the proof."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from marginproof.reference.field import MODULUS, SCALAR_BYTES

PROTOCOL_LABEL = b"marginproof/linear-range/v1"


@dataclass(frozen=True)
class Challenges:
    """The verifier's seven random field elements, in the order drawn."""

    beta: int
    gamma: int
    alpha: int
    y: int
    z: int
    v: int
    u: int


class Transcript:
    """A hash chain: the state is a digest of everything absorbed so far, with labels and lengths."""

    def __init__(self) -> None:
        self.state = hashlib.sha256(PROTOCOL_LABEL).digest()

    def absorb(self, label: bytes, data: bytes) -> None:
        """The new state is SHA-256(state ‖ u8 len(label) ‖ label ‖ u64 len(data) ‖ data)."""
        framed = len(label).to_bytes(1, "big") + label + len(data).to_bytes(8, "big") + data
        self.state = hashlib.sha256(self.state + framed).digest()

    def challenge(self, label: bytes) -> int:
        """Absorbs the label, then reduces 64 bytes of hash output modulo r: bias below 2^−256."""
        self.absorb(b"challenge", label)
        wide = hashlib.sha256(self.state + b"\x00").digest() + hashlib.sha256(self.state + b"\x01").digest()
        return int.from_bytes(wide, "big") % MODULUS


class ArgumentTranscript:
    """The rounds of the argument; prover and verifier call the same methods in the same order."""

    def __init__(self, setup_digest: bytes, statement_digest: bytes, context: bytes) -> None:
        self._transcript = Transcript()
        self._transcript.absorb(b"setup", setup_digest)
        self._transcript.absorb(b"statement", statement_digest)
        self._transcript.absorb(b"context", context)

    def lookup_round(
        self, commitments: Sequence[bytes], digits: Sequence[bytes], multiplicities: bytes
    ) -> tuple[int, int, int]:
        """Takes every C_k, every d_j and m; gives β, γ, α."""
        self._absorb_all(b"commitment", commitments)
        self._absorb_all(b"d", digits)
        self._transcript.absorb(b"m", multiplicities)
        draw = self._transcript.challenge
        return draw(b"beta"), draw(b"gamma"), draw(b"alpha")

    def sum_round(self, inverses: Sequence[bytes], table_inverse: bytes, accumulator: bytes) -> int:
        """Takes every φ_j, φ_T and acc; gives y."""
        self._absorb_all(b"phi", inverses)
        self._transcript.absorb(b"phi_t", table_inverse)
        self._transcript.absorb(b"acc", accumulator)
        return self._transcript.challenge(b"y")

    def quotient_round(self, quotient: bytes) -> int:
        """Takes q; gives z."""
        self._transcript.absorb(b"q", quotient)
        return self._transcript.challenge(b"z")

    def evaluation_round(self, digit_evaluations: Sequence[int], accumulator_evaluation: int) -> int:
        """Takes every d_j(z) and acc(ωz); gives v."""
        self._absorb_all(b"d(z)", [value.to_bytes(SCALAR_BYTES, "big") for value in digit_evaluations])
        self._transcript.absorb(b"acc(wz)", accumulator_evaluation.to_bytes(SCALAR_BYTES, "big"))
        return self._transcript.challenge(b"v")

    def opening_round(self, opening_at_z: bytes, opening_at_next: bytes) -> int:
        """Takes W_z and W_ωz; gives u."""
        self._transcript.absorb(b"W_z", opening_at_z)
        self._transcript.absorb(b"W_wz", opening_at_next)
        return self._transcript.challenge(b"u")

    def _absorb_all(self, label: bytes, items: Sequence[bytes]) -> None:
        for item in items:
            self._transcript.absorb(label, item)
