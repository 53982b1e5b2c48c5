"""Snapshots: a policy at prices, published by a venue and rebuilt by everybody who has policy and prices."""

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Final

from marginproof.model.errors import ConfigurationError, MalformedError, RefusedError
from marginproof.model.margin import Purpose, Snapshot
from marginproof.model.prices import PointValue
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Universe
from marginproof.risk.market import Market, required_points
from marginproof.risk.policy import Policy
from marginproof.risk.recognition import Recognition
from marginproof.risk.rows import CompiledPolicy, PolicyRows, policy_rows
from marginproof.risk.valuation import unit_values

_KEPT_STATEMENTS: Final = 64
"""Statements of one snapshot that are kept: accounts with as many others, recognised alike, share one."""


def build_snapshot(
    policy: Policy,
    universe: Universe,
    *,
    network_id: bytes,
    venue: bytes,
    price_slot: int,
    values: Mapping[str, int],
    created_at: int,
    expires_at: int,
    full_recognition: Sequence[bytes] = (),
) -> Snapshot:
    """Compiles both purposes and states their digests.

    Args:
        policy: The venue's announced policy.
        universe: The network's universe.
        network_id: 32 bytes.
        venue: The venue's address, 20 bytes.
        price_slot: Where the values come from.
        values: Point id → value, as :class:`~marginproof.risk.market.Market`; points that value no entry are left out.
        created_at: UTC seconds; the time at which options are valued.
        expires_at: UTC seconds, later than ``created_at``.
        full_recognition: Addresses of the venues with a mutual agreement, in any order; all of them in the policy.

    Raises:
        MarginproofError: As :func:`~marginproof.risk.rows.compile_policy`; OUT_OF_RANGE where it would expire at birth;
            POLICY_INVALID for a venue that the policy does not list.
    """
    if not 0 <= created_at < expires_at:
        raise MalformedError("a snapshot must expire after it was created", code=ReasonCode.OUT_OF_RANGE)
    if not policy.full_recognition.issuperset(full_recognition):
        raise ConfigurationError(
            "a venue that the policy does not list under recognition.full cannot count in full",
            code=ReasonCode.POLICY_INVALID,
            fix="recognise only venues of the list, or announce a policy that lists it",
        )
    market = Market(created_at, values)
    priced = unit_values(policy, universe, market)
    digests = {
        purpose: policy_rows(policy, universe, priced, purpose).compile().statement.digest
        for purpose in (Purpose.INITIAL, Purpose.MAINTENANCE)
    }
    return Snapshot(
        network=network_id,
        venue=venue,
        policy_digest=policy.digest,
        universe_digest=universe.root(),
        price_slot=price_slot,
        created_at=created_at,
        expires_at=expires_at,
        values=tuple(PointValue(point, values[point]) for point in required_points(universe)),
        full_recognition=tuple(sorted(set(full_recognition))),
        initial_statement=digests[Purpose.INITIAL],
        maintenance_statement=digests[Purpose.MAINTENANCE],
    )


def snapshot_market(snapshot: Snapshot) -> Market:
    """The market of a snapshot: its values, at the time it was created.

    Raises:
        MalformedError: MALFORMED, the points do not rise strictly.
    """
    if any(first.point >= second.point for first, second in itertools.pairwise(snapshot.values)):
        raise MalformedError("the values of a snapshot must rise strictly by point")
    return Market(snapshot.created_at, {value.point: value.value for value in snapshot.values})


class SnapshotRows:
    """The rows of one snapshot: entries valued once, a statement compiled once for every list of others asked for.

    Safe to share between threads. Refusals of :meth:`compile` are its own purpose's only.
    """

    def __init__(self, policy: Policy, universe: Universe, snapshot: Snapshot) -> None:
        """Checks that the snapshot is this policy's on this universe, and values the entries.

        Raises:
            RefusedError: POLICY_NOT_ANNOUNCED (another policy), UNIVERSE_MISMATCH, or STATEMENT_MISMATCH where it
                counts a venue in full that the policy does not list.
            MarginproofError: MALFORMED values or venues; else as :func:`~marginproof.risk.valuation.unit_values`.
        """
        _check_origin(policy, universe, snapshot)
        _check_full_recognition(policy, snapshot)
        market = snapshot_market(snapshot)
        if tuple(value.point for value in snapshot.values) != required_points(universe):
            raise MalformedError("the snapshot must value exactly the points that the universe's entries use")
        self._policy, self._universe = policy, universe
        self._values = unit_values(policy, universe, market)
        self._stated = {
            Purpose.INITIAL: snapshot.initial_statement,
            Purpose.MAINTENANCE: snapshot.maintenance_statement,
        }
        self._checked = functools.cache(self._check)
        self._compiled = functools.lru_cache(_KEPT_STATEMENTS)(self._compile)

    def compile(self, purpose: Purpose, others: Sequence[Recognition] = ()) -> CompiledPolicy:
        """The statement of a purpose for other venues' pledges recognised as ``others`` say.

        Raises:
            RefusedError: STATEMENT_MISMATCH, the rows without other venues are not those that the snapshot states.
            MarginproofError: As :meth:`~marginproof.risk.rows.PolicyRows.compile`.
        """
        return self._compiled(purpose, tuple(others))

    def line_rows(self) -> tuple[Mapping[int, int], ...]:
        """The rows that a trading line is checked in: weights of the venue's own pledge, of both purposes."""
        return self.compile(Purpose.INITIAL).book_rows + self.compile(Purpose.MAINTENANCE).book_rows

    def _compile(self, purpose: Purpose, others: tuple[Recognition, ...]) -> CompiledPolicy:
        rows, alone = self._checked(purpose)
        return rows.compile(others) if others else alone

    def _check(self, purpose: Purpose) -> tuple[PolicyRows, CompiledPolicy]:
        """Weights, and the rows without other venues once they are those that the snapshot states."""
        rows = policy_rows(self._policy, self._universe, self._values, purpose)
        alone = rows.compile()
        if alone.statement.digest != self._stated[purpose]:
            raise RefusedError(
                ReasonCode.STATEMENT_MISMATCH,
                "the rows rebuilt from policy and prices are not those that the snapshot states",
                fix="do not prove on it; report it to the venue",
            )
        return rows, alone


def compile_snapshot(
    policy: Policy, universe: Universe, snapshot: Snapshot, purpose: Purpose, others: Sequence[Recognition] = ()
) -> CompiledPolicy:
    """Rebuilds the rows of a snapshot, checks them, and gives the statement for other venues' pledges.

    Whoever needs more than one statement of a snapshot keeps a :class:`SnapshotRows` instead; it raises the same.
    """
    return SnapshotRows(policy, universe, snapshot).compile(purpose, others)


def _check_origin(policy: Policy, universe: Universe, snapshot: Snapshot) -> None:
    if snapshot.policy_digest != policy.digest:
        raise RefusedError(
            ReasonCode.POLICY_NOT_ANNOUNCED,
            "the snapshot is of another policy",
            fix="fetch the policy whose digest the snapshot names",
        )
    if snapshot.universe_digest != universe.root():
        raise RefusedError(
            ReasonCode.UNIVERSE_MISMATCH, "the snapshot is of another universe", fix="update the network file"
        )


def _check_full_recognition(policy: Policy, snapshot: Snapshot) -> None:
    if any(first >= second for first, second in itertools.pairwise(snapshot.full_recognition)):
        raise MalformedError("the venues that a snapshot counts in full must rise strictly by address")
    if not policy.full_recognition.issuperset(snapshot.full_recognition):
        raise RefusedError(
            ReasonCode.STATEMENT_MISMATCH,
            "the snapshot counts a venue in full that the policy does not list",
            fix="do not prove on it; report it to the venue",
        )
