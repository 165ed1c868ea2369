"""What was sent to the model, as text, and how many tokens that is.

Tokens are an estimate: one for four characters, the rule of thumb for English. They are counted
from the texts of a request (messages, results of tools, the arguments of earlier calls) and from
the declarations of its tools, but not from its settings, roles, identifiers or pictures. What an
API keeps on its server (an earlier response) is not in the request, so it is not counted.
"""

from collections.abc import Iterator

import msgspec
from msgspec.json import encode as to_json

from .answer import WireFormat

CHARACTERS_PER_TOKEN = 4

# What stands under these keys is read by the server, and not by the model; or is a picture.
_NO_TEXT = frozenset(
    {
        *("type", "role", "status", "cache_control"),
        *("id", "call_id", "tool_call_id", "tool_use_id"),
        *("image_url", "source", "input_audio", "file", "file_data", "fileData"),
        *("inline_data", "inlineData", "signature", "thoughtSignature", "encrypted_content"),
    }
)
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def text_sent(wire: WireFormat, body: bytes) -> str:
    """Return the text of a request, in the order in which a model reads it.

    Args:
        wire: The API of the request, which says where its texts are.
        body: Body of the request; one that the API has read already.
    """
    fields = _decode(body)
    return "".join(
        text for name in wire.prompt_fields if name in fields for text in _texts(name, fields[name])
    )


def tokens_sent(text: str) -> int:
    """Return about how many tokens the text of a request has, at least one."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def _texts(name: str, raw: msgspec.Raw) -> Iterator[str]:
    value = _decode_any(raw)
    if name == "tools":
        # A schema is read as a whole: its keys are names of arguments.
        yield to_json(value).decode()
    elif name == "prompt" and isinstance(value, list):
        for each in value:
            yield from _tokens(each if isinstance(each, list) else [each])
    else:
        yield from _strings(value)


def _tokens(values: list[object]) -> Iterator[str]:
    """Yield the parts of a prompt, each token as so many characters as a token stands for."""
    for value in values:
        yield value if isinstance(value, str) else f"{value:04}"[-CHARACTERS_PER_TOKEN:]


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in _NO_TEXT:
                yield from _strings(each)
