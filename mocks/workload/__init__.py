"""Everything that is known before a run: the drawn script, the arrivals, and the ideal."""
