# pragma version 0.4.3
# pragma evm-version cancun
"""
@title FalseToken
@license Apache-2.0 OR MIT
@notice For tests only: moves the coins and yet returns what its switch says, where others would revert.
"""

balanceOf: public(HashMap[address, uint256])
truthful: public(bool)


@external
def set_truthful(truthful: bool):
    self.truthful = truthful


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def transfer(to: address, amount: uint256) -> bool:
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
    return self.truthful


@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount
    return self.truthful
