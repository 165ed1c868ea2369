"""What a target finds in its environment: dummies in place of keys, before it is imported."""

import os

import pytest
from warpbench.bench.testing.lab import run_cell, spec_of
from warpbench.mocks.environment import DUMMY_KEY, DUMMY_KEYS
from warpbench.mocks.scenario import parse_scenario

ONE_CALL = parse_scenario("""
    name = "one-call"
    description = "A call."
    sessions = 1
    [model]
    latency_s = 1.0
    [[rounds]]
""")


def test_no_real_key_reaches_a_target_nor_what_it_leaves_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for key in DUMMY_KEYS:
        monkeypatch.setenv(key.name, f"the-real-{key.name}")
    read: list[str] = []

    def build() -> object:
        read.extend(os.environ[key.name] for key in DUMMY_KEYS)

        async def session(task: str) -> str:
            raise RuntimeError(f"{task} needs {os.environ['GROQ_API_KEY']}")

        return session

    result = run_cell(spec_of(build, scenario=ONE_CALL, sessions=1), build)

    assert set(read) == {DUMMY_KEY}
    assert "the-real-" not in repr(result)
    assert os.environ["GROQ_API_KEY"] == "the-real-GROQ_API_KEY"
