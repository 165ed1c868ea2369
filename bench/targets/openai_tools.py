"""How the lab's tools are declared to the openai SDK."""

from ...mocks.world.tools import LabTool


def declaration(tool: LabTool) -> dict[str, object]:
    """Return the declaration of a tool, for chat completions."""
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}
