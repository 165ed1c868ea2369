"""The agent's tools: what a tool is, its arguments, and how a call of it is run."""
