"""What makes instances is imported by the first request with a schema, and by nothing before."""

import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
from warpbench.mocks.model import ScriptedModel, task_of
from warpbench.mocks.workload.script import ModelCallScript, SessionScript

def loaded():
    return "jsonschema" in sys.modules

model = ScriptedModel({0: SessionScript(0, (ModelCallScript(1, 2, 3, ()),))})
request = {"model": "m", "messages": [{"role": "user", "content": task_of(0, "any")}], "n": 2}
model.reply("/v1/chat/completions", json.dumps(request).encode(), 0)
before = loaded()
request["response_format"] = {"type": "json_object"}
model.reply("/v1/chat/completions", json.dumps(request).encode(), 0)
print(before, loaded())
"""


@pytest.mark.once
def test_jsonschema_is_imported_when_a_schema_is_asked_for() -> None:
    command = [sys.executable, "-c", PROGRAM]

    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert found.split() == ["False", "True"]
