# pragma version 0.4.3
# pragma evm-version cancun
"""
@title FeeToken
@license Apache-2.0 OR MIT
@notice For tests only: keeps a hundredth of what is transferred, and all of an amount below 100.
"""

balanceOf: public(HashMap[address, uint256])


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    self._move(sender, to, amount)
    return True


@internal
def _move(sender: address, to: address, amount: uint256):
    self.balanceOf[sender] -= amount
    if amount >= 100:
        self.balanceOf[to] += amount - amount // 100
