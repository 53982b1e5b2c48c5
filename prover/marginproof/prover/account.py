"""An account on disk: a directory with a keystore and an encrypted state, used by one process at a time."""

import contextlib
import dataclasses
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from eth_account.signers.local import LocalAccount

from marginproof.model.accounts import AccountIdentity
from marginproof.model.chains import format_address, parse_address
from marginproof.model.errors import MalformedError, NotFoundError, RefusedError
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.prover.files import create_directory_atomic, exclusive, read_limited, write_atomic
from marginproof.prover.keys import Entropy, MasterSecret, new_master_secret
from marginproof.prover.keystore import MAX_KEYSTORE_BYTES, decrypt_secret, encrypt_secret
from marginproof.prover.payees import Payees
from marginproof.prover.state import MAX_STATE_BYTES, AccountState, LockRecord, decrypt_state, encrypt_state, network_of

KEYSTORE_NAME: Final = "account.json"
STATE_NAME: Final = "state"


class Account:
    """An open account. Use :meth:`create` once, then :meth:`open` as a context manager.

    Attributes:
        secret: Where its keys, salts and seeds come from.
        identity: What its id is the root of.
        payees: Whom its locks may ever pay.
    """

    def __init__(self, directory: Path, secret: MasterSecret, state: AccountState, network: NetworkFile) -> None:
        self._directory = directory
        self._state = state
        self._held = contextlib.ExitStack()
        self.secret = secret
        self.payees = Payees(secret, state.venues)
        owner = secret.owner_key(state.index)
        self.identity = AccountIdentity(
            network.network.home_chain, network.network.registry, parse_address(owner.address), state.index
        )

    @classmethod
    def create(
        cls,
        directory: Path,
        network: NetworkFile,
        password: str,
        *,
        venues: Sequence[bytes],
        endpoints: Mapping[str, Sequence[str]] | None = None,
        index: int = 0,
        entropy: Entropy = secrets.token_bytes,
        insecure_fast: bool = False,
    ) -> bytes:
        """Makes an account's directory, whole or not at all, and gives the account id.

        Args:
            directory: Must not exist yet.
            network: The network it is for, for ever.
            password: Of its keystore; not empty.
            venues: Whom its locks may ever pay, 1 to 16.
            endpoints: JSON-RPC addresses by chain; can be changed later.
            index: Which of the owner's accounts; one master secret is one owner.
            entropy: Where the master secret comes from.
            insecure_fast: See :func:`encrypt_secret`.

        Raises:
            RefusedError: CONFLICT: the directory exists.
            ConfigurationError: KEYSTORE_PASSWORD or FILE_UNREADABLE.
            MalformedError: OUT_OF_RANGE: no usable list of venues.
        """
        raw = new_master_secret(entropy)
        secret = MasterSecret(raw, network.network_id)
        state = AccountState(
            network_id=network.network_id,
            index=index,
            venues=tuple(venues),
            endpoints={chain: tuple(urls) for chain, urls in (endpoints or {}).items()},
        )
        account = cls(directory, secret, state, network)
        keystore = encrypt_secret(raw, password, insecure_fast=insecure_fast)
        sealed = encrypt_state(state, secret.state_key())
        create_directory_atomic(directory, {KEYSTORE_NAME: keystore, STATE_NAME: sealed})
        return account.account_id

    @classmethod
    def open(cls, directory: Path, network: NetworkFile, password: str) -> Self:
        """Opens an account for this process alone, until :meth:`close`.

        Raises:
            RefusedError: STORE_LOCKED: another process has it; WRONG_NETWORK: it is another network's.
            ConfigurationError: KEYSTORE_PASSWORD, STORE_CORRUPT or FILE_UNREADABLE.
        """
        with contextlib.ExitStack() as held:
            held.enter_context(exclusive(directory))
            sealed = read_limited(directory / STATE_NAME, MAX_STATE_BYTES, "the state file")
            check_network(sealed, network)
            keystore = read_limited(directory / KEYSTORE_NAME, MAX_KEYSTORE_BYTES, "the keystore")
            secret = MasterSecret(decrypt_secret(keystore, password), network.network_id)
            state = decrypt_state(sealed, secret.state_key())
            account = cls(directory, secret, state, network)
            account._held = held.pop_all()
        return account

    def __repr__(self) -> str:
        return f"Account({self.account_id.hex()})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets other processes have the account."""
        self._held.close()

    @property
    def account_id(self) -> bytes:
        """Root of the identity, 32 bytes."""
        return self.identity.root()

    @property
    def signer(self) -> LocalAccount:
        """The key that speaks for the account now, by the registry's finalised state as last read."""
        return self.secret.owner_key(self._state.index, self._state.key_number)

    def own_addresses(self) -> frozenset[str]:
        """Every address that speaks, spoke or will speak next for the account, with checksum."""
        numbers = range(self._state.key_number + 2)
        return frozenset(self.secret.owner_key(self._state.index, number).address for number in numbers)

    def lock_addresses(self) -> frozenset[str]:
        """The address of every lock's own key, with checksum, whatever became of the lock."""
        return frozenset(self.secret.lock_key(lock.key_index).address for lock in self._state.locks)

    @property
    def state(self) -> AccountState:
        """What the account remembers now."""
        return self._state

    def remember(self, state: AccountState) -> None:
        """Writes the state durably, then uses it.

        Raises:
            ConfigurationError: FILE_UNREADABLE; nothing changed.
        """
        write_atomic(self._directory / STATE_NAME, encrypt_state(state, self.secret.state_key()))
        self._state = state

    def lock(self, number: int) -> LockRecord:
        """One of its locks.

        Raises:
            NotFoundError: It has no lock of this number.
        """
        if not 0 <= number < len(self._state.locks):
            raise NotFoundError(
                f"the account has no lock {number}", fix="list its locks with: marginproof account status"
            )
        return self._state.locks[number]

    def replace_lock(self, record: LockRecord) -> None:
        """Remembers a lock's new record, or a further lock when the number is the next one."""
        locks = list(self._state.locks)
        locks[record.number : record.number + 1] = [record]
        self.remember(dataclasses.replace(self._state, locks=tuple(locks)))

    def line_limit(self, venue: bytes) -> int:
        """The largest line, lots of the cash entry, that a venue may be given unasked; 0 where nothing was set."""
        return self._state.line_limits.get(format_address(venue), 0)

    def set_line_limit(self, venue: bytes, lots: int) -> None:
        """Remembers a venue's limit; 0 takes it back.

        Raises:
            MalformedError: OUT_OF_RANGE: below zero, or no 64-bit number.
        """
        if not 0 <= lots < 1 << 63:
            raise MalformedError("a line is not negative and has a bound", code=ReasonCode.OUT_OF_RANGE)
        limits = self._state.line_limits | {format_address(venue): lots}
        self.remember(dataclasses.replace(self._state, line_limits=limits))

    def endpoints(self, chain: str) -> tuple[str, ...]:
        """The JSON-RPC addresses it has for a chain.

        Raises:
            NotFoundError: None.
        """
        urls = self._state.endpoints.get(chain, ())
        if not urls:
            raise NotFoundError(
                f"the account knows no endpoint of {chain}",
                fix=f"give one with: marginproof account endpoints --rpc {chain}=URL",
                fields={"chain": chain},
            )
        return urls


def check_network(sealed: bytes, network: NetworkFile) -> None:
    """Refuses a state file of another network.

    Raises:
        RefusedError: WRONG_NETWORK.
    """
    if network_of(sealed) != network.network_id:
        raise RefusedError(
            ReasonCode.WRONG_NETWORK,
            "the account belongs to another network than the network file describes",
            fix="name the right file with --network",
        )
