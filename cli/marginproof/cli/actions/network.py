"""What ``marginproof network …`` does."""

import dataclasses
from pathlib import Path

from marginproof.cli.output import Result
from marginproof.model.chains import format_address
from marginproof.model.network_file import load_network_file
from marginproof.model.universe import EntryKind


def show(path: Path) -> Result:
    """What a network file says, and the network id that it adds up to."""
    network = load_network_file(path)
    configuration = dataclasses.asdict(network.configuration)
    del configuration["vaults"]
    configuration["signer_set_digest"] = "0x" + network.configuration.signer_set_digest.hex()
    vaults = [
        {"chain": pin.chain, "address": format_address(pin.address), "code_hash": "0x" + pin.code_hash.hex()}
        for pin in network.configuration.vaults
    ]
    entries = [
        {"index": entry.index, "id": entry.id, "kind": EntryKind(entry.kind).name.lower(), "max_lots": entry.max_lots}
        for entry in network.universe.entries
    ]
    document = {
        "network_id": "0x" + network.network_id.hex(),
        "development": network.development,
        "home_chain": network.network.home_chain,
        "registry": format_address(network.network.registry),
        "n": network.network.n,
        "universe_digest": "0x" + network.universe.root().hex(),
        "configuration": configuration,
        "vaults": vaults,
        "relayers": [{"relayer": relayer.index, "target": relayer.target} for relayer in network.relayers],
        "venues": [{"address": format_address(venue.address), "target": venue.target} for venue in network.venues],
        "entries": entries,
    }
    fields = [(label, str(document[label])) for label in ("network_id", "home_chain", "registry", "n")]
    fields += [(name, str(value)) for name, value in configuration.items()]
    fields += [(f"vault {vault['chain']}", vault["address"]) for vault in vaults]
    fields += [(f"relayer {relayer.index}", relayer.target) for relayer in network.relayers]
    fields += [("venue", f"{format_address(venue.address)} at {venue.target}") for venue in network.venues]
    rows = [[str(entry["index"]), str(entry["kind"]), str(entry["id"])] for entry in entries]
    return Result("network-show", document, fields, ("index", "kind", "entry"), rows)
