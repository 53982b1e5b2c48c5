"""An account and its market, as PMRM_2 sees them: one coin with its perpetual and options, and collateral beside."""

import dataclasses
from typing import Final

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

SECONDS_PER_YEAR: Final = 365 * 86_400
MAX_NUMBER: Final = 1e15
"""Of prices and amounts: far beyond any market, and well inside what doubles and the pricing core can hold."""
MAX_SECONDS: Final = 100 * SECONDS_PER_YEAR
MAX_VOLATILITY: Final = 1e6
MAX_RATE: Final = 100.0


@dataclasses.dataclass(frozen=True, slots=True)
class Collateral:
    """``amount`` ≥ 0 units at ``price`` USD. A risk-cancelling one moves with the spot price, as a wrapped coin does.

    Of its value ``maintenance_haircut`` is charged for both levels and ``initial_haircut`` for the initial one on top.
    """

    name: str
    amount: float
    price: float
    confidence: float
    is_risk_cancelling: bool
    initial_haircut: float
    maintenance_haircut: float


@dataclasses.dataclass(frozen=True, slots=True)
class Perpetual:
    """Signed units at a mark price; what is not yet paid in cash is ``unsettled`` (profit and funding) in USD."""

    amount: float = 0.0
    price: float = 0.0
    confidence: float = 1.0
    unsettled: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class OptionPosition:
    """Signed units of a European option; ``volatility`` per √year as a ratio."""

    seconds_to_expiry: int
    strike: float
    is_call: bool
    amount: float
    volatility: float


@dataclasses.dataclass(frozen=True, slots=True)
class ExpiryFeed:
    """What the market says about an expiry; ``rate`` per year, continuously compounded."""

    seconds_to_expiry: int
    forward: float
    forward_confidence: float
    rate: float
    rate_confidence: float
    volatility_confidence: float

    @property
    def years(self) -> float:
        """Time to expiry."""
        return self.seconds_to_expiry / SECONDS_PER_YEAR

    @property
    def confidence(self) -> float:
        """The least of the feeds of this expiry."""
        return min(self.forward_confidence, self.rate_confidence, self.volatility_confidence)


@dataclasses.dataclass(frozen=True, slots=True)
class Portfolio:
    """One account at one moment. USD is the unit of prices, the stable coin that of cash. Secret: the repr hides it."""

    cash: float
    stable_price: float
    spot_price: float
    spot_confidence: float
    collaterals: tuple[Collateral, ...] = ()
    perpetual: Perpetual = dataclasses.field(default_factory=Perpetual)
    options: tuple[OptionPosition, ...] = ()
    feeds: tuple[ExpiryFeed, ...] = ()

    def __repr__(self) -> str:
        return f"Portfolio(<{len(self.collaterals)} collaterals, {len(self.options)} options>)"

    def checked(self) -> "Portfolio":
        """Itself.

        Raises:
            MalformedError: OUT_OF_RANGE for a number that cannot be (not-a-number too) or an expired option;
                PRICE_UNAVAILABLE for an option whose expiry has no feed; CONFLICT for two feeds of one expiry or one
                option twice.
        """
        _amount("cash", self.cash)
        _price("the stable coin's price", self.stable_price)
        _price("the spot price", self.spot_price)
        _share("the spot price's confidence", self.spot_confidence)
        _check_perpetual(self.perpetual)
        for position, collateral in enumerate(self.collaterals):
            _check_collateral(position, collateral)
        for feed in self.feeds:
            _check_feed(feed)
        for position, option in enumerate(self.options):
            _check_option(position, option)
        self._check_expiries()
        return self

    def _check_expiries(self) -> None:
        expiries = [feed.seconds_to_expiry for feed in self.feeds]
        if len(set(expiries)) != len(expiries):
            raise _error(ReasonCode.CONFLICT, "an expiry has two feeds", "keep the newer one")
        series = [(option.seconds_to_expiry, option.strike, option.is_call) for option in self.options]
        if len(set(series)) != len(series):
            raise _error(ReasonCode.CONFLICT, "an option is there twice", "add up the amounts")
        for position, option in enumerate(self.options):
            if option.seconds_to_expiry not in expiries:
                raise _error(
                    ReasonCode.PRICE_UNAVAILABLE,
                    f"option {position} expires in {option.seconds_to_expiry} s, for which there is no feed",
                    "add a feed with forward, rate and confidences for that expiry",
                )


def _check_perpetual(perpetual: Perpetual) -> None:
    _amount("the perpetual's amount", perpetual.amount)
    _amount("the perpetual's unsettled profit", perpetual.unsettled)
    # Without a position neither price nor confidence is read, and feeds give 0 for both.
    if perpetual.amount:
        _price("the perpetual's price", perpetual.price)
        _share("the perpetual's confidence", perpetual.confidence)


def _check_collateral(position: int, collateral: Collateral) -> None:
    what = f"collateral {position}"
    _within(f"{what}: its amount", collateral.amount, 0, MAX_NUMBER, "collateral is never negative")
    _price(f"{what}: its price", collateral.price)
    _share(f"{what}: its confidence", collateral.confidence)
    _share(f"{what}: its initial haircut", collateral.initial_haircut)
    _share(f"{what}: its maintenance haircut", collateral.maintenance_haircut)


def _check_feed(feed: ExpiryFeed) -> None:
    what = f"the feed of the expiry in {feed.seconds_to_expiry} s"
    _within(f"{what}: its time", feed.seconds_to_expiry, 1, MAX_SECONDS, "leave out expiries that are past")
    _price(f"{what}: its forward", feed.forward)
    _within(f"{what}: its rate", feed.rate, -MAX_RATE, MAX_RATE, "write a yearly rate as a ratio: 0.05 for 5 %")
    for confidence in (feed.forward_confidence, feed.rate_confidence, feed.volatility_confidence):
        _share(f"{what}: a confidence", confidence)


def _check_option(position: int, option: OptionPosition) -> None:
    what = f"option {position}"
    _within(f"{what}: its time to expiry", option.seconds_to_expiry, 1, MAX_SECONDS, "settle expired options to cash")
    _price(f"{what}: its strike", option.strike)
    _amount(f"{what}: its amount", option.amount)
    _within(f"{what}: its volatility", option.volatility, 0, MAX_VOLATILITY, "write a ratio: 0.8 for 80 % a year")


def _amount(what: str, value: float) -> None:
    _within(what, value, -MAX_NUMBER, MAX_NUMBER, "check the unit: amounts are whole units, not lots")


def _price(what: str, value: float) -> None:
    # The least price is far below any tick, and keeps quotients of two prices finite.
    _within(what, value, 1 / MAX_NUMBER, MAX_NUMBER, "a price is above 0; take it from a market that trades")


def _share(what: str, value: float) -> None:
    _within(what, value, 0, 1, "write a ratio from 0 to 1")


def _within(what: str, value: float, low: float, high: float, fix: str) -> None:
    # Written so that not-a-number, which compares false with everything, fails too.
    if not low <= value <= high:
        raise _error(ReasonCode.OUT_OF_RANGE, f"{what} must lie between {low:g} and {high:g}", fix)


def _error(code: ReasonCode, message: str, fix: str) -> MalformedError:
    return MalformedError(f"PMRM_2 portfolio: {message}", code=code, fix=fix)
