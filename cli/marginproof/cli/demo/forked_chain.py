"""A liar worth the name: a second chain process that shares the honest one's history and then says something else.

It is loaded with the honest chain's state, its past states and its blocks, so every block up to the fork is the same,
hash for hash. Then the words of one lock are rewritten, together with what the vault's code would have changed with
them, and it goes on mining. Its headers, its account proofs and its storage proofs match one another: whoever asks
only this process is convinced. (A process that is started with ``--fork-url`` would not do: it cannot compute state
roots, so its headers and proofs do not match.)
"""

import gzip
import json
import time
from typing import Any, Final, Self

from marginproof.chains.evm.contracts.artifact import TEST_TOKEN, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.chains.evm.verify.layout import address_word, map_slot, word
from marginproof.chains.evm.verify.vault import lock_slots, total_locked_slot
from marginproof.model.chains import NATIVE_ASSET, format_address, parse_address
from marginproof.model.errors import UnavailableError

_PAST_STATES: Final = 12
_ADDRESS_BITS: Final = 160
_CATCH_UP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05


class ForkedChain:
    """One forked process. Leave the ``with`` block, or call :meth:`stop`, and it is gone.

    Args:
        honest: The chain whose history it shares.
        block_seconds: A block every so many seconds, after the fork.

    Attributes:
        forked_at: Height of the last block that both chains have.
        forked_time: That block's time, UTC seconds.
    """

    def __init__(self, honest: Devnet, block_seconds: int) -> None:
        self._honest = honest
        self._block_seconds = block_seconds
        self._fork = Devnet(DevnetOptions(chain_id=honest.options.chain_id))
        self.forked_at = 0
        self.forked_time = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Its JSON-RPC address."""
        return self._fork.url

    @property
    def first_forged(self) -> int:
        """Height of the first block whose state is the forged one."""
        return self.forked_at + 2

    @property
    def process_id(self) -> int | None:
        """Its process id; None while it does not run."""
        return self._fork.process_id

    def stop(self) -> None:
        """Ends the process; safe to call twice."""
        self._fork.stop()

    def start(self, vault: bytes, lock_id: int, amount: int) -> None:
        """Forks at the honest chain's head, rewrites a lock and goes on mining.

        Args:
            vault: Address, 20 bytes.
            lock_id: The lock whose amount is rewritten; it must exist.
            amount: The forged amount, base units, 0 < amount < 2^96.

        Raises:
            UnavailableError: A process does not answer.
        """
        self._fork.start()
        try:
            self._fork.rpc("anvil_loadState", _state_of(self._honest))
            self.forked_at, self.forked_time = _height(self._fork), self._fork.now()
            # A state written to between two blocks is taken for that of the block before. Two blocks one second
            # apart, the first without the forgery, leave every block but that first one with proofs that match.
            self._fork.mine(self._fork.now() + 1)
            self._rewrite(format_address(vault), lock_id, amount)
            self._fork.mine(self._fork.now() + 1)
            # It must not run ahead: an honest endpoint has to have a block of every height that it shows as final.
            self._wait_for_honest(_height(self._fork))
            self._fork.rpc("evm_setIntervalMining", self._block_seconds)
        except BaseException:
            self.stop()
            raise

    def _rewrite(self, vault: str, lock_id: int, amount: int) -> None:
        """The lock's amount, the vault's total of that asset, and what the vault holds of it."""
        _, holding_slot, _ = lock_slots(lock_id)
        holding = self._word(vault, holding_slot)
        asset = (holding & ((1 << _ADDRESS_BITS) - 1)).to_bytes(20, "big")
        added = amount - (holding >> _ADDRESS_BITS)
        self._set(vault, holding_slot, amount << _ADDRESS_BITS | int.from_bytes(asset, "big"))
        total = total_locked_slot(asset)
        self._set(vault, total, self._word(vault, total) + added)
        if asset == NATIVE_ASSET:
            balance = int(self._fork.rpc("eth_getBalance", vault, "latest"), 16)
            self._fork.rpc("anvil_setBalance", vault, hex(balance + added))
        else:
            token = format_address(asset)
            balances = word(load_artifact(TEST_TOKEN).storage["balanceOf"])
            held = map_slot(balances, address_word(parse_address(vault)))
            self._set(token, held, self._word(token, held) + added)

    def _word(self, address: str, slot: bytes) -> int:
        return int(self._fork.rpc("eth_getStorageAt", address, f"0x{slot.hex()}", "latest"), 16)

    def _set(self, address: str, slot: bytes, value: int) -> None:
        self._fork.rpc("anvil_setStorageAt", address, f"0x{slot.hex()}", f"0x{word(value).hex()}")

    def _wait_for_honest(self, height: int) -> None:
        deadline = time.monotonic() + _CATCH_UP_SECONDS
        while _height(self._honest) < height:
            if time.monotonic() > deadline:
                raise UnavailableError("the honest chain mines no blocks", fix="check the machine's load")
            time.sleep(_POLL_SECONDS)


def _state_of(devnet: Devnet) -> str:
    """A chain's blocks, its state, and its newest past states: all of them would be too long for one request."""
    dumped = json.loads(gzip.decompress(bytes.fromhex(devnet.rpc("anvil_dumpState", True).removeprefix("0x"))))
    newest = {block["header"]["parentHash"] for block in _newest_first(dumped["blocks"])[:_PAST_STATES]}
    dumped["historical_states"] = [entry for entry in dumped["historical_states"] if entry[0] in newest]
    return f"0x{gzip.compress(json.dumps(dumped).encode()).hex()}"


def _newest_first(blocks: list[Any]) -> list[Any]:
    return sorted(blocks, key=lambda block: int(block["header"]["number"], 16), reverse=True)


def _height(devnet: Devnet) -> int:
    return int(devnet.rpc("eth_blockNumber"), 16)
