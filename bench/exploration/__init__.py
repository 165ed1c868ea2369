"""Looks for orders of events in which an agent goes wrong."""
