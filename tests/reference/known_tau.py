"""A setup whose τ is known, for what only its destruction prevents: made-up proofs, and cheap commitments."""

from collections.abc import Sequence

from py_ecc.optimized_bls12_381.optimized_curve import multiply

from marginproof.reference import Setup
from marginproof.reference.curve import G1_GENERATOR, G2_GENERATOR, G1Point, encode_point
from marginproof.reference.field import MODULUS
from marginproof.reference.polynomial import evaluate
from marginproof.reference.setting import G1_POWERS


class KnownTau(Setup):
    """Powers of a τ that the tests know; a commitment is one multiplication.

    Args:
        tau: In [0, r), outside every domain.
    """

    def __init__(self, tau: int) -> None:
        self.tau = tau
        self.tau_g2 = multiply(G2_GENERATOR, tau)

    def powers(self, count: int) -> list[G1Point]:
        """[1]₁, [τ]₁, … [τ^(count−1)]₁."""
        return [multiply(G1_GENERATOR, pow(self.tau, i, MODULUS)) for i in range(count)]

    def commit_polynomial(self, polynomial: Sequence[int]) -> bytes:
        """[p(τ)]₁, for the degrees that the ceremony's powers reach."""
        assert len(polynomial) <= G1_POWERS
        return encode_point(multiply(G1_GENERATOR, evaluate(polynomial, self.tau)))
