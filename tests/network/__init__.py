"""Making, joining, checking and changing networks."""
