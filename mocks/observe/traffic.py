"""Counts the requests to the mocked world, from any thread; a meter can record each wait."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock

from .calls import Call, ConnectionWait, SharedCall, Stream, session_or_unknown
from .isolation import HeldText, IsolationNotes
from .meter import Meter
from .refusals import UNKNOWN_SESSION, Refusal
from .requests import RequestMeter, Requests
from .streams import StreamMeter, Streams
from .waits import Attempt, Wait, WaitKind
from .wrong_requests import WrongRequestNotes

_UNKNOWN = UNKNOWN_SESSION
_CALL = 3
_ASKED = 5
_TOOL = 5
_TOOL_BEGUN = 4


class Traffic:
    """The counters of one trial.

    Attributes:
        http_requests: Requests that reached the mocked network.
        llm_calls: Model calls started.
        tool_calls: Calls of the lab's tools started.
        service_calls: Requests to HTTP services started.
        peak_in_flight: Greatest number of concurrent model calls.
        isolation: The text of one session that requests of another hold.
        wrong: The requests to the model that the real API refuses.

    Args:
        meter: Records each wait, if waits are to be recorded.
        requests: Sums up the requests to the model and to services, if that is to be done.
        notes_calls: Whether to note when each model call was asked for and read, and when the
            tokens of streams came: not for a server that runs without an end.
    """

    def __init__(
        self,
        meter: Meter | None = None,
        requests: RequestMeter | None = None,
        *,
        notes_calls: bool = True,
    ) -> None:
        self._lock = Lock()
        self._notes_calls = notes_calls
        self._meter = meter
        self.isolation = IsolationNotes(self.caller)
        self.wrong = WrongRequestNotes(self.caller)
        self._requests = requests
        self._in_flight = 0
        self.reset()

    @property
    def waits(self) -> tuple[Wait, ...]:
        """The calls in the order of their ends, then those not over, if they are recorded."""
        return () if self._meter is None else self._meter.waits

    @property
    def requests(self) -> Requests | None:
        """The requests to the model and to services, if they are summed up."""
        return None if self._requests is None else self._requests.requests()

    @property
    def streams(self) -> Streams:
        """The streamed model calls, and the tokens of all."""
        return self._streams.streams(self._prompt_tokens, self._whole_tokens)

    @property
    def in_flight(self) -> int:
        """The number of model calls that wait now."""
        return self._in_flight

    @property
    def asked_ns(self) -> Mapping[tuple[int, int], int]:
        """When each model call was asked for first, by session and step."""
        return _first_ns(row[:_CALL] for row in _rows(self._asked, _ASKED))

    @property
    def latencies_ns(self) -> Mapping[tuple[int, int], int]:
        """The drawn latency of each model call that was asked for, by session and step.

        The shortest, if it was asked for more than once.
        """
        return _first_ns(
            (session, step, latency_ns)
            for session, step, _, latency_ns, _ in _rows(self._asked, _ASKED)
        )

    @property
    def lab_tools_asked(self) -> Mapping[tuple[int, int], int]:
        """How many calls of the lab's tools each answer asks for, by session and step, if any."""
        return {
            (session, step): tools
            for session, step, _, _, tools in _rows(self._asked, _ASKED)
            if tools
        }

    @property
    def read_ns(self) -> Mapping[tuple[int, int], int]:
        """When the answer of each was first there in whole, for a client that waited for it."""
        return _first_ns(_rows(self._read, _CALL))

    @property
    def read_again(self) -> tuple[tuple[int, ...], ...]:
        """The answers beyond the first of a call: its session, step, and when it was there."""
        seen: set[tuple[int, int]] = set()
        again = []
        for session, step, at_ns in _rows(self._read, _CALL):
            if (session, step) in seen:
                again.append((session, step, at_ns))
            seen.add((session, step))
        return tuple(again)

    @property
    def tool_spans_ns(self) -> Mapping[tuple[int, int, int], tuple[int, int]]:
        """From when to when each of the lab's tools took its time, by session, step and index.

        Of those that came to their end.
        """
        return {
            (session, step, index): (begin_ns, end_ns)
            for session, step, index, begin_ns, end_ns in _rows(self._tools, _TOOL)
        }

    @property
    def tools_begun_ns(self) -> Mapping[tuple[int, int, int], int]:
        """When each call of the lab's tools began first, by session, step and index."""
        begun_ns: dict[tuple[int, int, int], int] = {}
        for session, step, index, at_ns in _rows(self._begun, _TOOL_BEGUN):
            begun_ns.setdefault((session, step, index), at_ns)
        return begun_ns

    @property
    def follow_ups(self) -> frozenset[tuple[int, int]]:
        """The model calls that a service made only after its response, by session and step."""
        # One that repeats a call from before the response is no call of its own.
        asked_ns = self.asked_ns
        return frozenset(
            call for call, at_ns in self._follow_ups.items() if asked_ns.get(call, at_ns) >= at_ns
        )

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The requests that nothing mocks, in the order in which they were refused."""
        return tuple(self._refusals)

    @property
    def refused_requests(self) -> int:
        """How many there are."""
        return len(self._refusals)

    def reset(self) -> None:
        """Reset all counters, after a warm-up for instance, except the calls in flight."""
        self.http_requests = 0
        self.llm_calls = 0
        self.tool_calls = 0
        self.service_calls = 0
        self.peak_in_flight = self._in_flight
        # Flat, so that what a trial notes is no memory that its sessions seem to keep.
        self._asked, self._read, self._tools = array("q"), array("q"), array("q")
        self._begun = array("q")
        self._streams = StreamMeter()
        self._prompt_tokens = self._whole_tokens = 0
        self._refusals: list[Refusal] = []
        self._follow_ups: dict[tuple[int, int], int] = {}
        self.isolation.forget()
        self.wrong.forget()
        if self._meter is not None:
            self._meter.forget()
        if self._requests is not None:
            self._requests.forget()

    def http_request(self) -> None:
        """Count one HTTP request."""
        with self._lock:
            self.http_requests += 1

    def follows_up(self, session: int, step: int, at_ns: int) -> None:
        """Note that a model call is made after the response that its session waits for."""
        if self._notes_calls:
            self._follow_ups.setdefault((session, step), at_ns)

    def model_request(self, body: bytes, *, is_streamed: bool) -> None:
        """Sum up the body of a request to the model, if that is to be done."""
        if self._requests is not None:
            self._requests.note(body, is_streamed=is_streamed)

    def text_held(self, number: int, step: int, held: HeldText, at_ns: int) -> None:
        """Note whose text a model call holds; see ``IsolationNotes.request``."""
        if self._notes_calls:
            self.isolation.request(number, step, held, at_ns)

    def sent_wrong(self, number: int, step: int, reasons: Iterable[str], at_ns: int) -> None:
        """Note a model call that the real API refuses; see ``WrongRequestNotes.request``."""
        if self._notes_calls:
            self.wrong.request(number, step, reasons, at_ns)

    def service_request(self, host: str, body: bytes) -> None:
        """Sum up the body of a request to a service, if that is to be done."""
        if self._requests is not None:
            self._requests.note_service(host, body)

    def model_call(
        self,
        session: int,
        step: int,
        start_ns: int,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        *,
        attempt: Attempt | None = None,
    ) -> Call:
        """Count one model call, in flight until the scope ends.

        Args:
            session: Number of the session or conversation.
            step: Which of its model calls.
            start_ns: When it started, on the clock.
            prompt_tokens: Tokens of its prompt; 0 if the model did not read it.
            completion_tokens: Tokens of its answer.
            attempt: Told how the call ends.
        """
        with self._lock:
            self.llm_calls += 1
            self._in_flight += 1
            self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
            if self._notes_calls:
                latency_ns, tools = 0, 0
                if attempt is not None:
                    latency_ns, tools = attempt.call.latency_ns, attempt.lab_tools
                self._asked.extend((session, step, start_ns, latency_ns, tools))
                self._prompt_tokens += prompt_tokens
        what = WaitKind.MODEL, session, step, None, ""
        return Call(self._meter, what, start_ns, self, completion_tokens, attempt=attempt)

    def service_call(self, name: str, start_ns: int, sessions: tuple[int, ...] = ()) -> Call:
        """Count one request to an HTTP service.

        Args:
            name: Name of the service.
            start_ns: When it started, on the clock.
            sessions: The sessions that wait for it; empty for the one whose code runs here.
        """
        with self._lock:
            self.service_calls += 1
        session = sessions[0] if sessions else session_or_unknown()
        what = WaitKind.SERVICE, session, _UNKNOWN, None, name
        if len(sessions) > 1:
            return SharedCall(self._meter, what, start_ns, sessions)
        return Call(self._meter, what, start_ns)

    def refused(self, host: str, path: str, at_ns: int, *, from_child: bool = False) -> None:
        """Record a request that nothing mocks.

        The session is known as for a service.

        Args:
            host: Host of the address; empty if that is not known.
            path: Path of the address, without its query; empty if that is not known.
            at_ns: When the request was refused, on the clock.
            from_child: Whether a program asked that the target started.
        """
        if not self._notes_calls:
            return
        idle_ns = 0 if self._meter is None else self._meter.idle_ns()
        session = session_or_unknown()
        self._refusals.append(Refusal(host, path, session, at_ns, idle_ns, from_child))

    def caller(self) -> str:
        """Return the place in the user's code that is calling, or empty text."""
        return "" if self._meter is None else self._meter.caller()

    def connection_wait(
        self, client: str, most: int, start_ns: int, *, is_first: bool = True
    ) -> ConnectionWait:
        """Count one request that waits for a free connection of its client's pool.

        The session is known as for a service.

        Args:
            client: Name of the client's library.
            most: How many connections its pool may have.
            start_ns: When the wait started, on the clock.
            is_first: Whether the request has not waited before: one that is given a connection
                which another was quicker to take waits again.
        """
        if self._meter is not None and is_first:
            with self._lock:
                self._meter.pools.waits(client, most)
        return ConnectionWait(self._meter, self._lock, client, most, start_ns)

    def tool_call(self, session: int, step: int, index: int, name: str, start_ns: int) -> Call:
        """Count one call of a lab's tool."""
        with self._lock:
            self.tool_calls += 1
            self._begun.extend((session, step, index, start_ns))
        return Call(self._meter, (WaitKind.TOOL, session, step, index, name), start_ns)

    def tool_ended(self, at: tuple[int, int, int], begin_ns: int, end_ns: int) -> None:
        """Record that a lab's tool took its time to the end."""
        with self._lock:
            self._tools.extend((*at, begin_ns, end_ns))

    def model_call_read(self, session: int, step: int, at_ns: int, whole_tokens: int) -> None:
        """Record that a model's answer was there in whole; see ``ModelCalls``."""
        if not self._notes_calls:
            return
        with self._lock:
            self._read.extend((session, step, at_ns))
            self._whole_tokens += whole_tokens

    def stream_begins(self, session: int, start_ns: int, pieces: int, tokens: int) -> Stream | None:
        """Record that a model's answer comes as a stream; see ``ModelCalls``."""
        if not self._notes_calls:
            return None
        return self._streams, self._streams.begins(session, start_ns, pieces, tokens)

    def model_call_ends(self) -> None:
        """Record that a model call is no longer in flight."""
        with self._lock:
            self._in_flight -= 1


def _rows(flat: "array[int]", columns: int) -> Iterator[tuple[int, ...]]:
    return zip(*[iter(flat)] * columns, strict=True)


def _first_ns(rows: Iterable[tuple[int, ...]]) -> dict[tuple[int, int], int]:
    first: dict[tuple[int, int], int] = {}
    for session, step, at_ns in rows:
        first[session, step] = min(at_ns, first.get((session, step), at_ns))
    return first
