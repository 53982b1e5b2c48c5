"""Writes what a saved presentation's argument claims as JSON, for the TypeScript verifier.

Usage: python export_claim.py NETWORK_FILE BUNDLE_FILE >claim.json

The rows are rebuilt from policy, universe and snapshot, as the venue rebuilt them, and are those whose digest the
snapshot's venue signed. Signatures, certificates and inclusion are for ``marginproof verify presentation``.
"""

import json
import sys
from pathlib import Path
from typing import Any

from marginproof import core
from marginproof.model.bundle import PresentationBundle, load_bundle
from marginproof.model.margin import Presentation, Purpose, SignedSnapshot
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.pledges import NO_COMMITMENT, RegistryRecord
from marginproof.risk.policy import load_policy
from marginproof.risk.recognition import recognition_of
from marginproof.risk.rows import policy_rows
from marginproof.risk.snapshot import compile_snapshot, snapshot_market
from marginproof.risk.valuation import unit_values


def claim(file: NetworkFile, bundle: PresentationBundle) -> dict[str, Any]:
    """The claim in the format of core/vectors.

    Raises:
        MarginproofError: The bundle's parts do not fit each other.
        CoreError: The presentation's commitments are no points.
    """
    presentation = Presentation.decode(bundle.presentation)
    context = presentation.context
    snapshot = SignedSnapshot.decode(bundle.signed_snapshot).snapshot
    others = RegistryRecord.decode(bundle.registry_record).others(context.venue, file.universe.compatible_since)
    recognised = [recognition_of(snapshot, other.venue) for other in others]
    policy, purpose = load_policy(bundle.policy), Purpose(context.purpose)
    compiled = compile_snapshot(policy, file.universe, snapshot, purpose, recognised)
    values = unit_values(policy, file.universe, snapshot_market(snapshot))
    rows = policy_rows(policy, file.universe, values, purpose).rows(recognised)
    inputs = [
        core.add_commitments([included.leaf.commitment for included in presentation.leaves]),
        _pledge(presentation, RegistryRecord.decode(bundle.registry_record)),
        *(other.commitment for other in others),
    ]
    return {
        "name": f"presentation {presentation.digest.hex()}",
        "n": compiled.statement.n,
        "vectors": compiled.statement.vectors,
        "inputs": compiled.statement.inputs,
        "rows": [_row(row) for row in rows],
        "context": context.root().hex(),
        "commitments": [commitment.hex() for commitment in inputs],
        "proof": presentation.proof.hex(),
        "statement_digest": compiled.statement.digest.hex(),
    }


def _pledge(presentation: Presentation, record: RegistryRecord) -> bytes:
    """The newly proposed pledge, else the one that stands."""
    if presentation.context.new_pledge != NO_COMMITMENT:
        return presentation.context.new_pledge
    standing = record.pledge_of(presentation.context.venue)
    return NO_COMMITMENT if standing is None else standing.commitment


def _row(row: core.Row) -> dict[str, Any]:
    weights = [{str(index): hex(weight) for index, weight in terms.items()} for terms in row.weights]
    return {"bits": row.bits, "constant": hex(row.constant), "weights": weights}


if __name__ == "__main__":
    network_path, bundle_path = map(Path, sys.argv[1:])
    json.dump(claim(load_network_file(network_path), load_bundle(bundle_path)), sys.stdout)
