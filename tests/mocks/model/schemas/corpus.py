"""Sixty schemas that people use, by the name of each."""

from collections.abc import Mapping
from typing import Any

from .mcp_servers import MCP
from .pydantic_models import PYDANTIC
from .written_by_hand import BY_HAND

CORPUS: Mapping[str, dict[str, Any]] = {
    f"{of}: {name}": schema
    for of, schemas in (("pydantic", PYDANTIC), ("mcp", MCP), ("by hand", BY_HAND))
    for name, schema in schemas.items()
}
