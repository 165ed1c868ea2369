"""Targets that ship with the lab, for comparison."""
