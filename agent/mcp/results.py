"""The text that a model reads of an MCP tool's result."""

import json

from mcp_types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from .errors import McpToolError


def text_of(result: CallToolResult) -> str:
    """Return a result as text: its texts, else its structured content, else a list of its parts.

    Raises:
        McpToolError: The tool failed.
    """
    text = "\n".join(map(_describe, result.content))
    if result.is_error:
        raise McpToolError(text or "the server gives no reason")
    if not text and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return text


def _describe(block: ContentBlock) -> str:
    if isinstance(block, TextContent):
        return block.text
    if isinstance(block, ImageContent | AudioContent):
        return f"[{block.type}, {block.mime_type}, {len(block.data) * 3 // 4} bytes]"
    if isinstance(block, ResourceLink):
        return f"[{block.name}: {block.uri}]"
    if isinstance(block, EmbeddedResource) and isinstance(block.resource, TextResourceContents):
        return block.resource.text
    return f"[{block.type}]"
