"""What the registry is meant to do, as plain Python: each method answers with the reason of a refusal, or None."""

from dataclasses import dataclass, field

from marginproof.model.chains import parse_address
from marginproof.model.pledges import (
    MAX_PLEDGES,
    NO_COMMITMENT,
    NO_DIGEST,
    RegistryRecord,
    StandingPledge,
    next_digest,
)

NO_END = 2**64 - 1


@dataclass
class ModelAuthorisation:
    number: int = 0
    revoked_at: int = 0

    @property
    def authorised(self) -> bool:
        return self.number % 2 == 1


@dataclass
class ModelAccount:
    """One account; venues are lower-case addresses. ``keys`` are those it ever had, the present one last."""

    keys: list[bytes]
    digest: bytes = NO_DIGEST
    authorisations: dict[str, ModelAuthorisation] = field(default_factory=dict)
    pledges: dict[str, tuple[bytes, int]] = field(default_factory=dict)

    def authorisation(self, venue: str) -> ModelAuthorisation:
        return self.authorisations.setdefault(venue, ModelAuthorisation())

    def record(self, account: bytes) -> RegistryRecord:
        standing = (
            StandingPledge(parse_address(venue), commitment, version, self.authorisation(venue).revoked_at)
            for venue, (commitment, version) in self.pledges.items()
        )
        return RegistryRecord(
            account,
            self.digest,
            self.keys[-1] if len(self.keys) > 1 else bytes(20),
            len(self.keys) - 1,
            tuple(sorted(standing, key=lambda pledge: pledge.venue)),
        )


@dataclass
class RegistryModel:
    """Accounts by name, agreements by (venue, other). Callers say which key has signed."""

    notice: int
    policy_delay: int
    accounts: dict[int, ModelAccount]
    agreed_until: dict[tuple[str, str], int] = field(default_factory=dict)

    def authorise(self, name: int, venue: str, number: int, key: bytes) -> str | None:
        account = self.accounts[name]
        entry = account.authorisation(venue)
        if number != entry.number:
            return "NUMBER_STALE"
        if entry.authorised:
            return "ALREADY_AUTHORISED"
        if entry.revoked_at:
            return "REVOCATION_RUNNING"
        if key != account.keys[-1]:
            return "SIGNATURE_INVALID"
        entry.number += 1
        return None

    def revoke(self, name: int, venue: str, number: int, key: bytes, now: int) -> str | None:
        account = self.accounts[name]
        entry = account.authorisation(venue)
        if number != entry.number:
            return "NUMBER_STALE"
        if not entry.authorised:
            return "NOT_AUTHORISED"
        if key != account.keys[-1]:
            return "SIGNATURE_INVALID"
        entry.number += 1
        if venue in account.pledges:
            entry.revoked_at = now
        account.digest = next_digest(account.digest, parse_address(venue))
        return None

    def rotate(self, name: int, key: bytes, number: int, signer: bytes) -> str | None:
        account = self.accounts[name]
        if number != len(account.keys) - 1:
            return "NUMBER_STALE"
        if key in account.keys:
            return "KEY_USED_BEFORE"
        if signer != account.keys[-1]:
            return "SIGNATURE_INVALID"
        account.keys.append(key)
        return None

    def swap(self, name: int, venue: str, digest: bytes, commitment: bytes, version: int, key: bytes) -> str | None:
        account = self.accounts[name]
        if not account.authorisation(venue).authorised:
            return "NOT_AUTHORISED"
        if digest != account.digest:
            return "DIGEST_STALE"
        if commitment == NO_COMMITMENT:
            return "COMMITMENT_EMPTY"
        if key != account.keys[-1]:
            return "SIGNATURE_INVALID"
        if venue not in account.pledges and len(account.pledges) == MAX_PLEDGES:
            return "TOO_MANY_PLEDGES"
        account.pledges[venue] = (commitment, version)
        account.digest = next_digest(account.digest, parse_address(venue), commitment, version)
        return None

    def release(self, name: int, venue: str) -> str | None:
        return self._remove(self.accounts[name], venue)

    def lapse(self, name: int, venue: str, now: int) -> str | None:
        account = self.accounts[name]
        revoked_at = account.authorisation(venue).revoked_at
        if not revoked_at:
            return "NOT_REVOKED"
        if now < revoked_at + self.notice:
            return "NOTICE_NOT_OVER"
        return self._remove(account, venue)

    def agree(self, venue: str, other: str) -> str | None:
        if venue == other:
            return "VENUE_INVALID"
        if self.agreed_until.get((venue, other)) == NO_END:
            return "ALREADY_AGREED"
        self.agreed_until[venue, other] = NO_END
        return None

    def end_agreement(self, venue: str, other: str, now: int) -> str | None:
        if self.agreed_until.get((venue, other)) != NO_END:
            return "NOT_AGREED"
        self.agreed_until[venue, other] = now + self.policy_delay
        return None

    def edges(self) -> list[int]:
        """The seconds at which something changes without a transaction."""
        entries = (entry for account in self.accounts.values() for entry in account.authorisations.values())
        lapses = {entry.revoked_at + self.notice for entry in entries if entry.revoked_at}
        return sorted(lapses | {until for until in self.agreed_until.values() if until != NO_END})

    @staticmethod
    def _remove(account: ModelAccount, venue: str) -> str | None:
        if venue not in account.pledges:
            return "NO_PLEDGE"
        del account.pledges[venue]
        account.authorisation(venue).revoked_at = 0
        account.digest = next_digest(account.digest, parse_address(venue))
        return None
