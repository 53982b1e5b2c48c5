# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Puppet
@license Apache-2.0 OR MIT
@notice For tests only: a contract wallet that does what anybody tells it, and that makes one prepared call
        whenever coins arrive or a token wakes it.
"""

target: address
data: Bytes[1024]
amount: uint256
strikes: public(uint256)
successes: public(uint256)


@external
def prepare(target: address, data: Bytes[1024], amount: uint256):
    self.target = target
    self.data = data
    self.amount = amount


@payable
@external
def forward(target: address, data: Bytes[1024], amount: uint256):
    raw_call(target, data, value=amount)


@external
def strike():
    self._strike()


@payable
@external
def __default__():
    self._strike()


@internal
def _strike():
    if self.target == empty(address):
        return
    self.strikes += 1
    success: bool = raw_call(self.target, self.data, value=self.amount, revert_on_failure=False)
    if success:
        self.successes += 1
