"""Typed gRPC clients for relayers and venues: what integrators import.

Every method takes and gives the containers of ``marginproof.model``; what comes back is decoded, not verified.
"""
