"""From a venue's policy to the integer rows of a statement, and the same margin in plain exact arithmetic."""
