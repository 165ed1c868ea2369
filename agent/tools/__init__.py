"""The agent's tools: what one is, what its arguments may be, and how a call of it is run."""
