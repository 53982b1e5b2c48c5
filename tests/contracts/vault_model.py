"""What the vault is meant to do, as plain Python: each method answers with the reason of a refusal, or None."""

from dataclasses import dataclass, field, replace

MAX_AMOUNT = 2**96 - 1


@dataclass(frozen=True)
class ModelLock:
    owner: str
    asset: str
    amount: int
    notice_at: int = 0
    frozen_at: int = 0


@dataclass
class VaultModel:
    """Locks by id and what each asset's recipients have received."""

    notice: int
    payout: int
    native: str
    locks: dict[int, ModelLock] = field(default_factory=dict)
    count: int = 0
    paid: dict[tuple[str, str], int] = field(default_factory=dict)

    def lock(self, sender: str, asset: str, amount: int) -> str | None:
        if amount == 0:
            return "AMOUNT_ZERO"
        if amount > MAX_AMOUNT:
            return "AMOUNT_OUT_OF_RANGE"
        self.count += 1
        self.locks[self.count] = ModelLock(sender, asset, amount)
        return None

    def add(self, sender: str, lock_id: int, amount: int, as_native: bool) -> str | None:
        if reason := self._not_free(sender, lock_id):
            return reason
        lock = self.locks[lock_id]
        if lock.notice_at:
            return "NOTICE_RUNNING"
        if (lock.asset == self.native) != as_native:
            return "ASSET_MISMATCH"
        if amount == 0:
            return "AMOUNT_ZERO"
        if lock.amount + amount > MAX_AMOUNT:
            return "AMOUNT_OUT_OF_RANGE"
        self.locks[lock_id] = replace(lock, amount=lock.amount + amount)
        return None

    def start_notice(self, sender: str, lock_id: int, now: int) -> str | None:
        if reason := self._not_free(sender, lock_id):
            return reason
        if self.locks[lock_id].notice_at:
            return "NOTICE_RUNNING"
        self.locks[lock_id] = replace(self.locks[lock_id], notice_at=now)
        return None

    def cancel_notice(self, sender: str, lock_id: int) -> str | None:
        if reason := self._not_free(sender, lock_id):
            return reason
        if not self.locks[lock_id].notice_at:
            return "NOTICE_NOT_RUNNING"
        self.locks[lock_id] = replace(self.locks[lock_id], notice_at=0)
        return None

    def withdraw(self, sender: str, lock_id: int, to: str, now: int) -> str | None:
        if reason := self._not_free(sender, lock_id):
            return reason
        lock = self.locks[lock_id]
        if not lock.notice_at:
            return "NOTICE_NOT_RUNNING"
        if now < lock.notice_at + self.notice:
            return "NOTICE_NOT_OVER"
        del self.locks[lock_id]
        self._pay_out(lock.asset, to, lock.amount)
        return None

    def freeze(self, lock_id: int, now: int) -> str | None:
        if lock_id not in self.locks:
            return "LOCK_UNKNOWN"
        if self.locks[lock_id].frozen_at:
            return "LOCK_FROZEN"
        self.locks[lock_id] = replace(self.locks[lock_id], frozen_at=now)
        return None

    def pay(self, lock_id: int, payee: str, amount: int, now: int) -> str | None:
        if lock_id not in self.locks:
            return "LOCK_UNKNOWN"
        lock = self.locks[lock_id]
        if not lock.frozen_at:
            return "LOCK_NOT_FROZEN"
        if now < lock.frozen_at + self.notice:
            return "PAYOUT_NOT_OPEN"
        if now >= lock.frozen_at + self.notice + self.payout:
            return "PAYOUT_OVER"
        if amount == 0:
            return "AMOUNT_ZERO"
        if amount > lock.amount:
            return "AMOUNT_EXCEEDS_LOCK"
        if amount == lock.amount:
            del self.locks[lock_id]
        else:
            self.locks[lock_id] = replace(lock, amount=lock.amount - amount)
        self._pay_out(lock.asset, payee, amount)
        return None

    def release(self, lock_id: int, by_arbiter: bool, now: int) -> str | None:
        if lock_id not in self.locks:
            return "LOCK_UNKNOWN"
        lock = self.locks[lock_id]
        if not lock.frozen_at:
            return "LOCK_NOT_FROZEN"
        if not by_arbiter and now < lock.frozen_at + self.notice + self.payout:
            return "PAYOUT_NOT_OVER"
        self.locks[lock_id] = replace(lock, notice_at=lock.notice_at or lock.frozen_at, frozen_at=0)
        return None

    def total(self, asset: str) -> int:
        return sum(lock.amount for lock in self.locks.values() if lock.asset == asset)

    def edges(self) -> list[int]:
        """The seconds at which something changes without a transaction."""
        times: set[int] = set()
        for lock in self.locks.values():
            if lock.notice_at:
                times.add(lock.notice_at + self.notice)
            if lock.frozen_at:
                times |= {lock.frozen_at + self.notice, lock.frozen_at + self.notice + self.payout}
        return sorted(times)

    def _not_free(self, sender: str, lock_id: int) -> str | None:
        if lock_id not in self.locks:
            return "LOCK_UNKNOWN"
        if self.locks[lock_id].owner != sender:
            return "NOT_OWNER"
        return "LOCK_FROZEN" if self.locks[lock_id].frozen_at else None

    def _pay_out(self, asset: str, to: str, amount: int) -> None:
        self.paid[asset, to] = self.paid.get((asset, to), 0) + amount
