"""The scenario: a workload declared in TOML, read and checked before anything runs.

    name = "tools"
    description = "One sentence: which claim this scenario makes visible."
    sessions = 100                     # sessions of a run, unless the run says otherwise
    concurrency = [10, 50, 100]        # optional: loads of a run, likewise
    # optional_tools = true            # a session may leave out tools that the model asks for
    # max_model_calls = 200            # of one session; further ones are refused
    # provenance = false               # the model's texts begin with no marks
    # isolation = { shared = ["search"] }  # tools and conversations whose text all may take up

    [model]                            # the model call of each round
    latency_s = 0.5
    # ttft_s = 0.2                     # optional: seconds to a stream's first token
    # gap_s = 0.01                     # with ttft_s, in place of latency_s: between two pieces
    # # tokens_per_chunk = 1             # optional: tokens of a piece
    prompt_tokens = 500                # optional: else they are counted from what was sent
    completion_tokens = 80             # optional
    # prefill_tokens_per_s = 5000      # optional: the prompt takes time to read
    # prefix_cache = true              # optional: but not what an earlier prompt began with, too

    [model.limits]                     # optional, as is each: the model's server
    requests_per_minute = 600          # further ones are refused with status 429
    tokens_per_minute = 1_000_000
    concurrency = 20                   # served at one time; further ones queue

    [tools.search]
    description = "Searches the web."
    kind = "async"                     # async, blocking or cpu
    latency_s = 0.2
    parameters = { query = "string" }  # name -> string, integer, number or boolean
    # in_coroutine = true             # blocking or cpu: an async def that blocks its loop

    [[rounds]]                         # a model call, and the tools that its answer asks for
    tools = [{ tool = "search", arguments = { query = "asyncio" } }]
    repeat = 5                         # optional: number of such rounds in a row

    [[rounds]]                         # the last asks for no tools: the final answer
    # turn = true                      # on a further round: a message of the user comes before it

    [[conversations]]                  # optional: another kind of conversation, as a planner's
    name = "guardrail"
    system = "*safe*"                  # patterns, of which all match: system, prompt, model;
    # tools = ["search"]               # and tools that are declared
    latency_s = 0.1                    # as [model] has them; or rounds = [{ … }] of its own
    # text = "safe"                    # of its final answers

    [[faults]]                         # optional: what goes wrong; see ``faults``
    kind = "status"
    status = 429
    retry_after_s = 2
    probability = 0.01

    [[services]]                       # optional: an HTTP service that tools call
    name = "weather"
    url = "https://weather.example.com/*"
    latency_s = 0.1
    json = { sky = "clear" }           # or: body = "…"; status, method and headers, if need be
    # # and [[services.faults]], as above, if the service fails now and then

    [endpoints.embeddings]             # optional: moderations, rerank, models, token_counts
    latency_s = 0.05                   # and [[endpoints.embeddings.faults]]

    [request]                          # optional: what a session asks a service (asgi:, wsgi:)
    method = "POST"                    # this and the rest are the defaults
    path = "/chat"                     # texts may hold {task}, {session} and {turn}
    json = { message = "{task}" }      # or form = { … }, or text = "…"; headers, too
    answer = "auto"                    # text, json:/pointer, sse:data, sse:data:/pointer
    # turns = 2                        # requests of a session, one after another

Each ``latency_s``, ``ttft_s``, ``gap_s``, token count and ``repeat`` is a number or a
distribution (see ``distribution_syntax``). A round may have values of its own for all but the last,
and a call of a tool its own ``latency_s``.

In place of ``[[rounds]]`` a scenario may replay sessions that were recorded: a table
``[recording]`` with the ``file`` that ``warpbench import trace`` wrote beside it.

A scenario is read in two steps. ``schema`` holds the shape of the file: which keys, of which
types. ``compile`` then checks what concerns more than one key, and fills in every default, so
that a ``Scenario`` is complete.
"""

from .loading import (
    builtin_descriptions,
    builtin_scenarios,
    load_scenario,
    parse_scenario,
    scenario_from_table,
)
from .model import (
    MAX_REPEAT,
    MAX_SESSIONS,
    NO_LIMITS,
    NO_PREFILL,
    RESERVED_ARGUMENT,
    USUAL_MAX_MODEL_CALLS,
    ConversationSpec,
    JsonType,
    ModelLimits,
    PrefillSpec,
    RoundSpec,
    Scenario,
    ServiceSpec,
    Timing,
    ToolCallSpec,
    ToolKind,
    ToolSpec,
    WaitName,
)

__all__ = [
    "MAX_REPEAT",
    "MAX_SESSIONS",
    "NO_LIMITS",
    "NO_PREFILL",
    "RESERVED_ARGUMENT",
    "USUAL_MAX_MODEL_CALLS",
    "ConversationSpec",
    "JsonType",
    "ModelLimits",
    "PrefillSpec",
    "RoundSpec",
    "Scenario",
    "ServiceSpec",
    "Timing",
    "ToolCallSpec",
    "ToolKind",
    "ToolSpec",
    "WaitName",
    "builtin_descriptions",
    "builtin_scenarios",
    "load_scenario",
    "parse_scenario",
    "scenario_from_table",
]
