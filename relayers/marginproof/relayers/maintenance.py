"""What keeps a node's database in order: forgetting what is old, and lifting a halt."""

import asyncio
from typing import Final

from marginproof.attestation.digests import digest_of
from marginproof.model.errors import NotFoundError
from marginproof.model.network import epoch_of, price_slot_of
from marginproof.model.network_file import load_network_file
from marginproof.relayers.config import RelayerConfig
from marginproof.relayers.context import NodeContext
from marginproof.relayers.keys import load_keystore
from marginproof.relayers.store import Store

_INTERVAL_SECONDS: Final = 3600.0


async def forget_old(context: NodeContext, keep_seconds: int) -> None:
    """Deletes what is older than ``keep_seconds``, once an hour, until cancelled."""
    while True:
        configuration, oldest = context.file.configuration, context.now - keep_seconds
        epoch, slot = epoch_of(configuration, oldest), price_slot_of(configuration, oldest)
        if epoch > 0:
            context.store.forget_before(epoch, max(slot, 0))
        await asyncio.sleep(_INTERVAL_SECONDS)


def clear_halt(config: RelayerConfig, password: str, chain: str) -> None:
    """Lets a stopped node sign a chain again that had replaced a finalized block.

    Call it only after the chain's operators have explained what happened, and the endpoints agree again.

    Args:
        config: The node's configuration; the node must not run.
        password: Of its keystore.
        chain: CAIP-2 chain id.

    Raises:
        NotFoundError: There is no database, or the chain is not halted.
        MarginproofError: The files cannot be opened, or STORE_LOCKED: the node runs.
    """
    file = load_network_file(config.network)
    key = load_keystore(config.keystore, password)
    if not config.database.exists():
        raise NotFoundError("this node has no database yet")
    store = Store.open(config.database, network_id=digest_of(file.network), public_key=key.public_key, epoch=0, slot=0)
    try:
        if not store.is_halted(chain):
            raise NotFoundError(f"{chain[:64]} is not halted on this node")
        store.clear_halt(chain)
    finally:
        store.close()
