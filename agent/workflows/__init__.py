"""Workflows: steps that depend on each other, run in order, and concurrently where possible."""
