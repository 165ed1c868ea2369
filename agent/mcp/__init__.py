"""Tools of MCP servers for the agent, over WebSocket and streamable HTTP; and a small server.

    async with McpTools("ws://127.0.0.1:8000/ws") as server, Agent(server.tools) as agent:
        answer = await agent.chat_async("…")

Needs ``pip install 'warpbench[mcp]'``.
"""

from importlib.util import find_spec

if find_spec("mcp") is None or find_spec("websockets") is None:
    raise ImportError("MCP tools need mcp and websockets: pip install 'warpbench[mcp]'")

from .errors import McpError, McpToolError
from .names import without_clashes
from .tools import McpTools
from .websocket import websocket_transport

__all__ = ["McpError", "McpToolError", "McpTools", "websocket_transport", "without_clashes"]
