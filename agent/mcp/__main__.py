"""Runs the sample server: ``python -m warpbench.agent.mcp``."""

import argparse
from typing import NoReturn

import uvicorn

from .samples import sample_server
from .server import create_app

_MOST_PORTS = 65_535


def main(arguments: list[str] | None = None) -> None:
    """Serve until Ctrl-C."""
    parser = _Parser(
        "python -m warpbench.agent.mcp",
        description="A sample MCP server: streamable HTTP at /mcp, WebSocket at /ws.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port (%(default)s)")
    options = parser.parse_args(arguments)
    app = create_app(sample_server(), host=options.host)
    uvicorn.run(app, host=options.host, port=options.port)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > _MOST_PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; expected 0 to {_MOST_PORTS}")
    return int(text)


if __name__ == "__main__":
    main()
