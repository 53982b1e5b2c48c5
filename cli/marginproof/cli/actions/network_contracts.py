"""Deploying each contract once, whatever is interrupted: intent on disk first, then the transaction, then the proof."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal

import rlp
import yaml
from eth_utils.crypto import keccak
from pydantic import Field

from marginproof.chains.evm.client import EndpointPool
from marginproof.chains.evm.contracts.artifact import load_artifact
from marginproof.chains.evm.transactions import Sender
from marginproof.chains.evm.verify import AccountFacts, check_code
from marginproof.model.chains import format_address, parse_address
from marginproof.model.documents import AddressText, StrictDocument, parse_document, read_file
from marginproof.model.errors import ConfigurationError, MarginproofError, RefusedError, UnavailableError
from marginproof.model.reasons import ReasonCode
from marginproof.prover.files import write_atomic

API_VERSION: Final = "marginproof/network-record/v1"
_WHAT: Final = "the record of what was deployed"
_POLL_SECONDS: Final = 0.5
_MOST_FAILURES: Final = 20

CodeHash = Callable[[bytes], bytes]
"""Address (20 bytes) → hash of the code that must lie there (32 bytes)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Contract:
    """One contract of a network: its name in the record, where it goes, and what must lie there."""

    name: str
    chain: str
    artifact: str
    arguments: tuple[object, ...]
    code_hash: CodeHash


class Intent(StrictDocument):
    """A deployment that was begun: which key's transaction of which number, and the address that follows from both."""

    chain: str
    sender: AddressText
    nonce: int = Field(ge=0)
    address: AddressText


class _RecordDocument(StrictDocument):
    api_version: Literal["marginproof/network-record/v1"] = Field(alias="apiVersion")
    contracts: dict[str, Intent]


class Record:
    """What was deployed so far, on disk before it happens.

    Args:
        path: Need not exist.

    Raises:
        ConfigurationError: It exists and is no record.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._intents: dict[str, Intent] = {}
        if path.exists():
            document = parse_document(_RecordDocument, read_file(path, _WHAT, "check its owner"), _WHAT)
            self._intents = dict(document.contracts)

    def get(self, name: str) -> Intent | None:
        """The newest intent for a contract."""
        return self._intents.get(name)

    def put(self, name: str, intent: Intent | None) -> None:
        """Remembers, or with None forgets, an intent."""
        if intent is None:
            self._intents.pop(name, None)
        else:
            self._intents[name] = intent
        document = _RecordDocument.model_validate({"apiVersion": API_VERSION, "contracts": self._intents})
        write_atomic(self._path, yaml.safe_dump(document.model_dump(by_alias=True), sort_keys=False).encode())


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """One chain as a deployment sees it: read by quorum and proof through ``pool``, written to by ``sender``."""

    pool: EndpointPool
    sender: Sender
    record: Record
    talk: Callable[[str], None]
    wait_seconds: float

    async def place(self, contract: Contract) -> bytes:
        """The contract's address, 20 bytes; sends its transaction unless that was done before.

        Raises:
            ConfigurationError: CONFLICT: another key began this deployment.
            RefusedError: The key has no coins.
            MarginproofError: As :meth:`marginproof.chains.evm.transactions.Sender.deploy`.
        """
        own = parse_address(self.sender.address.lower())
        next_nonce = await self.sender.next_nonce()
        known = self.record.get(contract.name)
        if known is not None and known.sender != own:
            raise ConfigurationError(
                f"{contract.name} was begun with the key of {format_address(known.sender)}",
                code=ReasonCode.CONFLICT,
                fix="go on with that key, or name another record in the plan to begin anew",
            )
        if known is not None and known.nonce < next_nonce:
            self.talk(f"{contract.name}: sent before, at {format_address(known.address)}")
            return known.address
        if not await self.sender.balance(self.sender.address):
            raise RefusedError(
                ReasonCode.TRANSACTION_REVERTED,
                f"the key has no coins on {contract.chain} to pay for {contract.name}",
                fix=f"send some to {self.sender.address.lower()}, and run again",
                fields={"chain": contract.chain},
            )
        # Number and address are known before anything is sent: an interrupted run never leads to a second contract.
        address = contract_address(own, next_nonce)
        intent = Intent(chain=contract.chain, sender=own, nonce=next_nonce, address=address)
        self.record.put(contract.name, intent)
        self.talk(f"{contract.name}: deploying at {format_address(address)}")
        created = await self.sender.deploy(load_artifact(contract.artifact), *contract.arguments)
        if parse_address(created.lower()) != address:
            self.record.put(contract.name, None)
            raise UnavailableError(
                f"{contract.name} was created at another address: the key sent something else meanwhile",
                code=ReasonCode.CONFLICT,
                fix="use a key that nobody else uses, and run again",
            )
        return address

    async def verify(self, contract: Contract, address: bytes) -> None:
        """Waits until the deployment is final and proves that the right code lies there.

        Raises:
            UnavailableError: NOT_YET_FINAL: finality takes longer than the time to wait.
            MarginproofError: CODE_HASH_MISMATCH: something else lies there; ACCOUNT_ABSENT: the transaction was
                replaced; and whatever reading the chain raises.
        """
        deadline = asyncio.get_running_loop().time() + self.wait_seconds
        failures = 0
        while True:
            try:
                if await self._is_final(contract, address):
                    break
                failures = 0
            except UnavailableError:  # an endpoint that lags, or is asked too often, does not end a deployment
                failures += 1
                if failures == _MOST_FAILURES:
                    raise
            if asyncio.get_running_loop().time() > deadline:
                raise UnavailableError(
                    f"{contract.name} is not final after {self.wait_seconds:.0f} s",
                    code=ReasonCode.NOT_YET_FINAL,
                    fix="run the same command again: it goes on where it stopped",
                )
            await asyncio.sleep(_POLL_SECONDS)
        self.talk(f"{contract.name}: final, its code proven")

    async def _is_final(self, contract: Contract, address: bytes) -> bool:
        header = await self.pool.header_at(await self.pool.finalized_number())
        account, _ = await self.pool.read_account(header, address)
        if account.has_code:
            _check(contract, address, account)
            return True
        intent = self.record.get(contract.name)
        if intent is not None:
            sender, _ = await self.pool.read_account(header, intent.sender)
            if sender.nonce > intent.nonce:
                self.record.put(contract.name, None)
                raise MarginproofError(
                    ReasonCode.ACCOUNT_ABSENT,
                    f"{contract.name} was not created: another transaction of the key took its place",
                    fix="run the same command again",
                )
        return False


def contract_address(sender: bytes, nonce: int) -> bytes:
    """Where a contract that ``sender`` (20 bytes) creates in its transaction number ``nonce`` lies, 20 bytes."""
    return bytes(keccak(rlp.encode([sender, nonce])))[-20:]


async def deploy_all(sites: Mapping[str, Site], contracts: list[Contract]) -> dict[str, bytes]:
    """Places and verifies contracts, all chains at the same time.

    Returns:
        Name → address, 20 bytes.

    Raises:
        MarginproofError: See :meth:`Site.place` and :meth:`Site.verify`.
    """

    async def on(chain: str, site: Site) -> dict[str, bytes]:
        own = [contract for contract in contracts if contract.chain == chain]
        placed = {contract.name: await site.place(contract) for contract in own}
        for contract in own:
            await site.verify(contract, placed[contract.name])
        return placed

    outcomes = await asyncio.gather(*(on(*item) for item in sites.items()), return_exceptions=True)
    placed: dict[str, bytes] = {}
    for outcome in outcomes:  # every chain has come as far as it could before the first failure is told
        if isinstance(outcome, BaseException):
            raise outcome
        placed |= outcome
    return placed


def _check(contract: Contract, address: bytes, account: AccountFacts) -> None:
    try:
        check_code(account, contract.code_hash(address))
    except MarginproofError as error:
        raise MarginproofError(
            error.code,
            f"{contract.name}: at {format_address(address)} lies something else than this plan asks for",
            fix="put the plan back as it was, or name another record in it to begin anew",
            fields={"contract": contract.name},
        ) from error
