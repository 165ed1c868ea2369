"""Limits on a session: concurrency, retries, deadlines; and counters."""
