"""The one error of the specification: a reason code, the verifier's step, the row."""

from collections.abc import Iterator
from contextlib import contextmanager

from marginproof.model.errors import FieldValue, MarginproofError
from marginproof.model.reasons import ReasonCode


class ArgumentError(MarginproofError):
    """A statement, witness or proof was refused.

    Args:
        code: The stable reason.
        message: What was refused; public values only.
        fix: What the reader can do next.
        step: The verifier's step, 1 to 8, where one refused.
        row: The index of the row concerned, where there is one.
    """

    def __init__(
        self, code: ReasonCode, message: str, *, fix: str, step: int | None = None, row: int | None = None
    ) -> None:
        fields: dict[str, FieldValue] = {} if row is None else {"row": row}
        super().__init__(code, message, fix=fix, fields=fields)
        self.step = step
        self.row = row


@contextmanager
def verification_step(number: int) -> Iterator[None]:
    """Marks every refusal inside the block with the verifier's step."""
    try:
        yield
    except ArgumentError as error:
        error.step = number
        raise
