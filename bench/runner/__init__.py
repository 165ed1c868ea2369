"""Runs a plan: many trials, each in a process of its own, kept as they end."""
