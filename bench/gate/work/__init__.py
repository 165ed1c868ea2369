"""The work tier: counts of calls, compared within a tolerance."""
