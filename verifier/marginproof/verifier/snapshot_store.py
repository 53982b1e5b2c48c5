"""Snapshots that the venue signed, with the price reports they rest on."""

import sqlalchemy as sa

from marginproof.model.margin import SignedSnapshot
from marginproof.model.prices import PriceReport
from marginproof.verifier.database import VenueDatabase
from marginproof.verifier.tables import snapshots


class SnapshotStore:
    """Snapshots by digest; the newest by price slot."""

    def __init__(self, database: VenueDatabase) -> None:
        self._database = database

    def add(self, signed: SignedSnapshot, report: PriceReport, keep_after: int) -> None:
        """Writes a snapshot and drops those that expired before ``keep_after`` (UTC seconds)."""
        snapshot = signed.snapshot
        with self._database.change() as connection:
            connection.execute(
                sa.insert(snapshots).values(
                    digest=signed.digest,
                    slot=snapshot.price_slot,
                    expires_at=snapshot.expires_at,
                    signed=signed.encode(),
                    report=report.encode(),
                )
            )
            connection.execute(sa.delete(snapshots).where(snapshots.c.expires_at < keep_after))

    def newest(self) -> tuple[SignedSnapshot, PriceReport] | None:
        """The snapshot of the highest price slot, with its report."""
        query = sa.select(snapshots).order_by(snapshots.c.slot.desc(), snapshots.c.expires_at.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (SignedSnapshot.decode(row.signed), PriceReport.decode(row.report))

    def find(self, digest: bytes) -> SignedSnapshot | None:
        """A snapshot by its digest."""
        query = sa.select(snapshots.c.signed).where(snapshots.c.digest == digest)
        with self._database.reading() as connection:
            data = connection.execute(query).scalar()
        return None if data is None else SignedSnapshot.decode(data)
