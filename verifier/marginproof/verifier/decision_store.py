"""The ledger: answers that were given, each under the SHA-256 of the bytes it is about."""

import dataclasses
from typing import Final

import sqlalchemy as sa

from marginproof.model.margin import SignedDecision
from marginproof.verifier.database import VenueDatabase
from marginproof.verifier.tables import decisions

FIRST_ANSWER: Final = 0
REPLAY_ANSWER: Final = 1


@dataclasses.dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A recorded answer. Given again until ``repeat_until`` (UTC seconds, exclusive); None: always."""

    signed: SignedDecision
    repeat_until: int | None


class DecisionStore:
    """Decisions; none is ever written over."""

    def __init__(self, database: VenueDatabase) -> None:
        self._database = database

    def find(self, key: bytes, answer: int) -> DecisionRecord | None:
        """The recorded answer to the bytes with this SHA-256."""
        query = sa.select(decisions).where(decisions.c.key == key, decisions.c.answer == answer)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else DecisionRecord(SignedDecision.decode(row.signed), row.repeat_until)

    @staticmethod
    def write(connection: sa.Connection, key: bytes, answer: int, record: DecisionRecord) -> None:
        """Writes an answer."""
        connection.execute(
            sa.insert(decisions).values(
                key=key, answer=answer, repeat_until=record.repeat_until, signed=record.signed.encode()
            )
        )
