"""What an account remembers, as one encrypted file that is replaced as a whole."""

import dataclasses
import os
from enum import StrEnum
from typing import ClassVar, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ConfigDict, TypeAdapter, ValidationError

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from marginproof.prover.agent.memory import AgentMemory

MAX_STATE_BYTES: Final = 64 << 20
_FORMAT: Final = b"marginproof/account-state/v1"
_NETWORK_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_STRICT: Final = ConfigDict(extra="forbid", ser_json_bytes="hex", val_json_bytes="hex")


class LockEventKind(StrEnum):
    """What the account did to a lock."""

    LOCKED = "locked"
    ADDED = "added"
    NOTICE_STARTED = "notice-started"
    NOTICE_CANCELLED = "notice-cancelled"
    WITHDRAWN = "withdrawn"


@dataclasses.dataclass(frozen=True, slots=True)
class LockEvent:
    """One mined change of a lock; ``amount`` is what it holds afterwards, in base units.

    A change that was only found later has the block of the one before it, or 0.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: LockEventKind
    block_number: int
    amount: int = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class LockRecord:
    """One lock, from the intent to make it on.

    Attributes:
        number: The account's own name for it, from 0.
        key_index: Which derived key owns it; the salt of its binding has the same index.
        chain: CAIP-2 id.
        vault: Address, 20 bytes.
        token: Address, 20 bytes; zeros for the native coin.
        wanted: What it is to hold, base units; written before the transaction that brings it there is sent.
        locks_before: The vault's lock count before the transaction: the lock's id is larger.
        lock_id: Its id in the vault; None while no transaction is known to have been mined.
        events: Oldest first.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    number: int
    key_index: int
    chain: str
    vault: bytes
    token: bytes
    wanted: int = dataclasses.field(repr=False)
    locks_before: int
    lock_id: int | None = dataclasses.field(default=None, repr=False)
    events: tuple[LockEvent, ...] = ()

    @property
    def amount(self) -> int:
        """Base units it holds by the account's own record."""
        return self.events[-1].amount if self.events else 0

    @property
    def live(self) -> bool:
        """Whether it was made and not withdrawn."""
        return bool(self.events) and self.events[-1].kind is not LockEventKind.WITHDRAWN

    @property
    def unfinished(self) -> bool:
        """Whether a transaction that was intended is not known to have been mined."""
        return not self.events or (self.live and self.amount < self.wanted)

    @property
    def under_notice(self) -> bool:
        """Whether its notice runs, by the account's own record."""
        return bool(self.events) and self.events[-1].kind is LockEventKind.NOTICE_STARTED

    def after(self, kind: LockEventKind, amount: int, block_number: int | None = None) -> Self:
        """The record after one more change, which also settles what is wanted."""
        if block_number is None:
            block_number = self.events[-1].block_number if self.events else 0
        event = LockEvent(kind, block_number, amount)
        return dataclasses.replace(self, events=(*self.events, event), wanted=amount)

    def amount_at(self, block_number: int) -> int:
        """Base units that count at a block by the account's own record: none while under notice or withdrawn."""
        amount = 0
        for event in self.events:
            if event.block_number > block_number:
                break
            counts = event.kind not in (LockEventKind.NOTICE_STARTED, LockEventKind.WITHDRAWN)
            amount = event.amount if counts else 0
        return amount


@dataclasses.dataclass(frozen=True, slots=True)
class RegistrationRecord:
    """One signed registration (SSZ) and whether enough relayers took it."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    number: int
    signed: bytes = dataclasses.field(repr=False)
    accepted: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ProofRecord:
    """One evaluation: for this occasion there will be no other.

    Attributes:
        occasion: See :func:`marginproof.prover.evaluations.occasion`.
        presentation: The one that was made; empty where margin was too small, for that answers the venue too.
        expires_at: When the occasion cannot come again, UTC seconds.
        context: Root of the proof's context; the same one again changes nothing.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    occasion: bytes
    presentation: bytes = dataclasses.field(repr=False)
    expires_at: int
    context: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyRecord:
    """When a venue's policy takes effect, as the registry's finalised state showed it."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    venue: bytes
    digest: bytes
    effective_at: int


@dataclasses.dataclass(frozen=True, slots=True)
class PledgeRecord:
    """The opening of a pledge that stands, or may come to stand.

    Attributes:
        venue: Address, 20 bytes.
        commitment: 48 bytes.
        previous: The registry digest that the account's consent names; empty for one that was found standing.
        block_number: The home chain's finalized block at which that digest was read.
        opening: SSZ :class:`~marginproof.model.pledges.PledgeOpening`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    venue: bytes
    commitment: bytes
    previous: bytes
    block_number: int
    opening: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class HeadroomRecord:
    """What was to spare at one evaluation, in cents of a USD, rounded down; below zero where margin was too small."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    venue: bytes
    purpose: int
    evaluated_at: int
    surplus_cents: int = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class AccountState:
    """Everything an account remembers; its representation shows no secret.

    Attributes:
        network_id: The network it belongs to.
        index: Which of the owner's accounts it is.
        venues: Whom its locks may ever pay; fixed, because every lock is bound to them.
        endpoints: JSON-RPC addresses by chain; they may hold access keys.
        next_key_index: Index of the next lock's key; every index is used once.
        locks: By number.
        registrations: Oldest first, as many as certificates can still refer to.
        proofs: Proofs of snapshots that have not long expired.
        policies: Policies whose announcement was read.
        key_number: How often the owner key was rotated, by the registry's finalised state.
        pledges: Openings of pledges that stand or may come to stand.
        line_limits: The largest line, lots of the cash entry, that a venue may be given, by its address (0x…, lower
            case); none where nothing is set.
        headrooms: Of the last evaluations, oldest first.
        funders: Addresses, with checksum, of keys that paid for locks: on the chain they stand for these.
        payers: Addresses of keys that paid for the account's changes of the registry: they stand for the account.
        restored_at: When this copy was made from a backup, UTC seconds; 0 for the original.
        agent: What the unattended agent keeps.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    network_id: bytes
    index: int
    venues: tuple[bytes, ...]
    endpoints: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict, repr=False)
    next_key_index: int = 0
    locks: tuple[LockRecord, ...] = ()
    registrations: tuple[RegistrationRecord, ...] = ()
    proofs: tuple[ProofRecord, ...] = ()
    policies: tuple[PolicyRecord, ...] = ()
    key_number: int = 0
    pledges: tuple[PledgeRecord, ...] = ()
    line_limits: dict[str, int] = dataclasses.field(default_factory=dict, repr=False)
    headrooms: tuple[HeadroomRecord, ...] = ()
    funders: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    payers: tuple[str, ...] = ()
    restored_at: int = 0
    agent: AgentMemory = dataclasses.field(default_factory=AgentMemory)


_ADAPTER: Final = TypeAdapter(AccountState)


def encrypt_state(state: AccountState, key: bytes) -> bytes:
    """The state file: network id, nonce, then AES-256-GCM of the state's JSON."""
    nonce = os.urandom(_NONCE_BYTES)
    return state.network_id + nonce + AESGCM(key).encrypt(nonce, _ADAPTER.dump_json(state), _FORMAT + state.network_id)


def network_of(data: bytes) -> bytes:
    """The network id that a state file names in clear, 32 bytes."""
    return data[:_NETWORK_BYTES]


def decrypt_state(data: bytes, key: bytes) -> AccountState:
    """Reads a state file; total.

    Raises:
        ConfigurationError: STORE_CORRUPT.
    """
    network_id, rest = data[:_NETWORK_BYTES], data[_NETWORK_BYTES:]
    try:
        plain = AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _FORMAT + network_id)
        return _ADAPTER.validate_json(plain)
    except (InvalidTag, ValidationError, ValueError):
        # The library's message would quote the state.
        raise ConfigurationError(
            "the account's state file is damaged, or belongs to another keystore",
            code=ReasonCode.STORE_CORRUPT,
            fix="restore the account directory from a backup",
        ) from None
