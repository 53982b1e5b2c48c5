"""One node's context over a database of its own, without tasks or sockets."""

from collections.abc import Callable
from pathlib import Path

from marginproof.model.network_file import NetworkFile
from marginproof.node.sealing import Sealer
from marginproof.relayers.archive import Archive
from marginproof.relayers.context import NodeContext
from marginproof.relayers.evidence import EvidenceFolder
from marginproof.relayers.protection import SigningProtection
from marginproof.relayers.registrations import RegistrationBook
from marginproof.relayers.status import NodeStatus
from marginproof.relayers.store import Store
from tests.attestation.builders import CHAIN, KEYS


def make_context(folder: Path, file: NetworkFile, clock: Callable[[], float]) -> NodeContext:
    """The context of relayer 0; close its ``store`` at the end."""
    public_key = KEYS[0].public_key
    store = Store.open(folder / "relayer.db", network_id=file.network_id, public_key=public_key, epoch=0, slot=0)
    return NodeContext(
        file=file,
        signer=0,
        key=KEYS[0],
        clock=clock,
        store=store,
        book=RegistrationBook(store, Sealer(bytes(32)), 10),
        protection=SigningProtection(store),
        archive=Archive(store),
        status=NodeStatus([CHAIN]),
        evidence=EvidenceFolder(folder / "evidence"),
    )
