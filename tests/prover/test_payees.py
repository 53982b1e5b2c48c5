import pytest

from marginproof.model.accounts import MAX_PAYEES, Payee, payee_holds
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.prover.keys import MasterSecret
from marginproof.prover.payees import Payees

SECRET = MasterSecret(b"\x42" * 32, b"\x01" * 32)
VENUES = [bytes([number]) * 20 for number in range(1, 6)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_venue_is_shown_under_the_root(count: int) -> None:
    payees = Payees(SECRET, VENUES[:count])
    for venue in VENUES[:count]:
        opening = payees.opening(venue)
        assert payee_holds(Payee(venue, opening.salt), opening.index, opening.branch, payees.root)


def test_a_venue_cannot_tell_how_many_there_are() -> None:
    lengths = {Payees(SECRET, VENUES[:count]).opening(VENUES[0]).branch[-1] for count in range(1, 6)}
    assert lengths == {MAX_PAYEES.to_bytes(32, "little")}


def test_places_do_not_follow_the_order_of_venues() -> None:
    payees = Payees(SECRET, VENUES)
    places = [payees.opening(venue).index for venue in VENUES]
    assert places != sorted(places)
    assert len(set(places)) == len(places)


def test_another_venue_is_refused() -> None:
    with pytest.raises(MarginproofError) as caught:
        Payees(SECRET, VENUES[:2]).opening(VENUES[3])
    assert caught.value.code is ReasonCode.VENUE_NOT_PAYEE


def test_the_filling_is_no_venue() -> None:
    with pytest.raises(MarginproofError) as caught:
        Payees(SECRET, VENUES[:2]).opening(bytes(20))
    assert caught.value.code is ReasonCode.VENUE_NOT_PAYEE


def test_representation_shows_no_salt() -> None:
    payees = Payees(SECRET, VENUES[:1])
    opening = payees.opening(VENUES[0])
    assert opening.salt.hex() not in repr(payees) + repr(opening)
