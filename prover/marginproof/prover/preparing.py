"""Collecting and checking what one proof is made from: venue, registry, relayers and the account's own state."""

import dataclasses
from collections.abc import Callable

from marginproof.client.venue import AccountCredential
from marginproof.model.bundle import PresentationBundle
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError, RefusedError
from marginproof.model.margin import Presentation, Purpose, SignedSnapshot
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import PledgeOpening, StandingPledge
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.connections import Connections
from marginproof.prover.gathering import EvidenceReader, LeftOut
from marginproof.prover.pledges import CheckedProposal, check_opening, opening_of, satisfies, with_pledge
from marginproof.prover.proving import ProofInputs
from marginproof.prover.registry_view import RegistryReader, RegistryView
from marginproof.prover.state import PledgeRecord
from marginproof.prover.venue_checks import check_policy, check_prices, check_recognition, check_snapshot
from marginproof.risk.policy import Policy, load_policy

CredentialMaker = Callable[[bytes, str], AccountCredential]
"""From a venue's address and the name of a call."""


@dataclasses.dataclass(frozen=True, slots=True)
class Preparation:
    """Checked inputs of a proof and what they came from."""

    inputs: ProofInputs
    report: PriceReport
    view: RegistryView
    left_out: tuple[LeftOut, ...]


class Preparer:
    """Fetches what a proof needs and refuses whatever does not hold; see :meth:`AccountSession.prepare`."""

    def __init__(
        self,
        account: Account,
        network: NetworkFile,
        connections: Connections,
        registry: RegistryReader,
        evidence: EvidenceReader,
        credential: CredentialMaker,
    ) -> None:
        self._account = account
        self._network = network
        self._connections = connections
        self._registry = registry
        self._evidence = evidence
        self._credential = credential

    async def prepare(self, venue: bytes, purpose: Purpose, proposal: CheckedProposal | None, now: int) -> Preparation:
        """Everything for one proof, checked in the order that docs/accounts.md gives; ``now`` in UTC seconds."""
        payee = self._account.payees.opening(venue)
        signed, report = await self._connections.venue(venue).get_snapshot()
        check_snapshot(signed, self._network, venue, now)
        check_prices(signed.snapshot, report, self._network)
        policy = await self._policy(signed)
        view = await self._registry.view()
        await self._check_recognition(signed, policy, view)
        pledge = await self._own_pledge(view, venue, purpose, proposal)
        others = await self._others(view, venue)
        evidence = await self._evidence.evidence()
        inputs = ProofInputs(
            network=self._network,
            identity=self._account.identity,
            purpose=purpose,
            snapshot=signed,
            policy=policy,
            leaves=evidence.leaves,
            pledge=pledge,
            proposed=proposal is not None,
            others=others,
            registry_digest=view.record.digest,
            payee=payee,
        )
        return Preparation(inputs, report, view, evidence.left_out)

    async def _policy(self, signed: SignedSnapshot) -> Policy:
        snapshot = signed.snapshot
        announced = await self._connections.venue(snapshot.venue).get_policy(snapshot.policy_digest)
        effective_at = await self._registry.policy_time(snapshot.venue, snapshot.policy_digest)
        check_policy(announced.source, snapshot, effective_at)
        return load_policy(announced.source)

    async def _check_recognition(self, signed: SignedSnapshot, policy: Policy, view: RegistryView) -> None:
        snapshot = signed.snapshot
        agreed = await self._registry.agreements(snapshot.venue, snapshot.full_recognition, view.header)
        check_recognition(snapshot, policy.full_recognition, agreed)

    async def _own_pledge(
        self, view: RegistryView, venue: bytes, purpose: Purpose, proposal: CheckedProposal | None
    ) -> PledgeOpening:
        if proposal is not None:
            await self._check_consent(view, venue, purpose, proposal)
            return proposal.opening
        standing = view.record.pledge_of(venue)
        if standing is None:
            raise RefusedError(
                ReasonCode.PLEDGE_MISSING,
                f"no pledge of the venue {format_address(venue)} stands",
                fix="ask the venue for a trading line, then: marginproof account pledge",
            )
        if standing.universe_version < self._network.universe.compatible_since:
            raise RefusedError(
                ReasonCode.UNIVERSE_INCOMPATIBLE,
                "the venue's pledge is of a universe that counts no more",
                fix="ask the venue to propose a new one, then: marginproof account pledge",
            )
        return await self._opening(view, standing)

    async def _check_consent(
        self, view: RegistryView, venue: bytes, purpose: Purpose, proposal: CheckedProposal
    ) -> None:
        if proposal.venue != venue:
            raise RefusedError(ReasonCode.WRONG_VENUE, "the proposal is of another venue", fix="fetch this venue's")
        if not satisfies(purpose, proposal.purpose):
            raise RefusedError(
                ReasonCode.PURPOSE_INSUFFICIENT,
                "the venue wants this pledge proven at the initial level",
                fix="prove the initial level",
            )
        if not (await self._registry.authorisation(venue, view.header)).authorised:
            raise RefusedError(
                ReasonCode.VENUE_NOT_AUTHORISED,
                f"the account has not authorised the venue {format_address(venue)}, or has revoked it",
                fix="run: marginproof account authorise",
            )

    async def _others(self, view: RegistryView, venue: bytes) -> tuple[PledgeOpening, ...]:
        standing = view.record.others(venue, self._network.universe.compatible_since)
        return tuple([await self._opening(view, pledge) for pledge in standing])

    async def _opening(self, view: RegistryView, standing: StandingPledge) -> PledgeOpening:
        """The opening of a standing pledge: the account's own, else the venue's, which must open what stands."""
        known = opening_of(self._account.state, standing.venue, standing.commitment)
        if known is not None:
            return known
        try:
            client = self._connections.venue(standing.venue)
            found = await client.get_standing_pledge(self._credential(standing.venue, "GetStandingPledge"))
            check_opening(found, self._network, standing.venue, self._account.account_id)
            if found.commitment != standing.commitment:
                raise RefusedError(ReasonCode.PLEDGE_OPENING, "the venue hands over another pledge's opening")
        except MarginproofError as error:
            raise RefusedError(
                ReasonCode.PLEDGE_UNKNOWN,
                f"the account does not have the opening of the standing pledge of {format_address(standing.venue)}, "
                f"and the venue did not give it ({error.code})",
                fix="restore the account's newest backup, or ask that venue to release its pledge",
                fields={"venue": format_address(standing.venue), "reason": str(error.code)},
            ) from error
        record = PledgeRecord(standing.venue, standing.commitment, b"", view.header.number, found.encode())
        self._account.remember(with_pledge(self._account.state, record))
        return found


def bundle_of(made: Preparation, presentation: Presentation) -> PresentationBundle:
    """The presentation with everything that an auditor needs."""
    inputs = made.inputs
    return PresentationBundle(
        network_id=inputs.network.network_id,
        policy=inputs.policy.source,
        signed_snapshot=inputs.snapshot.encode(),
        price_report=made.report.encode(),
        registry_record=made.view.record.encode(),
        presentation=presentation.encode(),
        certificates=tuple(leaf.certified.certificate.encode() for leaf in inputs.leaves),
    )
