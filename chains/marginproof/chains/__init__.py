"""Reading chains without trusting whoever answers, and the contracts that hold the collateral.

One package per chain family. In each, `verify` is pure (bytes in, facts out), `client` does the I/O,
`contracts` holds what is deployed.
"""
