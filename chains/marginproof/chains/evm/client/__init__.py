"""EVM chains through endpoints that are not trusted: quorum for headers, proofs for everything below them."""

from marginproof.chains.evm.client.pool import EndpointPool
from marginproof.chains.evm.client.quorum import (
    Answer,
    EndpointDisagreementError,
    Evidence,
    FinalityViolationError,
    NotYetFinalError,
    Outcome,
    QuorumMissingError,
)
from marginproof.chains.evm.client.reads import read_policy_time, read_vault

__all__ = [
    "Answer",
    "EndpointDisagreementError",
    "EndpointPool",
    "Evidence",
    "FinalityViolationError",
    "NotYetFinalError",
    "Outcome",
    "QuorumMissingError",
    "read_policy_time",
    "read_vault",
]
