"""Which transactions go out: places, replacements, gaps, and what the fee cap allows."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from marginproof.chains.evm.transactions.posting import Fees
from marginproof.verifier.swap_plan import (
    Attempt,
    Head,
    Plan,
    Post,
    Resend,
    SwapRules,
    first_fees,
    foreign_nonces,
    live_orders,
    placed_orders,
    plan,
    raised_fees,
)
from marginproof.verifier.swaps import PendingOrder
from tests.verifier.test_swaps import SWAP

GWEI = 10**9
SUGGESTED = Fees(20 * GWEI, 2 * GWEI)
RULES = SwapRules(window=4, stuck_seconds=30, fee_cap=100 * GWEI)
NOW = 1_000


def orders(*numbers: int) -> list[PendingOrder]:
    return [PendingOrder(number, SWAP) for number in numbers]


def attempt(
    nonce: int, order: int | None, fees: Fees = SUGGESTED, *, made_at: int = NOW, height: int = 50, tag: int = 0
) -> Attempt:
    return Attempt(nonce, order, fees, 100_000, bytes([nonce, tag]) * 16, b"raw", made_at, height)


def head(mined: int = 7, pending: int = 100, base_fee: int = 9 * GWEI, height: int = 60) -> Head:
    return Head(height, mined, pending, base_fee, SUGGESTED)


def planned(
    numbers: list[int],
    attempts: list[Attempt],
    *,
    ready: list[int] | None = None,
    displaced: tuple[int, ...] = (),
    outbid: tuple[bytes, ...] = (),
    at: Head | None = None,
    now: int = NOW,
    rules: SwapRules = RULES,
) -> Plan:
    return plan(
        orders(*numbers),
        attempts,
        ready=numbers if ready is None else ready,
        displaced=displaced,
        outbid=outbid,
        head=at or head(),
        now=now,
        rules=rules,
    )


def test_orders_take_nonces_in_a_row_as_far_as_the_window_goes() -> None:
    found = planned([1, 2, 3, 4, 5, 6], [])
    assert found.steps == tuple(Post(7 + place, 1 + place, SUGGESTED) for place in range(4))


def test_an_order_that_would_be_refused_takes_no_nonce() -> None:
    assert planned([1, 2], [], ready=[2]).steps == (Post(7, 2, SUGGESTED),)


def test_an_order_with_a_place_takes_no_other() -> None:
    assert planned([1, 2], [attempt(7, 1)]).steps == (Post(8, 2, SUGGESTED),)


def test_what_is_mined_stays_in_its_place_until_it_is_final() -> None:
    assert planned([1], [attempt(6, 1)]).steps == ()


def test_a_displaced_order_takes_a_new_place() -> None:
    assert planned([1], [attempt(6, 1)], displaced=(1,)).steps == (Post(7, 1, SUGGESTED),)


def test_a_transaction_that_some_endpoint_has_not_is_sent_again() -> None:
    first, second = attempt(7, 1), attempt(8, 2)
    assert planned([1, 2], [first, second], at=head(pending=8)).steps == (Resend(second),)
    assert planned([1, 2], [first, second], at=head(pending=7)).steps == (Resend(first), Resend(second))
    assert planned([1, 2], [first, second], at=head(pending=9)).steps == ()


def test_after_a_reorganisation_that_unmines_it_a_transaction_is_sent_again() -> None:
    only = attempt(6, 1)
    assert planned([1], [only], at=head(mined=6, pending=6)).steps == (Resend(only),)


def test_a_stuck_transaction_is_replaced_by_a_better_offer() -> None:
    stuck = attempt(7, 1)
    late = NOW + RULES.stuck_seconds
    assert planned([1], [stuck], now=late - 1).steps == ()
    assert planned([1], [stuck], now=late, at=head(height=51)).steps == ()  # the chain hardly moved
    (step,) = planned([1], [stuck], now=late, at=head(height=52)).steps
    assert step == Post(7, 1, Fees(22_600_000_000, 2_260_000_000))


def test_what_waits_behind_another_is_replaced_only_if_no_block_could_take_it() -> None:
    late = NOW + RULES.stuck_seconds
    both = [attempt(7, 1, made_at=late), attempt(8, 2)]
    assert planned([1, 2], both, now=late).steps == ()
    (step,) = planned([1, 2], both, now=late, at=head(base_fee=21 * GWEI)).steps
    assert isinstance(step, Post)
    assert (step.nonce, step.order) == (8, 2)


def test_an_offer_that_an_endpoint_refused_as_too_low_is_raised_at_once() -> None:
    low = attempt(7, 1)
    (step,) = planned([1], [low], outbid=(low.hash,)).steps
    assert step == Post(7, 1, Fees(22_600_000_000, 2_260_000_000))


def test_a_replacement_beats_every_earlier_offer_at_its_nonce() -> None:
    dear = attempt(7, 1, Fees(40 * GWEI, 8 * GWEI))
    cheap = attempt(7, 2, Fees(21 * GWEI, 3 * GWEI), tag=1)
    (step,) = planned([2], [dear, cheap], outbid=(cheap.hash,)).steps
    assert step == Post(7, 2, Fees(45_200_000_000, 9_040_000_000))


def test_at_the_cap_it_waits_and_says_so() -> None:
    dear = attempt(7, 1, Fees(95 * GWEI, 2 * GWEI))
    late = NOW + RULES.stuck_seconds
    assert planned([1], [dear], now=late) == Plan((), (7,))
    assert planned([1], [dear], now=late, at=head(pending=7)) == Plan((Resend(dear),), (7,))


def test_an_offer_below_the_base_fee_is_made_and_said() -> None:
    found = planned([1], [], at=head(base_fee=200 * GWEI), rules=dataclasses.replace(RULES, fee_cap=10 * GWEI))
    assert found == Plan((Post(7, 1, Fees(10 * GWEI, 2 * GWEI)),), (7,))


def test_a_settled_orders_nonce_goes_to_the_next_order() -> None:
    left = attempt(7, 1)
    (step,) = planned([2], [left]).steps
    assert step == Post(7, 2, Fees(22_600_000_000, 2_260_000_000))


def test_a_settled_orders_nonce_is_used_up_where_others_wait_behind_it() -> None:
    left, behind = attempt(7, 1), attempt(8, 2)
    (step,) = planned([2], [left, behind]).steps
    assert step == Post(7, None, Fees(22_600_000_000, 2_260_000_000))


def test_a_settled_orders_nonce_is_left_alone_where_nobody_needs_it() -> None:
    assert planned([], [attempt(7, 1)], at=head(pending=7)).steps == ()


def test_a_settled_orders_dear_transaction_is_sent_again_where_the_cap_forbids_another() -> None:
    left, behind = attempt(7, 1, Fees(95 * GWEI, GWEI)), attempt(8, 2)
    assert planned([2], [left, behind], at=head(pending=7)) == Plan((Resend(left), Resend(behind)), (7,))


def test_a_gap_is_filled_by_the_next_order_or_used_up() -> None:
    behind = attempt(9, 1)
    assert planned([1, 2], [behind]).steps == (Post(7, 2, SUGGESTED), Post(8, None, SUGGESTED))


def test_a_transaction_that_only_uses_its_nonce_up_is_kept_going() -> None:
    filler, behind = attempt(7, None), attempt(8, 2)
    assert planned([2], [filler, behind], at=head(pending=7)).steps == (Resend(filler), Resend(behind))


def test_places_are_those_of_the_newest_transactions() -> None:
    made = [attempt(5, 1), attempt(6, 2), attempt(5, 3, tag=1), attempt(7, 2)]
    assert placed_orders(orders(1, 2, 3), made) == {2: 7, 3: 5}


def test_an_order_is_live_while_any_nonce_may_still_carry_it() -> None:
    made = [attempt(5, 1), attempt(6, 2), attempt(6, None, tag=1)]
    assert live_orders(made, 5) == {1, 2}
    assert live_orders(made, 6) == {2}
    assert live_orders(made, 7) == frozenset()


def test_nonces_that_others_used_are_found() -> None:
    assert foreign_nonces([attempt(5, 1)], None, 9) == ()
    assert foreign_nonces([attempt(5, 1)], 4, 7) == (4, 6)


FEES = st.builds(lambda tip, rest: Fees(tip + rest, tip), st.integers(0, 100 * GWEI), st.integers(0, 100 * GWEI))


@given(FEES, FEES, st.integers(1, 300 * GWEI))
def test_offers_keep_within_the_cap_and_rise_enough(previous: Fees, suggested: Fees, cap: int) -> None:
    first = first_fees(suggested, cap)
    assert 0 <= first.tip <= first.most <= cap
    raised = raised_fees(previous, suggested, cap)
    if raised is None:
        assert previous.bumped(13).most > cap
        return
    assert raised.tip <= raised.most <= cap
    assert 1_000 * raised.most >= 1_130 * previous.most
    assert 1_000 * raised.tip >= 1_130 * previous.tip
    assert raised.most > previous.most
    assert raised.tip > previous.tip
