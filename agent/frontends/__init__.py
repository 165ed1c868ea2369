"""Where people meet the agent: a terminal, and a web service."""
