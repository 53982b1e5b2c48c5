"""The blinding of a leaf's commitment: the account and every relayer derive the same one on their own."""

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from marginproof import core
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

_WIDE_BYTES: Final = 64


def leaf_blinding(
    seed: bytes,
    *,
    network: bytes,
    chain: str,
    account: bytes,
    registration_digest: bytes,
    epoch: int,
    reference_hash: bytes,
    universe_digest: bytes,
) -> bytes:
    """HKDF-SHA256(seed, network ‖ chain ‖ account ‖ registration ‖ u64 epoch ‖ reference ‖ universe, 64 bytes) mod r.

    Everything but ``chain`` has a fixed length, so no two inputs share an info string. Another epoch, reference or
    registration gives an unrelated blinding: two leaves of one account cannot be compared by outsiders.

    Args:
        seed: The account's blinding seed, 32 bytes; secret.
        network: Network id, 32 bytes.
        chain: CAIP-2 chain id.
        account: Account id, 32 bytes.
        registration_digest: Root of the registration, 32 bytes.
        epoch: 0 ≤ epoch < 2^64.
        reference_hash: Hash of the reference block, 32 bytes.
        universe_digest: Root of the universe, 32 bytes.

    Returns:
        A scalar below the group order, 32 bytes big-endian; secret.

    Raises:
        MalformedError: INPUT_LENGTH or OUT_OF_RANGE.
    """
    fixed = (seed, network, account, registration_digest, reference_hash, universe_digest)
    if any(len(value) != 32 for value in fixed):
        raise MalformedError("seed, ids and digests have 32 bytes each", code=ReasonCode.INPUT_LENGTH)
    if not 0 <= epoch < 1 << 64:
        raise MalformedError("an epoch lies in [0, 2^64)", code=ReasonCode.OUT_OF_RANGE)
    info = b"".join(
        (
            network,
            chain.encode(),
            account,
            registration_digest,
            epoch.to_bytes(8, "big"),
            reference_hash,
            universe_digest,
        )
    )
    wide = HKDF(algorithm=SHA256(), length=_WIDE_BYTES, salt=None, info=info).derive(seed)
    return core.reduce_blinding(wide)
