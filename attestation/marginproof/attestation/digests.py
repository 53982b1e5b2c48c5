"""Roots of the few large containers that every check names; computed once per value, not once per check."""

from functools import lru_cache

from marginproof.model.network import Network, SignerSet
from marginproof.model.universe import Universe


@lru_cache(maxsize=64)
def digest_of(container: Network | SignerSet | Universe) -> bytes:
    """``container.root()``, 32 bytes. Only for public containers: the cache keeps them."""
    return container.root()
