"""Signer sets: whose BLS key is whose, and that each of them is known to its holder."""

from collections.abc import Sequence

from marginproof import core
from marginproof.model.errors import ConfigurationError
from marginproof.model.network import SignerSet
from marginproof.model.reasons import ReasonCode


def check_signer_set(signer_set: SignerSet, possessions: Sequence[bytes]) -> None:
    """Refuses a signer set that could be outvoted by half of itself, or a key without proof of possession.

    Aggregate signatures are safe only over keys whose possession was proven: call this once, before the set is used.

    Args:
        signer_set: The set.
        possessions: One proof of possession (96 bytes) per relayer, in order.

    Raises:
        ConfigurationError: CONFIG_INVALID (threshold, order, repeated key) or POSSESSION_INVALID.
    """
    relayers = signer_set.relayers
    if not len(relayers) < 2 * signer_set.threshold <= 2 * len(relayers):
        raise ConfigurationError("a signer set's threshold is more than half of it and at most all of it")
    if [relayer.index for relayer in relayers] != list(range(len(relayers))):
        raise ConfigurationError("the relayers of a signer set are numbered from 0 in order")
    if len({relayer.public_key for relayer in relayers}) != len(relayers):
        raise ConfigurationError("two relayers have one public key")
    if len(possessions) != len(relayers):
        raise ConfigurationError("every relayer needs one proof of possession")
    for relayer, proof in zip(relayers, possessions, strict=True):
        try:
            core.verify_possession(relayer.public_key, proof)
        except core.CoreError as error:
            raise ConfigurationError(
                f"relayer {relayer.index} has not proven that it holds its key",
                code=ReasonCode.POSSESSION_INVALID,
                fix="ask its operator for the line that `marginproof relayer keys new` printed",
                fields={"signer": relayer.index},
            ) from error
