"""A sample MCP server, with tools to experiment with."""

import asyncio
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError


def sample_server() -> MCPServer[Any]:
    """Return a server with a few tools: quick, slow, structured and failing."""
    server: MCPServer[Any] = MCPServer("samples")

    @server.tool()
    def add(a: float, b: float) -> float:
        """Add two numbers."""
        return a + b

    @server.tool()
    def echo(text: str) -> str:
        """Return the text unchanged."""
        return text

    @server.tool()
    def forecast(city: str) -> dict[str, str]:
        """Forecast the weather of a city."""
        return {"city": city, "sky": "clear"}

    @server.tool()
    async def wait(seconds: float) -> str:
        """Wait, up to a minute."""
        await asyncio.sleep(min(seconds, 60))
        return f"waited {seconds:g} s"

    @server.tool()
    def fail(reason: str) -> str:
        """Fail for a reason."""
        # Of any other error mcp tells the client only that there was one.
        raise ToolError(reason)

    return server
