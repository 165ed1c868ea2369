"""``warpbench explore``: what it writes and prints."""

import json
import textwrap
from pathlib import Path

import pytest

from ...conftest import run_warpbench_here

pytestmark = pytest.mark.once

AGENT = """
    import asyncio

    from openai import AsyncOpenAI

    def build():
        client = AsyncOpenAI()
        notes = {}

        async def ask(prompt):
            answer = await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": prompt}]
            )
            return answer.choices[0].message.content

        async def session(task):
            notes["last"] = await ask(task)
            await asyncio.sleep(0.05)
            return await ask(f"{task} {notes['last']}")

        return session
"""
EXPLORE = ("explore", "chat", "--target", "noting:build", "--schedules", "1", "--sessions", "2")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "noting.py").write_text(textwrap.dedent(AGENT))
    return tmp_path


def test_out_writes_what_was_found_as_a_page_and_as_json(project: Path) -> None:
    finished = run_warpbench_here(project, *EXPLORE, "--out", "found", "--json")

    assert finished.status == 1
    document = json.loads(finished.out)
    assert json.loads((project / "found" / "exploration.json").read_text()) == document
    (exploration,) = document["explorations"]
    (found,) = exploration["found"]
    assert (exploration["notes"], exploration["not_compared"]) == ([], 0)
    assert (document["schema_version"], document["scenario"]) == (1, "chat")
    assert (found["failure"]["kind"], found["case"]["sessions"]) == ("leak", [0, 1])
    page = (project / "found" / "exploration.html").read_text()
    assert "<h1>1 distinct failure in 1 schedule of noting:build</h1>" in page
    assert "ask (noting.py:" in page
    assert "--replay 0/sessions=0+1</code>" in page


@pytest.mark.parametrize("option", [("--out", "found"), ("--json",)], ids=["out", "json"])
def test_a_replay_writes_nothing_and_says_so(project: Path, option: tuple[str, ...]) -> None:
    finished = run_warpbench_here(project, *EXPLORE, "--replay", "0", *option)

    assert finished.status == 2
    assert option[0] in finished.err
    assert not (project / "found").exists()
