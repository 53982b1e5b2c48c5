"""What ``marginproof venue start`` and ``venue keys`` do: the venue's own side."""

import asyncio
from pathlib import Path

from marginproof.cli.output import Result
from marginproof.cli.passwords import read_password
from marginproof.model.chains import format_address
from marginproof.verifier.config import load_config
from marginproof.verifier.keys import create_keystore
from marginproof.verifier.service import run


def start(config: Path) -> None:
    """Runs a venue until it is told to stop."""
    asyncio.run(run(load_config(config)))


def new_key(keystore: Path, password_file: Path | None, *, insecure_fast: bool) -> Result:
    """Makes the venue's key in a keystore of its own and shows its address."""
    address = create_keystore(keystore, read_password(password_file, confirm=True), insecure_fast=insecure_fast)
    document = {"keystore": str(keystore), "address": format_address(address)}
    return Result("venue-keys-new", document, list(document.items()))
