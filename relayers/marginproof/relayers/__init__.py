"""The relayer node: watches collateral, commits to it, certifies it with its peers, and observes prices."""
