"""Warnings in sentences."""

import pytest
from warpbench.bench.results.finding_text import finding
from warpbench.bench.results.records import FindingKind

from ...golden import assert_golden

pytestmark = pytest.mark.once

CELL = {"cell": "tools/gather/asyncio at concurrency 100"}
BLOCKED = {
    **CELL,
    "place": "agent.py:build.<locals>.summarise",
    "tool": "",
    "at": "agent.py:build.<locals>.summarise:15",
    "longest_s": 0.3,
    "total_s_per_trial": 0.45,
    "other_cells": 2,
}
TOOL = {"place": "lookup (agent.py:call)", "tool": "lookup", "at": "agent.py:call:65"}
PACKAGE = {"place": "anyio/to_thread.py:run_sync", "at": ""}
WAITING = {**CELL, "place": "agent.py:build.<locals>.session:18", "share": 0.89, "other_cells": 3}
IN_TURN = {
    **CELL,
    "place": "my_agent.py:build.<locals>.look_up:13",
    "awaits": "asyncio.sleep",
    "waits_per_session": 4.0,
    "mean_s": 0.3,
    "other_places": 0,
    "saves_s": 0.9,
    "share": 0.41,
    "other_cells": 3,
}
POOL = {**CELL, "most": 5, "share": 0.63, "other_cells": 1}
REFUSED = {
    **CELL,
    "host": "api.crewai.com",
    "requests": 3600,
    "requests_before": 0,
    "from_children": 0,
    "in_process": True,
    "sessions": 200,
    "started": 200,
    "cost_s": 1580.0,
    "share": 0.87,
    "other_cells": 1,
}
BEFORE = {
    **REFUSED,
    "requests": 0,
    "sessions": 0,
    "cost_s": 0.0,
    "share": 0.0,
    "requests_before": 9,
    "trials": 3,
}
LEAKED = {**CELL, "sessions": 12, "started": 200, "session": 3, "owner": 7}
WRONG = {
    **CELL,
    "who": "session 3",
    "model_call": 2,
    "reason": "a tool result without its call",
    "place": "agent.py:ask:12",
}
SERVICE = {"cell": "chat at concurrency 10 with 2 workers"}
ENDED: dict[str, float | str] = {
    **SERVICE,
    "pid": 4711,
    "trial": 0,
    "at_s": 1.33,
    "how": "killed by SIGKILL",
    "was_command": False,
    "is_replaced": True,
    "replaced_s": 0.218,
    "others": 0,
    "unsuccessful": 6,
    "started": 100,
}
LIMITED: dict[str, float | str] = {**SERVICE, "workers": 2, "other_cells": 1, "cores_busy": 1.9}
EXAMPLES: list[tuple[FindingKind, dict[str, float | str]]] = [
    (FindingKind.TEXT_LEAKED, {**LEAKED, "model_call": 2, "place": "agent.py:ask:15"}),
    (FindingKind.TEXT_LEAKED, {**LEAKED, "model_call": 0, "place": ""}),
    (FindingKind.TEXT_LEAKED, {**LEAKED, "model_call": 1, "place": "", "owner": -1}),
    (FindingKind.REQUESTS_WRONG, WRONG),
    (FindingKind.REQUESTS_WRONG, {**WRONG, "who": "work that sessions share", "place": ""}),
    (FindingKind.SESSIONS_LOST, {**CELL, "asked": 1200, "started": 1199}),
    (
        FindingKind.SESSIONS_FAILED,
        {**CELL, "unsuccessful": 5, "started": 1200, "error": "APITimeoutError: timed out."},
    ),
    (FindingKind.ABOVE_CONCURRENCY, {**CELL, "in_flight": 131.04}),
    (FindingKind.ABOVE_IDEAL, {**CELL, "efficiency": 1.0312}),
    (FindingKind.SERVER_BOUND, {**CELL, "utilisation": 0.93, "capacity_per_s": 12_345.0}),
    (FindingKind.LIMITS_SPLIT, {**CELL, "processes": 2}),
    (FindingKind.LOOP_BLOCKED, {**BLOCKED, "cause": "waiting"}),
    (FindingKind.LOOP_BLOCKED, {**BLOCKED, "cause": "computing", "other_cells": 0}),
    (FindingKind.LOOP_BLOCKED, {**BLOCKED, **TOOL, "cause": "waiting", "other_cells": 0}),
    (FindingKind.LOOP_BLOCKED, {**BLOCKED, **PACKAGE, "cause": "computing", "other_cells": 0}),
    (FindingKind.OWN_WAIT, {**WAITING, "awaits": "asyncio.Lock.acquire"}),
    (
        FindingKind.OWN_WAIT,
        {**WAITING, "awaits": "asyncio.Lock.acquire", "waits_per_session": 2.5, "mean_s": 0.6},
    ),
    (FindingKind.TOOLS_IN_TURN, IN_TURN),
    (FindingKind.TOOLS_IN_TURN, {**IN_TURN, "other_places": 2, "other_cells": 0}),
    (FindingKind.OWN_WAIT, {**WAITING, "awaits": "asyncio.Semaphore.acquire", "other_cells": 0}),
    (FindingKind.OWN_WAIT, {**WAITING, "awaits": "asyncio.Queue.get", "other_cells": 0}),
    (FindingKind.OWN_WAIT, {**WAITING, "awaits": "asyncio.sleep", "other_cells": 0}),
    (FindingKind.OWN_WAIT, {**WAITING, "awaits": "asyncio.Event.wait", "other_cells": 0}),
    (FindingKind.OWN_WAIT, {**WAITING, "place": "", "awaits": "", "other_cells": 0}),
    (FindingKind.POOL_TOO_SMALL, {**POOL, "client": "httpx2", "timeouts": 0}),
    (FindingKind.POOL_TOO_SMALL, {**POOL, "client": "httpx", "timeouts": 3, "other_cells": 0}),
    (FindingKind.POOL_TOO_SMALL, {**POOL, "client": "aiohttp", "share": 0.0, "timeouts": 1}),
    (FindingKind.REQUESTS_REFUSED, REFUSED),
    (FindingKind.REQUESTS_REFUSED, {**REFUSED, "requests": 4, "sessions": 4, "other_cells": 0}),
    (FindingKind.REQUESTS_REFUSED, {**REFUSED, "sessions": 0, "cost_s": 0.0, "host": ""}),
    (FindingKind.REQUESTS_REFUSED, {**REFUSED, "requests_before": 12}),
    (FindingKind.REQUESTS_REFUSED, {**REFUSED, "requests": 12, "from_children": 12}),
    (FindingKind.REQUESTS_REFUSED, {**BEFORE, "requests_before": 1, "from_children": 1}),
    (
        FindingKind.REQUESTS_REFUSED,
        {**BEFORE, "requests_before": 1, "from_children": 1, "in_process": False},
    ),
    (FindingKind.REQUESTS_REFUSED, {**REFUSED, "from_children": 12}),
    (FindingKind.REQUESTS_REFUSED, BEFORE),
    (FindingKind.REQUESTS_REFUSED, {**BEFORE, "requests_before": 3, "other_cells": 0}),
    (FindingKind.NOT_STEADY, {**CELL, "drift": 0.31, "other_cells": 0}),
    (FindingKind.NOT_STEADY, {**CELL, "drift": -0.12, "other_cells": 1}),
    (FindingKind.MACHINE_DRIFTED, {"trend": -0.09}),
    (FindingKind.MACHINE_DRIFTED, {"trend": 0.09}),
    (FindingKind.LOAD_NOT_DELIVERED, {**CELL, "asked_per_s": 20.0, "delivered_per_s": 15.5}),
    (FindingKind.TOOLS_ANSWERED, {**CELL, "calls": 12, "sessions": 6}),
    (FindingKind.TOOLS_ANSWERED, {**CELL, "calls": 1, "sessions": 1}),
    (FindingKind.TOOLS_LEFT_OUT, {**CELL, "calls": 80, "sessions": 40}),
    (FindingKind.PROCESS_ENDED, ENDED),
    (
        FindingKind.PROCESS_ENDED,
        {**ENDED, "how": "", "was_command": True, "is_replaced": False, "others": 2},
    ),
    (
        FindingKind.SERVICE_LIMIT,
        {**LIMITED, "limit": "waits", "share": 0.19, "waited_s": 0.162, "grown_s": 0.1}
        | {"from_load": 10, "host": "database.example.com", "asked_s": 0.186},
    ),
    (
        FindingKind.SERVICE_LIMIT,
        {**LIMITED, "limit": "waits", "share": 0.5, "waited_s": 2.0, "grown_s": 0.0}
        | {"from_load": 10, "host": "", "asked_s": 0.0},
    ),
    (FindingKind.SERVICE_LIMIT, {**LIMITED, "limit": "workers"}),
    (FindingKind.SERVICE_LIMIT, {**LIMITED, "limit": "machine", "lab_cores": 0.4, "cores": 2}),
    (FindingKind.SERVICE_LIMIT, {**LIMITED, "limit": "provider", "refused": 130, "started": 50}),
    (FindingKind.CLIENT_BOUND, {**CELL, "client_cores": 0.81}),
    (
        FindingKind.WORKER_LOST,
        {"lost": 1, "repeated": 1, "host": "node-7", "reason": "the process of its trials ended"},
    ),
    (
        FindingKind.WORKER_LOST,
        {"lost": 3, "repeated": 0, "host": "node-7", "reason": "unreachable"},
    ),
    (FindingKind.INTERRUPTED, {"done": 3, "planned": 9}),
    (FindingKind.INTERRUPTED, {"done": 9, "planned": 9}),
]


@pytest.mark.once
def test_the_wording_of_the_warnings() -> None:
    assert {kind for kind, _ in EXAMPLES} == set(FindingKind)
    lines = [f"{kind}: {finding(kind, **values).message}" for kind, values in EXAMPLES]
    assert_golden("warnings", "\n".join(lines))


@pytest.mark.parametrize(("kind", "values"), EXAMPLES)
def test_a_warning_carries_its_values(kind: FindingKind, values: dict[str, float | str]) -> None:
    found = finding(kind, **values)
    assert (found.kind, found.values) == (kind, values)
