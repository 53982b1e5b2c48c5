"""What ``marginproof account rotate-key``, ``backup`` and ``restore`` do."""

import asyncio
import time
from pathlib import Path

from marginproof.cli.actions.account_pledge import Posting, change_document
from marginproof.cli.actions.account_proof import document_fields
from marginproof.cli.actions.opened import Access, opened
from marginproof.cli.output import Output, Result
from marginproof.cli.passwords import read_password
from marginproof.model.errors import RefusedError
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.authorising import RegistryChange
from marginproof.prover.backup import MAX_BACKUP_BYTES, make_backup, restore_backup
from marginproof.prover.files import read_limited, write_atomic


def rotate_key(access: Access, posting: Posting, output: Output) -> Result:
    """Hands the account over to its next key."""
    with opened(access) as (account, network):
        change = asyncio.run(_rotate(account, network, posting, output))
        number, signer = account.state.key_number, account.signer.address
    document = {"key_number": number, "key": signer} | change_document(change, network)
    return Result("account-rotate-key", document, document_fields(document))


async def _rotate(account: Account, network: NetworkFile, posting: Posting, output: Output) -> RegistryChange:
    async with posting.session(account, network, output) as session:
        return await session.rotate_key()


def backup(access: Access, out: Path) -> Result:
    """Writes the whole account into one encrypted file."""
    if out.exists():
        raise RefusedError(ReasonCode.CONFLICT, f"{out.name!r} exists already", fix="choose another path")
    network = load_network_file(access.network)
    data = make_backup(access.account, network, read_password(access.password_file), int(time.time()))
    write_atomic(out, data)
    document = {"file": str(out), "bytes": len(data)}
    return Result("account-backup", document, document_fields(document))


def restore(file: Path, directory: Path, network_path: Path, password_file: Path | None) -> Result:
    """Makes an account's directory from a backup."""
    network = load_network_file(network_path)
    data = read_limited(file, MAX_BACKUP_BYTES, "the backup")
    account = restore_backup(data, directory, network, read_password(password_file), int(time.time()))
    document = {"account": "0x" + account.hex(), "directory": str(directory)}
    fields = [*document_fields(document), ("next", "never use the machine that the backup came from again")]
    return Result("account-restore", document, fields)
