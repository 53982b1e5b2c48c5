"""An account in one encrypted file, for a second machine.

A file is: magic with version, 3 bytes of scrypt parameters (log2 n, r, p), 16 bytes of salt, 12 of nonce, then
AES-256-GCM of a JSON document under scrypt(password, salt); all that stands before the ciphertext is authenticated too.

A copy may be older than the account was. What a restored copy cannot know, it must not get wrong: it answers nothing on
price reports of before its restoration (the lost state may have), and it numbers lock keys and registrations from a
place that no state of before can have reached. Pledges whose openings it lacks show on the registry, and proofs are
refused until the openings are found again.
"""

import dataclasses
import secrets
from pathlib import Path
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from marginproof.model.errors import ConfigurationError
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import KEYSTORE_NAME, STATE_NAME, Account, check_network
from marginproof.prover.files import create_directory_atomic, read_limited
from marginproof.prover.keys import Entropy, MasterSecret
from marginproof.prover.keystore import MAX_KEYSTORE_BYTES, decrypt_secret
from marginproof.prover.state import MAX_STATE_BYTES, AccountState, decrypt_state, encrypt_state

_MAGIC: Final = b"marginproof/account-backup/v1\n"
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_HEADER_BYTES: Final = len(_MAGIC) + 3 + _SALT_BYTES + _NONCE_BYTES
_MAX_MEMORY_BITS: Final = 30
_KEYS_PER_SECOND_BITS: Final = 16
MAX_BACKUP_BYTES: Final = 4 * (MAX_STATE_BYTES + MAX_KEYSTORE_BYTES)


@dataclasses.dataclass(frozen=True, slots=True)
class ScryptWork:
    """How hard guessing a password is: n = 2^log_n rounds with 128·r·n bytes of memory, p times."""

    log_n: int = 17
    r: int = 8
    p: int = 1

    def key(self, password: str, salt: bytes) -> bytes:
        """The AES-256 key that a password gives."""
        return Scrypt(salt, 32, 1 << self.log_n, self.r, self.p).derive(password.encode())

    @property
    def bounded(self) -> bool:
        """Whether it takes no more memory than any honest backup, at most 1 GiB."""
        some = self.log_n > 0 and self.r > 0 and self.p > 0
        return some and self.log_n <= _MAX_MEMORY_BITS and 128 * self.r * self.p << self.log_n <= 1 << _MAX_MEMORY_BITS


DEFAULT_WORK: Final = ScryptWork()


@dataclasses.dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: both files of the account's directory, themselves encrypted, and the time it was made."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", ser_json_bytes="hex", val_json_bytes="hex", strict=True
    )

    made_at: int
    keystore: bytes = dataclasses.field(repr=False)
    state: bytes = dataclasses.field(repr=False)


_ADAPTER: Final = TypeAdapter(Backup)


def seal(
    backup: Backup, password: str, *, work: ScryptWork = DEFAULT_WORK, entropy: Entropy = secrets.token_bytes
) -> bytes:
    """The bytes of a backup file."""
    salt, nonce = entropy(_SALT_BYTES), entropy(_NONCE_BYTES)
    header = _MAGIC + bytes([work.log_n, work.r, work.p]) + salt + nonce
    return header + AESGCM(work.key(password, salt)).encrypt(nonce, _ADAPTER.dump_json(backup), header)


def unseal(data: bytes, password: str) -> Backup:
    """Reads a backup file; total, and bounded in time and memory.

    Raises:
        ConfigurationError: BACKUP_CORRUPT: damaged, none, or another password's.
    """
    header, ciphertext = data[:_HEADER_BYTES], data[_HEADER_BYTES:]
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise _corrupt("the file is no backup of an account, or of a later version")
    parameters = header[len(_MAGIC) : len(_MAGIC) + 3]
    work = ScryptWork(*parameters)
    if not work.bounded:
        raise _corrupt("the backup asks for more memory than any honest one")
    salt, nonce = header[-_NONCE_BYTES - _SALT_BYTES : -_NONCE_BYTES], header[-_NONCE_BYTES:]
    try:
        return _ADAPTER.validate_json(AESGCM(work.key(password, salt)).decrypt(nonce, ciphertext, header))
    except (InvalidTag, ValidationError, ValueError):
        # The library's message would quote the content.
        raise _corrupt("the backup is damaged, or the password is another one") from None


def make_backup(
    directory: Path, network: NetworkFile, password: str, now: int, *, work: ScryptWork = DEFAULT_WORK
) -> bytes:
    """One encrypted file of an account; also while another process uses it, whose last finished write it has.

    Args:
        directory: The account's.
        network: The account's network.
        password: Of its keystore; it opens the backup as well.
        now: UTC seconds.
        work: How hard guessing is.

    Raises:
        ConfigurationError: KEYSTORE_PASSWORD: it does not open the keystore; STORE_CORRUPT; FILE_UNREADABLE.
        RefusedError: WRONG_NETWORK.
    """
    keystore = read_limited(directory / KEYSTORE_NAME, MAX_KEYSTORE_BYTES, "the keystore")
    state = read_limited(directory / STATE_NAME, MAX_STATE_BYTES, "the state file")
    check_network(state, network)
    decrypt_state(state, MasterSecret(decrypt_secret(keystore, password), network.network_id).state_key())
    return seal(Backup(now, keystore, state), password, work=work)


def restore_backup(data: bytes, directory: Path, network: NetworkFile, password: str, now: int) -> bytes:
    """Makes an account's directory from a backup, whole or not at all, and gives the account id.

    The machine that made the backup must never use its copy again: two copies answer the same question twice.

    Args:
        data: Of the backup file.
        directory: Must not exist yet.
        network: The account's network.
        password: Of the account's keystore.
        now: UTC seconds.

    Raises:
        ConfigurationError: BACKUP_CORRUPT; CONFIG_INVALID: the backup comes from the future, by this machine's clock.
        RefusedError: WRONG_NETWORK; CONFLICT: the directory exists.
    """
    backup = unseal(data, password)
    check_network(backup.state, network)
    if now < backup.made_at:
        raise ConfigurationError("the backup was made later than now, by this machine's clock", fix="set the clock")
    secret, state = _opened(backup, network, password)
    state = after_restore(state, now)
    sealed = encrypt_state(state, secret.state_key())
    create_directory_atomic(directory, {KEYSTORE_NAME: backup.keystore, STATE_NAME: sealed})
    return Account(directory, secret, state, network).account_id


def after_restore(state: AccountState, now: int) -> AccountState:
    """A state that is safe to go on from, whatever happened between its backup and ``now`` (UTC seconds)."""
    first_key = max(state.next_key_index, now << _KEYS_PER_SECOND_BITS)
    return dataclasses.replace(state, restored_at=now, next_key_index=first_key)


def _opened(backup: Backup, network: NetworkFile, password: str) -> tuple[MasterSecret, AccountState]:
    try:
        secret = MasterSecret(decrypt_secret(backup.keystore, password), network.network_id)
        return secret, decrypt_state(backup.state, secret.state_key())
    except ConfigurationError as error:
        raise _corrupt("what the backup holds is not an account with this password") from error


def _corrupt(message: str) -> ConfigurationError:
    return ConfigurationError(
        message, code=ReasonCode.BACKUP_CORRUPT, fix="check file and password, or use another backup"
    )
