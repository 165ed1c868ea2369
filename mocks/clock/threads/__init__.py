"""Threads on a clock that skips: their conditions and queues, and where each one is."""
