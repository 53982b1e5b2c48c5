"""Every connection of one account to relayers, venues and chains: made when first used, closed together."""

import contextlib

from marginproof.chains.evm.client import EndpointPool
from marginproof.client.relayer import RelayerClient
from marginproof.client.venue import VenueClient
from marginproof.model.network_file import NetworkFile
from marginproof.prover.account import Account


class Connections:
    """Clients of one account on one network.

    Args:
        account: Whose endpoints are used.
        network: Names relayers and venues with their certificates.
        timeout_seconds: Deadline of every call.
    """

    def __init__(self, account: Account, network: NetworkFile, timeout_seconds: float) -> None:
        self._account = account
        self._network = network
        self._timeout = timeout_seconds
        self._open = contextlib.AsyncExitStack()
        self._relayers: list[RelayerClient] = []
        self._venues: dict[bytes, VenueClient] = {}
        self._pools: dict[str, EndpointPool] = {}

    async def aclose(self) -> None:
        """Closes all of them."""
        await self._open.aclose()

    def relayers(self) -> list[RelayerClient]:
        """One client for every relayer of the network."""
        if not self._relayers:
            for relayer in self._network.relayers:
                client = RelayerClient(
                    relayer.target,
                    relayer.certificate_pem,
                    timeout_seconds=self._timeout,
                    peer=f"relayer {relayer.index}",
                )
                self._open.push_async_callback(client.aclose)
                self._relayers.append(client)
        return self._relayers

    def venue(self, address: bytes) -> VenueClient:
        """The client of a venue.

        Raises:
            NotFoundError: The network file names no such venue.
        """
        if address not in self._venues:
            endpoint = self._network.venue(address)
            client = VenueClient(endpoint.target, endpoint.certificate_pem, timeout_seconds=self._timeout)
            self._open.push_async_callback(client.aclose)
            self._venues[address] = client
        return self._venues[address]

    def home(self) -> EndpointPool:
        """The endpoints of the home chain."""
        return self.pool(self._network.network.home_chain)

    def pool(self, chain: str) -> EndpointPool:
        """The account's own endpoints of a chain.

        Raises:
            NotFoundError: It has none.
            ConfigurationError: ENDPOINT_TOO_FEW or CONFIG_INVALID.
        """
        if chain not in self._pools:
            pool = EndpointPool(
                chain,
                self._account.endpoints(chain),
                timeout_seconds=self._timeout,
                allow_development=self._network.development,
            )
            self._open.push_async_callback(pool.aclose)
            self._pools[chain] = pool
        return self._pools[chain]
