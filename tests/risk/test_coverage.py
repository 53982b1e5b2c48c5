"""A policy weighs every entry of a universe, or is refused."""

import dataclasses

import pytest

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from marginproof.risk.coverage import check_coverage, haircut
from marginproof.risk.policy import load_policy
from tests.risk import world


def without(text: str) -> str:
    assert text in world.POLICY
    return world.POLICY.replace(text, "")


OPTIONS = world.POLICY[world.POLICY.index("options:") :]


def test_the_test_policy_is_complete() -> None:
    check_coverage(world.policy(), world.universe())


def test_an_own_haircut_stands_in_place_of_the_price_points() -> None:
    policy, universe = world.policy(), world.universe()
    found = [haircut(policy, universe.entries[index]) for index in (world.ETH, world.ETH_ELSEWHERE, world.USDC)]
    assert [float(value) for value in found] == [0.1, 0.25, 0.05]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("  price:USDC: {spot_beta_pct: 0, collateral_haircut_pct: 5}\n", "no price_points.price:USDC"),
        (", collateral_haircut_pct: 10", "eip155:1/slip44:60: no haircut"),
        (OPTIONS, "ETH-C-200: no options section; ETH-P-200: no options section"),
    ],
)
def test_a_gap_is_refused(text: str, says: str) -> None:
    policy = load_policy(without(text).encode())
    with pytest.raises(ConfigurationError) as caught:
        check_coverage(policy, world.universe())
    assert caught.value.code == ReasonCode.POLICY_INCOMPLETE
    assert says in str(caught.value)


def test_only_the_first_gaps_are_listed() -> None:
    policy = load_policy(without("  price:ETH: {spot_beta_pct: 100, collateral_haircut_pct: 10}\n").encode())
    with pytest.raises(ConfigurationError, match="and 1 more") as caught:
        check_coverage(policy, world.universe())
    assert caught.value.message.count(";") == 4
    assert caught.value.fields == {"gaps": 6}


def test_a_haircut_of_an_unknown_entry_is_refused_with_the_nearest_id() -> None:
    policy = load_policy(world.POLICY.replace("eip155:10/slip44:60", "eip155:10/slip44:61").encode())
    with pytest.raises(ConfigurationError) as caught:
        check_coverage(policy, world.universe())
    assert caught.value.code == ReasonCode.POLICY_INVALID
    assert "did you mean 'eip155:10/slip44:60'?" in str(caught.value)


def test_a_long_id_is_cut_in_the_message() -> None:
    policy = load_policy(world.POLICY.replace("eip155:10/slip44:60", "e" * 900).encode())
    with pytest.raises(ConfigurationError) as caught:
        check_coverage(policy, world.universe())
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("old", "new", "index"),
    [
        ("collateral_haircut_pct: 10", "collateral_haircut_pct: 0", world.ETH),
        ("{haircut_pct: 25", "{haircut_pct: 0", world.ETH_ELSEWHERE),
    ],
)
def test_a_haircut_of_zero_is_one(old: str, new: str, index: int) -> None:
    assert old in world.POLICY
    policy, universe = load_policy(world.POLICY.replace(old, new).encode()), world.universe()
    check_coverage(policy, universe)
    assert haircut(policy, universe.entries[index]) == 0


def test_a_universe_without_options_needs_no_options_section() -> None:
    universe = world.universe()
    universe = dataclasses.replace(universe, entries=universe.entries[: world.CALL])
    check_coverage(load_policy(without(OPTIONS).encode()), universe)


def test_what_is_no_collateral_needs_no_haircut() -> None:
    universe = world.with_entry(world.universe(), world.PERP, price_point="price:BTC")
    text = world.POLICY.replace("price_points:\n", "price_points:\n  price:BTC: {spot_beta_pct: 100}\n")
    check_coverage(load_policy(text.encode()), universe)


def test_a_missing_haircut_never_counts_as_none() -> None:
    policy = load_policy(without(", collateral_haircut_pct: 10").encode())
    with pytest.raises(ConfigurationError) as caught:
        haircut(policy, world.universe().entries[world.ETH])
    assert caught.value.code == ReasonCode.POLICY_INCOMPLETE
