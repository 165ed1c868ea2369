"""Judges the sessions of a trial: whether each did what counts, and what it is compared with. Pure.

A session that takes the lab's tools, and asks as its script does, is held against that script (see
``met``). Any other is held against what it asked (see ``played``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...mocks.observe.waits import Wait
from ...mocks.workload.ideal import Waits, ideal_latencies_ns, ideal_makespan_ns, serving_ns
from ...mocks.workload.numbers import kind_of
from ...mocks.workload.script import Script, SessionScript
from ..results.played import Played
from ..results.reference import Reference
from ..results.samples import SessionSample
from .met import Met, checked, checked_tools, script_met
from .played import (
    calls_answered,
    calls_of_sessions,
    checked_as_played,
    count_calls,
    scripts_as_played,
)
from .tools_run import ToolsRun


class Judge:
    """Judges the sessions of one trial.

    Args:
        scripts: What was played, by number.
        waits: Which waits of the scripts the target meets.
        met: What was met.
        noted: The waits that were noted.
        tools: The tool calls that ran, if all of the script's are to.
        has_shared: Whether work that sessions share asked the model.

    Attributes:
        reference: What its ``references`` are made of.
        reference_waits: Which waits of them count.
    """

    def __init__(
        self,
        scripts: Mapping[int, SessionScript],
        waits: Waits,
        met: Met,
        noted: Sequence[Wait],
        tools: ToolsRun | None,
        *,
        has_shared: bool,
    ) -> None:
        self._scripts = scripts
        self._waits = waits
        self._met = met
        self._noted = noted
        self._tools = tools
        self._has_shared = has_shared
        self._calls = calls_of_sessions(met)
        mains = {number for number, _ in met.asked_ns if kind_of(number) is None}
        # One whose prompts are its own, not the task, plays no script: it names its conversations.
        self._plays_script = waits is Waits.ALL and bool(mains or not self._calls)
        self.reference = Reference.SCRIPT if self._plays_script else Reference.CONVERSATION
        self.reference_waits = Waits.ALL if self._plays_script else Waits.MODEL

    def checked(self, sample: SessionSample) -> SessionSample:
        """Return the sample, failed if the session did not do what counts."""
        if self._plays_script:
            script = self._scripts[sample.session]
            sample = checked(sample, script, self._waits, self._met, self._noted, tools=self._tools)
            beside = {
                sample.session: [
                    (number, step)
                    for number, step in self._calls.get(sample.session, ())
                    if kind_of(number) is not None
                ]
            }
            sample = checked_as_played(sample, beside, self._met, self._noted, has_shared=True)
            return self._with_tools_beside(sample)
        sample = checked_as_played(
            sample, self._calls, self._met, self._noted, has_shared=self._has_shared
        )
        if self._tools is not None and not self._calls_other_kinds(sample.session):
            script = self._scripts[sample.session]
            sample = checked_tools(sample, script, self._waits, self._met, self._tools)
        return self._with_tools_beside(sample)

    def references(
        self, sessions: Sequence[SessionScript], samples: Iterable[SessionSample]
    ) -> tuple[SessionScript, ...]:
        """Return what each session is compared with, as a script of which all waits count."""
        if self._plays_script:
            return script_met(sessions, samples, self._met)
        return scripts_as_played(sessions, samples, self._calls, self._met)

    def _with_tools_beside(self, sample: SessionSample) -> SessionSample:
        """Return the sample, failed if a conversation beside the main one left out a lab's tool."""
        if self._tools is None:
            return sample
        for number, step in self._calls.get(sample.session, ()):
            if kind_of(number) is not None and (number, step) in self._met.lab_tools_asked:
                asked = self._scripts[number]
                calls = asked.model_calls[: step + 1]
                others = tuple(replace(each, tool_calls=()) for each in calls[:-1])
                script = replace(asked, model_calls=(*others, *calls[-1:]))
                sample = checked_tools(sample, script, Waits.MODEL, self._met, self._tools)
        return sample

    def played(
        self,
        script: Script,
        samples: Iterable[SessionSample],
        cores: int,
        concurrency: int,
        arrivals_ns: Sequence[int] | None,
    ) -> Played | None:
        """Return what the sessions asked; ``None`` if they are held against the script.

        Args:
            script: The script.
            samples: The sessions.
            cores: As for ``ideal_makespan_ns``, as are the next.
            concurrency: Sessions in flight at most.
            arrivals_ns: When each session arrives.
        """
        if self._plays_script:
            return None
        until_ns = self._met.origin_ns + max((each.end_ns for each in samples), default=0)
        answered = calls_answered(self._scripts, self._met, until_ns)
        return Played(
            model_calls=count_calls(script.sessions, self._calls, self._met),
            serving_ns=serving_ns(answered, script.limits),
            script_makespan_ns=ideal_makespan_ns(
                script, self._waits, cores, concurrency, arrivals_ns
            ),
            script_latencies_ns=ideal_latencies_ns(script, self._waits, cores),
        )

    def _calls_other_kinds(self, session: int) -> bool:
        """Say whether a session held a conversation of a kind that the scenario names."""
        return any(kind_of(number) for number, _ in self._calls.get(session, ()))
