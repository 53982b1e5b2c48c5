"""What relayers and owners sign, and how everybody checks it: pure functions on bytes, no clock and no network."""
