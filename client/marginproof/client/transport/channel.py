"""Channels to servers whose certificate the network file pins."""

from typing import Final

import grpc

DEFAULT_MAX_MESSAGE_BYTES: Final = 4 << 20
SERVER_NAME: Final = "marginproof.internal"
"""The name every identity carries and every client checks; which server it is, the pinned certificate says."""


def open_channel(
    target: str, certificate_pem: str, max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
) -> grpc.aio.Channel:
    """A TLS channel that trusts exactly one certificate.

    Args:
        target: host:port.
        certificate_pem: The server's pinned certificate.
        max_message_bytes: Largest message taken or sent.
    """
    credentials = grpc.ssl_channel_credentials(root_certificates=certificate_pem.encode())
    options = (
        ("grpc.ssl_target_name_override", SERVER_NAME),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 5000),
    )
    return grpc.aio.secure_channel(target, credentials, options=options)
