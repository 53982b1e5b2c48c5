"""An account's transactions: lock, add, notice, withdraw. What is intended is written down before it is sent."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Final

from marginproof.chains.evm.transactions import LockState, NewLock, Sender, Token, TransactionReverted, Vault
from marginproof.model.accounts import lock_binding
from marginproof.model.chains import NATIVE_ASSET, format_address, parse_address
from marginproof.model.errors import MalformedError, RefusedError, UnavailableError
from marginproof.model.network import VaultPin, vaults_on
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry, EntryKind
from marginproof.prover.account import Account
from marginproof.prover.funding import Funding, fund_lock_key
from marginproof.prover.keys import check_lock_key
from marginproof.prover.state import LockEventKind, LockRecord

MAX_LOCK_AMOUNT: Final = (1 << 96) - 1
_SCAN_AT_ONCE: Final = 16


@dataclasses.dataclass(frozen=True, slots=True)
class NoticeView:
    """A lock and its notice as the endpoint says; times in UTC seconds, None while no notice runs."""

    record: LockRecord
    notice_at: int | None
    withdrawable_at: int | None


class ChainActions:
    """Acts on an account's locks.

    Every lock belongs to a derived key of its own. A process that dies between intent and receipt loses nothing: the
    unfinished lock is found on the chain again, or made, by :meth:`resume`.

    All methods raise UnavailableError when an endpoint fails and TransactionReverted when the vault refuses.
    """

    def __init__(self, account: Account, network: NetworkFile, funding: Funding | None = None) -> None:
        self._account = account
        self._network = network
        self._funding = funding or Funding()

    def unfinished(self) -> tuple[LockRecord, ...]:
        """Locks whose last intended transaction is not known to have been mined."""
        return tuple(record for record in self._account.state.locks if record.unfinished)

    async def lock(self, entry: Entry, amount: int) -> LockRecord:
        """Locks collateral under the account's binding.

        Args:
            entry: A collateral entry of the universe.
            amount: Base units, above zero.

        Raises:
            RefusedError: CONFLICT: an earlier lock is unfinished.
            MalformedError: OUT_OF_RANGE: no collateral entry, or no possible amount.
            NotFoundError: No vault or no endpoint of the chain.
        """
        self._check_finished()
        _check_amount(amount)
        if entry.kind != EntryKind.COLLATERAL:
            raise MalformedError(
                f"{entry.id} is no collateral",
                code=ReasonCode.OUT_OF_RANGE,
                fix="list the collateral with: marginproof network show",
            )
        vault = vaults_on(self._network.configuration, entry.chain)[0]
        record = await self._intend(entry, amount, vault)
        return await self._make(record)

    async def top_up(self, number: int, amount: int) -> LockRecord:
        """Adds to a lock; no new registration is needed.

        Raises:
            RefusedError: CONFLICT: an earlier transaction is unfinished; LOCK_UNDER_NOTICE.
            MalformedError: OUT_OF_RANGE.
        """
        self._check_finished()
        _check_amount(amount)
        record = (await self.notice_view(number)).record
        _check_live(record)
        if record.under_notice:
            raise RefusedError(
                ReasonCode.LOCK_UNDER_NOTICE,
                "a lock under notice takes nothing more",
                fix=f"cancel the notice with: marginproof account notice cancel --lock {number}",
            )
        _check_amount(record.amount + amount)
        record = dataclasses.replace(record, wanted=record.amount + amount)
        self._account.replace_lock(record)
        return await self._add(record)

    async def resume(self) -> tuple[LockRecord, ...]:
        """Finishes every unfinished lock: finds it on the chain if it was mined after all, else sends it again."""
        for record in self.unfinished():
            await (self._make(record) if record.lock_id is None else self._add(record))
        return self._account.state.locks

    async def start_notice(self, number: int) -> NoticeView:
        """Starts a lock's notice: from that block on it counts nowhere."""
        view = await self.notice_view(number)
        _check_live(view.record)
        if view.notice_at is None:
            async with self._vault(view.record) as (vault, sender, url):
                await self._refill_gas(sender, url)
                receipt = await vault.start_notice(_lock_id(view.record))
            changed = view.record.after(LockEventKind.NOTICE_STARTED, view.record.amount, receipt.block_number)
            self._account.replace_lock(changed)
        return await self.notice_view(number)

    async def cancel_notice(self, number: int) -> NoticeView:
        """Lets a lock count again; its next notice runs in full."""
        view = await self.notice_view(number)
        _check_live(view.record)
        if view.notice_at is not None:
            async with self._vault(view.record) as (vault, sender, url):
                await self._refill_gas(sender, url)
                receipt = await vault.cancel_notice(_lock_id(view.record))
            changed = view.record.after(LockEventKind.NOTICE_CANCELLED, view.record.amount, receipt.block_number)
            self._account.replace_lock(changed)
        return await self.notice_view(number)

    async def withdraw(self, number: int, to: bytes) -> LockRecord:
        """Takes everything out of a lock whose notice is over.

        Args:
            number: Which lock.
            to: Receiver, 20 bytes; not the account's owner, which would link the two.

        Raises:
            RefusedError: LOCK_OWNER_REUSED; TRANSACTION_REVERTED with the vault's reason while the notice runs.
        """
        own = frozenset(address.lower() for address in self._account.own_addresses())
        check_lock_key(format_address(to), own, frozenset())
        view = await self.notice_view(number)
        _check_live(view.record)
        async with self._vault(view.record) as (vault, sender, url):
            await self._refill_gas(sender, url)
            receipt = await vault.withdraw(_lock_id(view.record), format_address(to))
        self._account.replace_lock(view.record.after(LockEventKind.WITHDRAWN, 0, receipt.block_number))
        return self._account.lock(number)

    async def notice_view(self, number: int) -> NoticeView:
        """A lock as the endpoint describes it now; the account's record is corrected where it lags behind."""
        record = self._account.lock(number)
        if record.lock_id is None or not record.live:
            return NoticeView(record, None, None)
        async with self._vault(record) as (vault, _, _):
            try:
                state = await vault.read_lock(record.lock_id)
            except TransactionReverted as refusal:
                if refusal.reason != "LOCK_UNKNOWN":
                    raise
                state = None
            seconds = await vault.notice_seconds()
        record = self._corrected(record, state)
        if state is None or not state.notice_at:
            return NoticeView(record, None, None)
        return NoticeView(record, state.notice_at, state.notice_at + seconds)

    async def _intend(self, entry: Entry, amount: int, pin: VaultPin) -> LockRecord:
        state = self._account.state
        owner = self._account.secret.lock_key(state.next_key_index)
        check_lock_key(owner.address, self._account.own_addresses(), self._account.lock_addresses())
        record = LockRecord(
            number=len(state.locks),
            key_index=state.next_key_index,
            chain=entry.chain,
            vault=pin.address,
            token=entry.token,
            wanted=amount,
            locks_before=0,
        )
        async with self._vault(record) as (vault, _, _):
            record = dataclasses.replace(record, locks_before=await vault.lock_count())
        self._account.remember(
            dataclasses.replace(state, locks=(*state.locks, record), next_key_index=state.next_key_index + 1)
        )
        return record

    async def _make(self, record: LockRecord) -> LockRecord:
        binding = lock_binding(
            self._account.account_id, self._account.payees.root, self._account.secret.lock_salt(record.key_index)
        )
        async with self._vault(record) as (vault, sender, url):
            await _check_nothing_pending(sender)
            found = await self._find(vault, sender.address, binding, record.locks_before)
            if found:
                return self._adopt(record, found)
            await fund_lock_key(self._account, self._funding, sender, url, record.token, record.wanted)
            made = await _send_lock(vault, sender, record, binding)
        made_record = dataclasses.replace(record, lock_id=made.lock_id)
        self._account.replace_lock(made_record.after(LockEventKind.LOCKED, made.amount, made.block_number))
        return self._account.lock(record.number)

    async def _add(self, record: LockRecord) -> LockRecord:
        async with self._vault(record) as (vault, sender, url):
            await _check_nothing_pending(sender)
            before = await vault.read_lock(_lock_id(record))
            lacking = record.wanted - before.amount
            block_number = None
            if lacking > 0:
                await fund_lock_key(self._account, self._funding, sender, url, record.token, lacking)
                block_number = await _send_addition(vault, sender, record, lacking)
            after = await vault.read_lock(_lock_id(record))
        self._account.replace_lock(record.after(LockEventKind.ADDED, after.amount, block_number))
        return self._account.lock(record.number)

    async def _refill_gas(self, sender: Sender, url: str) -> None:
        """Without a payer the lock's key uses what its reserve still has."""
        if self._funding.key is not None:
            await fund_lock_key(self._account, self._funding, sender, url, NATIVE_ASSET, 0)

    async def _find(self, vault: Vault, owner: str, binding: bytes, locks_before: int) -> dict[int, LockState]:
        """Locks of this key and binding that the vault made since the intent."""
        ids = range(locks_before + 1, await vault.lock_count() + 1)
        found: dict[int, LockState] = {}
        for start in range(0, len(ids), _SCAN_AT_ONCE):
            part = ids[start : start + _SCAN_AT_ONCE]
            states = await asyncio.gather(*(_read_or_none(vault, lock_id) for lock_id in part))
            found |= {
                lock_id: state
                for lock_id, state in zip(part, states, strict=True)
                if state is not None and state.owner == owner and state.binding == binding
            }
        return found

    def _adopt(self, record: LockRecord, found: dict[int, LockState]) -> LockRecord:
        """Takes over what an earlier run locked; every lock found becomes one of the account's."""
        for position, (lock_id, state) in enumerate(sorted(found.items())):
            number = record.number if position == 0 else len(self._account.state.locks)
            adopted = dataclasses.replace(record, number=number, lock_id=lock_id)
            self._account.replace_lock(adopted.after(LockEventKind.LOCKED, state.amount))
        return self._account.lock(record.number)

    def _corrected(self, record: LockRecord, state: LockState | None) -> LockRecord:
        corrected = record
        if state is None:
            corrected = record.after(LockEventKind.WITHDRAWN, 0)
        elif bool(state.notice_at) != record.under_notice:
            kind = LockEventKind.NOTICE_STARTED if state.notice_at else LockEventKind.NOTICE_CANCELLED
            corrected = record.after(kind, state.amount)
        elif state.amount != record.amount and not record.unfinished:
            corrected = record.after(LockEventKind.ADDED, state.amount)
        if corrected is not record:
            self._account.replace_lock(corrected)
        return corrected

    def _check_finished(self) -> None:
        if self.unfinished():
            raise RefusedError(
                ReasonCode.CONFLICT,
                "an earlier lock or top-up of this account is unfinished",
                fix="finish it with: marginproof account lock --resume",
            )

    @contextlib.asynccontextmanager
    async def _vault(self, record: LockRecord) -> AsyncIterator[tuple[Vault, Sender, str]]:
        url = self._account.endpoints(record.chain)[0]
        key = self._account.secret.lock_key(record.key_index)
        async with Sender(url, key, timeout_seconds=self._funding.timeout_seconds) as sender:
            yield Vault(sender, format_address(record.vault)), sender, url


async def _send_lock(vault: Vault, sender: Sender, record: LockRecord, binding: bytes) -> NewLock:
    if record.token == NATIVE_ASSET:
        return await vault.lock_native(record.wanted, binding)
    await Token(sender, format_address(record.token)).approve(vault.address, record.wanted)
    return await vault.lock_token(format_address(record.token), record.wanted, binding)


async def _send_addition(vault: Vault, sender: Sender, record: LockRecord, amount: int) -> int:
    if record.token == NATIVE_ASSET:
        return (await vault.add_native(_lock_id(record), amount)).block_number
    await Token(sender, format_address(record.token)).approve(vault.address, amount)
    return (await vault.add_token(_lock_id(record), amount)).block_number


async def _read_or_none(vault: Vault, lock_id: int) -> LockState | None:
    try:
        return await vault.read_lock(lock_id)
    except TransactionReverted:
        return None  # withdrawn meanwhile: none of ours, whose notice could not even have begun


async def _check_nothing_pending(sender: Sender) -> None:
    """A second copy of a transaction that may still be mined is never sent."""
    if await sender.pending_count():
        raise UnavailableError(
            "a transaction of this lock waits to be mined",
            code=ReasonCode.TRANSACTION_TIMEOUT,
            fix="wait, then run: marginproof account lock --resume",
        )


def _check_amount(amount: int) -> None:
    if not 0 < amount <= MAX_LOCK_AMOUNT:
        raise MalformedError(
            "a lock holds more than nothing and at most 2^96 - 1 base units",
            code=ReasonCode.OUT_OF_RANGE,
            fix="choose another amount",
        )


def _check_live(record: LockRecord) -> None:
    if not record.live:
        raise RefusedError(
            ReasonCode.LOCK_ABSENT,
            "the lock was not made yet or was withdrawn",
            fix="list the account's locks with: marginproof account status",
        )


def _lock_id(record: LockRecord) -> int:
    if record.lock_id is None:
        raise RefusedError(
            ReasonCode.LOCK_ABSENT, "the lock was not made yet", fix="run: marginproof account lock --resume"
        )
    return record.lock_id


def parse_receiver(text: str) -> bytes:
    """The 20 bytes of an address that may receive coins; the zero address would burn them.

    Raises:
        MalformedError: No address, or the zero address.
    """
    address = parse_address(text)
    if address == NATIVE_ASSET:
        raise MalformedError("the zero address would burn the coins", fix="name an address of your own")
    return address
