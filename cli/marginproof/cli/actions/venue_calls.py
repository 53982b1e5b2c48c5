"""What ``marginproof venue status`` does: a call to a running venue."""

import asyncio
from pathlib import Path

from marginproof.cli.actions.opened import one_venue
from marginproof.cli.output import Result
from marginproof.client.venue import AnnouncedPolicy, VenueClient
from marginproof.model.chains import format_address
from marginproof.model.margin import SignedSnapshot
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.reasons import ExitCode


def status(network_path: Path, venue: str | None, now: int, timeout_seconds: float) -> Result:
    """Shows a venue's policy in force and whether its snapshot is current."""
    network = load_network_file(network_path)
    address = one_venue(network, venue)
    policy, signed = asyncio.run(_ask(network, address, timeout_seconds))
    snapshot = signed.snapshot
    current = snapshot.created_at <= now + network.configuration.clock_skew_seconds and now < snapshot.expires_at
    document = {
        "venue": format_address(address),
        "policy_digest": "0x" + policy.digest.hex(),
        "policy_effective_at": policy.effective_at,
        "snapshot_digest": "0x" + signed.digest.hex(),
        "snapshot_created_at": snapshot.created_at,
        "snapshot_expires_at": snapshot.expires_at,
        "price_slot": snapshot.price_slot,
        "current": current,
    }
    fields = [(label.replace("_", " "), str(value)) for label, value in document.items()]
    return Result("venue-status", document, fields, exit_code=ExitCode.ACCEPTED if current else ExitCode.STALE)


async def _ask(network: NetworkFile, address: bytes, timeout_seconds: float) -> tuple[AnnouncedPolicy, SignedSnapshot]:
    endpoint = network.venue(address)
    async with VenueClient(endpoint.target, endpoint.certificate_pem, timeout_seconds=timeout_seconds) as client:
        policy = await client.get_policy()
        signed, _ = await client.get_snapshot()
    return policy, signed
