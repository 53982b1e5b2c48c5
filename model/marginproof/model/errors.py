"""One family of errors: every one has a stable reason code, public fields and a way out."""

from collections.abc import Mapping

from marginproof.model.reasons import ReasonCode

FieldValue = str | int | bool
"""What an error's public fields may hold: never a secret, an amount or a URL."""


class MarginproofError(Exception):
    """Something was refused or failed.

    Args:
        code: The stable reason.
        message: What happened, in one sentence, without secrets.
        fix: What the reader can do next; empty where nothing can be done.
        fields: Public variables of the message (ids, sizes, indices), also sent as gRPC metadata.
    """

    def __init__(
        self, code: ReasonCode, message: str, *, fix: str = "", fields: Mapping[str, FieldValue] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.fields: dict[str, FieldValue] = dict(fields or {})

    def __str__(self) -> str:
        way_out = f" — {self.fix}" if self.fix else ""
        return f"{self.code}: {self.message}{way_out}"


class MalformedError(MarginproofError):
    """Bytes or text that are not what they claim to be; nothing of them was used."""

    def __init__(
        self,
        message: str,
        *,
        code: ReasonCode = ReasonCode.MALFORMED,
        fix: str = "",
        fields: Mapping[str, FieldValue] | None = None,
    ) -> None:
        super().__init__(code, message, fix=fix, fields=fields)


class ConfigurationError(MarginproofError):
    """A configuration file, environment variable or installed tool is wrong or missing."""

    def __init__(
        self,
        message: str,
        *,
        code: ReasonCode = ReasonCode.CONFIG_INVALID,
        fix: str = "",
        fields: Mapping[str, FieldValue] | None = None,
    ) -> None:
        super().__init__(code, message, fix=fix, fields=fields)


class UnauthorisedError(MarginproofError):
    """The caller has not shown that it may ask for this."""

    def __init__(
        self,
        message: str,
        *,
        code: ReasonCode = ReasonCode.UNAUTHORISED,
        fix: str = "",
        fields: Mapping[str, FieldValue] | None = None,
    ) -> None:
        super().__init__(code, message, fix=fix, fields=fields)


class NotFoundError(MarginproofError):
    """What was asked for is not there (yet)."""

    def __init__(
        self,
        message: str,
        *,
        code: ReasonCode = ReasonCode.NOT_FOUND,
        fix: str = "",
        fields: Mapping[str, FieldValue] | None = None,
    ) -> None:
        super().__init__(code, message, fix=fix, fields=fields)


class UnavailableError(MarginproofError):
    """A peer, chain or price did not answer well enough; trying again later can help."""

    def __init__(
        self,
        message: str,
        *,
        code: ReasonCode = ReasonCode.UNAVAILABLE,
        fix: str = "",
        fields: Mapping[str, FieldValue] | None = None,
    ) -> None:
        super().__init__(code, message, fix=fix, fields=fields)


class RefusedError(MarginproofError):
    """A rule of the protocol forbids it; trying again unchanged never helps."""
