"""Registration: telling every relayer which locks form the account, from the next epoch on."""

import asyncio
import dataclasses
from typing import Final

from marginproof.attestation.registrations import sign_registration
from marginproof.client.relayer import RelayerClient
from marginproof.model.accounts import MAX_LOCKS, LockReference, Registration, SignedRegistration
from marginproof.model.errors import MarginproofError, RefusedError, UnavailableError
from marginproof.model.network import epoch_of
from marginproof.model.network_file import NetworkFile, RelayerEndpoint
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.state import AccountState, RegistrationRecord

KEPT_REGISTRATIONS: Final = 16
"""Certificates expire long before an account registers so often again."""
_LEAD_SECONDS: Final = 30


@dataclasses.dataclass(frozen=True, slots=True)
class RelayerAnswer:
    """What one relayer said; ``code`` is the reason of a refusal, None when it took the registration."""

    relayer: int
    code: ReasonCode | None


@dataclasses.dataclass(frozen=True, slots=True)
class RegistrationReport:
    """A registration that enough relayers took."""

    number: int
    digest: bytes
    first_epoch: int
    lock_count: int
    answers: tuple[RelayerAnswer, ...]


def first_epoch_for(network: NetworkFile, now: int) -> int:
    """The next epoch, or the one after it when less than half a minute (or an epoch) is left for delivery."""
    lead = min(_LEAD_SECONDS, network.configuration.epoch_seconds)
    return max(epoch_of(network.configuration, now + lead) + 1, 0)


def build_registration(account: Account, network: NetworkFile, number: int, first_epoch: int) -> SignedRegistration:
    """Signs a registration of all the account's live locks.

    Args:
        account: Whose.
        network: The network.
        number: Higher than every one before.
        first_epoch: From which it counts.

    Raises:
        RefusedError: LOCK_ABSENT: there is nothing to register; REGISTRATION_LOCKS: more than 256 locks.
    """
    live = [lock for lock in account.state.locks if lock.live and lock.lock_id is not None]
    if not live:
        raise RefusedError(
            ReasonCode.LOCK_ABSENT,
            "the account has no lock that could be registered",
            fix="lock collateral first with: marginproof account lock",
        )
    if len(live) > MAX_LOCKS:
        raise RefusedError(
            ReasonCode.REGISTRATION_LOCKS,
            f"an account may have at most {MAX_LOCKS} locks",
            fix="add to existing locks with: marginproof account top-up",
        )
    references = [
        LockReference(lock.chain, lock.vault, lock.lock_id or 0, account.secret.lock_salt(lock.key_index))
        for lock in live
    ]
    registration = Registration(
        network=network.network_id,
        identity=account.identity,
        number=number,
        first_epoch=first_epoch,
        payees_root=account.payees.root,
        blinding_seed=account.secret.blinding_seed(number),
        locks=tuple(sorted(references, key=lambda lock: (lock.chain, lock.vault, lock.lock_id))),
    )
    return sign_registration(registration, account.signer)


async def register(
    account: Account, network: NetworkFile, now: int, *, timeout_seconds: float = 10.0
) -> RegistrationReport:
    """Registers the account's locks with every relayer of the network.

    The registration is remembered before it is sent. One that too few relayers took is sent again, unchanged, as long
    as it is still what the account would say and in time.

    Raises:
        UnavailableError: Fewer relayers than the threshold took it; ``fields`` has each one's answer.
        RefusedError: See :func:`build_registration`.
    """
    signed = _pending(account, network, now)
    if signed is None:
        signed = build_registration(account, network, _next_number(account.state), first_epoch_for(network, now))
        _remember(account, signed, accepted=False)
    answers = await asyncio.gather(*(_send(relayer, signed, timeout_seconds) for relayer in network.relayers))
    taken = sum(answer.code is None for answer in answers)
    if taken < network.configuration.threshold:
        raise UnavailableError(
            f"{taken} of {len(answers)} relayers took the registration, {network.configuration.threshold} are needed",
            fix="run it again; see with `marginproof relayer status` which relayers can be reached",
            fields={f"relayer_{answer.relayer}": str(answer.code or "TAKEN") for answer in answers},
        )
    _remember(account, signed, accepted=True)
    registration = signed.registration
    return RegistrationReport(
        registration.number, registration.root(), registration.first_epoch, len(registration.locks), tuple(answers)
    )


def known_registrations(account: Account) -> dict[bytes, Registration]:
    """The account's registrations by digest; with them it opens its own leaves."""
    registrations = (SignedRegistration.decode(record.signed).registration for record in account.state.registrations)
    return {registration.root(): registration for registration in registrations}


def _next_number(state: AccountState) -> int:
    """One more than the last; in a restored copy not below its time, for numbers before that may have been used."""
    last = state.registrations[-1].number if state.registrations else 0
    return max(last + 1, state.restored_at)


def _pending(account: Account, network: NetworkFile, now: int) -> SignedRegistration | None:
    """The last registration, if too few relayers took it and it can still be sent as it is."""
    if not account.state.registrations or account.state.registrations[-1].accepted:
        return None
    last = SignedRegistration.decode(account.state.registrations[-1].signed)
    if last.registration.first_epoch <= epoch_of(network.configuration, now):
        return None
    again = build_registration(account, network, last.registration.number, last.registration.first_epoch)
    return last if again.registration == last.registration else None


def _remember(account: Account, signed: SignedRegistration, *, accepted: bool) -> None:
    number = signed.registration.number
    kept = [record for record in account.state.registrations if record.number != number]
    record = RegistrationRecord(number, signed.encode(), accepted)
    registrations = (*kept, record)[-KEPT_REGISTRATIONS:]
    account.remember(dataclasses.replace(account.state, registrations=registrations))


async def _send(relayer: RelayerEndpoint, signed: SignedRegistration, timeout_seconds: float) -> RelayerAnswer:
    try:
        async with RelayerClient(
            relayer.target, relayer.certificate_pem, timeout_seconds=timeout_seconds, peer=f"relayer {relayer.index}"
        ) as client:
            digest, _ = await client.register_account(signed)
    except MarginproofError as error:
        return RelayerAnswer(relayer.index, error.code)
    known = digest == signed.registration.root()
    return RelayerAnswer(relayer.index, None if known else ReasonCode.MALFORMED)
