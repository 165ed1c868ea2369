"""A WSGI application without a framework: Flask's and Django's are called in the same way.

warpbench run service.toml --target wsgi:wsgi_service:app --strategy threads
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from openai import OpenAI

model = OpenAI()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) != ("POST", "/chat"):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return iter([b"not found"])
    asked = json.load(environ["wsgi.input"])
    stream = model.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": asked["message"]}], stream=True
    )
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    return (
        f"data: {chunk.choices[0].delta.content}\n\n".encode()
        for chunk in stream
        if chunk.choices and chunk.choices[0].delta.content
    )
