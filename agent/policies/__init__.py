"""Limits on what a session may do: concurrency, retries, deadlines; and what they counted."""
