"""Channels to servers that the network file pins, and one mapping between errors and gRPC statuses."""
