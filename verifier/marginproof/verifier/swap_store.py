"""Orders and transactions of :mod:`.swaps` in the venue's database: on disk before anything is sent.

Everything here is public once it is sent, so nothing is sealed. Call :func:`create_tables` before use.
"""

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from marginproof.chains.evm.transactions.posting import Fees
from marginproof.model.errors import RefusedError
from marginproof.model.reasons import ReasonCode
from marginproof.verifier.swap_plan import Attempt
from marginproof.verifier.swaps import PendingOrder, SwapKind, SwapOrder, SwapOutcome, SwapState

_HEIGHT: Final = "height"
_NONCE: Final = "nonce"

_metadata = sa.MetaData()
_orders = sa.Table(
    "swap_orders",
    _metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.LargeBinary, nullable=False),
    sa.Column("owner", sa.LargeBinary, nullable=False),
    sa.Column("account_index", sa.Text, nullable=False),  # an unsigned 64-bit number, which SQLite does not have
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("commitment", sa.LargeBinary, nullable=False),
    sa.Column("universe_version", sa.Text, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("state", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("told", sa.Boolean, nullable=False, default=False),
)
# One order of an account at a time: the next one needs the digest that this one leaves.
sa.Index("swap_orders_open", _orders.c.account, unique=True, sqlite_where=_orders.c.state.is_(None))
sa.Index("swap_orders_untold", _orders.c.told, sqlite_where=_orders.c.told.is_(False))
_attempts = sa.Table(
    "swap_attempts",
    _metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("nonce", sa.Integer, nullable=False, index=True),
    sa.Column("order", sa.Integer, sa.ForeignKey("swap_orders.number")),
    sa.Column("most_fee", sa.Integer, nullable=False),
    sa.Column("tip", sa.Integer, nullable=False),
    sa.Column("gas", sa.Integer, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("made_at", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
)
_marks = sa.Table(
    "swap_marks",
    _metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)


def create_tables(engine: sa.Engine) -> None:
    """Makes the tables where they are missing."""
    _metadata.create_all(engine)


def insert_order(connection: sa.Connection, order: SwapOrder) -> None:
    """Writes an order in the caller's transaction; the same order, still open, is not written twice.

    Raises:
        RefusedError: PLEDGE_PENDING; another order of the account is open.
    """
    values = {
        "account": order.account,
        "owner": order.owner,
        "account_index": str(order.index),
        "digest": order.digest,
        "commitment": order.commitment,
        "universe_version": str(order.universe_version),
        "signature": order.signature,
        "kind": str(order.kind),
        "height": order.height,
    }
    written = connection.execute(insert(_orders).values(told=False, **values).on_conflict_do_nothing())
    if written.rowcount:
        return
    query = sa.select(_orders).where(_orders.c.account == order.account, _orders.c.state.is_(None))
    known = _order(connection.execute(query).one())
    if (known.digest, known.commitment, known.kind) != (order.digest, order.commitment, order.kind):
        raise RefusedError(
            ReasonCode.PLEDGE_PENDING,
            "another change of this account's pledge is under way",
            fix="wait until the registry has it finally",
        )


class SwapStore:
    """What the poster keeps in the venue's database.

    Args:
        engine: Of the venue's store; it stays the caller's.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        create_tables(engine)

    def add_order(self, order: SwapOrder) -> None:
        """Writes an order in a transaction of its own; see :func:`insert_order`."""
        with self._engine.begin() as connection:
            insert_order(connection, order)

    def open_orders(self) -> list[PendingOrder]:
        """All that are not settled, in the order of arrival."""
        query = sa.select(_orders).where(_orders.c.state.is_(None)).order_by(_orders.c.number)
        with self._engine.connect() as connection:
            return [PendingOrder(row.number, _order(row)) for row in connection.execute(query)]

    def add_attempt(self, attempt: Attempt) -> None:
        """Writes a signed transaction: before it is sent."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(_attempts).values(
                    nonce=attempt.nonce,
                    order=attempt.order,
                    most_fee=attempt.fees.most,
                    tip=attempt.fees.tip,
                    gas=attempt.gas,
                    hash=attempt.hash,
                    raw=attempt.raw,
                    made_at=attempt.made_at,
                    height=attempt.height,
                )
            )

    def attempts(self) -> list[Attempt]:
        """All transactions at nonces that are not finally used, in the order in which they were made."""
        with self._engine.connect() as connection:
            return [_attempt(row) for row in connection.execute(sa.select(_attempts).order_by(_attempts.c.number))]

    def final_nonce(self) -> int | None:
        """The key's first unused nonce at the last finalized block that was looked at; None before the first."""
        return self._mark(_NONCE)

    def final_height(self) -> int:
        """The highest finalized block that orders were judged by; 0 before the first."""
        return self._mark(_HEIGHT) or 0

    def settle(self, height: int, nonce: int, settled: Iterable[tuple[int, SwapState, ReasonCode | None]]) -> None:
        """Writes what a finalized block settled, and drops the transactions that it makes history.

        Args:
            height: The block.
            nonce: The key's first unused nonce there.
            settled: Order number, how it ended, and why it failed.
        """
        with self._engine.begin() as connection:
            for number, state, reason in settled:
                connection.execute(
                    sa.update(_orders)
                    .where(_orders.c.number == number)
                    .values(state=str(state), reason=None if reason is None else str(reason))
                )
            connection.execute(sa.delete(_attempts).where(_attempts.c.nonce < nonce))
            for name, value in ((_HEIGHT, height), (_NONCE, nonce)):
                statement = insert(_marks).values(name=name, value=value)
                connection.execute(
                    statement.on_conflict_do_update(index_elements=[_marks.c.name], set_={"value": value})
                )

    def untold(self) -> list[tuple[int, SwapOutcome]]:
        """Number and outcome of the settled orders that the venue has not been told of."""
        query = sa.select(_orders).where(_orders.c.told.is_(False), _orders.c.state.is_not(None))
        with self._engine.connect() as connection:
            return [(row.number, _outcome(row)) for row in connection.execute(query.order_by(_orders.c.number))]

    def mark_told(self, number: int) -> None:
        """Notes that the venue knows the outcome of an order."""
        with self._engine.begin() as connection:
            connection.execute(sa.update(_orders).where(_orders.c.number == number).values(told=True))

    def _mark(self, name: str) -> int | None:
        with self._engine.connect() as connection:
            value = connection.execute(sa.select(_marks.c.value).where(_marks.c.name == name)).scalar()
        return None if value is None else int(value)


def _order(row: Any) -> SwapOrder:
    return SwapOrder(
        account=bytes(row.account),
        owner=bytes(row.owner),
        index=int(row.account_index),
        digest=bytes(row.digest),
        commitment=bytes(row.commitment),
        universe_version=int(row.universe_version),
        signature=bytes(row.signature),
        kind=SwapKind(row.kind),
        height=row.height,
    )


def _outcome(row: Any) -> SwapOutcome:
    reason = None if row.reason is None else ReasonCode(row.reason)
    return SwapOutcome(bytes(row.account), bytes(row.commitment), SwapKind(row.kind), SwapState(row.state), reason)


def _attempt(row: Any) -> Attempt:
    return Attempt(
        nonce=row.nonce,
        order=row.order,
        fees=Fees(row.most_fee, row.tip),
        gas=row.gas,
        hash=bytes(row.hash),
        raw=bytes(row.raw),
        made_at=row.made_at,
        height=row.height,
    )
