"""The venue's own side: a matching engine reserves a line, checks orders against it and books fills inside it.

usage: python examples/matching_engine.py HOST:PORT CERTIFICATE_FILE TOKEN_FILE ACCOUNT_ID [INSTRUMENT PRICE_USD]
"""

import sys
import time
import uuid
from decimal import Decimal
from pathlib import Path

from marginproof.client.blocking import Blocking, blocking_venue_book
from marginproof.client.venue_book import OrderCheck, OrderFill, VenueBookClient

LINE_LOTS = 5_000 * 10**6
"""5,000 USD, where a lot of cash is 10^-6 USD: how much worse the book may become before a new proof is needed."""
ORDERS = (-100, -250, 50, -(10**9))
"""Signed lots; the last one is far outside any line."""
WAIT_SECONDS = 600


def main(
    target: str, certificate: str, token: str, account: str, instrument: str = "ETH-PERP", price: str = "131.74"
) -> None:
    """Opens the account, gets it a line if it has none, and sends a few orders through."""
    account_id, price_e8 = bytes.fromhex(account.removeprefix("0x")), int(Decimal(price) * 10**8)
    with blocking_venue_book(target, Path(certificate).read_text(), Path(token).read_text().strip()) as book:
        print("book sequence", book.call(lambda client: client.open_account(account_id)))
        if not open_line(book, account_id):
            sys.exit("the account has not proven the proposed pledge in time; nothing is traded without it")
        fills = []
        for lots in ORDERS:
            order = OrderFill(str(uuid.uuid4()), account_id, instrument, lots, price_e8)
            check = check_order(book, order)
            print(f"order {lots:>15} {'fits' if check.fits else check.reason}")
            if check.fits:  # the engine matches it, and the fill keeps the id
                fills.append(order)
        for _ in range(2 if fills else 0):  # sent twice, as after a lost answer: the second time changes nothing
            results = book.call(lambda client: client.record_fills(fills))
            booked = [f"{result.sequence}{' again' if result.repeated else ''}" for result in results]
            print("booked as", ", ".join(booked))


def check_order(book: Blocking[VenueBookClient], order: OrderFill) -> OrderCheck:
    """Whether an order would be booked if it were filled now."""
    return book.call(lambda client: client.check_order(order.account, order.instrument, order.lots, order.price_e8))


def open_line(book: Blocking[VenueBookClient], account: bytes) -> bool:
    """Reserves a line unless one is open, and waits until its pledge is final on the registry."""
    status = book.call(lambda client: client.get_pledge(account))
    if not status.line_open:
        status = book.call(lambda client: client.reserve_pledge(account, LINE_LOTS))
    end = time.monotonic() + WAIT_SECONDS
    while not status.line_open and not status.reason and time.monotonic() < end:
        print("pledge", status.proposal_state.name, "- the account has to prove it, the registry to take it")
        time.sleep(2)
        status = book.call(lambda client: client.get_pledge(account))
    return status.line_open


if __name__ == "__main__":
    if len(sys.argv) not in (5, 7):
        sys.exit(__doc__)
    main(*sys.argv[1:])
