"""Verifying a kept presentation once more, to time the argument alone."""

import time

from marginproof import core
from marginproof.model.bundle import PresentationBundle
from marginproof.model.margin import Presentation, Purpose, SignedSnapshot
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import NO_COMMITMENT, RegistryRecord
from marginproof.risk.policy import load_policy
from marginproof.risk.recognition import recognition_of
from marginproof.risk.snapshot import compile_snapshot


def verify_milliseconds(network: NetworkFile, bundle: PresentationBundle, venue: bytes) -> float:
    """Milliseconds of the argument's verification, measured on the bytes that the venue accepted.

    Args:
        network: Its universe says what the rows mean.
        bundle: The kept presentation.
        venue: To whom it went, 20 bytes.

    Raises:
        MarginproofError, CoreError: It does not verify.
    """
    presentation = Presentation.decode(bundle.presentation)
    snapshot = SignedSnapshot.decode(bundle.signed_snapshot).snapshot
    record = RegistryRecord.decode(bundle.registry_record)
    others = record.others(venue, network.universe.compatible_since)
    recognitions = [recognition_of(snapshot, other.venue) for other in others]
    purpose = Purpose(presentation.context.purpose)
    compiled = compile_snapshot(load_policy(bundle.policy), network.universe, snapshot, purpose, others=recognitions)
    inputs = [
        core.add_commitments([leaf.leaf.commitment for leaf in presentation.leaves]),
        _own_pledge(presentation, record, venue),
        *(other.commitment for other in others),
    ]
    started = time.perf_counter()
    core.verify(compiled.statement, inputs, presentation.context.root(), presentation.proof)
    return round((time.perf_counter() - started) * 1000, 1)


def _own_pledge(presentation: Presentation, record: RegistryRecord, venue: bytes) -> bytes:
    """The newly proposed pledge, else the one that stands."""
    if presentation.context.new_pledge != NO_COMMITMENT:
        return presentation.context.new_pledge
    standing = record.pledge_of(venue)
    return standing.commitment if standing is not None else NO_COMMITMENT
