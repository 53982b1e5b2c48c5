"""The one error of the core. The compiled module raises it."""


class CoreError(Exception):
    """A refusal with a stable code.

    Attributes:
        code: UPPER_SNAKE, one of ``ERROR_CODES``.
        message: What is wrong and what to do; never a secret.
        step: The step of the verifier that refused, 1 to 8; None elsewhere.
        row: The row concerned, from 0; None where no single row is.
    """

    def __init__(self, code: str, message: str, step: int | None = None, row: int | None = None) -> None:
        super().__init__(code, message, step, row)
        self.code = code
        self.message = message
        self.step = step
        self.row = row

    def __str__(self) -> str:
        """Code, step where there is one, and message."""
        where = "" if self.step is None else f" (verifier step {self.step})"
        return f"{self.code}{where}: {self.message}"
