"""``--validate``: cells of a run once more, in pairs with real waiting and without."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...mocks.clock import ClockMode
from ...mocks.errors import TrialError, UsageError
from ..results.records import Run, Status
from ..results.run_file import write_run
from ..runner.runner import Trials
from ..studies.fidelity import chosen_specs, measure_fidelity
from ..trial.spec import TrialSpec
from .options import Messages
from .progress import stderr_for


def specs_to_validate(
    specs: Sequence[TrialSpec], names: Sequence[str], how: str
) -> tuple[TrialSpec, ...]:
    """Return the cells to be run with real waiting too.

    Args:
        specs: The cells of the run.
        names: As for ``fidelity.chosen_specs``; none for no cell.
        how: The clock of the run, or what else it does.

    Raises:
        UsageError: There is nothing to hold against it, or no such cell.
    """
    if not names:
        return ()
    if how != ClockMode.WARP:
        raise UsageError(f"--validate compares warp with wall: it cannot go with {how}")
    return chosen_specs(specs, names)


def validate(
    run: Run,
    specs: Sequence[TrialSpec],
    pairs: int,
    trials: Trials,
    run_file: Path,
    *,
    messages: Messages,
) -> tuple[Run, bool]:
    """Run cells on both clocks, and save the run after each.

    Args:
        run: The run; only those that it measured are run again.
        specs: The cells.
        pairs: How often.
        trials: Runs a trial.
        run_file: Where the run is saved.
        messages: How much is said of it.

    Returns:
        The run with what was found, and whether it was interrupted.
    """
    console = stderr_for(messages)
    measured = {result.cell.name for result in run.cells if result.status is Status.MEASURED}
    wanted = [spec for spec in specs if spec.cell.name in measured]
    for number, spec in enumerate(wanted, 1):
        result = f"[{number}/{len(wanted)}] {spec.cell.name}"
        console.print(f"{result}: real waiting, {pairs} times", markup=False, highlight=False)
        try:
            found = measure_fidelity(spec, pairs, trials)
        except TrialError as error:
            console.print(f"{result}: left out, {error}", markup=False, highlight=False)
            continue
        except KeyboardInterrupt:
            return run, True
        if found is not None:
            run = replace(run, fidelity=(*run.fidelity, found))
            write_run(run, run_file)
    return run, False
