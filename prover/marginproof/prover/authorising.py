"""Changing the registry and seeing the change become final: venues let in or out, a new key."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator

from eth_account.signers.local import LocalAccount

from marginproof.chains.evm.transactions import Registry, Sender
from marginproof.model.chains import format_address
from marginproof.model.errors import ConfigurationError, RefusedError
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.keys import check_lock_key
from marginproof.prover.registry_changes import SignedChange, sign_authorisation, sign_rotation
from marginproof.prover.registry_view import RegistryReader
from marginproof.prover.waiting import Patience, until


@dataclasses.dataclass(frozen=True, slots=True)
class RegistryChange:
    """What became of a change.

    Attributes:
        signed: What the account signed; None where the registry had it so already.
        block_number: The block that contains it; None where it was only signed, for somebody else to post.
    """

    signed: SignedChange | None
    block_number: int | None

    @property
    def final(self) -> bool:
        """Whether it holds by the registry's finalised state."""
        return self.signed is None or self.block_number is not None


class RegistryWriter:
    """Signs changes and, with a key that pays, posts them and waits until they are final.

    Each step can be repeated after a crash: a change names the registry's own count and is void at any other.

    Args:
        account: Whose.
        network: Names the registry.
        reader: The account's view of it.
        payer: The key that pays for gas; None to sign only. Everybody sees that it acts for the account.
        patience: For finality.
    """

    def __init__(
        self,
        account: Account,
        network: NetworkFile,
        reader: RegistryReader,
        payer: LocalAccount | None,
        patience: Patience,
    ) -> None:
        if payer is not None:
            _check_payer(account, payer)
        self._account = account
        self._network = network
        self._reader = reader
        self._payer = payer
        self._patience = patience

    async def authorise(self, venue: bytes, *, revoke: bool = False) -> RegistryChange:
        """Lets a venue pledge, or no longer.

        Raises:
            RefusedError: VENUE_NOT_PAYEE; CONFLICT: an earlier revocation has not ended yet.
            MarginproofError: As :meth:`SignedChange.post`; DEADLINE where finality takes too long.
        """
        view = await self._reader.view()
        found = await self._reader.authorisation(venue, view.header)
        if found.authorised is not revoke:
            return RegistryChange(None, None)
        if not revoke:
            self._account.payees.opening(venue)
            if found.revoked_at:
                raise RefusedError(
                    ReasonCode.CONFLICT,
                    "this venue was revoked and its pledge has not lapsed yet",
                    fix="wait until it is released or has lapsed, then authorise the venue again",
                    fields={"venue": format_address(venue), "revoked_at": found.revoked_at},
                )
        signed = sign_authorisation(self._account, self._network.network_id, venue, found.number, revoke=revoke)

        async def changed() -> bool | None:
            now = await self._reader.authorisation(venue)
            return True if now.number > signed.number else None

        block_number = await self._post(signed)
        if block_number is not None:
            await until(changed, self._patience, "the finality of this change")
            await self._reader.view()
        return RegistryChange(signed, block_number)

    async def lapse(self, venue: bytes) -> RegistryChange:
        """Removes a revoked venue's pledge once its notice is over; anybody may, the account has reason to.

        Raises:
            RefusedError: CONFLICT: the notice still runs.
            ConfigurationError: There is no key that pays.
            MarginproofError: What the registry or the endpoint refuses; DEADLINE where finality takes too long.
        """
        view = await self._reader.view()
        found = await self._reader.authorisation(venue, view.header)
        if not found.revoked_at:
            return RegistryChange(None, None)
        over_at = found.revoked_at + self._network.configuration.notice_seconds
        if view.header.timestamp < over_at:
            raise RefusedError(
                ReasonCode.CONFLICT,
                "the notice of this revocation still runs",
                fix=f"try again after {over_at} (UTC seconds)",
                fields={"venue": format_address(venue), "over_at": over_at},
            )
        async with self._registry() as registry:
            receipt = await registry.lapse(self._account.account_id, format_address(venue))

        async def lapsed() -> bool | None:
            return True if (await self._reader.view()).record.pledge_of(venue) is None else None

        await until(lapsed, self._patience, "the finality of this change")
        return RegistryChange(None, receipt.block_number)

    async def rotate_key(self) -> RegistryChange:
        """Hands the account over to its next key, which signs from the moment that the change is final.

        Raises:
            RefusedError: KEY_INVALID, see :meth:`RegistryReader.view`.
            MarginproofError: As :meth:`SignedChange.post`; DEADLINE where finality takes too long: the new key is
                taken into use by whatever reads the registry next.
        """
        await self._reader.view()
        signed = sign_rotation(self._account, self._network.network_id)

        async def rotated() -> bool | None:
            view = await self._reader.view()
            return True if view.record.key_number > signed.number else None

        block_number = await self._post(signed)
        if block_number is not None:
            await until(rotated, self._patience, "the finality of the new key")
        return RegistryChange(signed, block_number)

    async def _post(self, signed: SignedChange) -> int | None:
        if self._payer is None:
            return None
        async with self._registry() as registry:
            return (await signed.post(registry)).block_number

    @contextlib.asynccontextmanager
    async def _registry(self) -> AsyncIterator[Registry]:
        """The registry in the payer's hands."""
        if self._payer is None:
            raise ConfigurationError("there is no key that pays for gas", fix="name one with --payer-key-file")
        _check_payer(self._account, self._payer)
        state = self._account.state
        if self._payer.address not in state.payers:
            self._account.remember(dataclasses.replace(state, payers=(*state.payers, self._payer.address)))
        network = self._network.network
        async with Sender(self._account.endpoints(network.home_chain)[0], self._payer) as sender:
            yield Registry(sender, format_address(network.registry))


def _check_payer(account: Account, payer: LocalAccount) -> None:
    """Refuses a payer that owns or funded a lock: paying for the account as well, it would link the two publicly."""
    check_lock_key(payer.address, frozenset(account.state.funders), account.lock_addresses())
