"""A small universe, policy and market that the risk tests share; every number is easy to work out by hand."""

import dataclasses
import math
from fractions import Fraction

from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe
from marginproof.risk.market import Market
from marginproof.risk.policy import Policy, load_policy

NOW = 1_584_000_000
DAY = 86_400
CHAIN, OTHER_CHAIN = "eip155:1", "eip155:10"
ETH, ETH_ELSEWHERE, USDC, CASH, DUST, PERP, CALL, PUT = range(8)
"""Indices of the entries of :func:`universe`."""

POLICY = """\
apiVersion: marginproof/policy/v1
name: test
row_unit_exponent: 14
initial_loss_factor_pct: 125
maintenance_loss_factor_pct: 100
scenarios:
  spot_shocks_pct: [-20, 0, 20]
  volatility_shocks_pct: [-25, 50]
  extreme_moves:
    - {spot_shock_pct: -60, volatility_shock_pct: 50, loss_weight_pct: 30}
price_points:
  price:ETH: {spot_beta_pct: 100, collateral_haircut_pct: 10}
  price:USDC: {spot_beta_pct: 0, collateral_haircut_pct: 5}
collateral:
  "eip155:10/slip44:60": {haircut_pct: 25}
options:
  volatility_floor_pct: 20
  volatility_shock_scales:
    - {from_days: 0, scale_pct: 200}
    - {from_days: 7, scale_pct: 100}
"""
SCENARIOS = 8
"""No move, six grid points, one extreme move."""


def policy(**replacements: str) -> Policy:
    """The test policy; ``row_unit_exponent="4"`` replaces that key's value."""
    lines = []
    for line in POLICY.splitlines():
        key = line.strip().partition(":")[0]
        lines.append(f"{line.partition(':')[0]}: {replacements[key]}" if key in replacements else line)
    return load_policy("\n".join(lines).encode())


def market(eth: str = "200", usdc: str = "1", volatility: str = "0.8", time: int = NOW) -> Market:
    """USD prices and a yearly volatility as decimal text."""
    values = {"price:ETH": eth, "price:USDC": usdc, "volatility:ETH": volatility}
    return Market(time, {point: int(Fraction(text) * 10**8) for point, text in values.items()})


def universe(n: int = 256) -> Universe:
    """Two places to hold ETH, USDC, cash in cents and in row units, a perpetual, a call and a put."""
    terms = OptionTerms(200 * 10**8, NOW + 10 * DAY, "volatility:ETH")
    collateral = EntryKind.COLLATERAL
    entries = (
        entry(ETH, f"{CHAIN}/slip44:60", collateral, 6, 10**12, "price:ETH", chain=CHAIN, decimals=18),
        entry(
            ETH_ELSEWHERE,
            f"{OTHER_CHAIN}/slip44:60",
            collateral,
            6,
            10**12,
            "price:ETH",
            chain=OTHER_CHAIN,
            decimals=18,
        ),
        entry(USDC, f"{OTHER_CHAIN}/erc20:0x{'11' * 20}", collateral, 4, 10**13, "price:USDC", chain=OTHER_CHAIN),
        entry(CASH, "USD", EntryKind.CASH, 2, 10**13),
        entry(DUST, "USD-DUST", EntryKind.CASH, 14, 10**18),
        entry(PERP, "ETH-PERP", EntryKind.PERPETUAL, 4, 10**11, "price:ETH"),
        entry(CALL, "ETH-C-200", EntryKind.CALL, 4, 10**10, "price:ETH", option=terms),
        entry(PUT, "ETH-P-200", EntryKind.PUT, 4, 10**10, "price:ETH", option=terms),
    )
    return Universe(1, 1, n, points("price:ETH", "price:USDC", "volatility:ETH"), entries).checked()


@dataclasses.dataclass(frozen=True)
class OptionTerms:
    """Strike (10^-8 USD), expiry (UTC seconds) and volatility point of an option."""

    strike: int
    expiry: int
    volatility_point: str


def points(*ids: str) -> tuple[PricePoint, ...]:
    """Price points, each with three feeds."""
    feeds = tuple(Feed(CHAIN, bytes([number]) * 20) for number in (1, 2, 3))
    kinds = {"price": PointKind.PRICE, "volatility": PointKind.VOLATILITY}
    return tuple(PricePoint(point, kinds[point.partition(":")[0]], feeds, 3, 60, 100) for point in ids)


def entry(
    index: int,
    entry_id: str,
    kind: EntryKind,
    lot_exponent: int,
    max_lots: int,
    price_point: str = "",
    *,
    chain: str = "",
    decimals: int = 0,
    option: OptionTerms | None = None,
) -> Entry:
    """An entry; collateral tokens are the chain's native coin."""
    terms = option or OptionTerms(0, 0, "")
    return Entry(
        index=index,
        id=entry_id,
        kind=kind,
        lot_exponent=lot_exponent,
        max_lots=max_lots,
        price_point=price_point,
        chain=chain,
        token=bytes(20),
        decimals=decimals,
        strike=terms.strike,
        expiry=terms.expiry,
        volatility_point=terms.volatility_point,
    )


def with_entry(original: Universe, index: int, **changes: object) -> Universe:
    """The universe with one entry changed."""
    changed = tuple(
        dataclasses.replace(item, **changes) if item.index == index else item  # type: ignore[arg-type]  # test data
        for item in original.entries
    )
    return dataclasses.replace(original, entries=changed)


def with_cash(book: dict[int, int], dollars: Fraction, *, cash: int, dust: int) -> dict[int, int]:
    """The book with ``dollars``, rounded up to 10^-14 USD, added to its entries of cents and of row units."""
    cents, units = divmod(math.ceil(dollars * 10**14), 10**12)
    return {**book, cash: book.get(cash, 0) + cents, dust: book.get(dust, 0) + units}


def fractions(*numbers: int | str) -> tuple[Fraction, ...]:
    """Exact numbers of integers and decimal text."""
    return tuple(Fraction(number) for number in numbers)
