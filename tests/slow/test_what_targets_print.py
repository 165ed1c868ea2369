"""Of every command that runs a target or reads a run, standard output is the command's alone."""

from pathlib import Path

from ..bench.cli.test_json_output import (
    CELL,
    OF_A_STRATEGY,
    OF_SECRETS,
    PRINTED,
    RUN,
    project,
    run_beside_noise,
    shows_no_secret,
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
    shows_no_secret(tmp_path, "profile", *OF_SECRETS, "--strategy", "gather")
