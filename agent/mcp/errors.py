"""The errors of MCP tools."""

from ..errors import AgentError


class McpError(AgentError):
    """A server cannot be reached, has gone, or does not speak MCP; the message names it."""


class McpToolError(McpError):
    """A server's tool has failed; the message is what the server says about it."""
