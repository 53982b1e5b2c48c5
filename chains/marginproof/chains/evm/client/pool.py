"""A chain read through several endpoints, none of which is trusted."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

from marginproof.chains.evm.client.endpoint import Endpoint, EndpointFailureError
from marginproof.chains.evm.client.quorum import (
    Answer,
    EndpointDisagreementError,
    Evidence,
    FinalityViolationError,
    NotYetFinalError,
    Outcome,
    agreed_value,
    pinned_height,
    required_answers,
)
from marginproof.chains.evm.client.replies import read_block, read_height, read_result
from marginproof.chains.evm.verify import AccountFacts, BlockHeader, SlotFact, parse_get_proof, verify_proof
from marginproof.model.chains import evm_chain_number, format_address
from marginproof.model.errors import (
    ConfigurationError,
    MalformedError,
    NotFoundError,
    UnavailableError,
)
from marginproof.model.reasons import ReasonCode

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
_MAX_CACHED_HEADERS: Final = 4096
_MAX_CACHED_REFERENCES: Final = 256
_SLOTS_PER_CALL: Final = 96

T = TypeVar("T")
EvidenceSink = Callable[[Evidence], None]


class EndpointPool:
    """Reads one EVM chain through endpoints that may lie, lag, hang or fork.

    The denominator is the number of endpoints configured and never shrinks: an endpoint that is down is a vote
    that is missing. See :mod:`marginproof.chains.evm.client.quorum` for what this gives and what not.

    Args:
        chain: CAIP-2 id, such as ``eip155:1``.
        urls: HTTP addresses of the endpoints, on distinct hosts.
        timeout_seconds: Longest time for one call to one endpoint.
        required: Equal answers that a value needs; None for two thirds, rounded up. It can only be raised.
        allow_development: Accept fewer than three endpoints, and several on one host.
        on_evidence: Called with answers worth keeping, before the error is raised.

    Raises:
        ConfigurationError: ENDPOINT_TOO_FEW or CONFIG_INVALID.
        MalformedError: ``chain`` is no EVM chain.
    """

    def __init__(
        self,
        chain: str,
        urls: Sequence[str],
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        required: int | None = None,
        allow_development: bool = False,
        on_evidence: EvidenceSink | None = None,
    ) -> None:
        number = evm_chain_number(chain)
        _check_urls(urls, allow_development)
        if timeout_seconds <= 0:
            raise ConfigurationError("the time-out of endpoints must be above zero", fix="set it in seconds")
        self.chain = chain
        self.required = required_answers(len(urls), required, allow_development=allow_development)
        self._endpoints = [Endpoint(index, url, number, timeout_seconds) for index, url in enumerate(urls)]
        self._on_evidence = on_evidence
        self._headers: OrderedDict[int, BlockHeader] = OrderedDict()
        self._references: OrderedDict[int, BlockHeader] = OrderedDict()
        self._pinned: BlockHeader | None = None
        self._halted: tuple[int, str, str] | None = None

    def __repr__(self) -> str:
        return f"EndpointPool(chain={self.chain!r}, endpoints={len(self._endpoints)}, required={self.required})"

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Asks every endpoint for its chain id. Silent ones are asked again before their first answer counts.

        Raises:
            ConfigurationError: CHAIN_ID_MISMATCH, naming the endpoint by its place in the list.
        """
        answers = await asyncio.gather(*(_outcome(endpoint, endpoint.check_chain()) for endpoint in self._endpoints))
        wrong = [answer.endpoint for answer in answers if answer.outcome is Outcome.WRONG_CHAIN]
        if wrong:
            raise ConfigurationError(
                f"endpoint {wrong[0]} is not one of {self.chain}",
                code=ReasonCode.CHAIN_ID_MISMATCH,
                fix="correct the endpoint list; endpoints count from 0",
                fields={"chain": self.chain, "endpoint": wrong[0]},
            )

    async def aclose(self) -> None:
        """Closes all connections."""
        for endpoint in self._endpoints:
            await endpoint.aclose()

    async def finalized_number(self) -> int:
        """The height that enough endpoints have finalized. Never goes down.

        Raises:
            QuorumMissingError, EndpointDisagreementError: The endpoints do not give one.
            FinalityViolationError: A block that was final before was replaced; from then on always.
        """
        self._check_halted()
        if self._pinned is not None:
            await self._check_still_final(self._pinned)
        height = await self._height("the finalized height", "eth_getBlockByNumber", "finalized", False)
        if self._pinned is None or height > self._pinned.number:
            header = await self._agreed_header(height)
            if self._pinned is None or height > self._pinned.number:  # another task may have been faster
                self._pinned = header
                _remember(self._headers, height, header, _MAX_CACHED_HEADERS)
        return self._pinned.number

    async def header_at(self, number: int) -> BlockHeader:
        """The header on which enough endpoints agree and which none contradicts.

        Args:
            number: Height, 0 ≤ number < 2^63. Headers up to the finalized height are remembered.

        Raises:
            EndpointDisagreementError: Two hashes were named for this height.
            QuorumMissingError: Too few endpoints gave it.
            FinalityViolationError: See :meth:`finalized_number`.
        """
        self._check_halted()
        known = self._headers.get(number)
        if known is not None:
            return known
        header = await self._agreed_header(number)
        if self._pinned is not None and number <= self._pinned.number:
            _remember(self._headers, number, header, _MAX_CACHED_HEADERS)
        return header

    async def latest_header(self) -> BlockHeader:
        """The newest block that enough endpoints have and none contradicts. It may still be taken back.

        Raises:
            QuorumMissingError, EndpointDisagreementError, FinalityViolationError: See :meth:`header_at`.
        """
        self._check_halted()
        return await self._agreed_header(await self._height("the latest height", "eth_blockNumber"))

    async def reference_block(self, cutoff: int) -> BlockHeader:
        """The last block with time ≤ cut-off, once a later finalized block fixes which one that is.

        Args:
            cutoff: UTC seconds.

        Raises:
            NotYetFinalError: No finalized block is later than the cut-off yet.
            NotFoundError: The chain began after the cut-off.
            QuorumMissingError, EndpointDisagreementError, FinalityViolationError: See :meth:`header_at`.
        """
        self._check_halted()
        known = self._references.get(cutoff)
        if known is not None:
            return known
        later = await self.header_at(await self.finalized_number())
        if later.timestamp <= cutoff:
            raise NotYetFinalError(self.chain, cutoff, later.timestamp)
        low, later = await self._bracket(cutoff, later)
        while later.number - low.number > 1:
            middle = await self.header_at((low.number + later.number) // 2)
            low, later = (middle, later) if middle.timestamp <= cutoff else (low, middle)
        if later.parent_hash != low.hash:
            # Both were agreed on as final, but they do not lie on one chain.
            self._halt(low.number, low.hash, later.parent_hash)
        _remember(self._references, cutoff, low, _MAX_CACHED_REFERENCES)
        return low

    async def read_account(
        self, header: BlockHeader, address: bytes, slots: Sequence[bytes] = ()
    ) -> tuple[AccountFacts, dict[bytes, SlotFact]]:
        """An account and some of its storage at a block, proven under the header's state root.

        Any endpoint can answer, because the proof decides; the next one is asked if a proof does not hold.

        Args:
            header: A header from this pool.
            address: 20 bytes.
            slots: 32 bytes each.

        Returns:
            The account, and a fact for each slot.

        Raises:
            UnavailableError: No endpoint gave a proof that holds.
        """
        self._check_halted()
        wanted = list(dict.fromkeys(slots))
        account, facts = await self._proven(header, address, wanted[:_SLOTS_PER_CALL])
        for start in range(_SLOTS_PER_CALL, len(wanted), _SLOTS_PER_CALL):
            _, more = await self._proven(header, address, wanted[start : start + _SLOTS_PER_CALL])
            facts.update(more)
        return account, facts

    async def call_latest(self, to: bytes, data: bytes) -> tuple[bytes, int]:
        """Calls a contract at the newest block that enough endpoints have. Without proof: for price feeds.

        Args:
            to: Contract, 20 bytes.
            data: ABI-encoded call.

        Returns:
            The result's bytes and the block's timestamp in UTC seconds.

        Raises:
            QuorumMissingError, EndpointDisagreementError, FinalityViolationError: See :meth:`header_at`.
        """
        header = await self.latest_header()
        call = {"to": format_address(to), "data": f"0x{data.hex()}"}
        block = {"blockHash": f"0x{header.hash.hex()}"}
        answers = await self._ask_all(read_result, "eth_call", call, block)
        value = self._agree(f"a call at block {header.number}", [answer for answer, _ in answers])
        return bytes.fromhex(value[2:]), header.timestamp

    async def _bracket(self, cutoff: int, later: BlockHeader) -> tuple[BlockHeader, BlockHeader]:
        """A header not later than the cut-off and one that is, looking back in doubling steps."""
        step = 1
        while later.number > 0:
            earlier = await self.header_at(max(later.number - step, 0))
            if earlier.timestamp <= cutoff:
                return earlier, later
            later, step = earlier, 2 * step
        raise NotFoundError(
            f"{self.chain} has no block before the cut-off",
            fix="check the genesis time in the network configuration",
            fields={"chain": self.chain, "cutoff": cutoff},
        )

    async def _check_still_final(self, pinned: BlockHeader) -> None:
        again = await self._agreed_header(pinned.number)
        if again.hash != pinned.hash:
            self._halt(pinned.number, pinned.hash, again.hash)

    def _halt(self, number: int, before: bytes, after: bytes) -> None:
        self._halted = (number, f"0x{before.hex()}", f"0x{after.hex()}")
        self._check_halted()

    def _check_halted(self) -> None:
        if self._halted is not None:
            raise FinalityViolationError(self.chain, *self._halted)

    async def _height(self, subject: str, method: str, *params: Any) -> int:
        answers = await self._ask_all(read_height, method, *params)
        heights = {answer.endpoint: value for answer, value in answers if value is not None}
        return pinned_height(self.chain, subject, heights, [answer for answer, _ in answers], self.required)

    async def _agreed_header(self, number: int) -> BlockHeader:
        def read(reply: Any) -> tuple[str, BlockHeader]:
            return read_block(reply, number)

        answers = await self._ask_all(read, "eth_getBlockByNumber", hex(number), False)
        value = self._agree(f"block {number}", [answer for answer, _ in answers])
        return next(header for answer, header in answers if header is not None and answer.value == value)

    async def _ask_all(
        self, read: Callable[[Any], tuple[str, T]], method: str, *params: Any
    ) -> list[tuple[Answer, T | None]]:
        async def one(endpoint: Endpoint) -> tuple[Answer, T | None]:
            try:
                text, value = read(await endpoint.ask(method, *params))
            except EndpointFailureError as failure:
                return Answer(endpoint.index, failure.outcome, failure.value), None
            return Answer(endpoint.index, Outcome.ANSWERED, text), value

        return list(await asyncio.gather(*(one(endpoint) for endpoint in self._endpoints)))

    def _agree(self, subject: str, answers: list[Answer]) -> str:
        try:
            return agreed_value(self.chain, subject, answers, self.required)
        except EndpointDisagreementError:
            self._keep(subject, answers)
            raise

    async def _proven(
        self, header: BlockHeader, address: bytes, slots: Sequence[bytes]
    ) -> tuple[AccountFacts, dict[bytes, SlotFact]]:
        keys = [f"0x{slot.hex()}" for slot in slots]
        answers: list[Answer] = []
        result: tuple[AccountFacts, dict[bytes, SlotFact]] | None = None
        for endpoint in self._endpoints:
            try:
                reply = await endpoint.ask("eth_getProof", format_address(address), keys, hex(header.number))
                result = verify_proof(header.state_root, parse_get_proof(reply, address, slots))
                break
            except EndpointFailureError as failure:
                answers.append(Answer(endpoint.index, failure.outcome, failure.value))
            except MalformedError as error:
                answers.append(Answer(endpoint.index, Outcome.BAD_PROOF, str(error.code)))
        if any(answer.outcome is Outcome.BAD_PROOF for answer in answers):
            self._keep(f"a proof at block {header.number}", answers)
        if result is None:
            raise UnavailableError(
                f"no endpoint of {self.chain} gave a proof that holds",
                fix="check that the endpoints serve eth_getProof at finalized blocks",
                fields={"chain": self.chain, **{f"endpoint_{answer.endpoint}": answer.summary() for answer in answers}},
            )
        return result

    def _keep(self, subject: str, answers: Sequence[Answer]) -> None:
        if self._on_evidence is not None:
            self._on_evidence(Evidence(self.chain, subject, tuple(answers)))


async def _outcome(endpoint: Endpoint, check: Awaitable[None]) -> Answer:
    try:
        await check
    except EndpointFailureError as failure:
        return Answer(endpoint.index, failure.outcome)
    return Answer(endpoint.index, Outcome.ANSWERED)


def _check_urls(urls: Sequence[str], allow_development: bool) -> None:
    hosts = []
    for index, url in enumerate(urls):
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(f"endpoint {index} is no http or https address", fix="correct the endpoint list")
        hosts.append(parts.netloc if allow_development else parts.hostname)
    if len(set(hosts)) != len(hosts):
        raise ConfigurationError(
            "two endpoints lie on one host and would count twice for one opinion",
            fix="list endpoints of independent operators, each once",
        )


def _remember(cache: OrderedDict[int, BlockHeader], key: int, header: BlockHeader, limit: int) -> None:
    cache[key] = header
    while len(cache) > limit:
        cache.popitem(last=False)
