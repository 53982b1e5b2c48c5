"""Gas of every contract call, measured on a fresh development chain; `--write` puts the table into the docs.

Gas depends on the calls alone, not on the machine: a test compares the table in the docs with a new measurement.
"""

import argparse
import asyncio
import statistics
from pathlib import Path
from typing import Any

from marginproof.chains.evm.contracts import (
    COLLATERAL_VAULT,
    PLEDGE_REGISTRY,
    PRICE_FEED,
    TEST_TOKEN,
    Artifact,
    load_artifact,
)
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.chains.evm.transactions import Sender
from marginproof.model.accounts import Payee, lock_binding, payee_branch, payees_root

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "contracts.md"
BEGIN, END = "<!-- gas: begin -->\n", "<!-- gas: end -->\n"

ROUNDS = 5
NOTICE, PAYOUT = 60, 60
ACCOUNT, SALT = b"\xaa" * 32, b"\x5a" * 32
PAYEES = tuple(Payee(bytes([0x10 + index]) * 20, bytes([0x20 + index]) * 32) for index in range(4))
OPENING = (ACCOUNT, payees_root(PAYEES), SALT)
BINDING = lock_binding(*OPENING)
AMOUNT = 10**18


class Meter:
    """Sends transactions and keeps what each kind of call cost."""

    def __init__(self, chain: Devnet, sender: Sender) -> None:
        self.chain = chain
        self.sender = sender
        self.samples: dict[str, list[int]] = {}

    async def deploy(self, name: str, *arguments: Any) -> tuple[Artifact, str]:
        artifact = load_artifact(name)
        address = await self.sender.deploy(artifact, *arguments)
        gas = int(self.chain.rpc("eth_getBlockByNumber", "latest", False)["gasUsed"], 16)
        self.samples.setdefault(f"deploy {name}", []).append(gas)
        return artifact, address

    async def call(
        self, contract: tuple[Artifact, str], label: str, function: str, *arguments: Any, value: int = 0
    ) -> None:
        receipt = await self.sender.transact(*contract, function, *arguments, value=value)
        self.samples.setdefault(f"{contract[0].name}.{label}", []).append(receipt.gas_used)


async def measure_owner(meter: Meter, vault: tuple[Artifact, str], token: str) -> None:
    """The owner's calls, on a new native and a new token lock in each round."""
    (count,) = await meter.sender.call(*vault, "lock_count")
    for turn in range(ROUNDS):
        native, tokens = count + 2 * turn + 1, count + 2 * turn + 2
        await meter.call(vault, "lock_native", "lock_native", BINDING, value=AMOUNT)
        await meter.call(vault, "lock_token", "lock_token", token, AMOUNT, BINDING)
        await meter.call(vault, "add_native", "add_native", native, value=AMOUNT)
        await meter.call(vault, "add_token", "add_token", tokens, AMOUNT)
        await meter.call(vault, "start_notice", "start_notice", native)
        await meter.call(vault, "cancel_notice", "cancel_notice", native)
        for lock_id in (native, tokens):
            await meter.sender.transact(*vault, "start_notice", lock_id)
        meter.chain.mine(meter.chain.now() + NOTICE)
        await meter.call(vault, "withdraw (native)", "withdraw", native, meter.sender.address)
        await meter.call(vault, "withdraw (token)", "withdraw", tokens, meter.sender.address)


async def measure_arbiter(meter: Meter, vault: tuple[Artifact, str]) -> None:
    """The arbiter's calls, each on a new native lock; the payees' accounts exist after the first round."""
    (count,) = await meter.sender.call(*vault, "lock_count")
    for turn in range(ROUNDS):
        lock_id = count + turn + 1
        payee = PAYEES[1]
        listing = (payee.salt, 1, payee_branch(PAYEES, 1))
        await meter.sender.transact(*vault, "lock_native", BINDING, value=AMOUNT)
        await meter.call(vault, "freeze", "freeze", lock_id, *OPENING)
        meter.chain.mine(meter.chain.now() + NOTICE)
        half = AMOUNT // 2
        await meter.call(vault, "pay (native)", "pay", lock_id, "0x" + payee.venue.hex(), half, *OPENING, *listing)
        await meter.call(vault, "release", "release", lock_id)


async def measure() -> dict[str, list[int]]:
    """Gas of each call by name."""
    with Devnet(DevnetOptions(genesis_time=1_700_000_000)) as chain:
        async with Sender(chain.url, chain.account(0)) as sender:
            meter = Meter(chain, sender)
            vault = await meter.deploy(COLLATERAL_VAULT, NOTICE, sender.address, PAYOUT)
            registry = await meter.deploy(PLEDGE_REGISTRY, 86_400)
            feed = await meter.deploy(PRICE_FEED, "ETH / USD", 8, sender.address)
            token = await meter.deploy(TEST_TOKEN, "US dollar, worthless", "TESTUSD", 6)
            await sender.transact(*token, "mint", sender.address, 10**30)
            await sender.transact(*token, "approve", vault[1], 10**30)
            # One lock of each asset stays: an empty vault is not the usual case.
            await sender.transact(*vault, "lock_native", BINDING, value=AMOUNT)
            await sender.transact(*vault, "lock_token", token[1], AMOUNT, BINDING)
            await measure_owner(meter, vault, token[1])
            await measure_arbiter(meter, vault)
            for turn in range(ROUNDS):
                await meter.call(registry, "announce_policy", "announce_policy", bytes([turn + 1]) * 32)
                contents = (turn + 1, b"\x0e" * 32, 100 + turn, b"\x0f" * 97)
                await meter.call(registry, "record_signer_set (97 bytes)", "record_signer_set", *contents)
                await meter.call(feed, "post", "post", 19_430_000_000 + turn)
            return meter.samples


def table(samples: dict[str, list[int]]) -> str:
    """The samples as a Markdown table."""
    lines = ["| call | median | least | most |", "| --- | ---: | ---: | ---: |"]
    for name, gas in samples.items():
        numbers = (int(statistics.median(gas)), min(gas), max(gas))
        lines.append(f"| {name} | " + " | ".join(f"{number:,}".replace(",", " ") for number in numbers) + " |")
    return "\n".join(lines) + "\n"


def documented() -> str:
    """The table that the docs show now."""
    return _parts()[1]


def _parts() -> tuple[str, str, str]:
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    shown, after = rest.split(END)
    return before, shown, after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/contracts.md")
    options = parser.parse_args()
    measured = table(asyncio.run(measure()))
    print(measured, end="")
    if options.write:
        before, _, after = _parts()
        DOCUMENT.write_text(before + BEGIN + measured + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
