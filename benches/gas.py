"""Gas of every contract call, measured on a fresh development chain; `--write` puts the table into the docs.

`--json` prints {call: {median, least, most}} for other scripts.

Gas depends on the calls alone, not on the machine: a test compares the table in the docs with a new measurement.
"""

import argparse
import asyncio
import json
import statistics
from pathlib import Path
from typing import Any

from eth_account.messages import encode_typed_data

from marginproof.chains.evm.contracts import (
    COLLATERAL_VAULT,
    PLEDGE_REGISTRY,
    PRICE_FEED,
    TEST_TOKEN,
    Artifact,
    load_artifact,
)
from marginproof.chains.evm.devnet import Devnet, DevnetOptions, development_account
from marginproof.chains.evm.transactions import Sender
from marginproof.model.accounts import AccountIdentity, Payee, lock_binding, payee_branch, payees_root
from marginproof.model.chains import parse_address
from marginproof.model.network import Network
from marginproof.model.pledges import NO_DIGEST, PledgeStep, next_digest
from marginproof.model.typed_data import authorise_message, pledge_message, revoke_message, rotation_message

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "contracts.md"
BEGIN, END = "<!-- gas: begin -->\n", "<!-- gas: end -->\n"

ROUNDS = 5
NOTICE, PAYOUT = 60, 60
ACCOUNT, SALT = b"\xaa" * 32, b"\x5a" * 32
PAYEES = tuple(Payee(bytes([0x10 + index]) * 20, bytes([0x20 + index]) * 32) for index in range(4))
OPENING = (ACCOUNT, payees_root(PAYEES), SALT)
BINDING = lock_binding(*OPENING)
AMOUNT = 10**18
VECTOR_LENGTH, CONFIGURATION = 1024, b"\xcd" * 32


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
        self,
        contract: tuple[Artifact, str],
        label: str,
        function: str,
        *arguments: Any,
        value: int = 0,
        sender: Sender | None = None,
    ) -> None:
        receipt = await (sender or self.sender).transact(*contract, function, *arguments, value=value)
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


class SigningAccount:
    """One account of the registry under measurement, and what its owner signs."""

    def __init__(self, network: Network, index: int) -> None:
        self.network = network.root()
        self.key = development_account(50)
        owner = parse_address(self.key.address)
        self.names = (self.key.address, index)
        self.account = AccountIdentity(network.home_chain, network.registry, owner, index).root()
        self.digest = NO_DIGEST

    def sign(self, message: dict[str, Any]) -> bytes:
        return bytes(self.key.sign_message(encode_typed_data(full_message=message)).signature)

    def authorise(self, venue: str, number: int) -> tuple[Any, ...]:
        message = authorise_message(self.network, self.account, parse_address(venue), number)
        return (*self.names, venue, number, self.sign(message))

    def revoke(self, venue: str, number: int) -> tuple[Any, ...]:
        message = revoke_message(self.network, self.account, parse_address(venue), number)
        return (*self.names, venue, number, self.sign(message))

    def rotate(self, key: str, number: int) -> tuple[Any, ...]:
        message = rotation_message(self.network, self.account, parse_address(key), number)
        return (*self.names, key, number, self.sign(message))

    def swap(self, venue: str, commitment: bytes) -> tuple[Any, ...]:
        step = PledgeStep(self.digest, parse_address(venue), commitment, 1)
        signature = self.sign(pledge_message(self.network, self.account, step))
        arguments = (*self.names, self.digest, commitment, 1, signature)
        self.digest = step.root()
        return arguments

    def end(self, venue: str) -> None:
        """After a release or a revocation."""
        self.digest = next_digest(self.digest, parse_address(venue))


async def measure_pledges(meter: Meter, registry: tuple[Artifact, str], second: Sender) -> None:
    """The life of two venues' pledges on a new account in each round; both senders are venues."""
    network = Network(f"eip155:{await second.chain_id()}", parse_address(registry[1]), VECTOR_LENGTH, CONFIGURATION)
    one, two = meter.sender.address, second.address
    for turn in range(ROUNDS):
        account = SigningAccount(network, turn)
        commitments = [bytes([0xA0 + 16 * turn + place]) * 48 for place in range(3)]
        for venue in (one, two):
            await meter.call(registry, "authorise", "authorise", *account.authorise(venue, 0))
        await meter.call(registry, "swap (an account's first)", "swap", *account.swap(one, commitments[0]))
        first = account.swap(two, commitments[1])
        await meter.call(registry, "swap (another venue's first)", "swap", *first, sender=second)
        await meter.call(registry, "swap (replacing)", "swap", *account.swap(one, commitments[2]))
        await meter.call(registry, "release (of two pledges)", "release", account.account)
        account.end(one)
        await meter.call(registry, "revoke (with a pledge)", "revoke", *account.revoke(two, 1))
        meter.chain.mine(meter.chain.now() + NOTICE)
        await meter.call(registry, "lapse", "lapse", account.account, two)
        await meter.call(registry, "revoke (without a pledge)", "revoke", *account.revoke(one, 1))
        key = development_account(60 + turn).address
        await meter.call(registry, "rotate_key", "rotate_key", *account.rotate(key, 0))
        await meter.call(registry, "agree", "agree", key)
        await meter.call(registry, "end_agreement", "end_agreement", key)


async def measure() -> dict[str, list[int]]:
    """Gas of each call by name."""
    with Devnet(DevnetOptions(genesis_time=1_700_000_000)) as chain:
        async with Sender(chain.url, chain.account(0)) as sender, Sender(chain.url, chain.account(1)) as second:
            meter = Meter(chain, sender)
            vault = await meter.deploy(COLLATERAL_VAULT, NOTICE, sender.address, PAYOUT)
            registry = await meter.deploy(PLEDGE_REGISTRY, VECTOR_LENGTH, CONFIGURATION, 86_400, NOTICE)
            feed = await meter.deploy(PRICE_FEED, "ETH / USD", 8, sender.address)
            token = await meter.deploy(TEST_TOKEN, "US dollar, worthless", "TESTUSD", 6)
            await sender.transact(*token, "mint", sender.address, 10**30)
            await sender.transact(*token, "approve", vault[1], 10**30)
            # One lock of each asset stays: an empty vault is not the usual case.
            await sender.transact(*vault, "lock_native", BINDING, value=AMOUNT)
            await sender.transact(*vault, "lock_token", token[1], AMOUNT, BINDING)
            await measure_owner(meter, vault, token[1])
            await measure_arbiter(meter, vault)
            await measure_pledges(meter, registry, second)
            for turn in range(ROUNDS):
                await meter.call(registry, "announce_policy", "announce_policy", bytes([turn + 1]) * 32)
                contents = (turn + 1, b"\x0e" * 32, 100 + turn, b"\x0f" * 97)
                await meter.call(registry, "record_signer_set (97 bytes)", "record_signer_set", *contents)
                await meter.call(feed, "post", "post", 19_430_000_000 + turn)
            return meter.samples


def summary(samples: dict[str, list[int]]) -> dict[str, dict[str, int]]:
    """Median, least and most by call."""
    return {
        name: {"median": int(statistics.median(gas)), "least": min(gas), "most": max(gas)}
        for name, gas in samples.items()
    }


def table(samples: dict[str, list[int]]) -> str:
    """The samples as a Markdown table."""
    lines = ["| call | median | least | most |", "| --- | ---: | ---: | ---: |"]
    for name, numbers in summary(samples).items():
        shown = " | ".join(f"{number:,}".replace(",", " ") for number in numbers.values())
        lines.append(f"| {name} | {shown} |")
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
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    options = parser.parse_args()
    samples = asyncio.run(measure())
    measured = table(samples)
    print(json.dumps(summary(samples), indent=1) if options.json else measured.rstrip())
    if options.write:
        before, _, after = _parts()
        DOCUMENT.write_text(before + BEGIN + measured + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
