"""Policy files: what is read, what is refused, and what the refusal says."""

import hashlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.model.errors import ConfigurationError, NotFoundError
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.risk.packaged import packaged_policies, packaged_policy
from marginproof.risk.policy import MAX_POLICY_BYTES, NO_MOVE, load_policy
from marginproof.risk.policy_file import known_keys
from tests.conftest import ROOT
from tests.risk import world

GRID = "spot_shocks_pct: [-20, 0, 20]\n  volatility_shocks_pct: [-25, 50]"
MANY = str(list(range(20)))
EXTREME = "{spot_shock_pct: -81, volatility_shock_pct: 50, loss_weight_pct: 100"
"""Four fifths of the price, times the initial loss factor, is more than all of it."""


def test_reads_every_key_exactly() -> None:
    policy = world.policy()
    assert policy.name == "test"
    assert policy.row_unit_exponent == 14
    assert policy.loss_factors == {Purpose.INITIAL: Fraction(5, 4), Purpose.MAINTENANCE: Fraction(1)}
    assert policy.price_points["price:ETH"].spot_beta == 1
    assert policy.price_points["price:USDC"].haircut == Fraction(1, 20)
    assert policy.entry_haircuts == {"eip155:10/slip44:60": Fraction(1, 4)}
    assert policy.options is not None
    assert policy.options.volatility_floor == Fraction(1, 5)
    assert policy.options.shock_scales == ((0, Fraction(2)), (7, Fraction(1)))
    assert policy.full_recognition == frozenset()


def test_reads_the_venues_that_may_count_in_full() -> None:
    """In any letter case; a list that is empty or left out names none."""
    listed = recognising(f'"0x{"aB" * 20}"', f"'0x{'01' * 20}'")
    assert load_policy(listed).full_recognition == {b"\xab" * 20, b"\x01" * 20}
    for empty in ("recognition: {full: []}", "recognition: {}"):
        assert load_policy(f"{world.POLICY}{empty}\n".encode()).full_recognition == frozenset()


def recognising(*venues: str) -> bytes:
    """The test policy with a list of venues, as YAML."""
    return f"{world.POLICY}recognition:\n  full: [{', '.join(venues)}]\n".encode()


def addresses(count: int) -> list[str]:
    return [f'"0x{number:040x}"' for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (recognising("0x" + "ab" * 20), "is no plain number or text"),
        (recognising("5"), "recognition.full.0: must be an address in quotation marks"),
        (recognising('"0x' + "ab" * 19 + '"'), "is no address; write 0x and 40 hexadecimal digits"),
        (recognising(*addresses(1), f'"{"ab" * 20}"'), "recognition.full.1: "),
        (recognising(f'"0x{"ab" * 20}"', f'"0x{"AB" * 20}"'), "recognition.full: a venue is there twice"),
        (recognising(*addresses(17)), "recognition.full: List should have at most 16 items"),
        (recognising().replace(b"full", b"ful"), "did you mean 'full'?"),
        (recognising().replace(b"recognition", b"recognitoin"), "did you mean 'recognition'?"),
        (world.POLICY.encode() + b"recognition:\n", "recognition: must be a mapping"),
    ],
)
def test_a_list_of_venues_that_is_none_is_named_with_its_place(data: bytes, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_policy(data)
    assert caught.value.code == ReasonCode.POLICY_INVALID
    assert says in str(caught.value)
    last = len(world.POLICY.splitlines())
    assert caught.value.fields["line"] in (last + 1, last + 2)


def test_as_many_venues_as_a_snapshot_can_name() -> None:
    assert len(load_policy(recognising(*addresses(16))).full_recognition) == 16


def test_scenarios_are_no_move_the_grid_and_the_extremes() -> None:
    scenarios = world.policy().scenarios
    assert scenarios[0] is NO_MOVE
    assert [(s.spot_shock, s.volatility_shock) for s in scenarios[1:7]] == [
        (Fraction(spot, 100), Fraction(volatility, 100)) for spot in (-20, 0, 20) for volatility in (-25, 50)
    ]
    assert [s.loss_weight for s in scenarios] == [0, 1, 1, 1, 1, 1, 1, Fraction(3, 10)]
    assert scenarios[1].label == "spot -20%, volatility -25%"
    assert scenarios[7].label == "extreme: spot -60%, volatility +50%, 30% of the loss"


def test_the_unmoved_grid_point_is_not_there_twice() -> None:
    policy = world.policy(volatility_shocks_pct="[0, 50]")
    assert len(policy.scenarios) == world.SCENARIOS - 1


def test_decimals_are_exact() -> None:
    assert world.policy(initial_loss_factor_pct="112.3").loss_factors[Purpose.INITIAL] == Fraction(1123, 1000)
    assert world.policy(spot_shocks_pct="[-0.1, 0]").scenarios[1].label == "spot -0.1%, volatility -25%"


def test_the_digest_is_of_the_bytes() -> None:
    policy = world.policy()
    assert policy.digest == hashlib.sha256(policy.source).digest()
    assert load_policy(policy.source + b"# a remark\n").digest != policy.digest


@pytest.mark.parametrize(("days", "scale"), [(-1, 2), (0, 2), (7 - 1 / world.DAY, 2), (7, 1), (400, 1)])
def test_volatility_shocks_scale_with_the_days_left(days: float, scale: int) -> None:
    rule = world.policy().options
    assert rule is not None
    assert rule.shock_scale(round(days * world.DAY)) == scale


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("initial_loss_factor_pct", "initial_loss_facter_pct", "line 4, initial_loss_facter_pct: this key is unknown"),
        ("haircut_pct: 25", "hair_cut_pct: 25", "did you mean 'haircut_pct'?"),
        ("name: test", "name: test\nzzzz: 1", "known keys: apiVersion"),
        ("name: test\n", "", "name: Field required"),
        ("name: test", "name: Test policy", "name: String should match"),
        ("policy/v1", "policy/v2", "apiVersion: Input should be 'marginproof/policy/v1'"),
        ("exponent: 14", "exponent: 1", "greater than or equal to 2"),
        ("exponent: 14", "exponent: 19", "less than or equal to 18"),
        ("exponent: 14", "exponent: 14.0", "valid integer"),
        ("exponent: 14", "exponent: true", "valid integer"),
        ("factor_pct: 125", "factor_pct: 99", "must be at least the maintenance level"),
        ("factor_pct: 125", "factor_pct: 1001", "must lie between 1 and 1000"),
        ("factor_pct: 125", "factor_pct: yes", "must be a number"),
        ("factor_pct: 125", "factor_pct: '125'", "must be a number"),
        ("factor_pct: 125", "factor_pct: .inf", "is no plain number"),
        ("factor_pct: 125", "factor_pct: 125.12345", "more than 4 decimal places"),
        ("[-20, 0, 20]", "[-100, 0, 20]", "scenarios.spot_shocks_pct.0: must lie between -99 and 1000"),
        ("[-20, 0, 20]", "[]", "at least 1 item"),
        ("[-20, 0, 20]", "20", "valid list"),
        ("[-20, 0, 20]", "[-20, 20, -20]", "is there twice"),
        ("[-20, 0, 20]", str(list(range(-32, 33))), "at most 64 items"),
        (GRID, GRID.replace("[-20, 0, 20]", MANY).replace("[-25, 50]", MANY), "at most 256"),
        ("weight_pct: 30", "weight_pct: 101", "must lie between 0 and 100"),
        ("haircut_pct: 5}", "haircut_pct: 101}", "must lie between 0 and 100"),
        ("haircut_pct: 5}", "haircut_pct: -1}", "must lie between 0 and 100"),
        ("from_days: 0", "from_days: 1", "from_days must begin at 0 and rise"),
        ("from_days: 7", "from_days: 0", "from_days must begin at 0 and rise"),
        ("price:ETH: {spot_beta_pct: 100", "price:ETH: {spot_beta_pct: 170", "falls by all it has"),
        ("{spot_shock_pct: -60, volatility_shock_pct: 50, loss_weight_pct: 30", EXTREME, "falls by all it has"),
        ("name: test", "name: test\nname: other", "line 3: the key 'name' is there twice"),
        ("name: test", "name: &label test\nother: *label", "aliases are not allowed"),
        ("name: test", "1: test", "every key must be text"),
        ("name: test", "name: !!binary dGVzdA==", "is no plain number or text"),
        ("name: test", "name: 2020-03-12", "is no plain number or text"),
        ("scenarios:", "scenarios: [", "line 8"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(old: str, new: str, says: str) -> None:
    assert old in world.POLICY
    with pytest.raises(ConfigurationError) as caught:
        load_policy(world.POLICY.replace(old, new).encode())
    assert caught.value.code == ReasonCode.POLICY_INVALID
    assert says in str(caught.value)
    assert isinstance(caught.value.fields["line"], int)


NO_NUMBER = b'name: "\\UFFFFFFFF"'


@pytest.mark.parametrize("data", [NO_NUMBER, b'"\\U7FFFFFFF"', b"%YAML " + b"9" * 5_000 + b".1\n--- 1"])
def test_numbers_that_the_yaml_library_cannot_read_are_no_crash(data: bytes) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_policy(data)
    assert caught.value.code == ReasonCode.POLICY_INVALID


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- "])
def test_deep_nesting_is_given_up_early(opening: bytes) -> None:
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        load_policy((opening * MAX_POLICY_BYTES)[:MAX_POLICY_BYTES])


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 5_000, b"text", b"[1]", b"{a: b", b"--- 1\n--- 2", b"\0"])
def test_what_is_no_policy_at_all(data: bytes) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_policy(data)
    assert caught.value.code == ReasonCode.POLICY_INVALID


def test_a_large_file_is_not_looked_at() -> None:
    load_policy(world.POLICY.encode().ljust(MAX_POLICY_BYTES, b"\n"))
    with pytest.raises(ConfigurationError) as caught:
        load_policy(world.POLICY.encode().ljust(MAX_POLICY_BYTES + 1, b"\n"))
    assert caught.value.code == ReasonCode.TOO_LARGE


def test_a_long_key_is_cut_in_the_message() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_policy(f"{world.POLICY}? {'k' * 9_000}\n: 1\n".encode())
    assert "this key is unknown" in caught.value.message
    assert len(caught.value.message) < 400


@given(st.binary(max_size=200))
def test_any_bytes_give_a_policy_or_a_typed_error(data: bytes) -> None:
    with pytest.raises(ConfigurationError):
        load_policy(data)


@given(st.integers(0, len(world.POLICY) - 1), st.sampled_from(list(' :-{}[]"\n#&*!%9a')))
def test_any_changed_character_gives_a_policy_or_a_typed_error(position: int, character: str) -> None:
    text = world.POLICY[:position] + character + world.POLICY[position + 1 :]
    try:
        load_policy(text.encode())
    except ConfigurationError as error:
        assert error.code == ReasonCode.POLICY_INVALID


def test_every_packaged_policy_loads() -> None:
    assert "standard" in packaged_policies()
    for name in packaged_policies():
        assert load_policy(packaged_policy(name)).name == name
    with pytest.raises(NotFoundError, match="standard"):
        packaged_policy("../secret")


def test_the_standard_policy_makes_a_proof_of_one_column() -> None:
    """17 rows of 12 digits stay below n = 256, so its proofs have 448 bytes."""
    assert len(load_policy(packaged_policy()).scenarios) * 12 <= 256


def test_every_key_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "policy.md").read_text()
    assert [key for key in sorted(known_keys()) if key not in reference] == []
    assert "haircut_pct" in known_keys()
