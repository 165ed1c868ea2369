"""The errors of MCP tools."""

from ..errors import AgentError


class McpError(AgentError):
    """A server cannot be reached, has ended, or does not speak MCP; the message names it."""


class McpToolError(McpError):
    """A server's tool failed; the message is the server's."""
