"""JSON from anywhere, read without trusting its shape."""

from typing import Any

from pydantic_core import from_json

from marginproof.model.errors import MalformedError


def parse_json(data: bytes) -> Any:
    """The value of a JSON text; total.

    The standard library's decoder relies on the interpreter's recursion limit, which ``py_ecc`` (loaded with
    ``eth_account``) raises so far that a deeply nested text overflows the stack and ends the process. This decoder has
    a limit of its own.

    Args:
        data: UTF-8; the caller has bounded its length.

    Raises:
        MalformedError: It is none, or it is nested too deeply.
    """
    try:
        return from_json(data, allow_inf_nan=False)
    except (ValueError, RecursionError) as error:
        raise MalformedError("this is no JSON text") from error
