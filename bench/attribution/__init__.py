"""Where a session's time went: pure functions from what was observed to parts and lanes."""
