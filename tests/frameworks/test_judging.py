from collections.abc import Sequence
from dataclasses import replace

import pytest

from .matrix.columns import NOT_RUN, Column, Outcome, State, fails, not_applicable, works
from .matrix.frameworks import Framework
from .matrix.judging import judge, one_line, outdated_reasons
from .matrix.runs import SESSIONS, Ran
from .values import SECOND, alone, pairs, ran, trial

pytestmark = pytest.mark.once

FRAMEWORK = Framework(name="x", distributions=("x",))
RECORDS = tuple(
    {"tool": "search", "ticket": f"0.0.{index}", "begin_s": 0.0, "end_s": 0.2, "on_loop": True}
    for index in range(2)
)
TWO_TRIALS_S = 1.0
"""What the sessions of a command took, by the figures of its trials."""

ALIKE = (2.02, 2.0, 2.01, 2.04)


def outcomes(framework: Framework = FRAMEWORK, **changed: Ran) -> dict[Column, Outcome]:
    """Judge a framework with which everything works, but for the runs that a test names."""
    runs = {
        "gather": ran(),
        "sync": ran(),
        "threads": ran(),
        "stream": ran(),
        "seen": ran(records=RECORDS),
        "wide": ran(),
        **pairs(ALIKE),
    }
    return judge(framework, works(), {**runs, **changed})


def test_everything_works() -> None:
    assert {outcome.state for outcome in outcomes().values()} == {State.WORKS}
    assert list(outcomes()) == list(Column)


def test_what_is_not_installed_is_not_judged() -> None:
    row = judge(FRAMEWORK, fails("no solution"), {})

    assert row[Column.INSTALL] == fails("no solution")
    assert row[Column.ASYNC] == fails("not installed")


def test_a_downgrade_fails_and_the_rest_is_judged_all_the_same() -> None:
    row = judge(FRAMEWORK, fails("downgraded: x"), {"gather": ran()})

    assert row[Column.INSTALL] == fails("downgraded: x")
    assert row[Column.ASYNC] == works()


def test_a_command_that_was_not_run_is_told_as_such() -> None:
    row = judge(FRAMEWORK, works(), {"gather": ran()})

    assert row[Column.ASYNC] == works()
    assert {row[column] for column in (Column.SYNC, Column.STREAMING, Column.WARP)} == {NOT_RUN}


def test_another_strategy_may_stand_for_all() -> None:
    framework = Framework(name="x", distributions=("x",), strategy="threads")

    row = judge(framework, works(), {"threads": ran(tool_calls=0)})

    assert row[Column.TOOLS] == fails("0 of 80 tool calls ran", TWO_TRIALS_S)


def test_a_session_that_fails_is_the_reason() -> None:
    row = outcomes(gather=ran(succeeded=SESSIONS - 1, error="no session marker"))

    assert row[Column.ASYNC] == fails("no session marker", TWO_TRIALS_S)
    assert row[Column.SYNC] == works()
    assert row[Column.TOOLS] == fails("all ran, and sessions failed", TWO_TRIALS_S)


def test_a_command_without_a_result_has_its_last_word_as_the_reason() -> None:
    row = outcomes(stream=Ran(elapsed_s=3, status=2, error="no module named x"))

    assert row[Column.STREAMING] == fails("no module named x", 3)


def test_a_command_that_hangs_says_so() -> None:
    row = outcomes(stream=Ran(elapsed_s=120, status=None))

    assert row[Column.STREAMING] == fails("hung, and was ended after 120 s", 120)


def test_what_fails_late_says_after_how_long() -> None:
    row = outcomes(stream=Ran(elapsed_s=45, status=1, error="timed out"))

    assert row[Column.STREAMING] == fails("timed out (after 45 s)", 45)


def test_a_form_that_the_framework_lacks_is_not_applicable() -> None:
    framework = Framework(name="x", distributions=("x",), lacks={Column.SYNC: "async only"})

    assert outcomes(framework)[Column.SYNC] == not_applicable("async only")


def test_a_reviewed_reason_stands_for_the_words_of_a_run() -> None:
    framework = Framework(name="x", distributions=("x",), reasons={Column.STREAMING: "part 2"})

    row = outcomes(framework, stream=Ran(elapsed_s=1, status=1, error="a long story"))

    assert row[Column.STREAMING] == fails("part 2", 1)
    assert list(outdated_reasons(framework, row)) == []


def test_a_reviewed_reason_of_what_works_is_outdated() -> None:
    framework = Framework(name="x", distributions=("x",), reasons={Column.STREAMING: "part 2"})

    row = outcomes(framework)

    assert row[Column.STREAMING] == works()
    assert list(outdated_reasons(framework, row)) == [Column.STREAMING]


def test_two_trials_that_differ_do_not_repeat() -> None:
    differ = ran(trial_figures=[trial(5), trial(6)])

    assert outcomes(gather=differ)[Column.REPEATS] == fails("differs in latency_ns")


def test_one_trial_alone_shows_no_repetition() -> None:
    alone = ran(trial_figures=[trial()])

    assert outcomes(gather=alone)[Column.REPEATS] == fails("one of two trials failed")


def test_the_cpu_time_of_a_trial_may_differ() -> None:
    slower = trial() | {"cpu_s_per_session": 3.0}

    row = outcomes(gather=ran(trial_figures=[trial(), slower]))

    assert row[Column.REPEATS] == works()


@pytest.mark.parametrize(
    ("makespans_s", "state"),
    [
        (ALIKE, State.WORKS),
        ([2.1] * 12, State.FAILS),
        ([2.1] * 11, State.NOT_RUN),
        ([2.0 + number / 20 for number in range(12)], State.UNDECIDED),
        (ALIKE[:3], State.NOT_RUN),
    ],
)
def test_warp_is_compared_with_wall_by_pairs(makespans_s: Sequence[float], state: State) -> None:
    runs = {name: ran() for name in ("gather", "sync", "threads", "stream", "seen", "wide")}

    row = judge(FRAMEWORK, works(), {**runs, **pairs(makespans_s)})

    assert row[Column.WARP].state is state


def test_a_cell_that_stays_open_has_the_reason_of_its_framework() -> None:
    framework = replace(FRAMEWORK, scatters="it plays dice")
    runs = {name: ran() for name in ("gather", "sync", "threads", "stream", "seen", "wide")}

    row = judge(framework, works(), {**runs, **pairs([2.0 + number / 20 for number in range(12)])})

    assert row[Column.WARP].state is State.UNDECIDED
    assert row[Column.WARP].note.endswith(": it plays dice")


def test_the_note_on_warp_says_what_the_pairs_tell() -> None:
    assert outcomes()[Column.WARP] == works("+0.0% (warp 2 to 2.04 s, wall 2 s, 4 runs of each)")


def test_a_session_that_fails_in_a_pair_is_the_reason() -> None:
    row = outcomes(**{"warp-2": alone(succeeded=SESSIONS - 1, error="no session marker")})

    assert row[Column.WARP] == fails("no session marker", TWO_TRIALS_S / 2)


def test_tools_that_did_not_run_fail() -> None:
    row = outcomes(gather=ran(tool_calls=0))

    assert row[Column.TOOLS] == fails("0 of 80 tool calls ran", TWO_TRIALS_S)


def test_a_structure_that_is_told_wrong_fails_with_both() -> None:
    row = outcomes(gather=ran(loop_blockers=[{"place": "x.py:f"}]))

    assert row[Column.STRUCTURE] == fails(
        "seen: tools overlap; the run says: a plain tool blocks the event loop"
    )


def test_a_wait_for_a_thread_that_a_run_tells_is_one_that_wider_pools_save() -> None:
    waiting = [trial(latency_ns=2 * SECOND, admission=[SECOND])] * 2

    row = outcomes(gather=ran(trial_figures=waiting))

    assert row[Column.STRUCTURE] == works("work waits for a thread")


def test_a_wait_for_a_thread_that_a_run_tells_and_wider_pools_do_not_save_fails() -> None:
    waiting = [trial(latency_ns=SECOND, admission=[SECOND // 2])] * 2

    row = outcomes(gather=ran(trial_figures=waiting))

    assert row[Column.STRUCTURE] == fails(
        "seen: tools overlap; the run says: work waits for a thread"
    )


def test_a_structure_without_calls_fails() -> None:
    assert outcomes(seen=ran())[Column.STRUCTURE] == fails("no tool ran")


def test_a_reason_is_one_line_without_paths_of_the_machine() -> None:
    text = "cannot import x:\n  from /home/me/.matrix/x/lib/site.py at https://a.b/c/d"

    assert one_line(text) == "cannot import x: from …/site.py at https://a.b/c/d"
    assert len(one_line("word " * 100)) == 220
