"""What an account checks of a proposed pledge, and which openings it keeps: pure.

The registry takes a pledge only with the account's consent over its digest d. A consent is dead for ever once d has
moved on, so an opening is kept while its pledge stands, or while d is still the one that the consent names.
"""

import dataclasses
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from marginproof import core
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError, RefusedError
from marginproof.model.margin import Purpose
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import Book, PledgeOpening, RegistryRecord, VectorValue
from marginproof.model.reasons import ReasonCode
from marginproof.prover.state import AccountState, PledgeRecord
from marginproof.risk.line import cash_entry, pledge_vector

MAX_CONSENTS: Final = 16
"""Different pledges that one venue may have the account's consent to at one time: only one of them can stand."""


@dataclasses.dataclass(frozen=True, slots=True)
class CheckedProposal:
    """A venue's proposal that is what it must be and within the account's limit; secret.

    Attributes:
        opening: With its values; secret between venue and account.
        line_usd: The trading line.
    """

    opening: PledgeOpening
    line_usd: Fraction = dataclasses.field(repr=False)

    @property
    def venue(self) -> bytes:
        """Address, 20 bytes."""
        return self.opening.venue

    @property
    def commitment(self) -> bytes:
        """48 bytes."""
        return self.opening.commitment

    @property
    def purpose(self) -> Purpose:
        """The level at which the venue wants it proven."""
        return Purpose(self.opening.purpose)


def check_book(book: Book, network: NetworkFile, venue: bytes, account: bytes) -> None:
    """Checks that the book is of this venue with this account, over this universe, and a vector of it.

    Raises:
        RefusedError: WRONG_VENUE, LEAF_ACCOUNT_MISMATCH, UNIVERSE_MISMATCH, OUT_OF_RANGE.
    """
    _check_parties("the book", (book.venue, book.account), (venue, account))
    _check_universe("the book", book.universe_digest, network)
    if not _is_vector(book.values, network):
        raise _refused(ReasonCode.OUT_OF_RANGE, "the book is no vector of the network's universe")


def check_opening(opening: PledgeOpening, network: NetworkFile, venue: bytes, account: bytes) -> None:
    """Checks that an opening is of this venue's pledge of this account and opens its commitment.

    A standing pledge may be of an older universe than the network file's.

    Raises:
        RefusedError: WRONG_VENUE, LEAF_ACCOUNT_MISMATCH, PLEDGE_OPENING.
    """
    _check_parties("the pledge", (opening.venue, opening.account), (venue, account))
    try:
        opens = core.commit(network.network.n, opening.vector(), opening.blinding) == opening.commitment
    except core.CoreError:
        opens = False
    if not opens or not _rising(opening.values):
        raise _wrong_opening("what the venue hands over does not open its pledge")


def check_proposal(
    opening: PledgeOpening, book: Book, network: NetworkFile, venue: bytes, account: bytes, *, max_line: int
) -> CheckedProposal:
    """Checks that a proposal is this venue's book with its cash lowered by a line that the account allows.

    Args:
        opening: The venue's proposal.
        book: The venue's book, checked.
        network: The network.
        venue: Address, 20 bytes.
        account: Account id, 32 bytes.
        max_line: The account's own limit, lots of the cash entry.

    Raises:
        RefusedError: All of :func:`check_opening`; UNIVERSE_MISMATCH, UNIVERSE_INCOMPATIBLE, PLEDGE_OPENING,
            PURPOSE_INSUFFICIENT or LINE_LIMIT.
    """
    check_opening(opening, network, venue, account)
    _check_universe("the pledge", opening.universe_digest, network)
    if opening.universe_version != network.universe.version:
        raise _refused(ReasonCode.UNIVERSE_INCOMPATIBLE, "the venue proposes a pledge in another universe's version")
    if opening.book_sequence != book.sequence:
        raise RefusedError(
            ReasonCode.PLEDGE_OPENING,
            "the venue's book has changed since it proposed this pledge",
            fix="try again; if this lasts, ask the venue to propose it again",
        )
    _check_values(opening, book, network)
    _check_line(opening, venue, max_line)
    lots_of_one = 10 ** cash_entry(network.universe).lot_exponent
    return CheckedProposal(opening, Fraction(opening.line, lots_of_one))


def _check_values(opening: PledgeOpening, book: Book, network: NetworkFile) -> None:
    try:
        expected = pledge_vector(network.universe, book.vector(), opening.line)
    except MarginproofError:
        expected = None
    if opening.vector() != expected:
        raise _wrong_opening("the proposed pledge is not the book with its cash lowered by the line")


def _check_line(opening: PledgeOpening, venue: bytes, max_line: int) -> None:
    if opening.purpose not in set(Purpose) or (opening.line and opening.purpose != Purpose.INITIAL):
        raise RefusedError(
            ReasonCode.PURPOSE_INSUFFICIENT,
            "the venue proposes a line without asking for the initial level",
            fix="do not consent; ask the venue to propose it properly",
        )
    if opening.line > max_line:
        raise RefusedError(
            ReasonCode.LINE_LIMIT,
            "the venue proposes a larger line than the account allows it",
            fix="if you want it, allow it with `marginproof account venue-limit`, or once with `--max-line`",
            fields={"venue": format_address(venue)},
        )


def satisfies(proven: Purpose, wanted: Purpose) -> bool:
    """Whether a proof of one level serves where another is wanted: the initial level is the stricter one."""
    return proven is wanted or proven is Purpose.INITIAL


def opening_of(state: AccountState, venue: bytes, commitment: bytes) -> PledgeOpening | None:
    """The opening of a venue's pledge, if the account has it."""
    for record in state.pledges:
        if (record.venue, record.commitment) == (venue, commitment):
            return PledgeOpening.decode(record.opening)
    return None


def kept_pledges(
    pledges: Iterable[PledgeRecord], record: RegistryRecord, block_number: int
) -> tuple[PledgeRecord, ...]:
    """Those openings whose pledges stand, or may still come to stand.

    Args:
        pledges: The account's.
        record: The registry's, at a finalized block.
        block_number: That block's height. What was consented to on a later view is kept: this one is old.
    """
    standing = {(pledge.venue, pledge.commitment) for pledge in record.pledges}
    return tuple(
        pledge
        for pledge in pledges
        if pledge.block_number > block_number
        or pledge.previous == record.digest
        or (pledge.venue, pledge.commitment) in standing
    )


def with_pledge(state: AccountState, new: PledgeRecord) -> AccountState:
    """The state that keeps one more opening; a consent that was given before keeps its place.

    Raises:
        RefusedError: PLEDGE_PENDING: the venue has the account's consent to too many pledges already.
    """
    open_consents = 0
    for old in state.pledges:
        if (old.venue, old.commitment, old.previous) == (new.venue, new.commitment, new.previous):
            return state
        open_consents += (old.venue, old.previous) == (new.venue, new.previous)
    if new.previous and open_consents >= MAX_CONSENTS:
        raise RefusedError(
            ReasonCode.PLEDGE_PENDING,
            f"the venue has consent to {open_consents} pledges and has brought none of them to the registry",
            fix="ask the venue to do so; `marginproof account revoke` ends every open consent",
            fields={"venue": format_address(new.venue)},
        )
    return dataclasses.replace(state, pledges=(*state.pledges, new))


def _is_vector(values: tuple[VectorValue, ...], network: NetworkFile) -> bool:
    """Whether indices rise, name entries of the universe, and no entry is zero or beyond its bound."""
    bounds = {entry.index: entry.max_lots for entry in network.universe.entries}
    return _rising(values) and all(0 < abs(value.lots) <= bounds.get(value.index, 0) for value in values)


def _rising(values: tuple[VectorValue, ...]) -> bool:
    indices = [value.index for value in values]
    return indices == sorted(set(indices))


def _check_parties(what: str, found: tuple[bytes, bytes], expected: tuple[bytes, bytes]) -> None:
    """Venue and account."""
    if found[0] != expected[0]:
        raise _refused(ReasonCode.WRONG_VENUE, f"{what} is of another venue")
    if found[1] != expected[1]:
        raise _refused(ReasonCode.LEAF_ACCOUNT_MISMATCH, f"{what} is of another account")


def _check_universe(what: str, digest: bytes, network: NetworkFile) -> None:
    if digest != network.universe.root():
        raise _refused(ReasonCode.UNIVERSE_MISMATCH, f"{what} is of another universe")


def _wrong_opening(message: str) -> RefusedError:
    return _refused(ReasonCode.PLEDGE_OPENING, message)


def _refused(code: ReasonCode, message: str) -> RefusedError:
    return RefusedError(code, message, fix="do not rely on this answer; ask the venue again or report it")
