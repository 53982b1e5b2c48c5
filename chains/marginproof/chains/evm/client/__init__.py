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
from marginproof.chains.evm.client.reads import (
    read_agreements,
    read_authorisation,
    read_policy_time,
    read_registry_record,
    read_vault,
)
from marginproof.chains.evm.contracts.registry_code import expected_registry_code

__all__ = [
    "Answer",
    "EndpointDisagreementError",
    "EndpointPool",
    "Evidence",
    "FinalityViolationError",
    "NotYetFinalError",
    "Outcome",
    "QuorumMissingError",
    "expected_registry_code",
    "read_agreements",
    "read_authorisation",
    "read_policy_time",
    "read_registry_record",
    "read_vault",
]
