import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.prover.keys import MasterSecret, check_lock_key, new_master_secret, parse_private_key

NETWORK, OTHER_NETWORK = b"\x01" * 32, b"\x02" * 32
SECRET = b"\x42" * 32
MASTER = MasterSecret(SECRET, NETWORK)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def everything(master: MasterSecret) -> list[bytes]:
    owners = [master.owner_key(index, rotation) for index in (0, 1) for rotation in (0, 1)]
    keys = [*owners, master.lock_key(0), master.lock_key(1)]
    return [
        *(bytes(key.key) for key in keys),
        master.lock_salt(0),
        master.lock_salt(1),
        master.payee_salt(0, b"\x05" * 20),
        master.payee_salt(1, b"\x05" * 20),
        master.payee_salt(0, b"\x06" * 20),
        master.blinding_seed(1),
        master.blinding_seed(2),
        master.state_key(),
    ]


def test_derived_secrets_differ_by_use_index_network_and_master() -> None:
    sets = [
        everything(MASTER),
        everything(MasterSecret(SECRET, OTHER_NETWORK)),
        everything(MasterSecret(b"\x43" * 32, NETWORK)),
    ]
    values = [value for one in sets for value in one]
    assert len(set(values)) == len(values)
    assert all(len(value) == 32 for value in values)


def test_derivation_is_stable_for_ever() -> None:
    """Pinned: a change here would lose every account's locks."""
    pinned = {
        "owner": (MASTER.owner_key(0).address, "0x3296884012Aba055bdf6Bc91991707098B20817C"),
        "rotated": (MASTER.owner_key(0, 1).address, "0x2fF47Dd599f99EFCB8dadBE8db583cf691deFc78"),
        "lock": (MASTER.lock_key(3).address, "0x68E7b27153b991C16E5Bf9Cd41aFcbaaa27728fa"),
        "lock salt": (MASTER.lock_salt(3).hex(), "a5d2923558e487cb9f86ccdbf72a28d888cea430a489e3bc103bcb235ee5af78"),
        "seed": (MASTER.blinding_seed(1).hex(), "6948e5b165df4937143ae66597b57a42dce79083ae23247c221675aec8aeacc2"),
        "payee salt": (
            MASTER.payee_salt(2, b"\x05" * 20).hex(),
            "e4f1a0b63794033e2714f056a80cab46e7e22428c70f9229b4a108b6b3689221",
        ),
        "state": (MASTER.state_key().hex(), "1ea31dc70790052f8623dc1e311e8b6d1eeee1798e2484fd228ab360d1b5fae5"),
    }
    assert [name for name, (now, then) in pinned.items() if now != then] == []


@pytest.mark.parametrize("secret", [b"", bytes(32), b"\x01" * 31, ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_a_secret_that_no_keystore_can_hold_is_refused(secret: bytes) -> None:
    with pytest.raises(MarginproofError) as caught:
        MasterSecret(secret, NETWORK)
    assert caught.value.code is ReasonCode.INPUT_LENGTH


def test_representations_hide_the_secret() -> None:
    assert SECRET.hex() not in repr(MASTER)
    assert str(SECRET) not in repr(MASTER)
    assert "hidden" in repr(MASTER)


def test_entropy_outside_the_range_is_drawn_again() -> None:
    draws = iter([bytes(32), b"\xff" * 32, b"\x07" * 32])
    assert new_master_secret(lambda _: next(draws)) == b"\x07" * 32


def test_a_private_key_is_read_with_and_without_prefix() -> None:
    key = bytes(MASTER.owner_key(0).key).hex()
    assert parse_private_key(f"  0x{key}\n").address == parse_private_key(key).address


@given(st.text(max_size=80))
def test_any_other_text_is_no_private_key_and_is_not_quoted(text: str) -> None:
    stripped = text.strip().removeprefix("0x")
    if len(stripped) == 64 and all(sign in "0123456789abcdefABCDEF" for sign in stripped) and int(stripped, 16):
        return
    with pytest.raises(MarginproofError) as caught:
        parse_private_key(text)
    assert caught.value.code is ReasonCode.KEY_INVALID
    assert len(text) < 8 or text not in str(caught.value)


@pytest.mark.parametrize("others", [frozenset({"0xlock"}), frozenset()])
def test_a_lock_owner_is_neither_the_account_nor_another_lock(others: frozenset[str]) -> None:
    own = frozenset({"0xaccount", "0xrotated"})
    check_lock_key("0xnew", own, others)
    for reused in [*own, *others]:
        with pytest.raises(MarginproofError) as caught:
            check_lock_key(reused, own, others)
        assert caught.value.code is ReasonCode.LOCK_OWNER_REUSED
