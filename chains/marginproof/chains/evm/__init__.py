"""Chains that run the Ethereum virtual machine."""
