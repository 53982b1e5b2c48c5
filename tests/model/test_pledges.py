"""Pledges: the digest that every change advances, and what the registry's record says of an account."""

import hashlib

import pytest
from eth_account.messages import encode_typed_data

from marginproof.model import typed_data
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MalformedError
from marginproof.model.pledges import (
    MAX_PLEDGES,
    NO_COMMITMENT,
    NO_DIGEST,
    NO_KEY,
    Book,
    PledgeOpening,
    PledgeStep,
    RegistryRecord,
    StandingPledge,
    VectorValue,
    next_digest,
)

A, B, C = (bytes([number]) * 20 for number in (1, 2, 3))
COMMITMENT = bytes(range(48))
NETWORK, ACCOUNT = b"n" * 32, b"a" * 32
IDENTITY = AccountIdentity("eip155:1", b"r" * 20, b"o" * 20, 0)


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def test_the_digest_is_four_leaves_that_a_contract_can_hash() -> None:
    previous, version = b"\x07" * 32, 0x0102
    commitment = sha(COMMITMENT[:32], COMMITMENT[32:] + bytes(16))
    expected = sha(sha(previous, A + bytes(12)), sha(commitment, version.to_bytes(32, "little")))
    assert next_digest(previous, A, COMMITMENT, version) == expected
    assert next_digest(previous, A) == next_digest(previous, A, NO_COMMITMENT, 0)


def test_every_part_of_a_change_moves_the_digest() -> None:
    base = next_digest(NO_DIGEST, A, COMMITMENT, 1)
    others = {
        next_digest(base, A, COMMITMENT, 1),
        next_digest(NO_DIGEST, B, COMMITMENT, 1),
        next_digest(NO_DIGEST, A, NO_COMMITMENT, 1),
        next_digest(NO_DIGEST, A, COMMITMENT, 2),
        next_digest(NO_DIGEST, A),
    }
    assert len(others) == 5
    assert base not in others


def record(*pledges: StandingPledge, key: bytes = NO_KEY) -> RegistryRecord:
    return RegistryRecord(ACCOUNT, NO_DIGEST, key, 0, pledges)


def test_a_record_tells_own_and_other_pledges_apart() -> None:
    pledges = [StandingPledge(venue, COMMITMENT, version, 0) for venue, version in ((A, 3), (B, 1), (C, 2))]
    found = record(*pledges)
    assert found.pledge_of(B) == pledges[1]
    assert found.pledge_of(b"\x09" * 20) is None
    assert found.others(A, 0) == (pledges[1], pledges[2])
    assert found.others(A, 2) == (pledges[2],), "pledges of universes that are no longer compatible have lapsed"
    assert RegistryRecord.decode(found.encode()) == found


def test_a_record_has_a_largest_number_of_pledges() -> None:
    pledges = [StandingPledge(bytes([number]) * 20, COMMITMENT, 0, 0) for number in range(MAX_PLEDGES + 1)]
    with pytest.raises(MalformedError):
        record(*pledges).encode()


def test_who_signs_for_an_account() -> None:
    assert record().signer(IDENTITY) == IDENTITY.owner
    assert record(key=b"k" * 20).signer(IDENTITY) == b"k" * 20


def test_openings_and_books_show_no_position() -> None:
    values = (VectorValue(2, -987654321), VectorValue(3, 11))
    book = Book(A, ACCOUNT, bytes(32), 5, values)
    opening = PledgeOpening(A, ACCOUNT, bytes(32), 1, 5, 777, 1, 9, values, b"\x5a" * 32, COMMITMENT)
    assert book.vector() == opening.vector() == {2: -987654321, 3: 11}
    for text in (repr(book), repr(opening)):
        assert "987654321" not in text
        assert "5a5a" not in text
        assert "777" not in text
    assert PledgeOpening.decode(opening.encode()) == opening


def test_every_message_of_a_pledge_is_for_one_purpose_and_one_network() -> None:
    """Wallets and the contract hash the same; no signature stands for another message."""
    step = PledgeStep(NO_DIGEST, A, COMMITMENT, 1)
    messages = [
        typed_data.authorise_message(NETWORK, ACCOUNT, A, 0),
        typed_data.revoke_message(NETWORK, ACCOUNT, A, 0),
        typed_data.authorise_message(NETWORK, ACCOUNT, A, 1),
        typed_data.authorise_message(NETWORK, ACCOUNT, B, 0),
        typed_data.authorise_message(b"m" * 32, ACCOUNT, A, 0),
        typed_data.pledge_message(NETWORK, ACCOUNT, step),
        typed_data.pledge_message(NETWORK, ACCOUNT, PledgeStep(NO_DIGEST, A, NO_COMMITMENT, 1)),
        typed_data.rotation_message(NETWORK, ACCOUNT, A, 0),
        typed_data.rotation_message(NETWORK, ACCOUNT, A, 1),
    ]
    hashes = set()
    for message in messages:
        signable = encode_typed_data(full_message=message)
        hashes.add((signable.header, signable.body))
    assert len(hashes) == len(messages)
    assert messages[5]["message"]["root"] == next_digest(NO_DIGEST, A, COMMITMENT, 1)
