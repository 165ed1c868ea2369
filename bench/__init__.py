"""The harness: drives a target under every strategy, and measures it."""
