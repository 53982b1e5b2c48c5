# pragma version 0.4.3
# pragma evm-version cancun
"""
@title NoReturnToken
@license Apache-2.0 OR MIT
@notice For tests only: transfers return nothing, as those of some widely held tokens do.
"""

balanceOf: public(HashMap[address, uint256])


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def transfer(to: address, amount: uint256):
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount


@external
def transferFrom(sender: address, to: address, amount: uint256):
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount
