"""The venue's policies: loaded from files, in force when the registry says so."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from marginproof.chains.evm.client.pool import EndpointPool
from marginproof.chains.evm.verify.registry import policy_slot, recorded_time
from marginproof.model.errors import ConfigurationError, NotFoundError
from marginproof.model.reasons import ReasonCode
from marginproof.risk.policy import Policy, load_policy


class PolicyBook:
    """All policies of one venue, and from when the registry lets each hold.

    Args:
        policies: At least one; the first stands in until one is in force.

    Raises:
        ConfigurationError: One policy is there twice.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = {policy.digest: policy for policy in policies}
        if not policies or len(self._policies) != len(policies):
            raise ConfigurationError("a venue needs at least one policy file, each only once", fix="correct policies")
        self._effective_at: dict[bytes, int] = {}

    @property
    def effective_at(self) -> Mapping[bytes, int]:
        """Policy digest → UTC second from which it holds; only announced ones."""
        return dict(self._effective_at)

    def knows(self, digest: bytes) -> bool:
        """Whether one of the policies has this digest."""
        return digest in self._policies

    def unannounced(self) -> list[bytes]:
        """Digests that the registry did not know when it was last read."""
        return [digest for digest in self._policies if digest not in self._effective_at]

    def note_announced(self, effective_at: Mapping[bytes, int]) -> None:
        """Takes what the registry has; a time once read is final."""
        for digest, time in effective_at.items():
            self._effective_at.setdefault(digest, time)

    def find(self, digest: bytes) -> Policy:
        """A policy by its digest.

        Raises:
            NotFoundError: This venue has none such.
        """
        policy = self._policies.get(digest)
        if policy is None:
            raise NotFoundError("this venue has no policy of this digest", fix="ask without a digest")
        return policy

    def in_force(self, now: int) -> Policy:
        """The policy that came into force last, at ``now`` (UTC seconds).

        Before any is in force: the first one, so that accounts can see what is coming. Step 2 rejects proofs on it.
        """
        held = [digest for digest, time in self._effective_at.items() if time <= now]
        if not held:
            return next(iter(self._policies.values()))
        return self._policies[max(held, key=lambda digest: (self._effective_at[digest], digest))]


def load_policies(paths: Sequence[Path]) -> PolicyBook:
    """Reads policy files.

    Raises:
        ConfigurationError: FILE_UNREADABLE, or what is wrong with the policy.
    """
    policies = []
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"cannot read the policy {path.name!r}", code=ReasonCode.FILE_UNREADABLE, fix="correct policies"
            ) from error
        policies.append(load_policy(data))
    return PolicyBook(policies)


async def read_announcements(
    pool: EndpointPool, registry: bytes, venue: bytes, digests: Sequence[bytes]
) -> dict[bytes, int]:
    """When the registry lets a venue's policies hold, read by storage proof at the finalized block.

    Args:
        pool: The home chain.
        registry: The registry's address, 20 bytes.
        venue: The venue's address, 20 bytes.
        digests: Policy digests, 32 bytes each.

    Returns:
        Digest → UTC second; without those that were never announced.

    Raises:
        MarginproofError: The endpoints disagree, are silent, or prove nothing; ACCOUNT_ABSENT: no contract is there.
    """
    header = await pool.header_at(await pool.finalized_number())
    slots = {digest: policy_slot(venue, digest) for digest in digests}
    account, facts = await pool.read_account(header, registry, list(slots.values()))
    if not account.has_code:
        raise ConfigurationError(
            "there is no contract at the registry's address",
            code=ReasonCode.ACCOUNT_ABSENT,
            fix="check registry and home_chain in the network file",
        )
    times = {digest: recorded_time(facts[slot]) for digest, slot in slots.items()}
    return {digest: time for digest, time in times.items() if time is not None}
