"""Fetching the account's certified leaves from every relayer, and opening them with its own view of its locks."""

import asyncio
import dataclasses
from collections.abc import Callable

from marginproof.client.relayer import RelayerClient
from marginproof.model.errors import MarginproofError, NotFoundError, RefusedError
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.chain_view import Holdings, proven_holdings, recorded_holdings
from marginproof.prover.connections import Connections
from marginproof.prover.evidence import CertifiedLeaf, OpenedLeaf, check_leaf, newest, open_leaf
from marginproof.prover.registering import known_registrations


@dataclasses.dataclass(frozen=True, slots=True)
class LeftOut:
    """A chain whose collateral is not in the proof, and why."""

    chain: str
    code: ReasonCode


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """Opened leaves, one per chain, and the chains that had none to use."""

    leaves: tuple[OpenedLeaf, ...]
    left_out: tuple[LeftOut, ...]


class EvidenceReader:
    """Asks relayers for the account's leaves; ``clock`` gives UTC seconds."""

    def __init__(
        self, account: Account, network: NetworkFile, connections: Connections, clock: Callable[[], int]
    ) -> None:
        self._account = account
        self._network = network
        self._connections = connections
        self._clock = clock

    async def evidence(self) -> Evidence:
        """The newest certified leaf of each chain with registered locks, checked and opened.

        Raises:
            RefusedError: CERTIFICATE_MISMATCH: relayers certified something that the account does not see.
            MarginproofError: No chain has a usable leaf: the first chain's reason.
        """
        registrations = known_registrations(self._account)
        chains = sorted({lock.chain for registration in registrations.values() for lock in registration.locks})
        if not chains:
            raise RefusedError(
                ReasonCode.LOCK_ABSENT,
                "the account is not registered",
                fix="run: marginproof account lock, then: marginproof account register",
            )
        results = await asyncio.gather(*(self._leaf_or_error(chain) for chain in chains))
        errors = [
            (chain, result)
            for chain, result in zip(chains, results, strict=True)
            if isinstance(result, MarginproofError)
        ]
        found = [result for result in results if isinstance(result, CertifiedLeaf)]
        if not found:
            raise errors[0][1]
        opened = await asyncio.gather(*(self._opened(leaf) for leaf in found))
        return Evidence(tuple(opened), tuple(LeftOut(chain, error.code) for chain, error in errors))

    async def certified(self, chain: str) -> CertifiedLeaf:
        """The account's newest certified leaf on a chain, asked of every relayer.

        Raises:
            NotFoundError: No relayer has one.
            MarginproofError: None of those given holds: the first one's reason.
        """
        outcomes = await asyncio.gather(*(self._ask_leaf(client, chain) for client in self._connections.relayers()))
        leaves = [outcome for outcome in outcomes if isinstance(outcome, CertifiedLeaf)]
        if leaves:
            return newest(leaves)
        failures = [outcome for outcome in outcomes if isinstance(outcome, MarginproofError)]
        if any(failure.code is ReasonCode.NOT_FOUND for failure in failures):
            raise NotFoundError(
                f"no relayer has a certified leaf of this account on {chain} yet",
                fix="wait for the end of the next epoch; see with: marginproof relayer status",
                fields={"chain": chain},
            )
        raise failures[0]

    async def _leaf_or_error(self, chain: str) -> CertifiedLeaf | MarginproofError:
        try:
            return await self.certified(chain)
        except MarginproofError as error:
            return error

    async def _ask_leaf(self, client: RelayerClient, chain: str) -> CertifiedLeaf | MarginproofError:
        account = self._account.account_id
        try:
            included, certificate = await client.get_account_leaf(account, chain)
            return check_leaf(
                included, certificate, network=self._network, account=account, chain=chain, now=self._clock()
            )
        except MarginproofError as error:
            return error

    async def _opened(self, leaf: CertifiedLeaf) -> OpenedLeaf:
        registrations = known_registrations(self._account)
        return open_leaf(leaf, registrations, self._network, await self._holdings(leaf))

    async def _holdings(self, leaf: CertifiedLeaf) -> Holdings:
        registration = known_registrations(self._account).get(leaf.included.leaf.registration_digest)
        if registration is None:
            return []
        reference = leaf.certificate.body.reference
        if not self._account.state.endpoints.get(leaf.chain):
            return recorded_holdings(self._account.state.locks, registration, leaf.chain, reference.number)
        pool = self._connections.pool(leaf.chain)
        return await proven_holdings(pool, self._network.configuration, registration, reference)
