"""A client of a venue's verifier: policy, snapshot, one presentation, the signed decision.

usage: python examples/submit_presentation.py NETWORK_FILE BUNDLE
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from marginproof.attestation.typed_signing import recover_typed
from marginproof.client.venue import VenueClient
from marginproof.model.bundle import PresentationBundle
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.typed_data import decision_message


async def main(network: NetworkFile, bundle: PresentationBundle) -> None:
    """Talks to the first venue of the network file."""
    venue = network.venues[0]
    async with VenueClient(venue.target, venue.certificate_pem) as client:
        policy = await client.get_policy()
        snapshot, _ = await client.get_snapshot()
        created = datetime.fromtimestamp(snapshot.snapshot.created_at, UTC)
        print(f"policy   {policy.digest.hex()[:16]}…, {len(policy.source)} bytes of YAML")
        print(f"snapshot {snapshot.digest.hex()[:16]}…, made at {created:%H:%M:%S} UTC")
        answer = await client.submit_presentation(bundle.presentation)
    signer = recover_typed(decision_message(answer.signed_decision.decision), answer.signed_decision.signature)
    print(f"decision {answer.outcome.name} {' '.join(answer.reasons)} at step {answer.step}")
    print(f"signed   by the venue: {signer == venue.address}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    saved = PresentationBundle.decode(Path(sys.argv[2]).read_bytes())
    asyncio.run(main(load_network_file(Path(sys.argv[1])), saved))
