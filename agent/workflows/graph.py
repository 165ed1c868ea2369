"""The steps of a workflow, and their dependencies."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from ..errors import WorkflowError


@dataclass(frozen=True, slots=True)
class StepContext:
    """The input of a step.

    Attributes:
        task: The task that the workflow was started with.
        results: The results of all steps that this one depends on, directly or not, by name.
    """

    task: str
    results: Mapping[str, object] = field(default_factory=dict)

    def __getitem__(self, step: str) -> object:
        return self.results[step]


@runtime_checkable
class TwinAction(Protocol):
    """An action in two forms, such as a prompt to an agent."""

    def act(self, context: StepContext) -> object:
        """Perform the action in this thread."""
        ...

    async def act_async(self, context: StepContext) -> object:
        """Perform the action in the running event loop."""
        ...


Action = Callable[[StepContext], object | Awaitable[object]] | TwinAction
Condition = Callable[[StepContext], bool | Awaitable[bool]]
Decorated = TypeVar("Decorated", bound=Callable[[StepContext], object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        name: Name of the step, by which later steps find its result.
        action: The action: a plain or async function of the context, or a ``TwinAction``.
        after: The steps that must have succeeded before this one.
        condition: Whether to run the step, plain or async. A skipped step also skips the steps
            that depend on it.
        retries: Attempts after a failed one.
        retry_delay_s: Seconds before each of these attempts.
    """

    name: str
    action: Action
    after: tuple[str, ...] = ()
    condition: Condition | None = None
    retries: int = 0
    retry_delay_s: float = 0.0


class Graph:
    """Steps by name; never has a cycle."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}

    @property
    def steps(self) -> Mapping[str, Step]:
        """The steps by name, in the order of their addition."""
        return self._steps

    def add(self, step: Step) -> None:
        """Add a step; the steps that it depends on may be added later.

        Raises:
            WorkflowError: The name is taken, a number is negative, or the step closes a cycle.
        """
        if step.name in self._steps:
            raise WorkflowError(f"two steps are named {step.name!r}; rename one")
        if not callable(step.action) and not isinstance(step.action, TwinAction):
            raise WorkflowError(
                f"step {step.name!r}: its action is {step.action!r}, which cannot be called"
            )
        if step.retries < 0 or step.retry_delay_s < 0:
            raise WorkflowError(
                f"step {step.name!r}: retries is {step.retries} and retry_delay_s is "
                f"{step.retry_delay_s}; expected at least 0"
            )
        cycle = self._path(step.after, to=step.name)
        if cycle:
            raise WorkflowError(
                f"step {step.name!r} would wait for itself: {' → '.join([step.name, *cycle])}"
            )
        self._steps[step.name] = step

    def _path(self, starts: Collection[str], to: str) -> list[str]:
        """Return the path from one of the steps to another along ``after``; empty if none."""
        if to in starts:
            return [to]
        for start in starts:
            if start in self._steps:
                onwards = self._path(self._steps[start].after, to)
                if onwards:
                    return [start, *onwards]
        return []

    def check_complete(self) -> None:
        """Check that all steps that others depend on were added.

        Raises:
            WorkflowError: A step depends on one that was not added.
        """
        for step in self._steps.values():
            missing = [name for name in step.after if name not in self._steps]
            if missing:
                raise WorkflowError(
                    f"step {step.name!r} comes after {missing}, which were not added; the steps "
                    f"are {sorted(self._steps)}"
                )

    def ancestors(self, name: str) -> frozenset[str]:
        """Return the steps that a step depends on, directly or not."""
        direct = self._steps[name].after
        return frozenset(direct).union(*(self.ancestors(each) for each in direct))
