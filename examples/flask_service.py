"""A Flask service whose answers are plain text, as it comes from the model.

warpbench run service.toml --target wsgi:flask_service:app --strategy threads
"""

from collections.abc import Iterator

from flask import Flask, Response, request
from openai import OpenAI

app = Flask(__name__)
model = OpenAI()


@app.post("/chat")
def chat() -> Response:
    message = request.get_json()["message"]

    def texts() -> Iterator[str]:
        stream = model.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": message}], stream=True
        )
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return Response(texts(), mimetype="text/plain")
