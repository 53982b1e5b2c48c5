"""The venue's own side: a matching engine tells the verifier of fills and learns the new book commitment.

usage: python examples/matching_engine.py HOST:PORT CERTIFICATE_FILE TOKEN_FILE ACCOUNT_ID
"""

import sys
import uuid
from pathlib import Path

from marginproof.client.blocking import blocking_venue_book


def main(target: str, certificate: str, token: str, account: str) -> None:
    """Opens the account if need be, and books one small trade twice: the second time changes nothing."""
    account_id = bytes.fromhex(account.removeprefix("0x"))
    fill_id = str(uuid.uuid4())
    with blocking_venue_book(target, Path(certificate).read_text(), Path(token).read_text().strip()) as book:
        print("book sequence", book.call(lambda client: client.open_account(account_id)))
        for _ in range(2):
            sequence, commitment = book.call(
                lambda client: client.record_fill(fill_id, account_id, "ETH-PERP", lots=-100, price_e8=131_74000000)
            )
            print("book sequence", sequence, "commitment", commitment.hex()[:16] + "…")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
