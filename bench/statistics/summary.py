"""Pure statistics: from the trials of a cell to its result."""

from collections.abc import Iterable, Sequence
from statistics import median

from ...mocks.clock import seconds
from ...mocks.observe.pools import summed
from ..results.blocked_loop import loop_blockers
from ..results.cell import Cell
from ..results.isolation import summed as isolation
from ..results.model_requests import summed as model_requests
from ..results.own_waits import by_place
from ..results.records import (
    CellResult,
    SessionCounts,
    Status,
    TrialFigures,
    keeps_concurrency,
)
from ..results.reference import summed as shared_work
from ..results.refused_hosts import summed_hosts
from ..results.samples import Outcome, SessionSample
from ..results.service_use import summed as service_use
from ..results.time_parts import PART_NAMES, TimeParts, in_seconds, mean_parts
from ..results.tools_not_run import summed as tools_not_run
from ..results.trial_result import TrialResult
from ..results.wrong_requests import first_of
from .percentiles import nearest_rank, summarise
from .ranking import throughput_per_s
from .steadiness import drift_within
from .streams import first_output_of, itl_of, longest_by_session, tokens_per_s_of, ttft_of

_PERCENT = 100
_MOST_PLACES = 10
_QUANTILES = range(_PERCENT + 1)


def cell_result(
    cell: Cell,
    trials: Sequence[TrialResult],
    figures: Sequence[TrialFigures] | None = None,
) -> CellResult:
    """Return what the trials of a cell say together.

    Figures of a whole trial are medians over the trials; latencies are pooled, so that no
    session is dropped from a percentile, however it ended.

    Args:
        cell: The cell.
        trials: Its trials, at least one.
        figures: What ``trial_figures`` makes of each of them, where that is known.
    """
    samples = [sample for trial in trials for sample in trial.samples]
    latencies_s = sorted(seconds(sample.latency_ns) for sample in samples)
    streams = [trial.streams for trial in trials]
    in_open_loop = any(sample.intended_ns is not None for sample in samples)
    makespan_s = median(seconds(trial.makespan_ns) for trial in trials)
    ideal_makespan_s = median(seconds(trial.ideal_makespan_ns) for trial in trials)
    mean_in_flight = _median_of(_mean_in_flight(trial) for trial in trials)
    return CellResult(
        cell=cell,
        status=Status.MEASURED,
        error=next((sample.error for sample in samples if sample.error is not None), None),
        trials=len(trials),
        sessions=count_sessions(samples),
        makespan_s=makespan_s,
        ideal_makespan_s=ideal_makespan_s,
        efficiency=efficiency(
            ideal_makespan_s,
            makespan_s,
            is_complete=all(sample.outcome is Outcome.SUCCEEDED for sample in samples),
            keeps_concurrency=keeps_concurrency(mean_in_flight, cell.concurrency),
        ),
        reference=trials[0].reference,
        shared_work=shared_work(trial.shared_work for trial in trials),
        sessions_without_solo=sum(trial.sessions_without_solo for trial in trials),
        throughput_per_s=median(throughput_per_s(trial) for trial in trials),
        latency_s=summarise(latencies_s),
        raw_latency_s=summarise([seconds(sample.end_ns - sample.start_ns) for sample in samples])
        if in_open_loop
        else None,
        asked_per_s=_median_of(
            _rate_per_s(
                [each.intended_ns for each in trial.samples if each.intended_ns is not None]
            )
            for trial in trials
        ),
        delivered_per_s=_median_of(
            _rate_per_s([each.start_ns for each in trial.samples]) for trial in trials
        )
        if in_open_loop
        else None,
        mean_in_flight=mean_in_flight,
        latency_quantiles_s=tuple(
            latencies_s[nearest_rank(len(latencies_s), percent)] for percent in _QUANTILES
        )
        if latencies_s
        else (),
        ideal_latency_s=summarise(
            [seconds(latency_ns) for trial in trials for latency_ns in trial.ideal_latencies_ns]
        ),
        llm_calls=round(median(trial.llm_calls for trial in trials)),
        streamed_calls=sum(len(each.session) for each in streams),
        streams_without_token=sum(each.ttft_ns.count(-1) for each in streams),
        ttft_s=ttft_of(streams),
        itl_s=itl_of(streams),
        tokens_per_s=tokens_per_s_of(streams),
        first_output_s=first_output_of(samples),
        prompt_tokens=round(median(each.prompt_tokens for each in streams)),
        completion_tokens=round(median(each.completion_tokens for each in streams)),
        tool_calls=round(median(trial.tool_calls for trial in trials)),
        tools_not_run=tools_not_run(trial.tools_not_run for trial in trials),
        model_requests=model_requests(trial.model_requests for trial in trials),
        isolation=isolation(trial.isolation for trial in trials),
        wrong_requests=first_of(trial.wrong_requests for trial in trials),
        peak_in_flight=max(trial.peak_in_flight for trial in trials),
        cpu_s_per_session=median(_cpu_s_per_session(trial) for trial in trials),
        peak_rss_bytes=max(trial.peak_rss_bytes for trial in trials),
        elapsed_s=median(trial.elapsed_s for trial in trials),
        server_capacity_per_s=_median_of(trial.server_capacity_per_s for trial in trials),
        server_utilisation=max(
            (trial.server_utilisation for trial in trials if trial.server_utilisation is not None),
            default=None,
        ),
        time_parts_s=_mean_parts_s(trials),
        loop_blockers=loop_blockers(each for trial in trials for each in trial.blocked_loop)[
            :_MOST_PLACES
        ],
        own_waits=by_place(each for trial in trials for each in trial.own_waits)[:_MOST_PLACES],
        pools=summed(each for trial in trials for each in trial.pools),
        refused=summed_hosts(each for trial in trials for each in trial.refused),
        vitals=trials[0].vitals,
        timeline=trials[0].timeline,
        probe_share=_median_of(
            trial.probe_cpu_s / trial.cpu_s
            for trial in trials
            if trial.probe_cpu_s is not None and trial.cpu_s > 0
        ),
        drift=drift_within(trials, cell.concurrency if not in_open_loop else 0),
        service=service_use([trial.service for trial in trials]),
        trial_figures=tuple(map(trial_figures, trials) if figures is None else figures),
    )


def _rate_per_s(times_ns: Sequence[int]) -> float | None:
    """Return how many a second there are, from the first to the last."""
    if len(times_ns) < 2:  # noqa: PLR2004 - a rate takes two
        return None
    length_ns = max(times_ns) - min(times_ns)
    return (len(times_ns) - 1) / seconds(length_ns) if length_ns else None


def _mean_in_flight(trial: TrialResult) -> float | None:
    if not trial.makespan_ns:
        return None
    return sum(each.end_ns - each.start_ns for each in trial.samples) / trial.makespan_ns


def _mean_parts_s(trials: Sequence[TrialResult]) -> TimeParts | None:
    parts_ns = [each for trial in trials for each in trial.time_parts_ns]
    return in_seconds(mean_parts(parts_ns)) if parts_ns else None


def _median_of(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def count_sessions(samples: Sequence[SessionSample]) -> SessionCounts:
    """Return how many sessions were started, and how they ended."""
    outcomes = [sample.outcome for sample in samples]
    return SessionCounts(
        started=len(samples),
        succeeded=outcomes.count(Outcome.SUCCEEDED),
        failed=outcomes.count(Outcome.FAILED),
        cancelled=outcomes.count(Outcome.CANCELLED),
        timed_out=outcomes.count(Outcome.TIMED_OUT),
    )


def without_result(cell: Cell, status: Status, error: str) -> CellResult:
    """Return the result of a cell that has none, with the reason."""
    return CellResult(cell=cell, status=status, error=error)


def trial_figures(trial: TrialResult) -> TrialFigures:
    """Return what one trial of a cell came to, its sessions as columns."""
    sessions = tuple(sample.session for sample in trial.samples)
    streams = trial.streams
    outputs_ns = tuple(
        -1 if sample.output_latency_ns is None else sample.output_latency_ns
        for sample in trial.samples
    )
    return TrialFigures(
        makespan_s=seconds(trial.makespan_ns),
        throughput_per_s=throughput_per_s(trial),
        cpu_s_per_session=_cpu_s_per_session(trial),
        elapsed_s=trial.elapsed_s,
        session=sessions,
        outcome=tuple(sample.outcome for sample in trial.samples),
        start_ns=tuple(sample.start_ns for sample in trial.samples),
        latency_ns=tuple(sample.latency_ns for sample in trial.samples),
        intended_ns=tuple(
            sample.intended_ns for sample in trial.samples if sample.intended_ns is not None
        ),
        time_parts_ns=_columns(trial.time_parts_ns),
        first_output_ns=outputs_ns if any(each >= 0 for each in outputs_ns) else (),
        longest_ttft_ns=longest_by_session(sessions, streams, streams.ttft_ns),
        longest_gap_ns=longest_by_session(sessions, streams, streams.longest_gap_ns),
        nodes=trial.nodes,
    )


def _cpu_s_per_session(trial: TrialResult) -> float:
    return trial.cpu_s / max(1, len(trial.samples))


def efficiency(
    ideal_makespan_s: float, makespan_s: float, *, is_complete: bool, keeps_concurrency: bool
) -> float | None:
    """Return ideal over measured; ``None`` where the two are not of the same work.

    Args:
        ideal_makespan_s: Seconds that a costless scheduler would take.
        makespan_s: Seconds that the cell took.
        is_complete: Whether every session succeeded; one that fails may end early.
        keeps_concurrency: Whether no more sessions were in flight than the ideal has.
    """
    comparable = is_complete and keeps_concurrency and makespan_s > 0
    return ideal_makespan_s / makespan_s if comparable else None


def _columns(parts_ns: Sequence[TimeParts]) -> dict[str, tuple[int, ...]]:
    columns = {name: tuple(getattr(each, name) for each in parts_ns) for name in PART_NAMES}
    return {name: column for name, column in columns.items() if any(column)}
