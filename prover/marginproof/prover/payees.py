"""The payees of an account: every venue that its locks may ever pay, hidden among as many as fit."""

import dataclasses
from collections.abc import Sequence
from typing import Final

from marginproof.model.accounts import MAX_PAYEES, Payee, payee_branch, payees_root
from marginproof.model.chains import format_address
from marginproof.model.errors import MalformedError, RefusedError
from marginproof.model.reasons import ReasonCode
from marginproof.prover.keys import MasterSecret

_NOBODY: Final = bytes(20)
"""Fills the list up: vaults never pay the zero address, and nobody can tell it from a venue."""


@dataclasses.dataclass(frozen=True, slots=True)
class PayeeOpening:
    """What shows one venue that it is a payee."""

    salt: bytes = dataclasses.field(repr=False)
    index: int
    branch: tuple[bytes, ...] = dataclasses.field(repr=False)


class Payees:
    """The salted list, always full and in an order that depends on the salts.

    A venue that is shown its own place learns neither how many other venues there are nor which.

    Args:
        secret: Where the salts come from.
        venues: 1 to 16 addresses of 20 bytes, each once.

    Raises:
        MalformedError: OUT_OF_RANGE.
    """

    def __init__(self, secret: MasterSecret, venues: Sequence[bytes]) -> None:
        usable = 1 <= len(venues) <= MAX_PAYEES and len(set(venues)) == len(venues)
        if not usable or any(len(venue) != 20 or venue == _NOBODY for venue in venues):
            raise MalformedError(
                f"an account names 1 to {MAX_PAYEES} different venues",
                code=ReasonCode.OUT_OF_RANGE,
                fix="name each venue once with --venue",
            )
        filled = [*venues, *(_NOBODY for _ in range(MAX_PAYEES - len(venues)))]
        payees = (Payee(venue, secret.payee_salt(position, venue)) for position, venue in enumerate(filled))
        self._payees = tuple(sorted(payees, key=lambda payee: payee.salt))
        self.root = payees_root(self._payees)

    def __repr__(self) -> str:
        return f"Payees(root={self.root.hex()})"

    def opening(self, venue: bytes) -> PayeeOpening:
        """What shows ``venue`` under the root.

        Raises:
            RefusedError: VENUE_NOT_PAYEE.
        """
        for index, payee in enumerate(self._payees):
            if payee.venue == venue != _NOBODY:
                return PayeeOpening(payee.salt, index, payee_branch(self._payees, index))
        raise RefusedError(
            ReasonCode.VENUE_NOT_PAYEE,
            f"the account's locks cannot pay the venue {format_address(venue)}",
            fix="make a new account that names this venue; the venues of a lock can never change",
        )
