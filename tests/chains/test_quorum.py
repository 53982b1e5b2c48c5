"""Counting answers: the denominator is fixed, and silence is neither a vote nor a contradiction."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.chains.evm.client.quorum import (
    Answer,
    EndpointDisagreementError,
    Outcome,
    QuorumMissingError,
    agreed_value,
    pinned_height,
    required_answers,
)
from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.reasons import ReasonCode

CHAIN = "eip155:31337"
SILENT = [Outcome.TIMEOUT, Outcome.BEHIND, Outcome.CONNECTION, Outcome.REFUSED, Outcome.MALFORMED]


def answers(*values: str | Outcome) -> list[Answer]:
    """A text is an answer, an outcome is none."""
    return [
        Answer(index, value) if isinstance(value, Outcome) else Answer(index, Outcome.ANSWERED, value)
        for index, value in enumerate(values)
    ]


def agreed(*values: str | Outcome, required: int = 2) -> str:
    return agreed_value(CHAIN, "block 7", answers(*values), required)


@pytest.mark.parametrize(("endpoints", "least"), [(3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (9, 6), (10, 7)])
def test_two_thirds_rounded_up(endpoints: int, least: int) -> None:
    assert required_answers(endpoints, None, allow_development=False) == least
    assert required_answers(endpoints, endpoints, allow_development=False) == endpoints
    for wrong in (least - 1, 0, -1, endpoints + 1):
        with pytest.raises(ConfigurationError):
            required_answers(endpoints, wrong, allow_development=False)


@pytest.mark.parametrize("endpoints", [0, 1, 2])
def test_row_2_fewer_than_three_endpoints_are_no_quorum(endpoints: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        required_answers(endpoints, None, allow_development=False)
    assert caught.value.code is ReasonCode.ENDPOINT_TOO_FEW
    if not endpoints:
        with pytest.raises(ConfigurationError):
            required_answers(endpoints, None, allow_development=True)
    else:
        assert required_answers(endpoints, None, allow_development=True) == endpoints


@pytest.mark.parametrize("silent", SILENT)
def test_silence_is_no_contradiction_and_no_vote(silent: Outcome) -> None:
    assert agreed("a", "a", silent) == "a"
    with pytest.raises(QuorumMissingError) as caught:
        agreed("a", silent, silent)
    assert caught.value.code is ReasonCode.ENDPOINT_QUORUM


def test_row_1_denominator_never_shrinks() -> None:
    with pytest.raises(QuorumMissingError):
        agreed("a", Outcome.TIMEOUT, Outcome.TIMEOUT)
    with pytest.raises(QuorumMissingError):
        agreed("a", "a", "a", Outcome.TIMEOUT, Outcome.TIMEOUT, required=4)


def test_row_1_two_liars_and_a_silent_third_are_what_two_thirds_cannot_stop() -> None:
    # Documented: the default gives way here. A raised requirement does not, and neither does one honest answer.
    assert agreed("forged", "forged", Outcome.TIMEOUT) == "forged"
    with pytest.raises(QuorumMissingError):
        agreed("forged", "forged", Outcome.TIMEOUT, required=3)
    with pytest.raises(EndpointDisagreementError):
        agreed("forged", "forged", "true")


def test_one_contradiction_stops_any_majority() -> None:
    with pytest.raises(EndpointDisagreementError) as caught:
        agreed("a", "a", "a", "a", "b", required=4)
    assert caught.value.code is ReasonCode.ENDPOINT_DISAGREEMENT
    assert caught.value.fields["endpoint_4"] == "b"
    assert [answer.value for answer in caught.value.answers] == ["a", "a", "a", "a", "b"]


def test_a_malformed_answer_contradicts_with_the_hash_it_names_but_never_votes() -> None:
    named = Answer(2, Outcome.MALFORMED, "b")
    with pytest.raises(EndpointDisagreementError):
        agreed_value(CHAIN, "block 7", [*answers("a", "a"), named], 2)
    same = Answer(1, Outcome.MALFORMED, "a")
    with pytest.raises(QuorumMissingError):
        agreed_value(CHAIN, "block 7", [*answers("a"), same, Answer(2, Outcome.BEHIND)], 2)


def test_long_answers_are_cut_in_the_error() -> None:
    with pytest.raises(EndpointDisagreementError) as caught:
        agreed("a", "b" * 130_000)
    assert caught.value.fields["endpoint_1"] == "b" * 80


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", Outcome.TIMEOUT, Outcome.BEHIND]), min_size=3, max_size=9))
def test_agreement_needs_the_quorum_and_no_other_value(values: list[str | Outcome]) -> None:
    required = required_answers(len(values), None, allow_development=False)
    votes = [value for value in values if not isinstance(value, Outcome)]
    expected = len(votes) >= required and len(set(votes)) == 1
    try:
        assert agreed(*values, required=required) == votes[0]
    except MarginproofError:
        assert not expected
    else:
        assert expected


def height(*values: int | None, required: int = 2) -> int:
    heights = {index: value for index, value in enumerate(values) if value is not None}
    return pinned_height(CHAIN, "the finalized height", heights, answers(*("x" for _ in values)), required)


def test_row_5_nobody_who_answers_is_ever_behind() -> None:
    for order in itertools.permutations([100, 100, 5]):
        assert height(*order) == 5
    for order in itertools.permutations([100, 101, 10**9]):
        assert height(*order) == 100
    assert height(100, None, 5) == 5
    with pytest.raises(QuorumMissingError):
        height(100, None, None)
