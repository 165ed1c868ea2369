"""The environment variables that keep the telemetry of frameworks quiet, and why each is set.

What frameworks report to their makers would be refused, and a client that asks again makes the
session wait for it. None of these switches stops what a target itself asks for: OpenTelemetry that
it sets up goes on (``OTEL_SDK_DISABLED`` is not among them), and so do requests to services that
the scenario mocks (``HF_HUB_OFFLINE`` would end those that ``huggingface_hub`` makes).
"""

from collections.abc import MutableMapping

from .environment import Variable

TELEMETRY_OFF = (
    Variable("DO_NOT_TRACK", "1", "the common switch, which huggingface_hub and many others read"),
    Variable("AGNO_TELEMETRY", "false", "agno posts each run of an agent"),
    Variable("ANONYMIZED_TELEMETRY", "False", "chroma and browser-use report by posthog"),
    Variable("CREWAI_DISABLE_TELEMETRY", "true", "crewai sends spans of each crew"),
    Variable("CREWAI_DISABLE_VERSION_CHECK", "true", "crewai looks for a newer version"),
    Variable("CREWAI_TRACING_ENABLED", "false", "crewai uploads traces, or asks whether to"),
    Variable("DISABLE_ERROR_REPORTING", "1", "the Claude agent SDK's command reports errors"),
    Variable("DISABLE_TELEMETRY", "1", "the Claude agent SDK's command reports its use"),
    Variable("HAYSTACK_TELEMETRY_ENABLED", "False", "haystack reports pipelines by posthog"),
    Variable(
        "HF_HUB_DISABLE_TELEMETRY", "1", "huggingface_hub, transformers and smolagents report"
    ),
    Variable("LANGCHAIN_TRACING_V2", "false", "the older name of LANGSMITH_TRACING"),
    Variable("LANGSMITH_TRACING", "false", "langchain and langgraph upload each run"),
    Variable("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True", "litellm fetches names of headers"),
    Variable("LITELLM_LOCAL_MODEL_COST_MAP", "True", "litellm fetches a price list at its import"),
    Variable("LITELLM_OFFLINE_MODE", "true", "litellm fetches catalogs, checks and tokenizers"),
    Variable("MEM0_TELEMETRY", "False", "mem0 reports by posthog"),
    Variable("OPENAI_AGENTS_DISABLE_TRACING", "1", "openai-agents uploads each run"),
    Variable("SCARF_NO_ANALYTICS", "true", "packages that report by scarf"),
    Variable("TRACELOOP_TELEMETRY", "false", "openllmetry reports its use"),
)
"""Set where the user has set nothing."""


def keep_telemetry_quiet(environ: MutableMapping[str, str]) -> None:
    """Switch off the telemetry of frameworks in an environment.

    A variable that is set stays as it is, whatever its value: whoever measures an agent with its
    tracing has asked for it.
    """
    for variable in TELEMETRY_OFF:
        environ.setdefault(variable.name, variable.value)
