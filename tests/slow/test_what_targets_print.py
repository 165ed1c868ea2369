"""Of every command that runs a target or reads a run, standard output is the command's alone."""

from pathlib import Path

from ..bench.cli.test_json_output import (
    CELL,
    OF_A_STRATEGY,
    PRINTED,
    RUN,
    assert_no_secret,
    project,
    run_beside_noise,
    with_secrets,
)

__all__ = ["project"]


def test_other_commands_print_no_word_of_a_target(project: Path) -> None:
    """Each that has one document or table for its output, and runs a target or reads a run."""
    assert run_beside_noise(project, "run", *CELL, *RUN, "--trials", "2").status == 0
    for command in (
        ("advise", *CELL),
        ("baseline", *CELL),
        ("compare", "results", "results"),
        ("list",),
        ("report", "results"),
    ):
        finished = run_beside_noise(project, *command)
        for text in (*PRINTED, *OF_A_STRATEGY):
            assert text not in finished.out, command


def test_what_a_profiled_target_prints_shows_no_secret(tmp_path: Path) -> None:
    environ = with_secrets(tmp_path)
    of_secrets = ("two-sleeps", "--target", "telling:build", "--concurrency", "1")
    command = ("profile", *of_secrets, "--sessions", "2", "--strategy", "gather")

    assert_no_secret(run_beside_noise(tmp_path, *command, **environ))
