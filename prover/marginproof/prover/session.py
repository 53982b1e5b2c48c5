"""An account at work: fetches evidence, proves, submits, and remembers. The high-level, asynchronous face."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from marginproof.attestation.signer_sets import check_signer_set
from marginproof.attestation.typed_signing import sign_typed
from marginproof.chains.evm.client import EndpointPool, read_policy_time
from marginproof.client.relayer import RelayerClient
from marginproof.client.venue import AccountCredential, DecisionAnswer, MarginStatus, VenueClient
from marginproof.model.bundle import PresentationBundle
from marginproof.model.certificates import Certificate
from marginproof.model.errors import MarginproofError, NotFoundError, RefusedError
from marginproof.model.margin import BookOpening, Presentation, Purpose, SignedSnapshot
from marginproof.model.network_file import NetworkFile
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import request_message, venue_method
from marginproof.prover.account import Account
from marginproof.prover.chain_view import Holdings, proven_holdings, recorded_holdings
from marginproof.prover.evidence import CertifiedLeaf, OpenedLeaf, check_leaf, newest, open_leaf
from marginproof.prover.proving import (
    MarginInsufficientError,
    ProofInputs,
    make_presentation,
    occasion,
    proof_context,
)
from marginproof.prover.registering import RegistrationReport, known_registrations, register
from marginproof.prover.state import PolicyRecord, ProofRecord
from marginproof.prover.venue_checks import check_book, check_decision, check_policy, check_prices, check_snapshot
from marginproof.risk.policy import load_policy

Clock = Callable[[], int]
"""UTC seconds."""
Talk = Callable[[str], None]
"""Told what is being done, one short public sentence at a time."""


def system_clock() -> int:
    """UTC seconds of this machine."""
    return int(time.time())


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


@dataclasses.dataclass(frozen=True, slots=True)
class Prepared:
    """A presentation that was not submitted yet.

    Attributes:
        presentation: What the venue will get.
        bundle: The same with everything an auditor needs; no secret is in it.
        left_out: Chains whose collateral it does not use.
        prove_seconds: Time that building and proving took; 0 for one that was made before.
        repeated: Whether it was made before for the same occasion.
    """

    presentation: Presentation
    bundle: PresentationBundle
    left_out: tuple[LeftOut, ...]
    prove_seconds: float
    repeated: bool


class AccountSession:
    """One account on one network; an asynchronous context manager that closes every connection.

    Args:
        account: Open.
        network: Its network.
        clock: UTC seconds.
        timeout_seconds: Deadline of every call to a relayer, venue or chain.
        talk: See :data:`Talk`.

    Raises:
        ConfigurationError: POSSESSION_INVALID or CONFIG_INVALID: the network file's relayers cannot be trusted.
    """

    def __init__(
        self,
        account: Account,
        network: NetworkFile,
        *,
        clock: Clock = system_clock,
        timeout_seconds: float = 5.0,
        talk: Talk = lambda _: None,
    ) -> None:
        check_signer_set(network.signer_set, [relayer.possession for relayer in network.relayers])
        self._account = account
        self._network = network
        self._clock = clock
        self._timeout = timeout_seconds
        self._talk = talk
        self._open = contextlib.AsyncExitStack()
        self._relayers: list[RelayerClient] = []
        self._venues: dict[bytes, VenueClient] = {}
        self._pools: dict[str, EndpointPool] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def register(self) -> RegistrationReport:
        """Tells every relayer which locks form the account; see :func:`marginproof.prover.registering.register`."""
        return await register(self._account, self._network, self._clock(), timeout_seconds=self._timeout)

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

    async def prepare(self, venue: bytes, purpose: Purpose) -> Prepared:
        """Fetches and checks everything, then proves; or gives the proof made before for the same occasion.

        Args:
            venue: Address, 20 bytes, named by the network file.
            purpose: Which level of the policy to prove.

        Raises:
            MarginInsufficientError: There is nothing true to prove; nothing was sent.
            RefusedError: PROOF_ALREADY_MADE: book or snapshot changed, but price report and certificates did not.
            MarginproofError: Whatever was refused of relayers and venue, by its own reason code.
        """
        client = self._venue(venue)
        self._talk("fetching the venue's snapshot, policy and book")
        signed, report = await client.get_snapshot()
        check_snapshot(signed, self._network, venue, self._clock())
        check_prices(signed.snapshot, report, self._network)
        source, book = await asyncio.gather(self._policy(signed), self.book(venue))
        self._talk("fetching certificates from the relayers")
        evidence = await self.evidence()
        inputs = ProofInputs(
            network=self._network,
            account=self._account.account_id,
            purpose=purpose,
            snapshot=signed,
            policy=load_policy(source),
            leaves=evidence.leaves,
            book=book,
            payee=self._account.payees.opening(venue),
        )
        started = time.perf_counter()
        presentation, repeated = await self._prove_once(inputs)
        seconds = 0.0 if repeated else time.perf_counter() - started
        certificates = tuple(leaf.certified.certificate for leaf in evidence.leaves)
        bundle = _bundle(self._network, source, signed, report, presentation, certificates)
        return Prepared(presentation, bundle, evidence.left_out, seconds, repeated)

    async def submit(self, prepared: Prepared) -> tuple[DecisionAnswer, PresentationBundle]:
        """Submits a presentation, checks the signed decision, and gives the bundle with the decision in it.

        Raises:
            RefusedError: SIGNATURE_INVALID: the answer is not the venue's signed decision on this presentation.
            MarginproofError: The venue cannot be reached or refused to decide.
        """
        self._talk("submitting the proof")
        answer = await self._venue(prepared.presentation.context.venue).submit_presentation(prepared.presentation)
        check_decision(answer.signed_decision, prepared.presentation, self._network)
        return answer, dataclasses.replace(prepared.bundle, signed_decision=answer.signed_decision.encode())

    async def book(self, venue: bytes) -> BookOpening:
        """The venue's book with this account, checked against its commitment; secret between the two."""
        book = await self._venue(venue).get_book(self._credential(venue, "GetBook"))
        check_book(book, self._network, venue, self._account.account_id)
        return book

    async def margin_status(self, venue: bytes) -> MarginStatus:
        """Where the account stands with a venue and when its next proof is due."""
        return await self._venue(venue).get_margin_status(self._credential(venue, "GetMarginStatus"))

    async def certified(self, chain: str) -> CertifiedLeaf:
        """The account's newest certified leaf on a chain, asked of every relayer.

        Raises:
            NotFoundError: No relayer has one.
            MarginproofError: None of those given holds: the first one's reason.
        """
        outcomes = await asyncio.gather(*(self._ask_leaf(client, chain) for client in self._relayer_clients()))
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

    async def _prove_once(self, inputs: ProofInputs) -> tuple[Presentation, bool]:
        context = proof_context(inputs)
        key, root = occasion(context, inputs.snapshot.snapshot.price_slot), context.root()
        for record in self._account.state.proofs:
            if record.occasion == key and record.context != root:
                raise RefusedError(
                    ReasonCode.PROOF_ALREADY_MADE,
                    "the venue's book or snapshot changed, but the account proves only once on one price report",
                    fix="prove again when the venue has its next snapshot",
                )
            if record.occasion == key and record.presentation:
                return Presentation.decode(record.presentation), True
        self._talk("proving")
        try:
            presentation = await asyncio.to_thread(make_presentation, inputs)
        except MarginInsufficientError:
            self._evaluated(key, root, b"", inputs)  # no proof is an answer too, and there is one answer only
            raise
        # Written before anything is sent: a crash cannot lead to a second proof of the same occasion.
        self._evaluated(key, root, presentation.encode(), inputs)
        return presentation, False

    def _evaluated(self, key: bytes, context: bytes, presentation: bytes, inputs: ProofInputs) -> None:
        """Remembers an occasion for as long as any snapshot can rest on its price report."""
        configuration, slot = self._network.configuration, inputs.snapshot.snapshot.price_slot
        slot_begin = configuration.genesis_time + slot * configuration.price_seconds
        lasts = 2 * (configuration.snapshot_seconds + configuration.price_seconds) + configuration.clock_skew_seconds
        record = ProofRecord(key, presentation, slot_begin + lasts, context)
        now = self._clock()
        kept = (old for old in self._account.state.proofs if old.expires_at > now and old.occasion != key)
        self._account.remember(dataclasses.replace(self._account.state, proofs=(*kept, record)))

    async def _policy(self, signed: SignedSnapshot) -> bytes:
        snapshot = signed.snapshot
        announced = await self._venue(snapshot.venue).get_policy(snapshot.policy_digest)
        effective_at = await self._effective_at(snapshot.venue, snapshot.policy_digest)
        check_policy(announced.source, snapshot, effective_at)
        return announced.source

    async def _effective_at(self, venue: bytes, digest: bytes) -> int | None:
        """Read once from the registry's finalised state: an announcement never changes."""
        for known in self._account.state.policies:
            if (known.venue, known.digest) == (venue, digest):
                return known.effective_at
        self._talk("reading the policy's announcement from the registry")
        pool = self._pool(self._network.network.home_chain)
        header = await pool.header_at(await pool.finalized_number())
        effective_at = await read_policy_time(pool, header, self._network.network.registry, venue, digest)
        if effective_at is not None:
            record = PolicyRecord(venue, digest, effective_at)
            state = self._account.state
            self._account.remember(dataclasses.replace(state, policies=(*state.policies, record)))
        return effective_at

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
        pool = self._pool(leaf.chain)
        return await proven_holdings(pool, self._network.configuration, registration, reference)

    def _credential(self, venue: bytes, rpc: str) -> AccountCredential:
        now = self._clock()
        message = request_message(self._network.network_id, self._account.account_id, venue_method(venue, rpc), now)
        return AccountCredential(self._account.identity, now, sign_typed(self._account.owner, message))

    def _relayer_clients(self) -> list[RelayerClient]:
        if not self._relayers:
            for relayer in self._network.relayers:
                client = RelayerClient(
                    relayer.target,
                    relayer.certificate_pem,
                    timeout_seconds=self._timeout,
                    peer=f"relayer {relayer.index}",
                )
                self._open.push_async_callback(client.aclose)
                self._relayers.append(client)
        return self._relayers

    def _venue(self, address: bytes) -> VenueClient:
        if address not in self._venues:
            endpoint = self._network.venue(address)
            client = VenueClient(endpoint.target, endpoint.certificate_pem, timeout_seconds=self._timeout)
            self._open.push_async_callback(client.aclose)
            self._venues[address] = client
        return self._venues[address]

    def _pool(self, chain: str) -> EndpointPool:
        if chain not in self._pools:
            pool = EndpointPool(
                chain,
                self._account.endpoints(chain),
                timeout_seconds=self._timeout,
                allow_development=self._network.development,
            )
            self._open.push_async_callback(pool.aclose)
            self._pools[chain] = pool
        return self._pools[chain]


def _bundle(
    network: NetworkFile,
    policy: bytes,
    snapshot: SignedSnapshot,
    report: PriceReport,
    presentation: Presentation,
    certificates: tuple[Certificate, ...],
) -> PresentationBundle:
    return PresentationBundle(
        network_id=network.network_id,
        policy=policy,
        signed_snapshot=snapshot.encode(),
        price_report=report.encode(),
        presentation=presentation.encode(),
        certificates=tuple(certificate.encode() for certificate in certificates),
    )
