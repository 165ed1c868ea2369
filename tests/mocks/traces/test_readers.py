"""Each format of trace: what a row comes to, and what becomes of a broken one."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.errors import TraceError
from warpbench.mocks.scenario.recording import RecordedCall, RecordedSession, RecordedToolCall
from warpbench.mocks.traces import (
    FORMATS,
    SubagentForm,
    TokenModel,
    Trace,
    TraceOptions,
    fitted_scenario,
    read_trace,
)

pytestmark = pytest.mark.once

OPTIONS = TraceOptions()


def read(tmp_path: Path, content: bytes | str, options: TraceOptions = OPTIONS) -> Trace:
    path = tmp_path / "trace"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_trace(path, options)


def request(**more: Any) -> dict[str, Any]:
    return {"type": "n", "in": 100, "out": 20, "api_time": 3.0, "think_time": 0.0, **more}


def line(*requests: Any) -> str:
    return json.dumps({"id": "trace", "requests": requests}) + "\n"


NESTED: Any = {
    "type": "subagent",
    "t": 5,
    "requests": [request(api_time=1), request(api_time=2, think_time=3)],
}


class TestCodingAgent:
    def test_think_time_is_the_tool_call_of_the_answer_before(self, tmp_path: Path) -> None:
        trace = read(tmp_path, line(request(), request(api_time=4, think_time=7, ttft=1.5)))

        (session,) = trace.sessions
        first, last = session.calls
        assert first == RecordedCall(3.0, 100, 20, (RecordedToolCall("work", 7.0),))
        assert last == RecordedCall(4.0, 100, 20, (), ttft_s=1.5)
        assert trace.malformed == {}

    def test_a_nested_agent_runs_beside_the_tool(self, tmp_path: Path) -> None:
        trace = read(tmp_path, line(request(), NESTED, request(think_time=9)))

        work, agent = trace.sessions[0].calls[0].tools
        assert (work.tool, work.latency_s, work.session) == ("work", 9, None)
        assert agent.tool == "agent"
        assert agent.session is not None
        assert [call.latency_s for call in agent.session.calls] == [1, 2]
        assert set(trace.tools) == {"work", "agent"}
        assert len(trace.calls) == 4

    def test_or_is_a_session_of_its_own(self, tmp_path: Path) -> None:
        options = TraceOptions(subagents=SubagentForm.PARALLEL)

        trace = read(tmp_path, line(request(), NESTED, request(think_time=9)), options)

        assert [len(session.calls) for session in trace.sessions] == [2, 2]
        assert [session.start_s for session in trace.sessions] == [0, 5]

    def test_a_nested_agent_after_the_last_request_is_not_lost(self, tmp_path: Path) -> None:
        trace = read(tmp_path, line(request(), NESTED))

        assert [len(session.calls) for session in trace.sessions] == [1, 2]
        assert sum(trace.malformed.values()) == 1

    def test_an_unknown_latency_is_the_median_of_the_others(self, tmp_path: Path) -> None:
        requests = [request(api_time=value) for value in (1, 2, 9)] + [request(api_time=None)]

        trace = read(tmp_path, line(*requests))

        assert [call.latency_s for call in trace.calls] == [1, 2, 9, 2]
        assert trace.malformed == {
            "requests without a latency: replayed with the median of the others, 2 s": 1
        }

    def test_and_no_fit_takes_that_for_a_latency(self, tmp_path: Path) -> None:
        known = [request(api_time=value) for value in (1, 2, 3, 4, 5, 6)]
        unknown = [request(api_time=None)] * 60

        with_unknown = read(tmp_path, line(*known, *unknown))

        expected = fitted_scenario(read(tmp_path, line(*known)), "fit", "it").splitlines()
        fitted = fitted_scenario(with_unknown, "fit", "it").splitlines()
        latency = next(row for row in expected if row.startswith("latency_s"))
        assert latency in fitted

    @pytest.mark.parametrize(
        ("broken", "malformed"),
        [
            (request(think_time="soon"), "requests without think_time: took 0 s"),
            ({**request(), "in": -1}, "requests without 'in': took 0 tokens"),
            ({**request(), "out": 1.5}, "requests without 'out': took 0 tokens"),
            ("request", "requests that are no objects: left out"),
            ({"type": "subagent"}, "nested agents without a usable request: left out"),
        ],
    )
    def test_what_is_amiss_with_a_request_is_counted(
        self, tmp_path: Path, broken: Any, malformed: str
    ) -> None:
        trace = read(tmp_path, line(request(), broken, request()))

        assert trace.malformed == {malformed: 1}
        assert len(trace.sessions) == 1

    @pytest.mark.parametrize(
        ("broken", "malformed"),
        [
            ("{no JSON\n", "lines that are not JSON: left out"),
            ("[" * 100_000 + "\n", "lines that are not JSON: left out"),
            ("{}\n", "lines without requests: left out"),
            (line(), "sessions without a usable request: left out"),
        ],
    )
    def test_a_broken_line_takes_no_other_with_it(
        self, tmp_path: Path, broken: str, malformed: str
    ) -> None:
        trace = read(tmp_path, line(request()) + broken + line(request()))

        assert len(trace.sessions) == 2
        assert trace.malformed == {malformed: 1}


class TestAzure:
    ROWS = (
        "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
        "2023-11-16 18:15:50.9951690,396,109\r\n"
        "2023-11-16 18:15:46.6805900,374,44\r\n"
    )

    def test_each_row_is_a_session_at_its_time(self, tmp_path: Path) -> None:
        model = TokenModel(overhead_s=0.1, prompt_tokens_per_s=1000, completion_tokens_per_s=100)

        trace = read(tmp_path, self.ROWS, TraceOptions(tokens=model))

        assert trace.sessions == (
            RecordedSession(0.0, (RecordedCall(0.914, 374, 44, (), ttft_s=0.474),)),
            RecordedSession(4.314579, (RecordedCall(1.586, 396, 109, (), ttft_s=0.496),)),
        )

    def test_the_mark_that_some_programs_put_first_is_none_of_the_columns(
        self, tmp_path: Path
    ) -> None:
        assert len(read(tmp_path, f"\ufeff{self.ROWS}").sessions) == 2

    @pytest.mark.parametrize("row", ["soon,1,2", "2023-11-16 18:15:46,x,2", "2023-11-16,1", "\0"])
    def test_a_broken_row_is_counted(self, tmp_path: Path, row: str) -> None:
        trace = read(tmp_path, f"{self.ROWS}{row}\r\n")

        assert len(trace.sessions) == 2
        assert list(trace.malformed.values()) == [1]


BEGUN_NS = 1_700_000_000 * 10**9


def span(name: str, start_s: float, end_s: float, parent: str = "", **attributes: Any) -> Any:
    return {
        "traceId": "t",
        "spanId": name,
        "parentSpanId": parent,
        "startTimeUnixNano": str(BEGUN_NS + round(start_s * 1e9)),
        "endTimeUnixNano": str(BEGUN_NS + round(end_s * 1e9)),
        "attributes": [
            {
                "key": "gen_ai." + key.replace("__", "."),
                "value": {"intValue": str(value)}
                if isinstance(value, int)
                else {"stringValue": value},
            }
            for key, value in attributes.items()
        ],
    }


def plain(name: str, start_s: float, end_s: float, parent: str, **attributes: Any) -> Any:
    """Return a span with attributes of any convention, by their whole names."""
    bare = span(name, start_s, end_s, parent)
    bare["attributes"] = [
        {"key": key, "value": {"intValue" if isinstance(value, int) else "stringValue": str(value)}}
        for key, value in attributes.items()
    ]
    return bare


def chat(name: str, start_s: float, end_s: float, parent: str, tokens: int = 10) -> Any:
    usage = {"usage__input_tokens": tokens, "usage__output_tokens": tokens + 1}
    return span(name, start_s, end_s, parent, operation__name="chat", **usage)


def tool(name: str, start_s: float, end_s: float, parent: str) -> Any:
    more = {"operation__name": "execute_tool", "tool__name": name}
    return span(name, start_s, end_s, parent, **more)


def agent(name: str, start_s: float, end_s: float, parent: str = "") -> Any:
    return span(name, start_s, end_s, parent, operation__name="invoke_agent")


def otlp(*spans: Any) -> str:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})


class TestOpenTelemetry:
    SPANS = (
        chat("c2", 10, 12, "a"),
        agent("a", 0, 12),
        chat("c1", 1, 4, "a"),
        tool("search", 4, 6, "a"),
        tool("fetch", 4, 9.5, "a"),
    )

    @pytest.mark.parametrize(
        "text",
        [
            otlp(*SPANS),
            json.dumps(json.loads(otlp(*SPANS)), indent=2),
            "\n".join(otlp(each) for each in SPANS),
        ],
        ids=["one line", "indented", "a line each"],
    )
    def test_the_spans_of_an_agent_are_a_session(self, tmp_path: Path, text: str) -> None:
        trace = read(tmp_path, text)

        tools = (RecordedToolCall("search", 2.0), RecordedToolCall("fetch", 5.5))
        assert trace.sessions == (
            RecordedSession(0.0, (RecordedCall(3.0, 10, 11, tools), RecordedCall(2.0, 10, 11))),
        )
        assert trace.malformed == {}

    def test_an_agent_inside_a_tool_is_nested_in_its_place(self, tmp_path: Path) -> None:
        spans = (
            *(agent("outer", 0, 20), chat("c1", 0, 1, "outer"), tool("ask", 1, 9, "outer")),
            *(agent("inner", 1, 9, "ask"), chat("i1", 1, 3, "inner"), chat("i2", 5, 9, "inner")),
            chat("c2", 10, 20, "outer"),
        )

        (session,) = read(tmp_path, otlp(*spans)).sessions

        (called,) = session.calls[0].tools
        assert (called.tool, called.latency_s) == ("agent", 0)
        assert called.session is not None
        assert [call.latency_s for call in called.session.calls] == [2, 4]
        assert called.session.calls[0].tools == (RecordedToolCall("work", 2.0),)

    def test_conversations_without_an_agent_begin_at_their_own_times(self, tmp_path: Path) -> None:
        first = span("c1", 5, 6, operation__name="chat", conversation__id="x")
        second = span("c2", 7.5, 9, operation__name="chat", conversation__id="y")

        trace = read(tmp_path, otlp(first, second))

        assert [session.start_s for session in trace.sessions] == [0, 2.5]
        assert trace.malformed["model calls without input tokens: took 0"] == 2

    def test_spans_as_the_sdk_prints_them(self, tmp_path: Path) -> None:
        """What the agent's own telemetry comes to when it is exported to the console."""
        printed = {
            "name": "chat m",
            "context": {"trace_id": "0x1", "span_id": "0x2", "trace_state": "[]"},
            "parent_id": None,
            "start_time": "2026-01-01T00:00:00.250000Z",
            "end_time": "2026-01-01T00:00:01.500000Z",
            "attributes": {
                "gen_ai.operation.name": "chat",
                "gen_ai.usage.input_tokens": 5,
                "gen_ai.usage.output_tokens": 6,
                "gen_ai.response.time_to_first_chunk": 0.5,
            },
        }

        trace = read(tmp_path, json.dumps(printed, indent=4))

        assert trace.sessions[0].calls == (RecordedCall(1.25, 5, 6, (), ttft_s=0.5),)

    def test_broken_spans_are_counted(self, tmp_path: Path) -> None:
        broken = [{"spanId": "x"}, 3, {**chat("b", 0, 1, ""), "endTimeUnixNano": "soon"}]

        trace = read(tmp_path, otlp(chat("c", 0, 1, ""), *broken))

        assert len(trace.sessions) == 1
        assert trace.malformed == {"spans without identifiers or times: left out": 3}

    def test_a_broken_line_costs_no_other(self, tmp_path: Path) -> None:
        lines = [otlp(chat(f"c{number}", number, number + 0.5, "")) for number in range(6)]
        lines[3] = lines[3][:40]

        trace = read(tmp_path, "\n".join(lines))

        assert len(trace.calls) == 5
        assert trace.malformed["text that is not JSON: left out"] == 1

    def test_a_time_that_nobody_set_makes_no_pause_of_decades(self, tmp_path: Path) -> None:
        unset = {**chat("b", 0, 1, "a"), "startTimeUnixNano": "0"}

        trace = read(tmp_path, otlp(agent("a", 0, 9), chat("c", 1, 2, "a"), unset))

        assert len(trace.calls) == 1
        assert trace.malformed["spans without identifiers or times: left out"] == 1

    def test_who_calls_agents_but_no_model_hides_none_of_them(self, tmp_path: Path) -> None:
        called = (tool("route", 0, 1, "boss"), agent("a", 1, 9, "boss"), chat("c", 2, 3, "a"))

        trace = read(tmp_path, otlp(agent("boss", 0, 9), *called))

        assert len(trace.sessions) == 1
        assert len(trace.calls) == 1

    def test_spans_that_are_their_own_parents_do_not_hang(self, tmp_path: Path) -> None:
        first = {**agent("a", 0, 9, "b")}
        second = {**agent("b", 0, 9, "a")}

        of_both = chat("c", 0, 1, "a"), chat("d", 1, 2, "b")

        trace = read(tmp_path, otlp(first, second, *of_both, chat("e", 2, 3, "")))

        assert len(trace.calls) == 1
        assert trace.malformed == {"agents that no session calls: left out": 2}

    def test_tool_spans_without_an_operation_are_tools_by_their_name(self, tmp_path: Path) -> None:
        tools = [span(f"t{n}", 1, 2 + n, "a", tool__name=f"tool{n}") for n in range(2)]
        unnamed = {**span("t2", 1, 5, "a"), "name": "execute_tool look_up"}

        trace = read(
            tmp_path,
            otlp(agent("a", 0, 9), chat("c", 0, 1, "a"), *tools, unnamed, chat("d", 6, 7, "a")),
        )

        assert trace.sessions[0].calls[0].tools == (
            RecordedToolCall("tool0", 1.0),
            RecordedToolCall("tool1", 2.0),
            RecordedToolCall("look_up", 4.0),
        )
        assert trace.malformed == {}

    def test_identifiers_that_are_unique_only_in_their_trace_keep_sessions_apart(
        self, tmp_path: Path
    ) -> None:
        first = [agent("a", 0, 9), chat("c", 1, 2, "a")]
        second = [
            {**each, "traceId": "another"} for each in (agent("a", 5, 9), chat("c", 6, 8, "a"))
        ]

        trace = read(tmp_path, otlp(*first, *second))

        assert [session.start_s for session in trace.sessions] == [0, 5]
        assert [call.latency_s for call in trace.calls] == [1, 2]
        assert trace.malformed == {}

    def test_a_span_that_is_there_twice_is_counted(self, tmp_path: Path) -> None:
        trace = read(tmp_path, otlp(chat("c", 0, 1, ""), chat("c", 0, 1, "")))

        assert len(trace.calls) == 1
        assert trace.malformed == {"spans with the identifiers of another: left out": 1}

    def test_what_is_no_part_of_a_session_is_counted_by_what_it_is(self, tmp_path: Path) -> None:
        others = [
            span("e", 0, 1, "", operation__name="embeddings"),
            plain("r", 0, 1, "", **{"openinference.span.kind": "RETRIEVER"}),
            plain("h", 0, 1, "", **{"http.request.method": "POST"}),
        ]

        trace = read(tmp_path, otlp(chat("c", 0, 1, ""), *others))

        assert trace.malformed == {
            "spans of embeddings: left out": 1,
            "spans of retriever: left out": 1,
            "spans of neither a model call, a tool call nor an agent: left out": 1,
        }

    def test_a_call_that_two_libraries_recorded_is_one(self, tmp_path: Path) -> None:
        outer = plain("o", 0, 3, "", **{"openinference.span.kind": "LLM"})

        trace = read(tmp_path, otlp(outer, chat("i", 1, 2, "o")))

        assert [call.latency_s for call in trace.calls] == [3]
        assert trace.malformed["model calls inside another one: a part of it"] == 1

    @pytest.mark.parametrize(
        ("of_agent", "of_model", "of_tool"),
        [
            (
                {"openinference.span.kind": "AGENT"},
                {
                    "openinference.span.kind": "LLM",
                    "llm.token_count.prompt": 10,
                    "llm.token_count.completion": 11,
                },
                {"openinference.span.kind": "TOOL", "tool.name": "search"},
            ),
            (
                {"traceloop.span.kind": "agent"},
                {
                    "llm.request.type": "chat",
                    "gen_ai.usage.prompt_tokens": 10,
                    "gen_ai.usage.completion_tokens": 11,
                },
                {"traceloop.span.kind": "tool", "traceloop.entity.name": "search"},
            ),
            (
                {"gen_ai.operation.name": "invoke_agent"},
                {
                    "gen_ai.request.model": "m",
                    "gen_ai.usage.prompt_tokens": 10,
                    "gen_ai.usage.completion_tokens": 11,
                },
                {"gen_ai.tool.name": "search"},
            ),
        ],
        ids=["OpenInference", "OpenLLMetry", "before 1.27"],
    )
    def test_each_convention_comes_to_the_same(
        self,
        tmp_path: Path,
        of_agent: dict[str, Any],
        of_model: dict[str, Any],
        of_tool: dict[str, Any],
    ) -> None:
        spans = (
            plain("a", 0, 9, "", **of_agent),
            plain("c1", 0, 1, "a", **of_model),
            plain("t", 1, 3, "a", **of_tool),
            plain("c2", 3, 5, "a", **of_model),
        )

        trace = read(tmp_path, otlp(*spans))

        tools = (RecordedToolCall("search", 2.0),)
        calls = (RecordedCall(1.0, 10, 11, tools), RecordedCall(2.0, 10, 11))
        assert trace.sessions == (RecordedSession(0.0, calls),)
        assert trace.malformed == {}

    @pytest.mark.parametrize(
        "envelope",
        [
            lambda spans: {"batches": [{"scopeSpans": [{"spans": spans}]}]},
            lambda spans: {"batches": [{"instrumentationLibrarySpans": [{"spans": spans}]}]},
            lambda spans: {"trace": {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}},
        ],
        ids=["Tempo", "old Tempo", "Tempo v2"],
    )
    def test_tempos_envelope(self, tmp_path: Path, envelope: Any) -> None:
        trace = read(tmp_path, json.dumps(envelope([chat("c", 0, 1, "")])))

        assert len(trace.calls) == 1
        assert trace.malformed == {}


class TestMooncake:
    LINES = (
        '{"timestamp": 1500, "input_length": 30, "output_length": 4, "hash_ids": [1]}\n'
        '{"timestamp": 0, "input_length": 10, "output_length": 2, "hash_ids": [0]}\n'
    )

    def test_a_line_is_a_session_at_its_milliseconds(self, tmp_path: Path) -> None:
        trace = read(tmp_path, self.LINES)

        assert [session.start_s for session in trace.sessions] == [0, 1.5]
        assert [call.prompt_tokens for call in trace.calls] == [10, 30]
        assert [call.completion_tokens for call in trace.calls] == [2, 4]
        assert trace.malformed == {}

    def test_broken_lines_are_counted(self, tmp_path: Path) -> None:
        broken = '{"timestamp": 1, "input_length": -1, "output_length": 2}\n[]\n{\n'

        trace = read(tmp_path, self.LINES + broken)

        assert len(trace.sessions) == 2
        assert trace.malformed == {
            "rows without a time or counts of tokens: left out": 2,
            "lines that are not JSON: left out": 1,
        }


class TestBurstGPT:
    def test_a_row_is_a_session_at_its_seconds(self, tmp_path: Path) -> None:
        text = (
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
            "5,ChatGPT,472,18,490,Conversation log\n"
            "45.5,GPT-4,1087,230,1317,API log\n"
            "x,GPT-4,1,1,2,API log\n"
        )

        trace = read(tmp_path, text)

        assert [session.start_s for session in trace.sessions] == [0, 40.5]
        assert [call.prompt_tokens for call in trace.calls] == [472, 1087]
        assert trace.malformed == {"rows without a time or counts of tokens: left out": 1}


class TestAnyFile:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "expected a trace of format coding-agent, azure, opentelemetry"),
            (b"hello", "expected a trace of format"),
            (b'[{"id": "1", "run_type": "llm"}]', "an export of LangSmith: send its spans"),
            (b'{"id": "1", "observations": []}', "an export of Langfuse: send its spans"),
            (b'{"data": [{"operationName": "x"}]}', "an export of Jaeger: send its spans"),
            (b"{}", "no usable session (1 lines without requests: left out)"),
            (b"TIMESTAMP,ContextTokens,GeneratedTokens\n", "no usable session"),
            (b"\x1f\x8bnot really", "expected a complete gzip file"),
            (gzip.compress(b"{}" * 1000, mtime=0)[:-9], "expected a complete gzip file"),
        ],
    )
    def test_one_that_cannot_be_used_gets_one_line(
        self, tmp_path: Path, content: bytes, message: str
    ) -> None:
        with pytest.raises(TraceError) as told:
            read(tmp_path, content)

        assert message in str(told.value)
        assert "\n" not in str(told.value)

    @pytest.mark.parametrize("key", ["api_time", "ttft", "think_time", "in", "out", "t"])
    def test_an_integer_that_no_float_holds_is_no_figure(self, tmp_path: Path, key: str) -> None:
        rows = [request(), {**NESTED, "t": 10**309}, request(**{key: 10**309})]

        trace = read(tmp_path, line(*rows))

        assert len(trace.sessions) == 1
        assert all(0 <= call.latency_s <= 1e9 for call in trace.calls)

    def test_a_device_is_not_read(self) -> None:
        with pytest.raises(TraceError, match="expected a file, found a device"):
            read_trace(Path("/dev/zero"), OPTIONS, "azure")

    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(TraceError, match="no such file"):
            read_trace(tmp_path / "missing", OPTIONS)
        with pytest.raises(TraceError, match="Is a directory"):
            read_trace(tmp_path, OPTIONS)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("requests", "type", "in", "out", "api_time", "ttft", "think_time", "t"),
                    *("resourceSpans", "scopeSpans", "spans", "traceId", "spanId"),
                    *("parentSpanId", "startTimeUnixNano", "endTimeUnixNano", "attributes"),
                    *("key", "value", "intValue", "context", "span_id", "trace_id", "start_time"),
                ]
            ),
            inner | st.sampled_from(["subagent", "s", "n", "gen_ai.operation.name", "chat"]),
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(st.sampled_from(sorted(FORMATS)), st.lists(JSON, max_size=4), st.binary(max_size=40))
def test_no_file_breaks_a_reader(
    tmp_path_factory: pytest.TempPathFactory, format_name: str, rows: list[Any], junk: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes("\n".join(json.dumps(row) for row in rows).encode() + junk)

    try:
        trace = read_trace(path, OPTIONS, format_name)
    except TraceError:
        pass
    else:
        assert trace.calls
        assert all(0 <= call.latency_s <= 1e9 for call in trace.calls)
