# pragma version 0.4.3
"""
@title Moving native coins and ERC-20 tokens, the non-standard ones included
@license Apache-2.0 OR MIT
@notice Tokens that return nothing are taken as successful if they have code; tokens that return false are
        refused. What arrived is measured, never assumed, so that a fee on the transfer is the payer's.
"""

from ethereum.ercs import IERC20

# The zero address stands for the chain's own coin.
NATIVE: constant(address) = empty(address)


@internal
def _pull_token(asset: address, payer: address, amount: uint256) -> uint256:
    """
    @return What the contract holds more than before.
    """
    before: uint256 = staticcall IERC20(asset).balanceOf(self)
    assert extcall IERC20(asset).transferFrom(
        payer, self, amount, default_return_value=True
    ), "TOKEN_TRANSFER_FAILED"
    after: uint256 = staticcall IERC20(asset).balanceOf(self)
    assert after > before, "NOTHING_RECEIVED"
    return after - before


@internal
def _push(asset: address, to: address, amount: uint256):
    if asset == NATIVE:
        # All gas goes along, because contract wallets need more than a stipend: callers must have written
        # their state before and hold the re-entrancy lock. The answer's bytes are not copied.
        sent: bool = raw_call(to, b"", value=amount, revert_on_failure=False)
        assert sent, "NATIVE_TRANSFER_FAILED"
    else:
        assert extcall IERC20(asset).transfer(to, amount, default_return_value=True), "TOKEN_TRANSFER_FAILED"
