"""One mapping between our errors and gRPC statuses, in both directions (``google.rpc.ErrorInfo``, AIP-193)."""

from typing import Final

import grpc
from google.protobuf.any_pb2 import Any as PackedAny
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from marginproof.model.errors import (
    ConfigurationError,
    MalformedError,
    MarginproofError,
    NotFoundError,
    RefusedError,
    UnauthorisedError,
    UnavailableError,
)
from marginproof.model.reasons import ReasonCode

ERROR_DOMAIN: Final = "marginproof"
_FIX_KEY: Final = "fix"
_MAX_TEXT: Final = 512

_STATUS_OF_REASON: Final = {
    ReasonCode.TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ReasonCode.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ReasonCode.CONFLICT: grpc.StatusCode.ALREADY_EXISTS,
    ReasonCode.DEADLINE: grpc.StatusCode.DEADLINE_EXCEEDED,
    ReasonCode.INTERNAL: grpc.StatusCode.INTERNAL,
}
_STATUS_OF_CLASS: Final = (
    (MalformedError, grpc.StatusCode.INVALID_ARGUMENT),
    (UnauthorisedError, grpc.StatusCode.UNAUTHENTICATED),
    (NotFoundError, grpc.StatusCode.NOT_FOUND),
    (UnavailableError, grpc.StatusCode.UNAVAILABLE),
    (ConfigurationError, grpc.StatusCode.INTERNAL),
    (RefusedError, grpc.StatusCode.FAILED_PRECONDITION),
)
_CLASS_OF_STATUS: Final[dict[grpc.StatusCode, type[MarginproofError]]] = {
    grpc.StatusCode.UNAUTHENTICATED: UnauthorisedError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: UnavailableError,
    grpc.StatusCode.INVALID_ARGUMENT: MalformedError,
}


def status_code(error: MarginproofError) -> grpc.StatusCode:
    """The gRPC status code that a typed error travels as."""
    if error.code in _STATUS_OF_REASON:
        return _STATUS_OF_REASON[error.code]
    for kind, code in _STATUS_OF_CLASS:
        if isinstance(error, kind):
            return code
    return grpc.StatusCode.FAILED_PRECONDITION


def status_of(error: MarginproofError) -> status_pb2.Status:
    """The rich status with one ``ErrorInfo``: reason, domain, every public field and the way out."""
    metadata = {key: str(value) for key, value in error.fields.items()}
    if error.fix:
        metadata[_FIX_KEY] = error.fix
    packed = PackedAny()
    packed.Pack(error_details_pb2.ErrorInfo(reason=str(error.code), domain=ERROR_DOMAIN, metadata=metadata))
    number: int = status_code(error).value[0]
    return status_pb2.Status(code=number, message=error.message, details=[packed])


def error_of(failure: grpc.aio.AioRpcError, peer: str) -> MarginproofError:
    """The typed error inside a failed call; a failure without one is UNAVAILABLE, DEADLINE or INTERNAL.

    Args:
        failure: What the call raised.
        peer: How messages name the other side, such as "relayer 2".
    """
    info = _error_info(failure)
    if info is not None and info.domain == ERROR_DOMAIN and info.reason in set(ReasonCode):
        fields = dict(info.metadata)
        fix = fields.pop(_FIX_KEY, "")
        message = f"{peer}: {(failure.details() or '')[:_MAX_TEXT]}"
        return _typed(failure.code(), ReasonCode(info.reason), message, fix, fields)
    if failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return UnavailableError(f"{peer} did not answer in time", code=ReasonCode.DEADLINE, fix="try again later")
    if failure.code() is grpc.StatusCode.UNAVAILABLE:
        return UnavailableError(f"{peer} cannot be reached", fix="check that it runs and that its address is right")
    if failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return MalformedError(f"{peer}: the message is too large", code=ReasonCode.TOO_LARGE)
    return MarginproofError(ReasonCode.INTERNAL, f"{peer} answered {failure.code().name}")


def _typed(
    status: grpc.StatusCode, reason: ReasonCode, message: str, fix: str, fields: dict[str, str]
) -> MarginproofError:
    kind = _CLASS_OF_STATUS.get(status)
    if kind is None:
        return RefusedError(reason, message, fix=fix, fields=fields)
    error = kind.__new__(kind)
    MarginproofError.__init__(error, reason, message, fix=fix, fields=fields)
    return error


def _error_info(failure: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo | None:
    for key, value in failure.trailing_metadata() or ():
        if key == rpc_status.GRPC_DETAILS_METADATA_KEY and isinstance(value, bytes):
            return _parse_details(value)
    return None


def _parse_details(data: bytes) -> error_details_pb2.ErrorInfo | None:
    info = error_details_pb2.ErrorInfo()
    try:
        status = status_pb2.Status.FromString(data)
        return info if any(packed.Unpack(info) for packed in status.details) else None
    except Exception:  # the protobuf runtimes raise different classes; a peer's nonsense is no detail
        return None
