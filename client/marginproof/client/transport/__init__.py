"""What clients and servers share on the wire: TLS identities, channels, error statuses, the server shell."""
