"""Signing protection: what this key has committed itself to, on disk before any signature leaves.

One row per chain and epoch, one per price slot (the database belongs to one key on one network). A row is written
once and never changed; afterwards the node signs any subset of its own leaves and refuses everything else.
"""

import dataclasses
from collections import OrderedDict
from typing import Final

import sqlalchemy as sql

from marginproof.model.certificates import Leaf, LeafList, Reference
from marginproof.model.errors import MarginproofError, RefusedError
from marginproof.model.prices import SignedObservations
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.store import Store, corrupt, fixed_lists, observations

_MAX_RECENT: Final = 64


@dataclasses.dataclass(frozen=True, slots=True)
class FixedList:
    """This node's own view of one chain and epoch: the block it read, and every leaf it stands for."""

    chain: str
    epoch: int
    reference: Reference
    leaves: tuple[Leaf, ...]


class SigningProtection:
    """Fixes views and observations once and gives them back."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: OrderedDict[tuple[str, int], FixedList] = OrderedDict()

    def fix(self, view: FixedList) -> FixedList:
        """Commits this key to a view. The same view again is no change.

        Raises:
            RefusedError: SIGNING_PROTECTION; another view of this chain and epoch is fixed, or the epoch had ended
                before this database was made.
        """
        if view.epoch < self._store.first_epoch:
            raise _protected("the epoch had ended before this database was made")
        leaf_list = LeafList(view.leaves)
        row = {"chain": view.chain, "epoch": view.epoch, "reference": view.reference.encode()}
        row |= {"list_digest": leaf_list.root(), "leaf_list": leaf_list.encode()}
        try:
            with self._store.write() as connection:
                connection.execute(fixed_lists.insert().values(row))
        except sql.exc.IntegrityError as error:
            known = self.fixed(view.chain, view.epoch)
            if known != view:
                raise _protected("another view of this chain and epoch is already fixed") from error
        return view

    def fixed(self, chain: str, epoch: int) -> FixedList | None:
        """The view that was fixed for a chain and epoch.

        Raises:
            ConfigurationError: STORE_CORRUPT.
        """
        view = self._recent.get((chain, epoch)) or self._read(chain, epoch)
        if view is not None:
            self._recent[chain, epoch] = view
            if len(self._recent) > _MAX_RECENT:
                self._recent.popitem(last=False)
        return view

    def _read(self, chain: str, epoch: int) -> FixedList | None:
        query = sql.select(fixed_lists).where(fixed_lists.c.chain == chain, fixed_lists.c.epoch == epoch)
        with self._store.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        try:
            leaf_list, reference = LeafList.decode(row["leaf_list"]), Reference.decode(row["reference"])
        except MarginproofError as error:
            raise corrupt("a fixed leaf list in the database is malformed") from error
        if leaf_list.root() != row["list_digest"]:
            raise corrupt("a fixed leaf list in the database is not the one that was stored")
        return FixedList(chain, epoch, reference, leaf_list.leaves)

    def last_fixed(self, chain: str) -> int | None:
        """The newest epoch of a chain that is fixed."""
        query = sql.select(sql.func.max(fixed_lists.c.epoch)).where(fixed_lists.c.chain == chain)
        with self._store.read() as connection:
            newest: int | None = connection.execute(query).scalar_one()
        return newest

    def fix_observations(self, signed: SignedObservations) -> SignedObservations:
        """Commits this key to its observations of a slot and gives back those that count: the first ones.

        Raises:
            RefusedError: SIGNING_PROTECTION; other observations are fixed, or the slot had begun before this database
                was made.
        """
        slot = signed.observations.slot
        if slot < self._store.first_slot:
            raise _protected("the price slot had begun before this database was made")
        try:
            with self._store.write() as connection:
                connection.execute(observations.insert().values(slot=slot, signed=signed.encode()))
        except sql.exc.IntegrityError as error:
            if self.observations(slot) != signed:
                raise _protected("other observations of this price slot are already fixed") from error
        return signed

    def observations(self, slot: int) -> SignedObservations | None:
        """The observations that this node signed for a slot."""
        with self._store.read() as connection:
            data = connection.execute(sql.select(observations.c.signed).where(observations.c.slot == slot)).scalar()
        return None if data is None else _decode_observations(data)

    def last_observed(self) -> int | None:
        """The newest slot for which this node signed."""
        with self._store.read() as connection:
            newest: int | None = connection.execute(sql.select(sql.func.max(observations.c.slot))).scalar_one()
        return newest


def _decode_observations(data: bytes) -> SignedObservations:
    try:
        return SignedObservations.decode(data)
    except MarginproofError as error:
        raise corrupt("observations in the database are malformed") from error


def _protected(message: str) -> RefusedError:
    return RefusedError(
        ReasonCode.SIGNING_PROTECTION, message, fix="nothing was signed; check that no other node runs with this key"
    )
