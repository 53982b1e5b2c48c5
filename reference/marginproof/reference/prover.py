"""Section 4: the prover, round by round, polynomial by polynomial as in the table of the document."""

from collections.abc import Callable, Sequence
from itertools import accumulate

from marginproof.reference.field import MODULUS, inverse_all, root_of_unity
from marginproof.reference.polynomial import (
    Polynomial,
    blind,
    combine,
    divide_by_linear,
    divide_by_vanishing,
    evaluate,
    interpolate,
    multiply,
    scale_argument,
)
from marginproof.reference.proof import Proof
from marginproof.reference.public_vectors import TABLE_SIZE, PublicVectors, fold_rows, table
from marginproof.reference.setting import SETUP_DIGEST, Opening, Setup
from marginproof.reference.statement import Statement
from marginproof.reference.transcript import ArgumentTranscript
from marginproof.reference.verifier import check_statement, verify
from marginproof.reference.witness import Witness, check_rows, row_values

RandomScalar = Callable[[], int]
"""Gives a fresh uniform scalar in [0, r) at every call."""

ONE: Polynomial = [1]


def prove(
    setup: Setup, statement: Statement, openings: Sequence[Opening], context: bytes, random_scalar: RandomScalar
) -> bytes:
    """A proof that every row of the statement holds for the opened vectors.

    Args:
        setup: The pinned powers of τ.
        statement: The rows.
        openings: Of all V vectors, inputs first.
        context: Everything the proof must be tied to.
        random_scalar: The source of the blinders.

    Returns:
        The proof's bytes, verified once before release.

    Raises:
        ArgumentError: As step 1 of the verifier; OPENING_COUNT, ENTRY_RANGE, ROW_NOT_SATISFIED.
    """
    check_statement(statement)
    values = row_values(statement, openings)
    check_rows(statement, values)
    witness = Witness.build(statement, openings, values)
    commitments = [opening.commitment(setup, statement.n) for opening in openings]
    vectors = [opening.polynomial(statement.n) for opening in openings]
    proof: Proof | None = None
    while proof is None:
        proof = ProverRun(setup, statement, witness, vectors, random_scalar).attempt(commitments, context)
    encoded = proof.encode()
    verify(setup, statement, commitments[: statement.inputs], context, encoded)
    return encoded


class ProverRun:
    """One attempt with fresh blinders.

    Args:
        setup: The pinned powers of τ.
        statement: Well-formed.
        witness: The values on H; nothing here checks that they satisfy the rows.
        vectors: A_k, blinded.
        random_scalar: The source of the blinders.
    """

    def __init__(
        self,
        setup: Setup,
        statement: Statement,
        witness: Witness,
        vectors: Sequence[Polynomial],
        random_scalar: RandomScalar,
    ) -> None:
        self.commit = setup.commit_polynomial
        self.statement = statement
        self.n = statement.n
        self.omega = root_of_unity(statement.n)
        self.witness = witness
        self.vectors = vectors
        self.random_scalar = random_scalar

    def hide(self, values: Sequence[int], blinders: int) -> Polynomial:
        """The polynomial with these values on H and this many blinding coefficients times Z_H."""
        return blind(interpolate(values), [self.random_scalar() for _ in range(blinders)], self.n)

    def attempt(self, commitments: Sequence[bytes], context: bytes) -> Proof | None:
        """The proof, or None if β lies in the table or z in the domain (never in practice)."""
        transcript = ArgumentTranscript(SETUP_DIGEST, self.statement.digest(), context)
        self.hide_digits()
        d_points, m_point = [self.commit(d) for d in self.d], self.commit(self.m)
        self.beta, gamma, self.alpha = transcript.lookup_round(commitments, d_points, m_point)
        if self.beta < TABLE_SIZE:
            return None

        self.public = fold_rows(self.statement, gamma)
        self.running_sum()
        phi_points = [self.commit(phi) for phi in self.phi]
        phi_t_point, acc_point = self.commit(self.phi_t), self.commit(self.acc)
        self.y = transcript.sum_round(phi_points, phi_t_point, acc_point)

        self.q = divide_by_vanishing(self.numerator(), self.n)
        q_point = self.commit(self.q)
        z = transcript.quotient_round(q_point)
        if pow(z, self.n, MODULUS) == 1:
            return None

        d_bar = [evaluate(d, z) for d in self.d]
        acc_bar = evaluate(self.acc, self.omega * z % MODULUS)
        v = transcript.evaluation_round(d_bar, acc_bar)
        return Proof(
            auxiliary=tuple(commitments[self.statement.inputs :]),
            digits=tuple(d_points),
            multiplicities=m_point,
            inverses=tuple(phi_points),
            table_inverse=phi_t_point,
            accumulator=acc_point,
            quotient=q_point,
            digit_evaluations=tuple(d_bar),
            accumulator_evaluation=acc_bar,
            opening_at_z=self.commit(self.opening_at_z(z, v, d_bar, acc_bar)),
            opening_at_next=self.commit(self.opening_at_next(z, acc_bar)),
        )

    def hide_digits(self) -> None:
        """d_j and m."""
        self.d = [self.hide(column, 2) for column in self.witness.digits]
        self.m = self.hide(self.witness.multiplicities, 2)

    def running_sum(self) -> None:
        """φ_j = 1/(β − d_j), φ_T = m/(β − t), acc = the running sum of the lookup and of the rows."""
        beta, alpha, kappa = self.beta, self.alpha, self.public.kappa(self.alpha)
        columns = [inverse_all([beta - digit for digit in column]) for column in self.witness.digits]
        table_inverses = inverse_all([beta - entry for entry in table(self.n)])
        table_column = [m * inv % MODULUS for m, inv in zip(self.witness.multiplicities, table_inverses, strict=True)]
        steps = [
            sum(column[i] for column in columns) - table_column[i] + alpha * self._row_share(i) - kappa
            for i in range(self.n)
        ]
        partial_sums = [total % MODULUS for total in accumulate(steps, initial=0)]
        self.phi = [self.hide(column, 2) for column in columns]
        self.phi_t = self.hide(table_column, 2)
        self.acc = self.hide(partial_sums[:-1], 4)

    def _row_share(self, i: int) -> int:
        """Σ_j P_j d_j − Σ_k U_k a_k at ω^i."""
        digits, vectors = self.witness.digits, self.witness.vectors
        places = sum(p[i] * d[i] for p, d in zip(self.public.places, digits, strict=True))
        weights = sum(u[i] * a[i] for u, a in zip(self.public.weights, vectors, strict=True))
        return places - weights

    def numerator(self) -> Polynomial:
        """N, which vanishes on H: lookup of every column, lookup of the table, step of the running sum."""
        public, alpha, y, c = self.public, self.alpha, self.y, self.statement.columns
        places, weights = [interpolate(p) for p in public.places], [interpolate(u) for u in public.weights]
        t = interpolate(table(self.n))
        columns = [
            (pow(y, j, MODULUS), combine((1, multiply(self._beta_minus(d), phi)), (-1, ONE)))
            for j, (d, phi) in enumerate(zip(self.d, self.phi, strict=True))
        ]
        table_lookup = combine((1, multiply(self._beta_minus(t), self.phi_t)), (-1, self.m))
        step = combine(
            (1, scale_argument(self.acc, self.omega)),
            (-1, self.acc),
            *((-1, phi) for phi in self.phi),
            (1, self.phi_t),
            *((-alpha, multiply(p, d)) for p, d in zip(places, self.d, strict=True)),
            *((alpha, multiply(u, a)) for u, a in zip(weights, self.vectors, strict=True)),
            (public.kappa(alpha), ONE),
        )
        return combine(*columns, (pow(y, c, MODULUS), table_lookup), (pow(y, c + 1, MODULUS), step))

    def _beta_minus(self, polynomial: Polynomial) -> Polynomial:
        return combine((self.beta, ONE), (-1, polynomial))

    def linearisation(self, z: int, d_bar: Sequence[int], acc_bar: int) -> Polynomial:
        """R: N with d_j(z), acc(ωz), t(z), P_j(z), U_k(z) as numbers, minus Z_H(z) · q(X)."""
        alpha, beta, y, c = self.alpha, self.beta, self.y, self.statement.columns
        p_bar, u_bar, t_bar = _at_point(self.public, self.n, z)
        y_table, y_sum = pow(y, c, MODULUS), pow(y, c + 1, MODULUS)
        digit_sum = sum(p * d for p, d in zip(p_bar, d_bar, strict=True))
        columns = [(pow(y, j, MODULUS), combine((beta - d_bar[j], phi), (-1, ONE))) for j, phi in enumerate(self.phi)]
        step = combine(
            (acc_bar + self.public.kappa(alpha) - alpha * digit_sum, ONE),
            (-1, self.acc),
            *((-1, phi) for phi in self.phi),
            (1, self.phi_t),
            *((alpha * weight, a) for weight, a in zip(u_bar, self.vectors, strict=True)),
        )
        return combine(
            *columns,
            (y_table, combine((beta - t_bar, self.phi_t), (-1, self.m))),
            (y_sum, step),
            (-(pow(z, self.n, MODULUS) - 1), self.q),
        )

    def opening_at_z(self, z: int, v: int, d_bar: Sequence[int], acc_bar: int) -> Polynomial:
        """W_z = (R + Σ_j v^{j+1} (d_j − d_j(z))) / (X − z)."""
        digits = [(pow(v, j + 1, MODULUS), combine((1, d), (-d_bar[j], ONE))) for j, d in enumerate(self.d)]
        return divide_by_linear(combine((1, self.linearisation(z, d_bar, acc_bar)), *digits), z)

    def opening_at_next(self, z: int, acc_bar: int) -> Polynomial:
        """W_ωz = (acc − acc(ωz)) / (X − ωz)."""
        return divide_by_linear(combine((1, self.acc), (-acc_bar, ONE)), self.omega * z % MODULUS)


def _at_point(public: PublicVectors, n: int, z: int) -> tuple[list[int], list[int], int]:
    """P_j(z), U_k(z), t(z) by interpolation: another way than the verifier's, so that each checks the other."""
    places = [evaluate(interpolate(p), z) for p in public.places]
    weights = [evaluate(interpolate(u), z) for u in public.weights]
    return places, weights, evaluate(interpolate(table(n)), z)
