"""User interfaces of the agent: a terminal, and a web service."""
