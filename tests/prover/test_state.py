from hypothesis import given
from hypothesis import strategies as st

from marginproof.prover.state import (
    AccountState,
    HeadroomRecord,
    LockEvent,
    LockEventKind,
    LockRecord,
    PledgeRecord,
    PolicyRecord,
    ProofRecord,
    RegistrationRecord,
    decrypt_state,
    encrypt_state,
)

KEY = b"\x01" * 32
NEW = LockRecord(0, 0, "eip155:1", b"\x33" * 20, bytes(20), 7, 0)


def test_every_part_of_a_state_survives() -> None:
    lock = NEW.after(LockEventKind.LOCKED, 7, 3)
    state = AccountState(
        network_id=b"\x02" * 32,
        index=3,
        venues=(b"\x05" * 20, b"\x06" * 20),
        endpoints={"eip155:1": ("http://a", "http://b")},
        next_key_index=2,
        locks=(lock,),
        registrations=(RegistrationRecord(1, b"signed", True),),
        proofs=(ProofRecord(b"occasion", b"presentation", 9),),
        policies=(PolicyRecord(b"\x05" * 20, b"\x07" * 32, 8),),
        key_number=2,
        pledges=(PledgeRecord(b"\x05" * 20, b"\x08" * 48, b"\x09" * 32, 12, b"opening"),),
        line_limits={"0x" + "05" * 20: 7},
        headrooms=(HeadroomRecord(b"\x05" * 20, 2, 11, -3),),
        funders=("0xA",),
        payers=("0xB",),
        restored_at=13,
    )
    assert decrypt_state(encrypt_state(state, KEY), KEY) == state


def test_two_encryptions_differ() -> None:
    state = AccountState(b"\x02" * 32, 0, (b"\x05" * 20,))
    assert encrypt_state(state, KEY) != encrypt_state(state, KEY)


def test_the_life_of_a_lock() -> None:
    assert (NEW.unfinished, NEW.live, NEW.amount) == (True, False, 0)
    locked = NEW.after(LockEventKind.LOCKED, 7, 10)
    assert (locked.unfinished, locked.live, locked.amount) == (False, True, 7)
    noticed = locked.after(LockEventKind.NOTICE_STARTED, 7, 20)
    assert (noticed.live, noticed.under_notice) == (True, True)
    gone = noticed.after(LockEventKind.WITHDRAWN, 0, 30)
    assert (gone.unfinished, gone.live, gone.amount) == (False, False, 0)


def test_a_fee_on_the_way_does_not_leave_a_lock_unfinished() -> None:
    assert not NEW.after(LockEventKind.LOCKED, 6, 10).unfinished


def test_a_change_found_later_takes_the_block_before_it() -> None:
    assert NEW.after(LockEventKind.LOCKED, 7).events[-1].block_number == 0
    assert NEW.after(LockEventKind.LOCKED, 7, 5).after(LockEventKind.ADDED, 9).events[-1].block_number == 5


@given(
    st.lists(
        st.tuples(st.sampled_from(list(LockEventKind)), st.integers(1, 5), st.integers(0, 100)), min_size=1, max_size=8
    ),
    st.integers(0, 50),
)
def test_what_counts_at_a_block_is_the_last_change_up_to_it(
    changes: list[tuple[LockEventKind, int, int]], block: int
) -> None:
    record, height, expected = NEW, 0, 0
    for kind, step, amount in changes:
        height += step
        record = record.after(kind, amount, height)
        if height <= block:
            expected = 0 if kind in (LockEventKind.NOTICE_STARTED, LockEventKind.WITHDRAWN) else amount
    assert record.amount_at(block) == expected
    assert all(isinstance(event, LockEvent) for event in record.events)


def test_representation_hides_amounts_and_ids() -> None:
    shown = repr(NEW.after(LockEventKind.LOCKED, 123_456_789, 10))
    assert "123456789" not in shown
