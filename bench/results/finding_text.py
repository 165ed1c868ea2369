"""Warnings in sentences: what happened, why it matters, what to do."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from .blocked_loop import Cause
from .formatting import code_place, counted, mean_count, percent, plain, rate, seconds, whole
from .isolation import leak_text
from .records import Finding, FindingKind
from .service_use import ServiceLimit
from .wrong_requests import wrong_request_text

Values = Mapping[str, Any]


def finding(kind: FindingKind, **values: float | str) -> Finding:
    """Return a warning with its values and its sentence.

    Args:
        kind: Which warning.
        values: What the sentence of this kind is made of.
    """
    return Finding(kind, _TEXTS[kind](values), values)


def _sessions_lost(values: Values) -> str:
    return (
        f"{values['cell']}: only {whole(values['started'])} of "
        f"{counted(values['asked'], 'session')} started, so the figures are of fewer sessions "
        "than asked for; check that the strategy runs every session"
    )


def _sessions_failed(values: Values) -> str:
    return (
        f"{values['cell']}: {whole(values['unsuccessful'])} of "
        f"{counted(values['started'], 'session')} did not succeed, and a session that ends early "
        f"makes room for the others; do not rank this cell by its speed. First error: "
        f"{values['error']}"
    )


def _above_concurrency(values: Values) -> str:
    return (
        f"{values['cell']}: the strategy had {values['in_flight']:.1f} sessions in flight on "
        "average, more than the concurrency, so the figures are of a higher load and the cell is "
        "ranked last; check that the strategy starts a session only when another has ended"
    )


def _above_ideal(values: Values) -> str:
    return (
        f"{values['cell']}: efficiency {values['efficiency'] * 100:.2f} % is above the ideal, "
        "which cannot be: the lab has a bug; please report it"
    )


def _limits_split(values: Values) -> str:
    return (
        f"{values['cell']}: each of the {whole(values['processes'])} processes had an equal part "
        "of the model's limits, so one may wait, or be refused, though another has room; treat "
        "what waits for a limit as an estimate"
    )


def _server_bound(values: Values) -> str:
    return (
        f"{values['cell']}: the mock model's server used {percent(values['utilisation'])} of a "
        f"core (it can answer {whole(round(values['capacity_per_s']))} requests/s), so the "
        "figures show the server and not the client; lower the concurrency, or use respx"
    )


def _loop_blocked(values: Values) -> str:
    how, what_to_do = _BLOCKING[Cause(values["cause"])]
    where = code_place(values["at"] or values["place"])
    if values["tool"]:
        where = f"{values['tool']}, called in {where},"
    return (
        f"{where} blocked the event loop for up to {seconds(values['longest_s'])} "
        f"{how} ({seconds(values['total_s_per_trial'])} per trial), and every session waited; "
        f"{what_to_do}. {_seen_in(values)}"
    )


_BLOCKING: Mapping[Cause, tuple[str, str]] = MappingProxyType(
    {
        Cause.WAITING: (
            "with a blocking call",
            "await an async form of it, or await asyncio.to_thread(…)",
        ),
        Cause.COMPUTING: (
            "with a computation",
            "run it in a process, or with asyncio.to_thread(…), where it still needs the GIL",
        ),
    }
)


def _own_wait(values: Values) -> str:
    share = f"for {percent(values['share'])} of their time"
    if not values["place"]:
        return (
            f"sessions waited inside your own code {share}, and it is not known where: to be seen "
            "without cost, a session must itself await a lock, a semaphore, an event, a queue or "
            "the sleep of asyncio; look for locks of threads, pools, and tasks and futures of "
            f"your own. {_seen_in(values)}"
        )
    what_to_do = next(
        (advice for name, advice in _WAITING_FOR.items() if f".{name}" in values["awaits"]),
        "look at what ends this wait",
    )
    at = f"{code_place(values['place'])}, in {values['awaits']}"
    often = how_often(
        values.get("waits_per_session"),
        values.get("mean_s"),
        overlap=bool(values.get("overlap")),
    )
    if often:
        return f"sessions waited at {at}, {share} ({often}); {what_to_do}. {_seen_in(values)}"
    return (
        f"sessions waited at {at}, for about {percent(values['share'])} of their time; "
        f"{what_to_do}. {_seen_in(values)}"
    )


def how_often(
    waits_per_session: float | None, mean_s: float | None, *, overlap: bool = False
) -> str:
    """Say how many waits a session had at a place, and how long; empty if unknown.

    Args:
        waits_per_session: How many.
        mean_s: How long one took, in seconds.
        overlap: Whether some were under way at the same time: together they are then longer than
            what they held the session up.
    """
    if waits_per_session is None or mean_s is None:
        return ""
    often = mean_count(waits_per_session)
    at_once = ", some of them at once" if overlap else ""
    return f"{often} × {seconds(mean_s)} a session{at_once}"  # noqa: RUF001 (a times sign is meant)


def _tools_in_turn(values: Values) -> str:
    others = values["other_places"]
    more = f" and at {counted(others, 'other place')}" if others else ""
    often = how_often(values["waits_per_session"], values["mean_s"])
    return (
        "sessions ran their own tools one after another, though the model had asked for them in "
        f"one answer: {often} at {code_place(values['place'])}, in {values['awaits']}{more}; run "
        "the tools of an answer at once (asyncio.gather, or a pool of threads), which saves a "
        f"session {seconds(values['saves_s'])}, {percent(values['share'])} of its time. "
        f"{_seen_in(values)}"
    )


_WAITING_FOR: Mapping[str, str] = MappingProxyType(
    {
        "Lock": "hold the lock for less, never across a call of the model or a tool",
        "Semaphore": "let more in at once, if what it protects allows it",
        "BoundedSemaphore": "let more in at once, if what it protects allows it",
        "Queue": "look at who fills or empties the queue: more of them, or a longer queue",
        "sleep": "sleep for less, or let such waits overlap",
    }
)


def _pool_too_small(values: Values) -> str:
    timeouts = values["timeouts"]
    share = f" for {percent(values['share'])} of their time" if values["share"] else ""
    gave_up = (
        f", and {counted(timeouts, 'request')} gave up (the client's timeout for the pool, "
        "PoolTimeout)"
        if timeouts
        else ""
    )
    waited = (
        f"sessions waited{share} for a free connection of the HTTP client, whose pool has at most "
        f"{counted(values['most'], 'connection')} ({values['client']}){gave_up}"
    )
    return (
        f"{waited}; raise {pool_setting(values['client'])} to as many as are in flight, or let "
        f"fewer sessions in. {_seen_in(values)}"
    )


def _requests_refused(values: Values) -> str:
    in_all = values["requests"] + values["requests_before"]
    if 0 < in_all <= values["from_children"]:
        return _refused_to_children(values)
    if not values["requests"]:
        return _refused_before(values)
    requests, sessions = values["requests"], values["sessions"]
    mean = requests / sessions if sessions else requests
    is_one = mean == 1
    each = f"{mean_count(mean)} request{'' if is_one else 's'}{' a session' if sessions else ''}"
    some = f" in {whole(sessions)} of {counted(values['started'], 'session')}"
    where = some if 0 < sessions < values["started"] else ""
    if values["cost_s"] and sessions:
        cost = (
            f"{seconds(values['cost_s'] / sessions)} a session, {percent(values['share'])} of the "
            "sessions' time"
        )
    else:
        cost = "no time"
    # At the model's own address there is no host to be mocked.
    mock = (
        "Mock the host as one of the [[services]] of the scenario, or let"
        if values["host"]
        else ("The mocked model speaks no such API: let")
    )
    return (
        f"{each} to {refused_host(values['host'])} {'was' if is_one else 'were'} refused{where}, "
        f"since nothing mocks {'it' if is_one else 'them'}; {'it' if is_one else 'they'} cost "
        f"{cost}. {mock} the agent leave {'it' if is_one else 'them'} out. {_seen_in(values)}"
    )


def _refused_before(values: Values) -> str:
    """Word it for a host that no session of the measurement has asked."""
    mean = values["requests_before"] / values["trials"]
    was, they = ("was", "it") if mean == 1 else ("were", "they")
    return (
        f"{mean_count(mean)} request{'' if mean == 1 else 's'} a trial to "
        f"{refused_host(values['host'])} {was} refused before its sessions began, while the target "
        f"was imported or in the warm-up, since nothing mocks {'it' if mean == 1 else 'them'}; "
        f"{they} cost the sessions no time. {_seen_in(values)}"
    )


def _refused_to_children(values: Values) -> str:
    """Word it for a host that nobody has asked but programs which the target started."""
    requests = values["from_children"]
    # Over sockets it is answered already.
    way_out = "With --transport loopback, what they ask of models is answered. "
    return (
        f"{counted(requests, 'request')} to {refused_host(values['host'])} from programs that the "
        f"target starts {'was' if requests == 1 else 'were'} refused; what that cost is not known. "
        f"{way_out if values['in_process'] else ''}{_seen_in(values)}"
    )


def refused_host(host: str) -> str:
    """Return the name of a host to which requests were refused, in a sentence.

    Args:
        host: As ``RefusedHost`` has it.
    """
    return plain(host) or "the model's server"


def pool_setting(client: str) -> str:
    """Return which setting of an HTTP client gives its pool more connections.

    Args:
        client: Name of the client's library.
    """
    if client == "aiohttp":
        return (
            "aiohttp.TCPConnector(limit=…) of the session (of the openai SDK's: "
            "http_client=DefaultAioHttpClient(limits=…))"
        )
    return (
        f"{client}.Limits(max_connections=…) of the client (of an SDK's: "
        "http_client=DefaultAsyncHttpxClient(limits=…), or DefaultHttpxClient in plain code)"
    )


def _seen_in(values: Values) -> str:
    more = values["other_cells"]
    others = f" and in {counted(more, 'other cell')}" if more else ""
    return f"Seen in {values['cell']}{others}"


def _not_steady(values: Values) -> str:
    drift, more = values["drift"], values["other_cells"]
    others = f" ({counted(more, 'other cell')} drifted as well)" if more else ""
    return (
        f"{values['cell']}: sessions took {percent(abs(drift))} {'longer' if drift > 0 else 'less'}"
        f" in the second half of a trial than in the first{others}: this is no steady state, and "
        "the figures depend on the length of the trial; run more sessions (--sessions)"
    )


def _machine_drifted(values: Values) -> str:
    trend = values["trend"]
    return (
        f"the machine became {'slower' if trend < 0 else 'faster'}: throughput "
        f"{'fell' if trend < 0 else 'rose'} by {percent(abs(trend))} from the first trial to the "
        "last in most cells. Trials took turns, so the ranking is valid; the absolute figures are "
        "not. Run again on an idle machine"
    )


def _load_not_delivered(values: Values) -> str:
    return (
        f"{values['cell']}: sessions started at {rate(values['delivered_per_s'])} instead of "
        f"{rate(values['asked_per_s'])}: the client cannot keep up, and latency grows with the "
        "length of the run; lower the arrival rate"
    )


def _tools_answered(values: Values) -> str:
    calls = values["calls"]
    return (
        f"{values['cell']}: {counted(calls, 'tool call')} of "
        f"{counted(values['sessions'], 'session')} {'was' if calls == 1 else 'were'} answered "
        "from an equal earlier one, whose result the target had kept; the ideal leaves their time "
        "out, too"
    )


def _tools_left_out(values: Values) -> str:
    return (
        f"{values['cell']}: in {counted(values['sessions'], 'session')} "
        f"{counted(values['calls'], 'scripted tool call')} did not run; the scenario says that "
        "tools are optional (optional_tools = true), and the ideal leaves their time out, too"
    )


def _text_leaked(values: Values) -> str:
    how = leak_text(values["owner"], values["model_call"], values["place"])
    taken_up = f"{whole(values['sessions'])} of {counted(values['started'], 'session')}"
    return (
        f"{values['cell']}: {taken_up} took up text of another one: session {values['session']} "
        f"{how}. One user's text reaches another; look for state that sessions share: a history, a "
        "client's settings, a variable of a module. If it is meant, name the tool or the kind of "
        "conversation in [isolation] shared of the scenario"
    )


def _requests_wrong(values: Values) -> str:
    how = wrong_request_text(values["reason"], values["model_call"], values["place"])
    return (
        f"{values['cell']}: {values['who']} {how}. The real API refuses that, and the mocked model "
        "answered it; check how the history of a conversation is put together"
    )


def _process_ended(values: Values) -> str:
    who = "the command of the service" if values["was_command"] else "a process of the service"
    how = f" ({values['how']})" if values["how"] else ", how is not known"
    heir = (
        f"another one was there {seconds(values['replaced_s'])} later"
        if values["is_replaced"]
        else "no other one came as long as sessions ran"
    )
    others = values["others"]
    more = f"; so did {counted(others, 'other one', plural='others')}" if others else ""
    return (
        f"{values['cell']}: {who}, pid {values['pid']}, ended {seconds(values['at_s'])} after the "
        f"start of trial {values['trial'] + 1}{how}, and {heir}{more}. "
        f"{whole(values['unsuccessful'])} of {counted(values['started'], 'session')} did not "
        "succeed; look into its own log, and at how much memory it may take"
    )


def _service_limit(values: Values) -> str:
    return (
        f"{_LIMITS[ServiceLimit(values['limit'])](values)}. {_seen_in(values)}, the lowest such "
        "load"
    )


def _limit_of_workers(values: Values) -> str:
    return (
        f"the service computed on {values['cores_busy']:.2f} cores with "
        f"{counted(values['workers'], 'worker')}, and Python computes on one core in each: its "
        "workers are the limit; start more of them, as long as there are cores"
    )


def _limit_of_machine(values: Values) -> str:
    return (
        f"the service ({values['cores_busy']:.2f} cores) and the lab beside it "
        f"({values['lab_cores']:.2f}) kept the {counted(values['cores'], 'core')} of this machine "
        "busy: what is measured here is the machine; measure on a larger one, or at a lower load"
    )


def _limit_of_provider(values: Values) -> str:
    return (
        f"the model's rate limit refused {counted(values['refused'], 'request')}, "
        f"{mean_count(values['refused'] / values['started'])} a session: let fewer in, or ask for "
        "a higher limit"
    )


def _limit_of_waits(values: Values) -> str:
    asked = (
        f". It asked {values['host']} for {seconds(values['asked_s'])} a session, behind its "
        "answers or before"
    )
    more = (
        f", {seconds(values['grown_s'])} more than at concurrency {whole(values['from_load'])}"
        if values["grown_s"]
        else ""
    )
    return (
        f"sessions waited in the service for {percent(values['share'])} of their time "
        f"({seconds(values['waited_s'])} a session{more}), and not for the model, while it kept "
        f"{values['cores_busy']:.2f} cores busy with {counted(values['workers'], 'worker')}"
        f"{asked if values['host'] else ''}. From outside it is not seen for what: a pool of "
        "connections, a lock, a blocked event loop; in-process, with --target asgi:module:app, "
        "the line is named"
    )


_LIMITS: Mapping[ServiceLimit, Callable[[Values], str]] = MappingProxyType(
    {
        ServiceLimit.WORKERS: _limit_of_workers,
        ServiceLimit.MACHINE: _limit_of_machine,
        ServiceLimit.PROVIDER: _limit_of_provider,
        ServiceLimit.WAITS: _limit_of_waits,
    }
)


def _client_bound(values: Values) -> str:
    return (
        f"{values['cell']}: the lab's client, which asks the service, used "
        f"{percent(values['client_cores'])} of a core, so the figures are partly its own; lower "
        "the concurrency"
    )


def _worker_lost(values: Values) -> str:
    lost, repeated = values["lost"], values["repeated"]
    again = (
        f"{counted(repeated, 'trial')} under way there {'was' if repeated == 1 else 'were'} run "
        "again on another worker, and nothing counts twice; "
        if repeated
        else ""
    )
    return (
        f"{counted(lost, 'worker')} of the cluster {'was' if lost == 1 else 'were'} lost (the "
        f"first on {values['host']}: {values['reason']}); {again}look there for what ended it, "
        "such as too little memory"
    )


def _interrupted(values: Values) -> str:
    done, planned = values["done"], values["planned"]
    if done == planned:
        return "interrupted: every cell was measured, but some with fewer trials than planned"
    return f"interrupted: {whole(done)} of {whole(planned)} cells were measured"


_TEXTS: Mapping[FindingKind, Callable[[Values], str]] = MappingProxyType(
    {
        FindingKind.SESSIONS_LOST: _sessions_lost,
        FindingKind.SESSIONS_FAILED: _sessions_failed,
        FindingKind.ABOVE_CONCURRENCY: _above_concurrency,
        FindingKind.ABOVE_IDEAL: _above_ideal,
        FindingKind.SERVER_BOUND: _server_bound,
        FindingKind.LOOP_BLOCKED: _loop_blocked,
        FindingKind.OWN_WAIT: _own_wait,
        FindingKind.TOOLS_IN_TURN: _tools_in_turn,
        FindingKind.POOL_TOO_SMALL: _pool_too_small,
        FindingKind.REQUESTS_REFUSED: _requests_refused,
        FindingKind.NOT_STEADY: _not_steady,
        FindingKind.MACHINE_DRIFTED: _machine_drifted,
        FindingKind.LOAD_NOT_DELIVERED: _load_not_delivered,
        FindingKind.TOOLS_ANSWERED: _tools_answered,
        FindingKind.TOOLS_LEFT_OUT: _tools_left_out,
        FindingKind.TEXT_LEAKED: _text_leaked,
        FindingKind.REQUESTS_WRONG: _requests_wrong,
        FindingKind.LIMITS_SPLIT: _limits_split,
        FindingKind.PROCESS_ENDED: _process_ended,
        FindingKind.SERVICE_LIMIT: _service_limit,
        FindingKind.CLIENT_BOUND: _client_bound,
        FindingKind.WORKER_LOST: _worker_lost,
        FindingKind.INTERRUPTED: _interrupted,
    }
)
