"""Section 4, what both sides compute from the statement: table, weights U_k, digit places P_j, κ."""

from dataclasses import dataclass

from marginproof.reference.field import MODULUS, domain, inverse, inverse_all
from marginproof.reference.statement import DIGIT_BITS, Statement

TABLE_SIZE = 1 << DIGIT_BITS
"""The lookup table holds 0 … 255."""


def table(n: int) -> list[int]:
    """t_i = i for i < 256, else 0."""
    return [i if i < TABLE_SIZE else 0 for i in range(n)]


@dataclass(frozen=True)
class PublicVectors:
    """The rows folded by powers of γ.

    Attributes:
        weights: U_k, one dense vector of length n per committed vector: Σ_s γ^s W_{s,k}.
        places: P_j, one dense vector per digit column: γ^s · 256^e where cell (j, i) holds digit e of row s, else 0.
        constant: Σ_s γ^s b_s.
    """

    weights: list[list[int]]
    places: list[list[int]]
    constant: int

    def kappa(self, alpha: int) -> int:
        """κ = α · (Σ_s γ^s b_s) / n: the constant's share of each of the n steps of the running sum."""
        return alpha * self.constant * inverse(len(self.places[0])) % MODULUS


def fold_rows(statement: Statement, gamma: int) -> PublicVectors:
    """The public vectors for a challenge γ."""
    n = statement.n
    weights = [[0] * n for _ in range(statement.vectors)]
    places = [[0] * n for _ in range(statement.columns)]
    constant, cell, power = 0, 0, 1
    for row in statement.rows:
        for vector, sparse in enumerate(row.weights):
            for index, weight in sparse:
                weights[vector][index] = (weights[vector][index] + power * weight) % MODULUS
        for digit in range(row.digits):
            places[cell // n][cell % n] = (power << DIGIT_BITS * digit) % MODULUS
            cell += 1
        constant = (constant + power * row.constant) % MODULUS
        power = power * gamma % MODULUS
    return PublicVectors(weights, places, constant)


def lagrange_values(n: int, point: int) -> list[int]:
    """L_i(point) = (point^n − 1) · ω^i / (n · (point − ω^i)); raises ZeroDivisionError for a point of H."""
    elements = domain(n)
    inverses = inverse_all([(point - element) % MODULUS for element in elements])
    scale = (pow(point, n, MODULUS) - 1) * inverse(n) % MODULUS
    return [scale * element % MODULUS * inv % MODULUS for element, inv in zip(elements, inverses, strict=True)]
