"""Runs the sample server: ``python -m warpbench.agent.mcp``."""

import argparse

import uvicorn

from ..options import OneLineParser
from .samples import sample_server
from .server import create_app

_MOST_PORTS = 65_535


def main(arguments: list[str] | None = None) -> None:
    """Serve until Ctrl-C."""
    parser = OneLineParser(
        "python -m warpbench.agent.mcp",
        description="A sample MCP server: streamable HTTP at /mcp, WebSocket at /ws.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port (%(default)s)")
    options = parser.parse_args(arguments)
    app = create_app(sample_server(), host=options.host)
    uvicorn.run(app, host=options.host, port=options.port)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > _MOST_PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; expected 0 to {_MOST_PORTS}")
    return int(text)


if __name__ == "__main__":
    main()
