"""Limits of a policy file, each at the last value that is allowed and the first that is not."""

import hashlib

import pytest

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from marginproof.risk.policy import MAX_SCENARIOS, load_policy
from tests.risk import world

EXTREME = "{spot_shock_pct: -60, volatility_shock_pct: 50, loss_weight_pct: 30}"
SPOTS, VOLATILITIES = "[-20, 0, 20]", "[-25, 50]"
SCALES = """\
    - {from_days: 0, scale_pct: 200}
    - {from_days: 7, scale_pct: 100}
"""
POINTS = world.POLICY[world.POLICY.index("price_points:") : world.POLICY.index("collateral:")]
ETH_MOVES = "price:ETH: {spot_beta_pct: 100"


def changed(*replacements: tuple[str, str]) -> str:
    """The test policy with texts replaced, each of which stands in it."""
    text = world.POLICY
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return text


def scales(count: int) -> str:
    return "".join(f"    - {{from_days: {day}, scale_pct: 100}}\n" for day in range(count))


def extremes(count: int) -> str:
    return "\n    - ".join(EXTREME.replace("-60", f"-{shock / 2:.1f}") for shock in range(1, count + 1))


def grid(spots: int, volatilities: int) -> tuple[tuple[str, str], tuple[str, str]]:
    return (SPOTS, str(list(range(spots)))), (VOLATILITIES, str(list(range(volatilities))))


ALLOWED: dict[str, tuple[tuple[str, str], ...]] = {
    "initial as maintenance": (("factor_pct: 125", "factor_pct: 100"),),
    "lowest factors": (("factor_pct: 125", "factor_pct: 1"), ("factor_pct: 100", "factor_pct: 1")),
    "largest factor": ((EXTREME, EXTREME.replace("-60", "-1")), (SPOTS, "[-1]"), ("pct: 125", "pct: 1000")),
    "lowest shock": ((EXTREME, EXTREME.replace("-60", "-99")),),
    "largest shock": ((SPOTS, "[-20, 1000]"),),
    "no beta": ((ETH_MOVES, "price:ETH: {spot_beta_pct: 0"),),
    "largest beta": (
        ("price:USDC: {spot_beta_pct: 0", "price:USDC: {spot_beta_pct: 1000"),
        (SPOTS, "[1, 2]"),
        (EXTREME, EXTREME.replace("-60", "3")),
    ),
    "no haircut": (("haircut_pct: 5}", "haircut_pct: 0}"),),
    "whole haircut": (("haircut_pct: 5}", "haircut_pct: 100}"),),
    "four decimals": (("factor_pct: 125", "factor_pct: 125.1234"),),
    "largest unit": (("exponent: 14", "exponent: 2"),),
    "smallest unit": (("exponent: 14", "exponent: 18"),),
    "longest name": (("name: test", f"name: {'n' * 64}"),),
    "64 spot shocks": (*grid(64, 3),),
    "64 volatility shocks": (*grid(3, 64),),
    "64 extreme moves": ((EXTREME, extremes(64)),),
    "64 volatility scales": ((SCALES, scales(64)),),
    "latest scale": (("from_days: 7", "from_days: 36500"),),
    "all scenarios": (*grid(15, 17),),
    "collateral that may count for nothing": ((EXTREME, EXTREME.replace("-60", "-80").replace("30", "100")),),
}
REFUSED: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "no factor": ("between 1 and 1000", (("maintenance_loss_factor_pct: 100", "maintenance_loss_factor_pct: 0"),)),
    "factor": ("between 1 and 1000", (("factor_pct: 125", "factor_pct: 1000.0001"),)),
    "shock": ("between -99 and 1000", ((SPOTS, "[-20, 1000.0001]"),)),
    "whole shock": ("between -99 and 1000", ((VOLATILITIES, "[-100]"),)),
    "negative beta": ("between 0 and 1000", ((ETH_MOVES, "price:ETH: {spot_beta_pct: -1"),)),
    "beta": ("between 0 and 1000", ((ETH_MOVES, "price:ETH: {spot_beta_pct: 1001"),)),
    "five decimals": ("4 decimal places", (("factor_pct: 125", "factor_pct: 125.00001"),)),
    "empty name": ("name: String should match", (("name: test", 'name: ""'),)),
    "name that begins with a hyphen": ("name: String should match", (("name: test", 'name: "-test"'),)),
    "name of two lines": ("name: String should match", (("name: test", r'name: "test\n"'),)),
    "long name": ("at most 64 characters", (("name: test", f"name: {'n' * 65}"),)),
    "volatility shocks": ("at most 64 items", (*grid(3, 65),)),
    "no volatility shock": ("at least 1 item", ((VOLATILITIES, "[]"),)),
    "extreme moves": ("at most 64 items", ((EXTREME, extremes(65)),)),
    "volatility scales": ("at most 64 items", ((SCALES, scales(65)),)),
    "no volatility scale": ("at least 1 item", ((f"scales:\n{SCALES}", "scales: []\n"),)),
    "negative days": ("greater than or equal to 0", (("from_days: 0", "from_days: -1"),)),
    "days": ("less than or equal to 36500", (("from_days: 7", "from_days: 36501"),)),
    "scenarios": ("257 scenarios, at most 256", ((SPOTS, str(list(range(16)))), (VOLATILITIES, str(list(range(16)))))),
    "no price point": ("at least 1 item", ((POINTS, "price_points: {}\n"),)),
    "price points left out": ("price_points: Field required", ((POINTS, ""),)),
    "a price of zero": ("falls by all it has", ((ETH_MOVES, "price:ETH: {spot_beta_pct: 200"), ("-60", "-50"))),
    "octal number": ("'017' is no plain number", (("exponent: 14", "exponent: 017"),)),
    "hexadecimal number": ("'0xe' is no plain number", (("exponent: 14", "exponent: 0xe"),)),
    "number in groups": ("'1_4' is no plain number", (("exponent: 14", "exponent: 1_4"),)),
    "binary number": ("'0b111' is no plain number", (("exponent: 14", "exponent: 0b111"),)),
    "number of minutes": ("'1:30' is no plain number", (("exponent: 14", "exponent: 1:30"),)),
    "decimal without its zero": ("'.5' is no plain number", (("factor_pct: 125", "factor_pct: .5"),)),
    "key that is a list called text": ("every key must be text", (("name: test", "name: test\n? !!str [a]\n: 1"),)),
}


@pytest.mark.parametrize("replacements", ALLOWED.values(), ids=ALLOWED.keys())
def test_the_last_value_allowed(replacements: tuple[tuple[str, str], ...]) -> None:
    load_policy(changed(*replacements).encode())


@pytest.mark.parametrize(("says", "replacements"), REFUSED.values(), ids=REFUSED.keys())
def test_the_first_value_refused(says: str, replacements: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_policy(changed(*replacements).encode())
    assert caught.value.code == ReasonCode.POLICY_INVALID
    assert says in str(caught.value)


def test_all_scenarios_are_there() -> None:
    policy = load_policy(changed(*ALLOWED["all scenarios"]).encode())
    assert len(policy.scenarios) == MAX_SCENARIOS
    assert policy.scenarios[0].label == "no move"


def test_the_digest_is_of_the_last_byte_too() -> None:
    data = b"\n" + world.POLICY.encode() + b"\n\n"
    assert load_policy(data).digest == hashlib.sha256(data).digest()
