"""The progress of a workflow: which steps are next. Does no I/O and runs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from ..messages import Answer, Usage
from .graph import Graph, Step, StepContext


@dataclass(frozen=True, slots=True)
class WorkflowResult:
    """The result of a workflow.

    Attributes:
        results: The results of the steps that succeeded, by name, in the order of their ends.
        skipped: The steps that were skipped, by their own condition or that of an earlier step.
    """

    results: Mapping[str, object]
    skipped: tuple[str, ...]

    def __getitem__(self, step: str) -> object:
        return self.results[step]

    @property
    def usage(self) -> Usage:
        """Tokens of all prompts to agents."""
        answers = [value for value in self.results.values() if isinstance(value, Answer)]
        return sum((answer.usage for answer in answers), Usage())


class Progress:
    """One run of a graph.

    A driver starts the steps that ``ready`` returns, reports the end of each, and asks again.
    """

    def __init__(self, graph: Graph, task: str) -> None:
        graph.check_complete()
        self._graph = graph
        self._task = task
        self._sorter = TopologicalSorter({step.name: step.after for step in graph.steps.values()})
        self._sorter.prepare()
        self._results: dict[str, object] = {}
        self._skipped: list[str] = []

    def ready(self) -> list[Step]:
        """Return the steps that can start now, each only once, in the order of addition."""
        ready: list[Step] = []
        names = set(self._sorter.get_ready())
        while names:
            doomed = {
                name for name in names if set(self._graph.steps[name].after) & set(self._skipped)
            }
            ready += [self._graph.steps[name] for name in names - doomed]
            for name in doomed:
                self.skipped(name)
            names = set(self._sorter.get_ready())
        order = list(self._graph.steps)
        return sorted(ready, key=lambda step: order.index(step.name))

    def context(self, step: Step) -> StepContext:
        """Return the input of a step."""
        before = self._graph.ancestors(step.name)
        return StepContext(
            self._task, {name: value for name, value in self._results.items() if name in before}
        )

    def succeeded(self, step: Step, result: object) -> None:
        """Record the result of a step."""
        self._results[step.name] = result
        self._sorter.done(step.name)

    def skipped(self, name: str) -> None:
        """Record that a step is skipped."""
        self._skipped.append(name)
        self._sorter.done(name)

    def result(self) -> WorkflowResult:
        """Return the results so far, and the skipped steps."""
        order = list(self._graph.steps)
        return WorkflowResult(dict(self._results), tuple(sorted(self._skipped, key=order.index)))
