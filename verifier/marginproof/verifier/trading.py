"""Puts together what an account's orders are judged by, from what is known right now."""

from marginproof.verifier.live import LiveAccount, LiveAccounts
from marginproof.verifier.orders import TradingView
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import SnapshotDesk
from marginproof.verifier.standings import StandingKeeper


class TradingDesk:
    """Reads accounts, the newest snapshot and standings; changes nothing.

    Args:
        setting: The venue.
        live: The accounts.
        snapshots: Terms of orders.
        standings: Where accounts stand.
    """

    def __init__(
        self, setting: VenueSetting, live: LiveAccounts, snapshots: SnapshotDesk, standings: StandingKeeper
    ) -> None:
        self._live = live
        self._snapshots = snapshots
        self._standings = standings
        self._band = setting.configuration.price_band_bps

    def view(self, account: bytes, live: LiveAccount, now: int) -> TradingView:
        """What an account's orders are judged by at ``now`` (UTC seconds).

        Without a current snapshot no line is open; risk may be reduced at the prices of the newest there was.
        """
        terms, state = self._snapshots.terms, self._standings.state(live, now)
        if terms is None:
            return TradingView(live.row.book, (), state, {}, self._band)
        lines = self._live.lines(account, live, terms.line_rows, terms.digest) if now < terms.expires_at else ()
        return TradingView(live.row.book, lines, state, terms.quotes, self._band, terms.line_rows)
