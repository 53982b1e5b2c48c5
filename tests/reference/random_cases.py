"""Statements of every shape with openings, drawn from a seed, and forgeries of their proofs."""

import dataclasses
import random
from collections.abc import Iterator

from marginproof import core
from marginproof.reference import ArgumentError, Opening, Row, Statement
from marginproof.reference.field import MODULUS, SCALAR_BYTES
from marginproof.reference.statement import SparseVector
from marginproof.reference.verifier import check_statement
from tests.reference.agreement import core_openings, core_statement
from tests.reference.known_answers import Case

SIZES = (256,) * 12 + (512,) * 3 + (1024, 2048)
"""Large ones seldom: the specification takes seconds for each of their commitments."""

LARGEST_ENTRY = 2**63 - 1
POINT_BYTES = 48


class Maker:
    """Draws statements, openings and forgeries.

    Args:
        seed: The same seed draws the same.
    """

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)

    def true_case(self) -> Case:
        """A statement, openings that satisfy it, and the core's proof of it."""
        statement, openings = self.true_statement()
        context = self.source.randbytes(self.source.choice((0, 1, 32, 300)))
        theirs = core_openings(statement.n, openings)
        proof = core.prove(core_statement(statement), theirs, context)
        inputs = [opening.commitment() for opening in theirs[: statement.inputs]]
        return Case("", statement, context, inputs, proof, valid=True, openings=openings)

    def true_statement(self) -> tuple[Statement, list[Opening]]:
        """A well-formed statement and openings that satisfy it; bounds that could wrap are drawn again."""
        while True:
            statement, openings = self._attempt()
            try:
                check_statement(statement)
            except ArgumentError:
                continue
            return statement, openings

    def _attempt(self) -> tuple[Statement, list[Opening]]:
        draw = self.source
        n = draw.choice(SIZES)
        vectors = draw.choice((1, 1, 2, 2, 3, 4))
        inputs = draw.randint(1, vectors)
        openings = [self._opening(n, auxiliary=number >= inputs) for number in range(vectors)]
        digits = draw.choice((1, 1, 1, 2, 3, 4, 6, 8)) * n
        rows = self._binding_rows(openings, inputs)
        while sum(row.digits for row in rows) < digits - 40 and (len(rows) < 6 or draw.random() > 0.002):
            rows.append(self._row(openings, inputs))
        return Statement(n, vectors, inputs, tuple(rows)), openings

    def _opening(self, n: int, *, auxiliary: bool) -> Opening:
        draw = self.source
        indices = draw.sample(range(n), draw.choice((1, 3, 12)))
        largest = 1000 if auxiliary else draw.choice((1, 1000, 2**40, LARGEST_ENTRY))
        values = {index: draw.choice((draw.randint(-largest, largest), largest, -largest)) for index in indices}
        return Opening(values, draw.choice((draw.randrange(1, MODULUS), 1, MODULUS - 1)))

    def _binding_rows(self, openings: list[Opening], inputs: int) -> list[Row]:
        """For every auxiliary entry a row that it alone is in, with weight 1 or -1, beside one of the inputs."""
        rows = []
        for vector in range(inputs, len(openings)):
            for index in sorted(openings[vector].values):
                weights = [dict[int, int]() for _ in openings]
                weights[vector] = {index: self.source.choice((1, -1))}
                if self.source.random() < 0.5:
                    weights[0][self.source.choice(sorted(openings[0].values))] = self._weight(2**20)
                rows.append(self._satisfied(weights, openings))
        return rows

    def _row(self, openings: list[Opening], inputs: int) -> Row:
        """Any entries that are bound: of inputs all of them, of auxiliary vectors those with a value."""
        draw, weights = self.source, []
        for vector, opening in enumerate(openings):
            indices = set(draw.choices(sorted(opening.values), k=draw.choice((0, 1, 1, 2, 5))))
            if vector < inputs and draw.random() < 0.2:
                indices.add(draw.randrange(256))
            weights.append({index: self._weight(2**20 if vector >= inputs else 2**64 - 1) for index in indices})
        return self._satisfied(weights, openings)

    def _weight(self, largest: int) -> int:
        return self.source.choice((1, -1, self.source.randint(1, largest), -self.source.randint(1, largest), largest))

    def _satisfied(self, weights: list[dict[int, int]], openings: list[Opening]) -> Row:
        """The constant puts the value where it shall be: at either end of the range, or anywhere in it."""
        bits = self.source.choice(range(8, 129, 8))
        product = sum(
            weight * opening.values.get(index, 0)
            for sparse, opening in zip(weights, openings, strict=True)
            for index, weight in sparse.items()
        )
        value = self.source.choice((0, 2**bits - 1, self.source.randrange(2**bits)))
        vectors: tuple[SparseVector, ...] = tuple(tuple(sorted(sparse.items())) for sparse in weights)
        return Row(bits, value - product, vectors)

    def faulty_statement(self, statement: Statement) -> Statement:
        """The statement with one thing changed, which often makes it ill-formed."""
        draw = self.source
        rows = list(statement.rows)
        at = draw.randrange(len(rows))
        row = rows[at]
        rows[at] = draw.choice(
            (
                dataclasses.replace(row, bits=draw.choice((0, 4, 12, 120, 136, 200))),
                dataclasses.replace(row, constant=draw.choice((2**190, -(2**190), 2**190 - 1, 0))),
                dataclasses.replace(row, weights=row.weights[1:]),
                dataclasses.replace(row, weights=self._other_weights(row, statement.n)),
            )
        )
        changed = dataclasses.replace(statement, rows=tuple(rows))
        die = draw.random()
        if die < 0.15:
            return dataclasses.replace(changed, inputs=draw.randint(0, 5))
        return dataclasses.replace(changed, n=draw.choice((0, 128, 300, 512))) if die < 0.3 else changed

    def _other_weights(self, row: Row, n: int) -> tuple[SparseVector, ...]:
        """One more weight, or another one, in one of the vectors."""
        vector = self.source.randrange(len(row.weights))
        weight = self.source.choice((0, 2, 2**64, 2**64 - 1, -(2**64)))
        changed = {**dict(row.weights[vector]), self.source.choice((0, 1, 255, 256, n)): weight}
        return (*row.weights[:vector], tuple(sorted(changed.items())), *row.weights[vector + 1 :])

    def false_openings(self, statement: Statement, openings: list[Opening]) -> list[Opening]:
        """Openings with one entry changed, within its range or out of it."""
        changed = list(openings)
        at = self.source.randrange(len(openings))
        values = dict(openings[at].values)
        by = self.source.choice((1, -1, 2**20, 2**63))
        index = self.source.choice([*values, statement.n - 1])
        values[index] = values.get(index, 0) + by
        changed[at] = Opening(values, openings[at].blinding)
        return changed

    def forgeries(self, case: Case) -> Iterator[Case]:
        """The case with its proof, its commitments, its context or a row changed; none of them was proven."""
        without = dataclasses.replace(case, valid=False, openings=[], statement_digest="", challenges={})
        yield dataclasses.replace(without, name="a bit flipped", proof=self._flipped(case.proof))
        yield dataclasses.replace(without, name="an element replaced", proof=self._replaced(case))
        others = (
            dataclasses.replace(without, name="another context", context=case.context + b"\0"),
            dataclasses.replace(without, name="another length", proof=case.proof[: self.source.randrange(400)]),
            dataclasses.replace(without, name="another commitment", inputs=[self._point(), *case.inputs[1:]]),
            dataclasses.replace(without, name="commitments left out", inputs=case.inputs[1:]),
            dataclasses.replace(without, name="another constant", statement=self._other_constant(case.statement)),
        )
        yield self.source.choice(others)

    def _flipped(self, proof: bytes) -> bytes:
        at = self.source.randrange(8 * len(proof))
        return proof[: at // 8] + bytes([proof[at // 8] ^ 1 << at % 8]) + proof[at // 8 + 1 :]

    def _replaced(self, case: Case) -> bytes:
        """One element by another that decodes."""
        points = case.statement.auxiliary + 2 * case.statement.columns + 4
        scalars = case.statement.columns + 1
        lengths = [POINT_BYTES] * points + [SCALAR_BYTES] * scalars + [POINT_BYTES] * 2
        at = self.source.randrange(len(lengths))
        start = sum(lengths[:at])
        other = self._point() if lengths[at] == POINT_BYTES else self.source.randrange(MODULUS).to_bytes(32, "big")
        return case.proof[:start] + other + case.proof[start + lengths[at] :]

    def _point(self) -> bytes:
        return core.commit(256, {0: self.source.randint(1, 1000)}, self.source.randrange(MODULUS).to_bytes(32, "big"))

    def _other_constant(self, statement: Statement) -> Statement:
        first, *rest = statement.rows
        return dataclasses.replace(statement, rows=(dataclasses.replace(first, constant=first.constant + 1), *rest))
