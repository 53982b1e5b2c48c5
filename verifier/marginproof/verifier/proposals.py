"""Making a pledge: the book with its cash lowered by a line, committed to with fresh blinding."""

from collections.abc import Callable, Mapping

from marginproof import core
from marginproof.model.margin import Purpose
from marginproof.model.pledges import Book, PledgeOpening, VectorValue
from marginproof.model.universe import Universe
from marginproof.risk.line import pledge_vector


def propose(
    universe: Universe,
    book: Book,
    *,
    line: int,
    purpose: Purpose,
    now: int,
    draw_blinding: Callable[[Mapping[int, int]], bytes] = core.random_blinding,
) -> PledgeOpening:
    """A pledge of a book; two of the same book never have the same commitment.

    Args:
        universe: What the indices mean; also names n and the version.
        book: The venue's actual book.
        line: Lots of the cash entry by which the pledge lies below the book.
        purpose: Level at which the account must prove it.
        now: UTC seconds.
        draw_blinding: Source of 32 uniform bytes below the field's order, given the vector that they are to hide.

    Raises:
        MalformedError: OUT_OF_RANGE; the cash would lie below −max_lots.
    """
    vector = pledge_vector(universe, book.vector(), line)
    blinding = draw_blinding(vector)
    return PledgeOpening(
        venue=book.venue,
        account=book.account,
        universe_digest=book.universe_digest,
        universe_version=universe.version,
        book_sequence=book.sequence,
        line=line,
        purpose=purpose,
        proposed_at=now,
        values=tuple(VectorValue(index, lots) for index, lots in sorted(vector.items())),
        blinding=blinding,
        commitment=core.commit(universe.n, vector, blinding),
    )
