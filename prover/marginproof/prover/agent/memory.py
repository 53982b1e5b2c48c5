"""What the agent itself keeps in the account's encrypted state; headroom is kept there by the session."""

import dataclasses
from typing import ClassVar, Final

from pydantic import ConfigDict

from marginproof.prover.agent.levels import Level
from marginproof.prover.agent.top_ups import Ledger

_STRICT: Final = ConfigDict(extra="forbid", ser_json_bytes="hex", val_json_bytes="hex")


@dataclasses.dataclass(frozen=True, slots=True)
class VenueLevel:
    """The level that one venue was last seen at: hysteresis goes on where a restart found it."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    venue: bytes
    level: Level


@dataclasses.dataclass(frozen=True, slots=True)
class AgentMemory:
    """Levels by venue, and everything that was spent on top-ups."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    levels: tuple[VenueLevel, ...] = ()
    ledger: Ledger = dataclasses.field(default_factory=Ledger)

    def level(self, venue: bytes) -> Level:
        """The venue's level; OK before the first measurement."""
        return next((known.level for known in self.levels if known.venue == venue), Level.OK)

    def with_level(self, venue: bytes, level: Level) -> "AgentMemory":
        """The memory after a level has changed."""
        others = (known for known in self.levels if known.venue != venue)
        return dataclasses.replace(self, levels=(*others, VenueLevel(venue, level)))

    def with_ledger(self, ledger: Ledger) -> "AgentMemory":
        """The memory after something was reserved, sent or counted."""
        return dataclasses.replace(self, ledger=ledger)
