"""The data flow of a session: its waits, which needs which, and how short it could be. Pure.

**Which needs which.** A wait needs an earlier one if its request holds that one's output, which a
provenance mark or an identifier shows. Marks do not see all: a label, a number, a choice between
two questions carries none. So further needs come from runs in which one output was changed (see
``bench.trial.changed_runs``): what is then not asked, or asked otherwise, needs that output.

**Which came after which.** Two waits that follow each other in time need not be in turn: they may
belong to branches that run side by side. A wait *comes after* another if it begins later by as
much as the other one is made to take longer.

**The bound.** Each wait begins once all that it needs is there, and what the session's own code
waits before it has passed. The session ends with the last of them. It is a bound as far as the
mocked world sees: what code keeps in variables, files or locks, and no request shows, is not seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...mocks.observe.data_flow import Asked, Output
from ...mocks.observe.waits import Wait, WaitEnding, WaitKind
from ..results.data_flow import DataFlow, FlowKind, FlowNode, Overlap

Pair = tuple[int, int]
"""Numbers of two waits, the earlier first."""

_KINDS = {
    WaitKind.MODEL: FlowKind.MODEL,
    WaitKind.TOOL: FlowKind.TOOL,
    WaitKind.SERVICE: FlowKind.SERVICE,
}


@dataclass(frozen=True, slots=True)
class AskedWait:
    """A wait with what was asked; times since the session's begin.

    Attributes:
        asked: What was asked; of a request that was sent again after it failed, the first time.
        begin_ns: When it was asked for.
        end_ns: When the code continued.
    """

    asked: Asked
    begin_ns: int
    end_ns: int


def asked_waits(
    asked: Iterable[Asked], waits: Iterable[Wait], begin_ns: int
) -> tuple[AskedWait, ...]:
    """Join what was asked with the waits for it, in the order of their begins.

    Args:
        asked: What the session asked.
        waits: The waits of the trial.
        begin_ns: When the session began, on the clock.
    """
    of_key: defaultdict[object, list[Wait]] = defaultdict(list)
    for wait in waits:
        of_key[_key(wait.kind, wait.session, wait.step, wait)].append(wait)
    found: list[tuple[AskedWait, WaitEnding]] = []
    for each in sorted(asked, key=lambda each: each.start_ns):
        same = of_key[_key(each.kind, each.number, each.step, each)]
        if not same:
            continue
        wait = same.pop(0)
        end_ns = wait.end_ns - begin_ns
        last = next(
            (at for at, (one, ending) in enumerate(found) if _is_retry(each, one, ending)), None
        )
        if last is None:
            found.append((AskedWait(each, each.start_ns - begin_ns, end_ns), wait.ending))
        else:
            found[last] = replace(found[last][0], end_ns=end_ns), wait.ending
    return tuple(one for one, _ in found)


def _key(kind: WaitKind, number: int, step: int, of: Wait | Asked) -> object:
    return kind, number, step, of.index, of.name, of.start_ns


def _is_retry(asked: Asked, before: AskedWait, ending: WaitEnding) -> bool:
    return ending is not WaitEnding.WHOLE and (
        (asked.kind, asked.number, asked.step, asked.content)
        == (before.asked.kind, before.asked.number, before.asked.step, before.asked.content)
    )


def in_turn(waits: Sequence[AskedWait]) -> frozenset[Pair]:
    """Return all pairs of waits of which one began when the other was over."""
    return frozenset(
        (earlier, later)
        for later, after in enumerate(waits)
        for earlier, before in enumerate(waits[:later])
        if before.end_ns <= after.begin_ns
    )


def held_outputs(waits: Sequence[AskedWait]) -> frozenset[Pair]:
    """Return which wait holds the output of which earlier one, as marks and identifiers show."""
    of_output: dict[Output, int] = {}
    needs: set[Pair] = set()
    for later, wait in enumerate(waits):
        asked = wait.asked
        for output in asked.holds:
            earlier = of_output.get(output)
            if earlier is not None and waits[earlier].end_ns <= wait.begin_ns:
                needs.add((earlier, later))
        part = 0 if asked.index is None else 1 + asked.index
        if asked.kind is not WaitKind.SERVICE:
            of_output.setdefault(Output(asked.number, asked.step, part), later)
    return frozenset(needs)


def with_paths(needs: Iterable[Pair]) -> frozenset[Pair]:
    """Return all pairs between which a path of needs leads."""
    before: defaultdict[int, set[int]] = defaultdict(set)
    for earlier, later in sorted(needs, key=lambda pair: pair[1]):
        before[later] |= {earlier, *before[earlier]}
    return frozenset((earlier, later) for later, all_of in before.items() for earlier in all_of)


def data_flow(
    waits: Sequence[AskedWait],
    latency_ns: int,
    needs: frozenset[Pair],
    comes_after: frozenset[Pair],
) -> DataFlow:
    """Return the data flow of a session.

    Args:
        waits: Its waits, in the order of their begins.
        latency_ns: How long it took.
        needs: Which wait needs which earlier one.
        comes_after: Which wait comes after which earlier one.
    """
    order = needs | comes_after
    ends_ns = _last_ends_ns(waits, order)
    leads_ns = [wait.begin_ns - end_ns for wait, end_ns in zip(waits, ends_ns, strict=True)]
    nodes = tuple(
        FlowNode(
            kind=_KINDS[wait.asked.kind],
            name=wait.asked.name,
            place=place,
            begin_ns=wait.begin_ns,
            end_ns=wait.end_ns,
            lead_ns=lead_ns,
        )
        for wait, place, lead_ns in zip(waits, _places(waits), leads_ns, strict=True)
    )
    after_ns = latency_ns - max((wait.end_ns for wait in waits), default=0)
    ends_at_bound_ns = scheduled_ends_ns(nodes, needs)
    return DataFlow(
        latency_ns=latency_ns,
        bound_ns=max(ends_at_bound_ns, default=0) + after_ns,
        nodes=nodes,
        needs=tuple(sorted(_without_detours(needs))),
        critical=_critical(ends_at_bound_ns, needs),
        overlaps=_overlaps(nodes, needs, order),
    )


def scheduled_ends_ns(nodes: Sequence[FlowNode], order: Iterable[Pair]) -> tuple[int, ...]:
    """Return when each wait ends if it begins as soon as those before it in an order are over."""
    before: defaultdict[int, list[int]] = defaultdict(list)
    for earlier, later in order:
        before[later].append(earlier)
    ends_ns: list[int] = []
    for number, node in enumerate(nodes):
        ready_ns = max((ends_ns[earlier] for earlier in before[number]), default=0)
        ends_ns.append(ready_ns + node.lead_ns + node.length_ns)
    return tuple(ends_ns)


def _places(waits: Sequence[AskedWait]) -> list[str]:
    """Return for each wait the innermost line that asked, below the ones that asked for all.

    Most code asks the model in one place, by a function of its own: who calls that tells more.
    """
    by_kind: defaultdict[WaitKind, list[tuple[str, ...]]] = defaultdict(list)
    for wait in waits:
        by_kind[wait.asked.kind].append(wait.asked.places)
    shared = {kind: _shared_beginning(found) for kind, found in by_kind.items()}
    return [
        next(iter(wait.asked.places[shared[wait.asked.kind] :] or wait.asked.places), "")
        for wait in waits
    ]


def _shared_beginning(lists: Sequence[Sequence[str]]) -> int:
    """Return how many of the first members all lists have in common; 0 if all are the same."""
    distinct = dict.fromkeys(map(tuple, lists))
    if len(distinct) == 1:
        return 0
    alike = (len(set(members)) == 1 for members in zip(*distinct, strict=False))
    return next(
        (count for count, is_alike in enumerate(alike) if not is_alike), min(map(len, distinct))
    )


def _last_ends_ns(waits: Sequence[AskedWait], order: Iterable[Pair]) -> list[int]:
    last_ns = [0] * len(waits)
    for earlier, later in order:
        last_ns[later] = max(last_ns[later], waits[earlier].end_ns)
    return last_ns


def _without_detours(needs: frozenset[Pair]) -> frozenset[Pair]:
    """Leave out the pairs between which a path over a third one leads: a picture needs no more."""
    paths = with_paths(needs)
    later_of: defaultdict[int, set[int]] = defaultdict(set)
    for earlier, later in paths:
        later_of[earlier].add(later)
    return frozenset(
        (earlier, later)
        for earlier, later in needs
        if not any(later in later_of[between] for between in later_of[earlier])
    )


def _critical(ends_ns: Sequence[int], needs: frozenset[Pair]) -> tuple[int, ...]:
    """Return the waits from first to last of which each ends when the next may begin."""
    if not ends_ns:
        return ()
    before: defaultdict[int, list[int]] = defaultdict(list)
    for earlier, later in sorted(needs):
        before[later].append(earlier)
    path = [max(range(len(ends_ns)), key=lambda number: ends_ns[number])]
    while before[path[-1]]:
        path.append(max(before[path[-1]], key=lambda number: ends_ns[number]))
    return tuple(reversed(path))


def _overlaps(
    nodes: Sequence[FlowNode], needs: frozenset[Pair], order: frozenset[Pair]
) -> tuple[Overlap, ...]:
    """Return the groups of waits that ran in turn for no need, with what each saves by itself."""
    paths, all_order = with_paths(needs), with_paths(order)
    direct = _without_detours(order)
    usual_ns = max(scheduled_ends_ns(nodes, all_order), default=0)
    found = []
    for group in _groups(pair for pair in sorted(direct) if pair not in paths):
        before = {earlier for earlier, later in paths if later in group} | group
        after = {later for earlier, later in paths if earlier in group} | group
        kept = [
            (earlier, later)
            for earlier, later in all_order
            if (earlier, later) in paths or earlier not in before or later not in after
        ]
        saving_ns = usual_ns - max(scheduled_ends_ns(nodes, kept))
        if saving_ns > 0:
            found.append(Overlap(tuple(sorted(group)), saving_ns))
    return tuple(sorted(found, key=lambda each: -each.saving_ns))


def _groups(pairs: Iterable[Pair]) -> list[set[int]]:
    """Return the numbers that pairs connect, those that are connected together."""
    groups: list[set[int]] = []
    for pair in pairs:
        joined = {*pair}
        for group in [each for each in groups if each & joined]:
            joined |= group
            groups.remove(group)
        groups.append(joined)
    return groups
