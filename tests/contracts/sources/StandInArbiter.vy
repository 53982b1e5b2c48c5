# pragma version 0.4.3
# pragma evm-version cancun
"""
@title StandInArbiter
@license Apache-2.0 OR MIT
@notice A stand-in, for tests only, for the arbiter that will judge claims: it judges nothing and passes on
        whatever its deployer says. No real collateral may ever lie in a vault that names it.
"""

DEPLOYER: immutable(address)


@deploy
def __init__():
    DEPLOYER = msg.sender


@external
def order(vault: address, data: Bytes[1024]):
    assert msg.sender == DEPLOYER, "NOT_DEPLOYER"
    raw_call(vault, data)
