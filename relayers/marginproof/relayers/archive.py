"""Certificates and price reports that this node has, formed here or by a peer; all of them were verified before."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sql

from marginproof.attestation.leaves import LeafTree
from marginproof.model.certificates import Certificate, IncludedLeaf, Leaf, LeafList
from marginproof.model.errors import NotFoundError
from marginproof.model.prices import PriceReport
from marginproof.relayers.store import Store, certificates, certified_accounts, price_reports

_MAX_RECENT: Final = 64
_MAX_TREES: Final = 16


class Archive:
    """Stores and finds certificates with their leaves, and price reports."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._leaves: OrderedDict[tuple[str, int], frozenset[Leaf]] = OrderedDict()
        self._trees: OrderedDict[bytes, LeafTree] = OrderedDict()

    def add_certificate(self, certificate: Certificate, leaves: Sequence[Leaf]) -> bool:
        """Stores a verified certificate; False if one with this body was known."""
        body = certificate.body
        digest = certificate.digest
        row = {"digest": digest, "chain": body.chain, "epoch": body.epoch, "certificate": certificate.encode()}
        row |= {"leaf_list": LeafList(tuple(leaves)).encode()}
        place = {"chain": body.chain, "epoch": body.epoch, "digest": digest}
        with self._store.write() as connection:
            known = connection.execute(sql.select(certificates.c.digest).where(certificates.c.digest == digest)).first()
            if known is not None:
                return False
            connection.execute(certificates.insert().values(row))
            connection.execute(certified_accounts.insert(), [{"account": leaf.account, **place} for leaf in leaves])
        self._leaves.pop((body.chain, body.epoch), None)
        return True

    def certificate(self, digest: bytes) -> Certificate:
        """One certificate by its digest.

        Raises:
            NotFoundError: This node does not have it.
        """
        query = sql.select(certificates.c.certificate).where(certificates.c.digest == digest)
        with self._store.read() as connection:
            data = connection.execute(query).scalar()
        if data is None:
            raise NotFoundError("this relayer has no such certificate", fix="ask another relayer")
        return Certificate.decode(data)

    def certificates(self, chain: str, epoch: int) -> tuple[Certificate, ...]:
        """All certificates of one chain and epoch, in the order in which they came."""
        return tuple(certificate for certificate, _ in self._of_epoch(chain, epoch))

    def certified_leaves(self, chain: str, epoch: int) -> frozenset[Leaf]:
        """Every leaf that some certificate of this chain and epoch covers."""
        known = self._leaves.get((chain, epoch))
        if known is None:
            known = frozenset(leaf for _, leaves in self._of_epoch(chain, epoch) for leaf in leaves)
            self._leaves[chain, epoch] = known
            if len(self._leaves) > _MAX_RECENT:
                self._leaves.popitem(last=False)
        return known

    def last_certified(self, chain: str) -> int | None:
        """The newest epoch of a chain with a certificate."""
        query = sql.select(sql.func.max(certificates.c.epoch)).where(certificates.c.chain == chain)
        with self._store.read() as connection:
            newest: int | None = connection.execute(query).scalar_one()
        return newest

    def account_leaf(self, account: bytes, chain: str, epoch: int | None) -> tuple[IncludedLeaf, Certificate]:
        """An account's leaf with branch and certificate: of one epoch, or of the newest in which it has one.

        Raises:
            NotFoundError: It has none.
        """
        wanted = [certified_accounts.c.account == account, certified_accounts.c.chain == chain]
        if epoch is not None:
            wanted.append(certified_accounts.c.epoch == epoch)
        query = (
            sql.select(certificates.c.certificate, certificates.c.digest)
            .join(certified_accounts, certified_accounts.c.digest == certificates.c.digest)
            .where(*wanted)
            .order_by(certificates.c.epoch.desc(), certificates.c.sequence)
            .limit(1)
        )
        with self._store.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFoundError(
                "the account has no certified leaf on this chain",
                fix="register it with at least the threshold of relayers, and wait for the end of the next epoch",
                fields={"chain": chain},
            )
        return self._tree(row[1]).include(account, row[1]), Certificate.decode(row[0])

    def add_report(self, slot: int, report: PriceReport) -> bool:
        """Stores the report of a slot; False if one was known."""
        with self._store.write() as connection:
            if connection.execute(sql.select(price_reports.c.slot).where(price_reports.c.slot == slot)).first():
                return False
            connection.execute(price_reports.insert().values(slot=slot, report=report.encode()))
        return True

    def report(self, slot: int | None) -> PriceReport:
        """The report of one slot, or the newest.

        Raises:
            NotFoundError: There is none.
        """
        query = sql.select(price_reports.c.report)
        query = (
            query.order_by(price_reports.c.slot.desc()) if slot is None else query.where(price_reports.c.slot == slot)
        )
        with self._store.read() as connection:
            data = connection.execute(query).scalar()
        if data is None:
            raise NotFoundError("this relayer has no such price report", fix="wait for the next price slot")
        return PriceReport.decode(data)

    def last_reported(self) -> int | None:
        """The newest slot with a report."""
        with self._store.read() as connection:
            newest: int | None = connection.execute(sql.select(sql.func.max(price_reports.c.slot))).scalar_one()
        return newest

    def _tree(self, digest: bytes) -> LeafTree:
        tree = self._trees.get(digest)
        if tree is None:
            query = sql.select(certificates.c.leaf_list).where(certificates.c.digest == digest)
            with self._store.read() as connection:
                data: bytes = connection.execute(query).scalar_one()
            tree = self._trees[digest] = LeafTree(LeafList.decode(data).leaves)
            if len(self._trees) > _MAX_TREES:
                self._trees.popitem(last=False)
        return tree

    def _of_epoch(self, chain: str, epoch: int) -> list[tuple[Certificate, tuple[Leaf, ...]]]:
        query = sql.select(certificates).where(certificates.c.chain == chain, certificates.c.epoch == epoch)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(certificates.c.sequence)).mappings().all()
        return [(Certificate.decode(row["certificate"]), LeafList.decode(row["leaf_list"]).leaves) for row in rows]
