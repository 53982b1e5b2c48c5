"""The contracts (Vyper sources), what they compile to, and the reading of that."""

from marginproof.chains.evm.contracts.artifact import (
    COLLATERAL_VAULT,
    PLEDGE_REGISTRY,
    PRICE_FEED,
    TEST_TOKEN,
    Artifact,
    load_artifact,
)

__all__ = [
    "COLLATERAL_VAULT",
    "PLEDGE_REGISTRY",
    "PRICE_FEED",
    "TEST_TOKEN",
    "Artifact",
    "load_artifact",
]
