"""What every long-running process of ours has: a gRPC server, a TLS identity, logs, and sealed secrets on disk."""
