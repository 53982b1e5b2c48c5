"""The code that lies at a network's registry, known before anybody looks."""

import dataclasses
import functools
from typing import Final

from eth_utils.crypto import keccak

from marginproof.chains.evm.contracts.artifact import PLEDGE_REGISTRY, load_artifact
from marginproof.model.network import Configuration, Network
from marginproof.model.ssz import Bytes20, SszContainer, Text64

_DOMAIN_TYPE: Final = keccak(b"EIP712Domain(string name,string version,bytes32 salt)")


@dataclasses.dataclass(frozen=True, slots=True)
class _HomeBranch(SszContainer):
    """The half that the trees of a network and of its accounts have in common."""

    home_chain: Text64
    registry: Bytes20


@functools.lru_cache(maxsize=16)
def expected_registry_code(network: Network, configuration: Configuration) -> bytes:
    """Hash of the code that lies at the address of a network's registry, 32 bytes.

    The registry's immutable values follow from the network, so that nothing but its address need be pinned.

    Args:
        network: Home chain, registry, n, digest of the configuration.
        configuration: The configuration of that digest.
    """
    network_id = network.root()
    return load_artifact(PLEDGE_REGISTRY).code_hash(
        POLICY_DELAY=configuration.policy_delay_seconds,
        NOTICE_SECONDS=configuration.notice_seconds,
        NETWORK_ID=network_id,
        HOME_BRANCH=_HomeBranch(network.home_chain, network.registry).root(),
        DOMAIN_SEPARATOR=bytes(keccak(_DOMAIN_TYPE + keccak(b"Marginproof") + keccak(b"1") + network_id)),
    )
