"""The files of a run's trials: one each, written as the trial ends, so that a run can go on.

They lie in the folder ``trials`` beside the results file, together with ``origin.json``, which
says which run they belong to. Each bears that run's name, so none of an earlier run in the same
folder is ever taken for one of this.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from ...mocks.errors import RunFileError
from ...mocks.input_files import UnreadableError, read_content
from ...mocks.observe.pools import PoolUse
from ...mocks.observe.streams import Streams
from ...mocks.observe.wrong_requests import WrongRequest
from ...mocks.printable import clipped
from ...mocks.redaction import redact, redacted
from .blocked_loop import BlockedLoop
from .cell import Cell
from .encoding import encoded, encoded_by_lines
from .isolation import NO_LEAKS, Isolation
from .json_file import write_pieces, write_whole
from .model_requests import ModelRequests
from .node import Node
from .own_waits import OwnWait
from .records import Environment, TrialFigures
from .reference import NOTHING_SHARED, Reference, SharedWork
from .refused_hosts import RefusedHost
from .samples import SessionSample
from .service_use import ServiceUse
from .time_parts import TimeParts
from .timeline import Timeline, Vitals
from .tools_not_run import ToolsNotRun
from .trial_result import TrialResult

TRIALS = "trials"
"""The folder of a run's trials, beside its results file."""

TRIAL_SCHEMA_VERSION = 2

_ORIGIN = "origin.json"
_LONGEST_NAME = 80
_LONGEST_VERSION = 20
_LONGEST_REASON = 200
_MOST_BYTES = 1 << 29
_DIGEST_LENGTH = 12
_TRIAL_NAME = re.compile(r".+-[0-9a-f]{12}-\d+\.json")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrigin:
    """What the trials of one run have in common.

    Attributes:
        run: Name of the run, which no other has.
        created_at: ISO 8601 time in UTC at which it began.
        command: The command that began it, without secrets.
        environment: Where it was begun.
        objective: The latency objective that was asked for.
        schema_version: Version of the layout of these files.
    """

    run: str
    created_at: str
    command: str
    environment: Environment
    objective: str | None = None
    schema_version: int = TRIAL_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class _SavedTrial:
    """One trial: ``TrialResult`` as columns, without what no result of a cell is made of."""

    run: str
    digest: str
    number: int
    cell: Cell
    figures: TrialFigures
    makespan_ns: int
    ideal_makespan_ns: int
    llm_calls: int
    tool_calls: int
    peak_in_flight: int
    cpu_s: float
    peak_rss_bytes: int
    origin_ns: int
    http_requests: int
    streams: Streams = field(default_factory=Streams)
    reference: Reference = Reference.SCRIPT
    shared_work: SharedWork = NOTHING_SHARED
    sessions_without_solo: int = 0
    tools_not_run: ToolsNotRun = field(default_factory=ToolsNotRun)
    model_requests: ModelRequests = field(default_factory=ModelRequests)
    isolation: Isolation = NO_LEAKS
    wrong_requests: tuple[WrongRequest, ...] = ()
    ideal_latencies_ns: tuple[int, ...] = ()
    errors: Mapping[int, str] = field(default_factory=dict)
    blocked_loop: tuple[BlockedLoop, ...] = ()
    server_capacity_per_s: float | None = None
    server_utilisation: float | None = None
    vitals: Vitals | None = None
    timeline: Timeline | None = None
    own_waits: tuple[OwnWait, ...] = ()
    pools: tuple[PoolUse, ...] = ()
    refused: tuple[RefusedHost, ...] = ()
    probe_cpu_s: float | None = None
    service: ServiceUse | None = None
    nodes: tuple[Node, ...] = ()
    schema_version: int = TRIAL_SCHEMA_VERSION


_AS_THEY_ARE = tuple(
    part.name
    for part in fields(TrialResult)
    if part.name in {other.name for other in fields(_SavedTrial)}
)


@dataclass(frozen=True, slots=True)
class CellKey:
    """What tells a cell's trials from all others.

    Attributes:
        cell: The cell.
        digest: Of all that its figures depend on besides: the workload, and what is noted.
    """

    cell: Cell
    digest: str


class KeptTrials(Protocol):
    """Where the trials of a run are kept as they end."""

    def taken(self, key: CellKey) -> tuple[TrialResult, ...]:
        """Return the trials of a cell that an earlier start of the run has finished."""
        ...

    def keep(self, key: CellKey, number: int, trial: TrialResult, figures: TrialFigures) -> None:
        """Keep a trial that has ended."""
        ...


class NoTrialsKept:
    """Keeps no trials: for runs that are over at once, and for tests."""

    def taken(self, key: CellKey) -> tuple[TrialResult, ...]:  # noqa: ARG002
        """Return none."""
        return ()

    def keep(self, key: CellKey, number: int, trial: TrialResult, figures: TrialFigures) -> None:
        """Let it go."""


class TrialFolder:
    """The trials of one run, in files.

    Args:
        folder: Where the run's results file is to be.
        origin: The run.
        secrets: What no file may show.
        is_resumed: Whether the files that are there belong to the run.
    """

    def __init__(
        self, folder: Path, origin: RunOrigin, secrets: Sequence[str], *, is_resumed: bool = False
    ) -> None:
        self._folder = folder / TRIALS
        self._origin = origin
        self._secrets = tuple(secrets)
        self._is_begun = is_resumed
        self._is_resumed = is_resumed

    @property
    def origin(self) -> RunOrigin:
        """The run that the trials belong to."""
        return self._origin

    def taken(self, key: CellKey) -> tuple[TrialResult, ...]:
        """Return the trials of a cell that an earlier start of the run has finished, in order.

        Args:
            key: Which cell.

        Raises:
            RunFileError: A file of them cannot be read. One line: file, key, what to do.
        """
        if not self._is_resumed:
            return ()
        read = (_read(file, _SavedTrial) for file in self._files(f"*-{_short(key.digest)}-*.json"))
        cell = redacted(key.cell, self._secrets)
        own = [
            saved
            for saved in read
            if (saved.run, saved.cell, saved.digest) == (self._origin.run, cell, key.digest)
        ]
        return tuple(_trial_of(saved) for saved in sorted(own, key=lambda saved: saved.number))

    def keep(self, key: CellKey, number: int, trial: TrialResult, figures: TrialFigures) -> None:
        """Write a trial's file, in one step; the first takes the place of an earlier run's.

        Args:
            key: Which cell.
            number: Number of the trial, from 0 on.
            trial: The trial.
            figures: Its figures, which hold its samples as columns.

        Raises:
            ValueError: A number is NaN or infinite; the message names its key.
            RunFileError: The file cannot be written.
        """
        self._begin()
        saved = _saved(self._origin.run, key, number, trial, figures)
        saved = redacted(saved, self._secrets)
        name = f"{_safe(saved.cell.full_name)}-{_short(key.digest)}-{number}.json"
        # Not flushed to the disk: a process that is killed loses nothing by it, and a machine
        # that loses power loses the last trials only.
        content = encoded(saved) + b"\n"
        write_whole(self._folder / name, content, RunFileError, is_flushed=False)

    def _begin(self) -> None:
        """Put this run's origin in the place of an earlier run's, and end that run's trials."""
        if self._is_begun:
            return
        for file in self._files("*.json"):
            file.unlink(missing_ok=True)
        write_pieces(
            self._folder / _ORIGIN,
            encoded_by_lines(redacted(self._origin, self._secrets)),
            RunFileError,
        )
        self._is_begun = True

    def _files(self, pattern: str) -> list[Path]:
        return [
            file for file in sorted(self._folder.glob(pattern)) if _TRIAL_NAME.fullmatch(file.name)
        ]


def new_run(
    created_at: str,
    command: str,
    environment: Environment,
    objective: str | None,
    secrets: Iterable[str],
) -> RunOrigin:
    """Return the origin of a run that begins now."""
    return RunOrigin(
        run=uuid.uuid4().hex,
        created_at=created_at,
        command=redact(command, secrets),
        environment=environment,
        objective=objective,
    )


def read_origin(folder: Path) -> RunOrigin:
    """Return the run whose trials a folder holds.

    Raises:
        RunFileError: There is none, or it cannot be read.
    """
    file = folder / TRIALS / _ORIGIN
    if not file.is_file():
        raise RunFileError(
            f"{folder}: holds no trials of a run; name the folder that an interrupted "
            "`warpbench run` wrote to, or leave --resume out"
        )
    return _read(file, RunOrigin)


def _read(file: Path, kind: type[T]) -> T:
    again = "leave --resume out to begin the run anew"
    try:
        content = read_content(file, _MOST_BYTES)
        version = msgspec.json.decode(content, type=dict[str, msgspec.Raw])["schema_version"]
        if bytes(version) != str(TRIAL_SCHEMA_VERSION).encode():
            found = clipped(bytes(version).decode(), _LONGEST_VERSION)
            raise RunFileError(
                f"{file}: schema_version: found {found}, this warpbench "
                f"reads {TRIAL_SCHEMA_VERSION}; resume with the version that wrote it, or {again}"
            )
        return msgspec.json.decode(content, type=kind)
    except KeyError as error:
        raise RunFileError(f"{file}: schema_version: found nothing; {again}") from error
    except UnreadableError as error:
        raise RunFileError(f"{file}: {error.reason}; {again}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = clipped(str(error), _LONGEST_REASON)
        raise RunFileError(
            f"{file}: {reason}; delete it to run its trial again, or {again}"
        ) from error


def _saved(
    run: str, key: CellKey, number: int, trial: TrialResult, figures: TrialFigures
) -> _SavedTrial:
    as_they_are: dict[str, Any] = {name: getattr(trial, name) for name in _AS_THEY_ARE}
    errors = {
        at: sample.error for at, sample in enumerate(trial.samples) if sample.error is not None
    }
    return _SavedTrial(
        run=run,
        digest=key.digest,
        number=number,
        cell=key.cell,
        figures=figures,
        errors=errors,
        **as_they_are,
    )


def _trial_of(saved: _SavedTrial) -> TrialResult:
    as_they_are: dict[str, Any] = {name: getattr(saved, name) for name in _AS_THEY_ARE}
    return TrialResult(
        samples=_samples_of(saved.figures, saved.errors),
        elapsed_s=saved.figures.elapsed_s,
        time_parts_ns=_parts_of(saved.figures),
        **as_they_are,
    )


def _samples_of(figures: TrialFigures, errors: Mapping[int, str]) -> tuple[SessionSample, ...]:
    begins_ns: Sequence[int] = figures.intended_ns or figures.start_ns
    count = len(figures.session)
    intended_ns: Sequence[int | None] = figures.intended_ns or (None,) * count
    outputs_ns = figures.first_output_ns or (-1,) * count
    columns = zip(
        figures.session,
        figures.outcome,
        figures.start_ns,
        begins_ns,
        figures.latency_ns,
        intended_ns,
        outputs_ns,
        strict=True,
    )
    return tuple(
        SessionSample(
            session,
            outcome,
            start_ns,
            begin_ns + latency_ns,
            errors.get(at),
            intended,
            first_output_ns=None if output_ns < 0 else begin_ns + output_ns,
        )
        for at, (
            session,
            outcome,
            start_ns,
            begin_ns,
            latency_ns,
            intended,
            output_ns,
        ) in enumerate(columns)
    )


def _parts_of(figures: TrialFigures) -> tuple[TimeParts, ...]:
    columns = figures.time_parts_ns
    rows = zip(*columns.values(), strict=True)
    return tuple(TimeParts(**dict(zip(columns, row, strict=True))) for row in rows)


def _safe(name: str) -> str:
    """Return a name as part of a file's name, on any system and no longer than need be."""
    return re.sub(r"[^0-9A-Za-z@.]+", "-", name).strip("-.")[-_LONGEST_NAME:]


def _short(digest: str) -> str:
    return digest[:_DIGEST_LENGTH]
