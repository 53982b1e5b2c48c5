"""Whose signature counts for an account: the registry's present key, or the owner's own where there is no other."""

import dataclasses

import pytest
from eth_account.signers.local import LocalAccount

from marginproof.model.errors import UnauthorisedError
from marginproof.model.pledges import RegistryRecord
from marginproof.verifier.credentials import check_account_credential
from tests.verifier.rig import credential
from tests.verifier.world import ACCOUNT, FILE, NOW, OWNER_KEY, STRANGER_KEY, VENUE, record_of

ROTATED = dataclasses.replace(record_of(None), key=bytes.fromhex(STRANGER_KEY.address[2:]), key_number=1)


async def checked(key: LocalAccount, record: RegistryRecord | None, requested_at: int = NOW) -> list[bytes]:
    """The accounts that the registry was asked for, the last one being the answer."""
    asked = []

    async def records(account: bytes) -> RegistryRecord | None:
        asked.append(account)
        return record

    try:
        account = await check_account_credential(
            credential("GetBook", key=key, requested_at=requested_at).message(),
            network=FILE.network,
            venue=VENUE,
            rpc="GetBook",
            now=NOW,
            clock_skew_seconds=60,
            records=records,
        )
    except UnauthorisedError:
        return [*asked, b""]
    return [*asked, account]


@pytest.mark.parametrize(
    ("key", "record", "passes"),
    [
        (OWNER_KEY, None, True),
        (OWNER_KEY, record_of(None), True),
        (OWNER_KEY, ROTATED, False),
        (STRANGER_KEY, ROTATED, True),
        (STRANGER_KEY, record_of(None), False),
        (STRANGER_KEY, None, False),
    ],
    ids=["not open", "never rotated", "the key of before", "the present key", "a stranger", "a stranger, not open"],
)
async def test_the_present_key_counts(key: LocalAccount, record: RegistryRecord | None, passes: bool) -> None:
    assert await checked(key, record) == [ACCOUNT, ACCOUNT if passes else b""]


async def test_the_registry_is_not_read_for_a_stale_request() -> None:
    assert await checked(OWNER_KEY, None, NOW - 61) == [b""]
