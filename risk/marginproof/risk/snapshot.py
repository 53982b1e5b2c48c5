"""Snapshots: a policy at prices, published by a venue and rebuilt by everybody who has policy and prices."""

import itertools
from collections.abc import Mapping

from marginproof.model.errors import MalformedError, RefusedError
from marginproof.model.margin import Purpose, Snapshot
from marginproof.model.prices import PointValue
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Universe
from marginproof.risk.market import Market, required_points
from marginproof.risk.policy import Policy
from marginproof.risk.rows import CompiledPolicy, compile_policy, compile_valued
from marginproof.risk.valuation import unit_values


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

    Raises:
        MarginproofError: As :func:`~marginproof.risk.rows.compile_policy`; OUT_OF_RANGE where it would expire at birth.
    """
    if not 0 <= created_at < expires_at:
        raise MalformedError("a snapshot must expire after it was created", code=ReasonCode.OUT_OF_RANGE)
    market = Market(created_at, values)
    priced = unit_values(policy, universe, market)
    digests = {
        purpose: compile_valued(policy, universe, priced, purpose).statement.digest
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


def compile_snapshot(policy: Policy, universe: Universe, snapshot: Snapshot, purpose: Purpose) -> CompiledPolicy:
    """Rebuilds the rows of a snapshot and refuses one that is not this policy on this universe.

    Raises:
        RefusedError: POLICY_NOT_ANNOUNCED (another policy), UNIVERSE_MISMATCH, or STATEMENT_MISMATCH where the rows
            differ from what the snapshot says.
        MarginproofError: MALFORMED values; else as :func:`~marginproof.risk.rows.compile_policy`.
    """
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
    market = snapshot_market(snapshot)
    if tuple(value.point for value in snapshot.values) != required_points(universe):
        raise MalformedError("the snapshot must value exactly the points that the universe's entries use")
    compiled = compile_policy(policy, universe, market, purpose)
    stated = snapshot.initial_statement if purpose == Purpose.INITIAL else snapshot.maintenance_statement
    if compiled.statement.digest != stated:
        raise RefusedError(
            ReasonCode.STATEMENT_MISMATCH,
            "the rows rebuilt from policy and prices are not those that the snapshot states",
            fix="do not prove on it; report it to the venue",
        )
    return compiled
