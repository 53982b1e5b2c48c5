"""JSON from anywhere, read without trusting its shape."""

import json
from typing import Any, Final

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

MAX_CONTAINERS: Final = 8192
"""More arrays and objects than any honest document of ours has; far fewer than exhaust a thread's stack."""


def parse_json(data: bytes) -> Any:
    """The value of a JSON text; total.

    The standard decoder descends by recursion and relies on the interpreter's recursion limit. A library that we use
    (``py_ecc``) raises that limit so far that a deeply nested text overflows the stack and ends the process: what
    cannot be nested deeply is all that may reach the decoder.

    Args:
        data: UTF-8; the caller has bounded its length.

    Raises:
        MalformedError: MALFORMED, or TOO_LARGE for more than 8192 arrays and objects.
    """
    if data.count(b"[") + data.count(b"{") > MAX_CONTAINERS:
        raise MalformedError("the JSON text has too many arrays and objects", code=ReasonCode.TOO_LARGE)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedError("this is no JSON text") from error
