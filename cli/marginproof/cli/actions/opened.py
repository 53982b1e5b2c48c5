"""Opening an account, a network file and the key that pays, from options."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from eth_account.signers.local import LocalAccount

from marginproof.cli.passwords import read_password, read_secret_text
from marginproof.cli.rpc_file import read_rpc_file
from marginproof.model.chains import parse_address, parse_chain
from marginproof.model.errors import MalformedError
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.keys import parse_private_key


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """How to open an account: its directory, its network file, and the file with its password if there is one."""

    account: Path
    network: Path
    password_file: Path | None


@contextlib.contextmanager
def opened(access: Access) -> Iterator[tuple[Account, NetworkFile]]:
    """The account and its network, for the time of a ``with`` block."""
    network = load_network_file(access.network)
    with Account.open(access.account, network, read_password(access.password_file)) as account:
        yield account, network


def funding_key(path: Path | None) -> LocalAccount | None:
    """The key in a file, if one was named."""
    return None if path is None else parse_private_key(read_secret_text(path, "the funding key file"))


def payer_key(path: Path | None) -> LocalAccount | None:
    """The key in a file that pays for the account's transactions on the registry, if one was named."""
    return None if path is None else parse_private_key(read_secret_text(path, "the payer's key file"))


def one_venue(network: NetworkFile, text: str | None) -> bytes:
    """The venue that was named, or the only one that the network file has.

    Raises:
        MalformedError: No address, or there are several venues to choose from.
        NotFoundError: The network file has no such venue.
    """
    if text is not None:
        return network.venue(parse_address(text)).address
    if len(network.venues) != 1:
        raise MalformedError(
            f"the network file names {len(network.venues)} venues", fix="choose one with --venue ADDRESS"
        )
    return network.venues[0].address


def parse_endpoints(pairs: Sequence[str], rpc_file: Path | None = None) -> dict[str, tuple[str, ...]]:
    """JSON-RPC addresses by chain, from ``CHAIN=URL`` pairs and a file; the addresses themselves are never shown.

    Raises:
        MalformedError: A pair is none.
        ConfigurationError: FILE_UNREADABLE or CONFIG_INVALID: the file.
    """
    endpoints: dict[str, tuple[str, ...]] = {} if rpc_file is None else dict(read_rpc_file(rpc_file))
    for position, pair in enumerate(pairs):
        chain, separator, url = pair.partition("=")
        if not separator or not url.startswith(("http://", "https://")) or len(url) > 2048:
            raise MalformedError(
                f"the --rpc option number {position + 1} is no CHAIN=URL pair",
                code=ReasonCode.MALFORMED,
                fix="write it like --rpc eip155:1=http://127.0.0.1:8545",
            )
        endpoints[parse_chain(chain)] = (*endpoints.get(chain, ()), url)
    return endpoints
