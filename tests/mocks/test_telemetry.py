"""The telemetry of frameworks is switched off, unless the user has set a switch."""

import os

import pytest
from warpbench.bench.testing.lab import run_cell, spec_of
from warpbench.mocks.telemetry import TELEMETRY_OFF, keep_telemetry_quiet


def test_each_switch_is_set_once_with_a_value_and_a_reason() -> None:
    names = [switch.name for switch in TELEMETRY_OFF]
    assert len(names) == len(set(names))
    assert all(switch.value and switch.reason for switch in TELEMETRY_OFF)


def test_a_trial_is_quiet_and_what_the_user_has_set_stays() -> None:
    environ = {"LANGSMITH_TRACING": "true", "AGNO_TELEMETRY": ""}

    keep_telemetry_quiet(environ)

    assert environ["LANGSMITH_TRACING"] == "true"
    assert environ["AGNO_TELEMETRY"] == ""
    assert environ["HAYSTACK_TELEMETRY_ENABLED"] == "False"
    assert {switch.name for switch in TELEMETRY_OFF} <= environ.keys()


def test_opentelemetry_that_a_target_sets_up_goes_on() -> None:
    environ: dict[str, str] = {}
    keep_telemetry_quiet(environ)
    assert not [name for name in environ if name.startswith("OTEL_")]


def test_a_target_finds_the_switches_and_a_process_that_continues_has_none_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    found: list[str | None] = []

    async def session(_task: str) -> str:
        found.append(os.environ.get("DO_NOT_TRACK"))
        return "done"

    run_cell(spec_of(session, sessions=1), session)

    assert set(found) == {"1"}
    assert "DO_NOT_TRACK" not in os.environ
