"""Drive a conversation: one driver for async code, one for sync, and what both need."""
