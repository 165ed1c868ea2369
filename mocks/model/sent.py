"""What was sent to the model, as text, and how many tokens that is.

Tokens are an estimate: one for four characters, the rule of thumb for English. They are counted
from the texts of a request (messages, results of tools, the arguments of earlier calls) and from
the declarations of its tools, but not from its settings, roles, identifiers or pictures. What an
API keeps on its server (an earlier response) is not in the request, so it is not counted.
"""

import msgspec

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
    texts: list[str] = []
    for name in wire.prompt_fields:
        raw = fields.get(name)
        if raw is not None:
            _collect(name, raw, texts)
    return "".join(texts)


def tokens_sent(text: str) -> int:
    """Return about how many tokens the text of a request has, at least one."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def _collect(name: str, raw: msgspec.Raw, texts: list[str]) -> None:
    """Add the texts of a field to a list."""
    if name == "tools":
        # A schema is read as it stands: its keys are names of arguments.
        texts.append(bytes(raw).decode())
        return
    value = _decode_any(raw)
    if name == "prompt" and isinstance(value, list):
        for each in value:
            texts.extend(map(_token, each if isinstance(each, list) else [each]))
    else:
        _collect_strings(value, texts)


def _token(value: object) -> str:
    """Return a prompt as it is; a token as so many characters as a token stands for."""
    return value if isinstance(value, str) else f"{value:04}"[-CHARACTERS_PER_TOKEN:]


def _collect_strings(value: object, texts: list[str]) -> None:
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, list):
        for each in value:
            _collect_strings(each, texts)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in _NO_TEXT:
                continue
            if isinstance(each, str):
                texts.append(each)
            elif each is not None:
                _collect_strings(each, texts)
