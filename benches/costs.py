"""What it costs to run Marginproof: gas, waiting, storage and traffic. Makes docs/costs.md.

Gas and sizes are measured here, on a fresh development chain and in a fresh database. Waiting is the sum of what the
design makes one wait for, with each chain's own block time and finality; on the devnet it is read from what a demo left
(``--demo DIRECTORY``, made by ``marginproof demo --directory DIRECTORY``).
"""

import argparse
import asyncio
import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from benches import gas
from marginproof import core
from marginproof.attestation.leaves import LeafTree
from marginproof.chains.evm.contracts import COLLATERAL_VAULT, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.chains.evm.transactions import Sender
from marginproof.chains.evm.verify import vault_slots
from marginproof.model.certificates import Certificate, CertificateBody, Leaf, LeafList, Reference
from marginproof.relayers.archive import Archive
from marginproof.relayers.protection import FixedList, SigningProtection
from marginproof.relayers.store import Store

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs" / "costs.md"
EPOCH_SECONDS: Final = 300
PRICE_SECONDS: Final = 30
CERTIFY_SECONDS: Final = 5
ACCOUNTS, EPOCHS = 500, 4
GAS_PRICES_GWEI: Final = {"Ethereum": 5.0, "a rollup": 0.01}
COIN_USD: Final = 3000


@dataclasses.dataclass(frozen=True)
class ChainTimes:
    """Seconds: between blocks, and from a block to the moment when it is final (least and most)."""

    name: str
    block: float
    final_least: float
    final_most: float
    why: str


CHAINS: Final = (
    ChainTimes("Ethereum", 12, 768, 1152, "a block is final two to three epochs of 32 slots later"),
    ChainTimes("a rollup", 2, 900, 1800, "its blocks are final once the Ethereum block with their batch is"),
    ChainTimes("a chain with fast finality", 1, 1, 4, "a block is final within a few seconds"),
)


@dataclasses.dataclass(frozen=True)
class Measured:
    """Seconds that a demo waited: from its first lock to its first fill, from a top-up to a certificate with it."""

    first_fill: float
    top_up: float


def read_demo(directory: Path) -> Measured:
    """What a demo left in its directory: the record's steps and the agent's events."""
    steps = json.loads((directory / "record.json").read_text())["steps"]
    ended = {
        outcome: next(s["at_seconds"] for s in steps if s["outcome"] == outcome) for outcome in ("LOCKED", "FILLED")
    }
    lines = [line for line in (directory / "agent.log").read_text().splitlines() if "agent-event" in line]
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    at = {name: next(e["at"] for e in events if e["event"] == name) for name in ("top-up-reserved", "top-up-counted")}
    return Measured(ended["FILLED"] - ended["LOCKED"], at["top-up-counted"] - at["top-up-reserved"])


# -- waiting ----------------------------------------------------------------------------------------------------------


def recognised(chain: ChainTimes) -> tuple[float, float]:
    """From sending a lock or top-up to a certificate that counts it: inclusion, end of the epoch, finality, signing."""
    least = chain.block + chain.final_least + CERTIFY_SECONDS
    return least, 2 * chain.block + EPOCH_SECONDS + chain.final_most + CERTIFY_SECONDS


def pledged(home: ChainTimes) -> tuple[float, float]:
    """From a venue's proposal to an open line: a snapshot, one proof, the swap's inclusion and finality at home."""
    return home.block + home.final_least, PRICE_SECONDS + 2 * home.block + home.final_most


def waiting(measured: Measured | None) -> str:
    lines = [
        "| collateral on | home chain | top-up to recognised | new account: lock to first fill |",
        "| --- | --- | ---: | ---: |",
    ]
    fast = CHAINS[-1]
    for chain in CHAINS:
        for home in dict.fromkeys((fast, chain)):
            first = [sum(pair) for pair in zip(recognised(chain), pledged(home), strict=True)]
            lines.append(f"| {chain.name} | {home.name} | {_span(recognised(chain))} | {_span(first)} |")
    if measured is not None:
        shown = f"{_time(measured.top_up)} | {_time(measured.first_fill)}"
        lines.append(f"| the devnet, epochs of 3 s, measured | the same | {shown} |")
    return "\n".join(lines) + "\n"


def _span(pair: tuple[float, float] | list[float]) -> str:
    return f"{_time(pair[0])} to {_time(pair[1])}"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


# -- gas --------------------------------------------------------------------------------------------------------------


def gas_table(samples: dict[str, list[int]]) -> str:
    lines = ["| call | gas | " + " | ".join(f"on {name}" for name in GAS_PRICES_GWEI) + " |"]
    lines.append("| --- | ---: |" + " ---: |" * len(GAS_PRICES_GWEI))
    for name, values in samples.items():
        used = sorted(values)[len(values) // 2]
        costs = [used * gwei * 1e-9 * COIN_USD for gwei in GAS_PRICES_GWEI.values()]
        shown = " | ".join(f"{cost:.3f} USD" for cost in costs)
        lines.append(f"| {name} | {_grouped(used)} | {shown} |")
    return "\n".join(lines) + "\n"


# -- storage and traffic ----------------------------------------------------------------------------------------------


def _leaves(count: int, chain: str) -> tuple[Leaf, ...]:
    return tuple(
        Leaf(number.to_bytes(32, "big"), chain, os.urandom(32), os.urandom(32), os.urandom(48))
        for number in range(count)
    )


def _certificate(leaves: tuple[Leaf, ...], chain: str, epoch: int) -> Certificate:
    body = CertificateBody(
        bytes(32),
        chain,
        epoch,
        Reference(epoch, os.urandom(32), epoch),
        2,
        bytes(32),
        LeafList(leaves).root(),
        bytes(32),
        epoch,
    )
    return Certificate(body, (True,) * 21, os.urandom(96))


def relayer_bytes() -> float:
    """Growth of a relayer's database for each account, chain and epoch."""
    chain = "eip155:1"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        key = core.SigningKey.generate().public_key
        store = Store.open(path, network_id=bytes(32), public_key=key, epoch=0, slot=0)
        protection, archive = SigningProtection(store), Archive(store)
        empty = _size(folder)
        for epoch in range(EPOCHS):
            leaves = _leaves(ACCOUNTS, chain)
            protection.fix(FixedList(chain, epoch, Reference(epoch, os.urandom(32), epoch), leaves))
            archive.add_certificate(_certificate(leaves, chain, epoch), leaves)
        store.close()
        return (_size(folder) - empty) / (ACCOUNTS * EPOCHS)


def _size(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).iterdir())


async def proof_bytes() -> float:
    """Bytes of an endpoint's answer for each lock read, many at a time, on a small development chain."""
    count = 64
    with Devnet(DevnetOptions(genesis_time=1_700_000_000)) as devnet:
        async with Sender(devnet.url, devnet.account(0)) as sender:
            vault = await sender.deploy(load_artifact(COLLATERAL_VAULT), 60, sender.address, 60)
            for _ in range(count):
                await sender.transact(load_artifact(COLLATERAL_VAULT), vault, "lock_native", b"\x01" * 32, value=1)
        slots = ["0x" + slot.hex() for slot in vault_slots(range(1, count + 1), ())]
        return len(json.dumps(devnet.rpc("eth_getProof", vault, slots, "latest"))) / count


def sizes() -> str:
    leaves = _leaves(1000, "eip155:1")
    certificate = _certificate(leaves, "eip155:1", 1)
    tree = LeafTree(leaves)
    included = tree.include(leaves[0].account, certificate.digest)
    stored, read = relayer_bytes(), asyncio.run(proof_bytes())
    leaf = len(LeafList(leaves).encode()) / len(leaves)
    rows = [
        (
            "a relayer's database grows, each account, chain and epoch",
            stored,
            "its own list, the certificate's list and the index",
        ),
        ("the same in a year of 300 s epochs", stored * 365 * 86_400 / EPOCH_SECONDS, "before pruning"),
        (
            "a relayer reads, each lock and epoch and endpoint that proves",
            read,
            "three slots; on a large chain each slot's branch is longer",
        ),
        (
            "relayers exchange, each account, chain and epoch and pair",
            2 * leaf,
            "the full list to the proposer, the proposal back",
        ),
        ("a certificate of 21 signers", len(certificate.encode()), "whatever the number of accounts"),
        (
            "an account fetches, each chain and proof and relayer asked",
            len(included.encode()) + len(certificate.encode()),
            "leaf, branch (1 000 accounts) and certificate",
        ),
    ]
    lines = ["| what | bytes | of what it consists |", "| --- | ---: | --- |"]
    lines += [f"| {name} | {_grouped(value)} | {why} |" for name, value, why in rows]
    return "\n".join(lines) + "\n"


def _grouped(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")


# -- the page ---------------------------------------------------------------------------------------------------------

PAGE: Final = """# What it costs

Made by `make costs` ([benches/costs.py](../benches/costs.py)); do not edit it by hand.

## Waiting

Least and most, with epochs of {epoch} s and prices every {price} s. Collateral counts once a certificate shows it: the
transaction is in a block, the epoch ends, its reference block is final, relayers sign. A venue's line opens once the
pledge is final on the home chain; orders inside it wait for nothing.

{whys}

{waiting}
## Gas

The account pays for locks, the venue for swaps, releases and announcements; anybody may post an authorisation, a
revocation or a lapse. Prices are examples: {prices}, a coin at {coin} USD;
what a rollup asks for its data on Ethereum comes on top.

{gas}
## Storage and traffic

{sizes}"""


def page(measured: Measured | None) -> str:
    return PAGE.format(
        epoch=EPOCH_SECONDS,
        price=PRICE_SECONDS,
        whys="\n".join(f"- {chain.name}: {chain.why}" for chain in CHAINS),
        waiting=waiting(measured),
        prices=", ".join(f"{gwei:g} gwei on {name}" for name, gwei in GAS_PRICES_GWEI.items()),
        coin=COIN_USD,
        gas=gas_table(asyncio.run(gas.measure())),
        sizes=sizes(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", type=Path, help="directory of a demo, for what the devnet made one wait")
    parser.add_argument("--write", action="store_true", help="put the page into docs/costs.md")
    options = parser.parse_args()
    text = page(read_demo(options.demo) if options.demo else None)
    if options.write:
        DOCUMENT.write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
