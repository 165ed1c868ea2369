"""What an exploration found, in sentences."""

from dataclasses import replace

from warpbench.bench.results.exploration import Exploration, Failure, FailureKind, Found
from warpbench.reports.terminal.exploration import exploration_lines, replay_lines

from ...built import CELL
from ...golden import assert_golden

LEAK = Failure(
    kind=FailureKind.LEAK,
    session=3,
    owner=7,
    model_call=2,
    place="agent.py:build.<locals>.ask:15",
    at_s=0.51,
)
REFUSED = Failure(
    kind=FailureKind.REFUSED_REQUEST,
    session=3,
    model_call=2,
    place="agent.py:build.<locals>.ask:12",
    reason="a tool result without its call",
    at_s=1.2,
)
FAILURES = (
    LEAK,
    replace(LEAK, model_call=0, place="", owner=-1),
    Failure(kind=FailureKind.OTHER_CALLS, session=4, calls=3, calls_alone=2),
    Failure(kind=FailureKind.OTHER_OUTCOME, session=1, error="RuntimeError: closed", at_s=1.5),
    REFUSED,
    replace(REFUSED, session=None, place=""),
    Failure(kind=FailureKind.HANG, error="deadlock: nobody can go on"),
)
FOUND = Exploration(
    cell=CELL,
    schedules=200,
    elapsed_s=18.3,
    found=tuple(
        Found(failure=failure, schedule=17 + number, sessions=1 + number, seen_in=3 * number + 1)
        for number, failure in enumerate(FAILURES)
    ),
)


def test_the_wording_of_an_exploration() -> None:
    lines = [
        *exploration_lines(FOUND, "./chat.toml"),
        "",
        *exploration_lines(Exploration(cell=CELL, schedules=200, elapsed_s=12.0), "chat"),
        *exploration_lines(Exploration(cell=CELL, not_applicable="it has no form"), "chat"),
        "",
        *replay_lines(CELL, 17, FAILURES),
        *replay_lines(CELL, 18, ()),
    ]
    assert_golden("exploration", "\n".join(lines))
