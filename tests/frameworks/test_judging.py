import pytest

from .matrix.columns import NOT_RUN, Column, Outcome, State, fails, not_applicable, works
from .matrix.frameworks import Framework
from .matrix.judging import judge, one_line, outdated_reasons
from .matrix.runs import SESSIONS, Ran
from .values import ran, trial

FRAMEWORK = Framework(name="x", distributions=("x",))
RECORDS = tuple(
    {"tool": "search", "ticket": f"0.0.{index}", "begin_s": 0.0, "end_s": 0.2, "on_loop": True}
    for index in range(2)
)
FIDELITY = [{"warp": {"makespan_s": 1.2}, "wall": {"makespan_s": 1.21}}]


def outcomes(framework: Framework = FRAMEWORK, **changed: Ran) -> dict[Column, Outcome]:
    """Judge a framework with which everything works, but for the runs that a test names."""
    runs = {
        "gather": ran(),
        "sync": ran(),
        "threads": ran(),
        "stream": ran(),
        "seen": ran(records=RECORDS),
        "warp": ran(fidelity=FIDELITY),
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

    assert row[Column.TOOLS] == fails("0 of 80 tool calls ran")


def test_a_session_that_fails_is_the_reason() -> None:
    row = outcomes(gather=ran(succeeded=SESSIONS - 1, error="no session marker"))

    assert row[Column.ASYNC] == fails("no session marker")
    assert row[Column.SYNC] == works()
    assert row[Column.TOOLS] == fails("all ran, and sessions failed")


def test_a_command_without_a_result_has_its_last_word_as_the_reason() -> None:
    row = outcomes(stream=Ran(elapsed_s=3, status=2, error="no module named x"))

    assert row[Column.STREAMING] == fails("no module named x")


def test_a_command_that_hangs_says_so() -> None:
    row = outcomes(stream=Ran(elapsed_s=120, status=None))

    assert row[Column.STREAMING] == fails("hung, and was ended after 120 s")


def test_what_fails_late_says_after_how_long() -> None:
    row = outcomes(stream=Ran(elapsed_s=45, status=1, error="timed out"))

    assert row[Column.STREAMING] == fails("timed out (after 45 s)")


def test_a_form_that_the_framework_lacks_is_not_applicable() -> None:
    framework = Framework(name="x", distributions=("x",), lacks={Column.SYNC: "async only"})

    assert outcomes(framework)[Column.SYNC] == not_applicable("async only")


def test_a_reviewed_reason_stands_for_the_words_of_a_run() -> None:
    framework = Framework(name="x", distributions=("x",), reasons={Column.STREAMING: "part 2"})

    row = outcomes(framework, stream=Ran(elapsed_s=1, status=1, error="a long story"))

    assert row[Column.STREAMING] == fails("part 2")
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
    ("warp_s", "state"), [(1.0, State.WORKS), (1.029, State.WORKS), (1.04, State.FAILS)]
)
def test_warp_is_compared_with_wall(warp_s: float, state: State) -> None:
    fidelity = [{"warp": {"makespan_s": warp_s}, "wall": {"makespan_s": 1.0}}]

    assert outcomes(warp=ran(fidelity=fidelity))[Column.WARP].state is state


def test_tools_that_did_not_run_fail() -> None:
    row = outcomes(gather=ran(tool_calls=0))

    assert row[Column.TOOLS] == fails("0 of 80 tool calls ran")


def test_a_structure_that_is_told_wrong_fails_with_both() -> None:
    row = outcomes(gather=ran(loop_blockers=[{"place": "x.py:f"}]))

    assert row[Column.STRUCTURE] == fails(
        "the tools saw: tools overlap; the run says: a plain tool blocks the event loop"
    )


def test_a_structure_without_calls_fails() -> None:
    assert outcomes(seen=ran())[Column.STRUCTURE] == fails("no tool ran")


def test_a_reason_is_one_line_without_paths_of_the_machine() -> None:
    text = "cannot import x:\n  from /home/me/.matrix/x/lib/site.py at https://a.b/c/d"

    assert one_line(text) == "cannot import x: from …/site.py at https://a.b/c/d"
    assert len(one_line("word " * 100)) == 220
