# pragma version 0.4.3
# pragma evm-version cancun
"""
@title ReentrantToken
@license Apache-2.0 OR MIT
@notice For tests only: each transfer wakes an accomplice, which calls back into whom it likes.
"""

interface Accomplice:
    def strike(): nonpayable


balanceOf: public(HashMap[address, uint256])
accomplice: address


@external
def set_accomplice(accomplice: address):
    self.accomplice = accomplice


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
    self.balanceOf[to] += amount
    if self.accomplice != empty(address):
        extcall Accomplice(self.accomplice).strike()
