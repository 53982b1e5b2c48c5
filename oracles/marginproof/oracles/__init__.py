"""From sources to prices: reading feeds, agreeing on values, and the report that everybody checks himself."""
