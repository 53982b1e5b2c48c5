"""What ``marginproof relayer start`` and ``relayer keys`` do: the node's own side."""

import asyncio
from pathlib import Path

from marginproof.cli.output import Result
from marginproof.cli.passwords import read_password
from marginproof.core import SigningKey
from marginproof.relayers.config import load_config
from marginproof.relayers.keys import create_keystore
from marginproof.relayers.node import run


def start(config: Path) -> None:
    """Runs a node until it is told to stop."""
    asyncio.run(run(load_config(config)))


def new_key(keystore: Path, password_file: Path | None, *, insecure_fast: bool) -> Result:
    """Makes a BLS key in a keystore of its own and shows what the network file needs of it."""
    key = SigningKey.generate()
    create_keystore(keystore, key, read_password(password_file, confirm=True), insecure_fast=insecure_fast)
    document = {
        "keystore": str(keystore),
        "public_key": "0x" + key.public_key.hex(),
        "possession": "0x" + key.prove_possession().hex(),
    }
    return Result("relayer-keys-new", document, list(document.items()))
