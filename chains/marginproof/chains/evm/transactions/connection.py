"""One JSON-RPC endpoint that transactions go through; its failures have our types and never its address."""

import asyncio
from collections.abc import Awaitable, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
from eth_typing import ChecksumAddress
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3Exception

from marginproof.chains.evm.contracts.codec import checksum_address
from marginproof.chains.evm.transactions.receipts import TransactionReverted, reason_of
from marginproof.model.errors import UnavailableError
from marginproof.model.reasons import ReasonCode

_T = TypeVar("_T")
_LAST_SECONDS: Final = 5.0
_MISSHAPEN: Final = (ValueError, TypeError, AttributeError, LookupError)
"""What the library's formatters raise for a reply of another shape than the method's."""


class Connection:
    """Connections to one endpoint, which is taken at its word.

    Args:
        url: JSON-RPC address; never shown, for it may hold an access key.
        timeout_seconds: How long to wait for an answer.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._provider = AsyncHTTPProvider(
            url,
            request_kwargs={"timeout": aiohttp.ClientTimeout(total=timeout_seconds)},
            # A transaction must never be sent twice behind our back.
            exception_retry_configuration=None,
        )
        self.eth = AsyncWeb3(self._provider).eth
        self._chain_id: int | None = None
        self._calls: set[asyncio.Future[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections, once calls that nobody waits for any more have ended or had a few seconds."""
        if self._calls:
            _, running = await asyncio.wait(self._calls, timeout=_LAST_SECONDS)
            for call in running:
                call.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        await self._provider.disconnect()

    async def chain_id(self) -> int:
        """The EIP-155 chain id that the endpoint names."""
        if self._chain_id is None:
            self._chain_id = await self.number("eth_chainId", self.eth.chain_id)
        return self._chain_id

    async def fees(self) -> tuple[int, int]:
        """What one unit of gas may cost at most, and the tip in it, both in base units of the native coin."""
        block = await self.ask("eth_getBlockByNumber", self.eth.get_block("latest"))
        tip = await self.number("eth_maxPriorityFeePerGas", self.eth.max_priority_fee)
        base = block.get("baseFeePerGas") if isinstance(block, Mapping) else None
        if not isinstance(base, int):
            raise UnavailableError("the endpoint's blocks have no base fee", fix="try another endpoint")
        # Twice the base fee covers six full blocks in a row.
        return 2 * base + tip, tip

    async def number(self, what: str, answer: Awaitable[int]) -> int:
        """Awaits an answer that must be a number.

        Raises:
            TransactionReverted, UnavailableError: See :meth:`ask`; also if it is none.
        """
        number = await self.ask(what, answer)
        if not isinstance(number, int):
            raise UnavailableError(f"the answer to {what} is no number", fix="try another endpoint")
        return int(number)

    async def ask(self, what: str, answer: Awaitable[_T]) -> _T:
        """Awaits an endpoint's answer.

        Raises:
            TransactionNotFound: It knows no such transaction (yet).
            TransactionReverted: A contract refused.
            UnavailableError: The endpoint failed; DEADLINE if it did not answer in time.
        """
        try:
            # Shielded: the library takes a lock of the whole process in a thread. A call that is cancelled just then
            # would leave it locked for ever, and with it every later call.
            return await asyncio.shield(self._kept(answer))
        except TransactionNotFound:
            raise
        except ContractLogicError as error:
            raise TransactionReverted(reason_of(error), what) from None
        except TimeoutError:
            raise UnavailableError(f"no answer to {what} in time", code=ReasonCode.DEADLINE) from None
        except (aiohttp.ClientError, Web3Exception, OSError, *_MISSHAPEN) as error:
            # The chained message could name the endpoint and its access key.
            raise UnavailableError(
                f"the endpoint failed on {what} ({type(error).__name__})", fix="try another endpoint"
            ) from None

    def _kept(self, answer: Awaitable[_T]) -> asyncio.Future[_T]:
        """A call that goes on when its caller is cancelled; closing waits for it, for it may open a connection."""
        call = asyncio.ensure_future(answer)
        self._calls.add(call)
        call.add_done_callback(self._ended)
        return call

    def _ended(self, call: asyncio.Future[Any]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # its caller has seen it, or is gone


def checksum(address: str) -> ChecksumAddress:
    """An address as the library wants it.

    Raises:
        MalformedError: It is none.
    """
    return ChecksumAddress(checksum_address(address))  # type: ignore[arg-type]  # a NewType over a NewType
