"""What ``marginproof network show`` and ``network join`` do."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from marginproof.cli.actions.network_doctor import chain_checks, file_checks
from marginproof.cli.checks import Check, has_failed, result_of
from marginproof.cli.home import joined_network
from marginproof.cli.output import Result
from marginproof.cli.rpc_file import read_rpc_file
from marginproof.model.chains import format_address
from marginproof.model.errors import ConfigurationError
from marginproof.model.network_file import NetworkFile, parse_network_file
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import EntryKind
from marginproof.prover.files import read_limited, write_atomic

_MAX_FILE_BYTES: Final = 4 << 20


def show(path: Path) -> Result:
    """What a network file says, its digest, and the network id that it adds up to."""
    data = read_limited(path, _MAX_FILE_BYTES, "the network file")
    network = parse_network_file(data)
    configuration = dataclasses.asdict(network.configuration)
    del configuration["vaults"]
    configuration["signer_set_digest"] = "0x" + network.configuration.signer_set_digest.hex()
    vaults = [
        {"chain": pin.chain, "address": format_address(pin.address), "code_hash": "0x" + pin.code_hash.hex()}
        for pin in network.configuration.vaults
    ]
    document: dict[str, Any] = {
        **_identity(network, data),
        "development": network.development,
        "home_chain": network.network.home_chain,
        "registry": format_address(network.network.registry),
        "n": network.network.n,
        "universe_version": network.universe.version,
        "universe_digest": "0x" + network.universe.root().hex(),
        "configuration": configuration,
        "vaults": vaults,
        "relayers": [{"relayer": relayer.index, "target": relayer.target} for relayer in network.relayers],
        "venues": [{"address": format_address(venue.address), "target": venue.target} for venue in network.venues],
        "entries": entry_documents(network),
    }
    labels = ("network_id", "file_digest", "home_chain", "registry", "n", "universe_version")
    fields = [(label, str(document[label])) for label in labels]
    fields += [(name, str(value)) for name, value in configuration.items()]
    fields += [(f"vault {vault['chain']}", vault["address"]) for vault in vaults]
    fields += [(f"relayer {relayer.index}", relayer.target) for relayer in network.relayers]
    fields += [("venue", f"{format_address(venue.address)} at {venue.target}") for venue in network.venues]
    rows = [[str(entry["index"]), str(entry["kind"]), str(entry["id"])] for entry in document["entries"]]
    return Result("network-show", document, fields, ("index", "kind", "entry"), rows)


def join(path: Path, digest: str, rpc_file: Path | None, timeout_seconds: float) -> Result:
    """Checks a network file against its pinned digest and its chains, and makes it this user's network.

    Raises:
        ConfigurationError: WRONG_NETWORK: the file has another digest; nothing was changed.
    """
    data = read_limited(path, _MAX_FILE_BYTES, "the network file")
    network = parse_network_file(data)
    _check_digest(network, data, digest)
    checks: list[Check] = file_checks(network)
    checks += chain_checks(network, read_rpc_file(rpc_file) if rpc_file else {}, timeout_seconds)
    installed = ""
    if not has_failed(checks):
        target = joined_network()
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(target, data)
        installed = str(target)
    fields = [*_identity(network, data).items(), ("installed", installed)]
    return result_of("network-join", checks, fields)


def entry_documents(network: NetworkFile) -> Sequence[dict[str, object]]:
    """What is shown of the universe's entries."""
    return [
        {"index": entry.index, "id": entry.id, "kind": EntryKind(entry.kind).name.lower(), "max_lots": entry.max_lots}
        for entry in network.universe.entries
    ]


def _identity(network: NetworkFile, data: bytes) -> dict[str, str]:
    return {
        "network_id": "0x" + network.network_id.hex(),
        "file_digest": "0x" + hashlib.sha256(data).hexdigest(),
    }


def _check_digest(network: NetworkFile, data: bytes, pinned: str) -> None:
    wanted = pinned.lower().removeprefix("0x")
    if wanted == hashlib.sha256(data).hexdigest():
        return
    if wanted == network.network_id.hex():
        raise ConfigurationError(
            "this is the network id, which leaves universe, targets and TLS certificates open",
            code=ReasonCode.WRONG_NETWORK,
            fix="pin the file's digest: the SHA-256 that `network deploy` and `network show` give",
        )
    raise ConfigurationError(
        "the network file has another digest than the one pinned",
        code=ReasonCode.WRONG_NETWORK,
        fix="fetch the file again, and compare the digest with its operators over another channel",
        fields={"digest": hashlib.sha256(data).hexdigest()},
    )
