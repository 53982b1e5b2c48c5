"""Serves a Prometheus registry over HTTP."""

import threading
from typing import Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from marginproof.model.errors import ConfigurationError


class MetricsServer:
    """Serves one registry until stopped; a context manager.

    Args:
        registry: What to serve.
        listen: host:port; port 0 takes a free one.

    Raises:
        ConfigurationError: The address cannot be bound.
    """

    def __init__(self, registry: CollectorRegistry, listen: str) -> None:
        host, _, port = listen.rpartition(":")
        try:
            server, thread = start_http_server(int(port), host, registry)
        except (OSError, OverflowError) as error:
            raise ConfigurationError("cannot listen on metrics_listen", fix="choose a free port") from error
        self._server: WSGIServer = server
        self._thread: threading.Thread = thread

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return self._server.server_port

    def stop(self) -> None:
        """Ends the server and waits for its thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
