"""A development chain: ``anvil`` as a child process on loopback, for the demo and the tests.

Its keys are derived from public text. Nothing that runs here may ever hold value.
"""

import contextlib
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from marginproof.model.errors import ConfigurationError, UnavailableError
from marginproof.model.reasons import ReasonCode

ANVIL_VARIABLE = "MARGINPROOF_ANVIL"
"""Environment variable that names the anvil program, first choice."""

_PACKAGES = "node_modules/@foundry-rs"
_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_REPLY_LIMIT = 64 << 20
_SERVER_PORTS = range(16_384, 32_768)
_PORT_ATTEMPTS = 256


@dataclass(frozen=True)
class DevnetOptions:
    """How a development chain runs.

    Attributes:
        chain_id: EIP-155 chain id.
        hosts: Loopback addresses to listen on, each a separate endpoint of the same chain.
        port: TCP port on every host; 0 for a free one.
        block_seconds: A block every so many seconds; None mines one per transaction, for tests that set the time.
        genesis_time: Timestamp of block 0 in seconds, None for now.
        history: How many past states are kept in memory; None for the default of anvil.
    """

    chain_id: int = 31337
    hosts: tuple[str, ...] = ("127.0.0.1",)
    port: int = 0
    block_seconds: int | None = None
    genesis_time: int | None = None
    history: int | None = None


@dataclass
class Devnet:
    """One running chain. Leave the ``with`` block, or call :meth:`stop`, and its process is gone.

    Block 1 is mined at the start: anvil's block 0 has an empty state root and proves nothing.
    """

    options: DevnetOptions = field(default_factory=DevnetOptions)
    port: int = field(default=0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def urls(self) -> tuple[str, ...]:
        """One JSON-RPC address per host."""
        return tuple(f"http://{host}:{self.port}" for host in self.options.hosts)

    @property
    def url(self) -> str:
        """The first of :attr:`urls`."""
        return self.urls[0]

    @property
    def process_id(self) -> int | None:
        """The child's process id; None while it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Starts the process and waits until it answers.

        Raises:
            ConfigurationError: TOOL_MISSING if there is no anvil.
            UnavailableError: It ended, or did not answer in time.
        """
        program = find_anvil()
        self.port = self.options.port or free_port(self.options.hosts)
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            [str(program), *_arguments(self.options, self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C in a terminal must reach the parent first, which then ends its children in order.
            start_new_session=True,
        )
        try:
            self._wait_until_ready()
            self.mine()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the process by its own id; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def rpc(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call to the first host.

        Raises:
            UnavailableError: No answer, or an error in place of a result.
        """
        return _call(self.options.hosts[0], self.port, method, params)

    def account(self, index: int) -> LocalAccount:
        """The development key with this number, given 10 000 coins. Its key is public knowledge."""
        account = development_account(index)
        self.fund(account.address, 10_000 * 10**18)
        return account

    def fund(self, address: str, balance: int) -> None:
        """Sets an address's native balance, in base units."""
        self.rpc("anvil_setBalance", address, hex(balance))

    def mine(self, timestamp: int | None = None) -> None:
        """Mines one block, at the given time in seconds if there is one (later than the last block's)."""
        if timestamp is not None:
            self.rpc("evm_setNextBlockTimestamp", hex(timestamp))
        self.rpc("evm_mine")

    def now(self) -> int:
        """The latest block's timestamp in seconds."""
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Puts the chain back, when the ``with`` block ends, to what it was when it began."""
        identifier = self.rpc("evm_snapshot")
        try:
            yield
        finally:
            self.rpc("evm_revert", identifier)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise UnavailableError("anvil ended while starting", fix="run it by hand to see what it says")
            with contextlib.suppress(UnavailableError):
                if int(self.rpc("eth_chainId"), 16) == self.options.chain_id:
                    return
            time.sleep(0.02)
        raise UnavailableError(f"anvil did not answer within {_START_SECONDS:.0f} s", fix="check the machine's load")


def development_account(index: int) -> LocalAccount:
    """The key derived from public text with this number: for development chains only."""
    account: LocalAccount = Account.from_key(keccak(b"marginproof development key %d" % index))
    return account


def find_anvil() -> Path:
    """The anvil program: from ``MARGINPROOF_ANVIL``, from ``node_modules`` here or above, or from PATH.

    Raises:
        ConfigurationError: TOOL_MISSING.
    """
    named = os.environ.get(ANVIL_VARIABLE)
    if named:
        if not os.access(named, os.X_OK):
            raise _missing(f"{ANVIL_VARIABLE} names no program that can be run")
        return Path(named)
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        # The program itself, not the npm wrapper: ending the wrapper could leave the chain running.
        for program in sorted((folder / _PACKAGES).glob("anvil-*/bin/anvil*")):
            if os.access(program, os.X_OK):
                return program
    on_path = shutil.which("anvil")
    if on_path is None:
        raise _missing("the development chain anvil is not installed")
    return Path(on_path)


def free_port(hosts: tuple[str, ...]) -> int:
    """A TCP port that is free on every one of the hosts at this moment.

    It lies below the range from which systems give ports to outgoing connections: one of those would else take it
    before the server that it is meant for has started.
    """
    for port in random.sample(_SERVER_PORTS, _PORT_ATTEMPTS):
        with contextlib.ExitStack() as sockets:
            try:
                for host in hosts:
                    probe = sockets.enter_context(socket.socket())
                    # As servers do: a port whose last connection has just ended is free.
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((host, port))
            except OSError:
                continue
            return port
    raise UnavailableError("no port is free on all loopback addresses", fix="close some programs")


def _missing(message: str) -> ConfigurationError:
    return ConfigurationError(
        message,
        code=ReasonCode.TOOL_MISSING,
        fix=f"run `make install` in the repository, or set {ANVIL_VARIABLE} to the program's path",
    )


def _arguments(options: DevnetOptions, port: int) -> list[str]:
    arguments = ["--quiet", "--accounts", "0", "--chain-id", str(options.chain_id), "--port", str(port)]
    # One slot per epoch: finalized follows the head by two blocks instead of sixty-four.
    arguments += ["--slots-in-an-epoch", "1"]
    for host in options.hosts:
        arguments += ["--host", host]
    if options.block_seconds is not None:
        arguments += ["--block-time", str(options.block_seconds)]
    if options.genesis_time is not None:
        arguments += ["--timestamp", str(options.genesis_time)]
    if options.history is not None:
        arguments += ["--prune-history", str(options.history)]
    return arguments


def _call(host: str, port: int, method: str, params: tuple[Any, ...]) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    connection = http.client.HTTPConnection(host, port, timeout=_START_SECONDS)
    try:
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        reply = json.loads(connection.getresponse().read(_REPLY_LIMIT))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnavailableError("the development chain does not answer", fields={"method": method}) from error
    finally:
        connection.close()
    if "error" in reply:
        raise UnavailableError(
            f"the development chain refused {method}: {reply['error'].get('message', '')}",
            fields={"method": method},
        )
    return reply["result"]
