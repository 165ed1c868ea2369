"""The time tier: CPU seconds of two commits, measured in pairs."""
