"""What a failed call says, from the bytes that a peer sent: always a typed error, whatever they are."""

from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as PackedAny
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from hypothesis import given
from hypothesis import strategies as st

from marginproof.client.transport.errors import ERROR_DOMAIN, error_of, status_code, status_of
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

PEER = "relayer 2"
SECRET = "0xdeadbeefsecretseed"
Status = grpc.StatusCode


def failure(status: Status, details: bytes | str | None = None, text: str | None = "text") -> grpc.aio.AioRpcError:
    """A failed call with the given rich status."""
    pairs: list[tuple[str, Any]] = [("other-bin", b"\x00")]
    if details is not None:
        pairs.append((rpc_status.GRPC_DETAILS_METADATA_KEY, details))
    return grpc.aio.AioRpcError(status, grpc.aio.Metadata(), grpc.aio.Metadata(*pairs), details=text)


def packed(info: error_details_pb2.ErrorInfo) -> bytes:
    first, second = PackedAny(), PackedAny()
    first.Pack(error_details_pb2.RetryInfo())
    second.Pack(info)
    data: bytes = status_pb2.Status(details=[first, second]).SerializeToString()
    return data


def info(reason: str = "CONFLICT", domain: str = ERROR_DOMAIN) -> bytes:
    return packed(error_details_pb2.ErrorInfo(reason=reason, domain=domain, metadata={"fix": "wait", "epoch": "7"}))


def test_reason_fields_and_way_out_are_taken_from_the_details() -> None:
    error = error_of(failure(Status.ALREADY_EXISTS, info()), PEER)
    assert type(error) is RefusedError
    assert (error.code, error.fix, error.fields) == (ReasonCode.CONFLICT, "wait", {"epoch": "7"})
    assert error.message == "relayer 2: text"


def test_a_long_text_is_cut() -> None:
    error = error_of(failure(Status.ALREADY_EXISTS, info(), "x" * 100_000), PEER)
    assert error.message == "relayer 2: " + "x" * 512
    assert error_of(failure(Status.ALREADY_EXISTS, info(), None), PEER).message == "relayer 2: "


@pytest.mark.parametrize(
    "details",
    [
        None,
        "text",
        b"",
        b"\xff\xff",
        info("NO_SUCH_REASON"),
        info(domain="googleapis.com"),
        status_pb2.Status(
            details=[PackedAny(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")]
        ).SerializeToString(),
        status_pb2.Status(details=[PackedAny(type_url="none", value=b"\x0a\x08CONFLICT")]).SerializeToString(),
    ],
)
@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (Status.DEADLINE_EXCEEDED, UnavailableError, ReasonCode.DEADLINE),
        (Status.UNAVAILABLE, UnavailableError, ReasonCode.UNAVAILABLE),
        (Status.RESOURCE_EXHAUSTED, MalformedError, ReasonCode.TOO_LARGE),
        (Status.UNKNOWN, MarginproofError, ReasonCode.INTERNAL),
        (Status.ALREADY_EXISTS, MarginproofError, ReasonCode.INTERNAL),
    ],
)
def test_without_details_of_ours_the_status_decides(
    details: bytes | str | None, status: Status, kind: type[MarginproofError], code: ReasonCode
) -> None:
    error = error_of(failure(status, details, SECRET), PEER)
    assert type(error) is kind
    assert error.code is code
    assert error.message.startswith(PEER)
    assert SECRET not in str(error)


@given(st.binary(max_size=200), st.sampled_from(Status))
def test_any_details_give_a_typed_error(details: bytes, status: Status) -> None:
    assert isinstance(error_of(failure(status, details), PEER), MarginproofError)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MalformedError("x"), Status.INVALID_ARGUMENT),
        (UnauthorisedError("x"), Status.UNAUTHENTICATED),
        (NotFoundError("x"), Status.NOT_FOUND),
        (UnavailableError("x"), Status.UNAVAILABLE),
        (ConfigurationError("x"), Status.INTERNAL),
        (RefusedError(ReasonCode.PROOF_INVALID, "x"), Status.FAILED_PRECONDITION),
        (MarginproofError(ReasonCode.PROOF_INVALID, "x"), Status.FAILED_PRECONDITION),
        (MalformedError("x", code=ReasonCode.TOO_LARGE), Status.RESOURCE_EXHAUSTED),
        (RefusedError(ReasonCode.RATE_LIMITED, "x"), Status.RESOURCE_EXHAUSTED),
        (RefusedError(ReasonCode.CONFLICT, "x"), Status.ALREADY_EXISTS),
        (UnavailableError("x", code=ReasonCode.DEADLINE), Status.DEADLINE_EXCEEDED),
        (MarginproofError(ReasonCode.INTERNAL, "x"), Status.INTERNAL),
    ],
)
def test_each_error_has_its_status(error: MarginproofError, status: Status) -> None:
    assert status_code(error) is status
    assert status_of(error).code == status.value[0]


def test_a_way_out_is_sent_where_there_is_one() -> None:
    sent = error_details_pb2.ErrorInfo()
    for fix, expected in (("wait", {"fix": "wait", "size": "9"}), ("", {"size": "9"})):
        status_of(MalformedError("x", fix=fix, fields={"size": 9})).details[0].Unpack(sent)
        assert dict(sent.metadata) == expected
