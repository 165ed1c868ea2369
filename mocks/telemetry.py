"""The environment variables that keep the telemetry of frameworks quiet, and why each is set.

What frameworks report to their makers would be refused, and a client that asks again makes the
session wait for it. None of these switches stops what a target itself asks for: OpenTelemetry that
it sets up goes on (``OTEL_SDK_DISABLED`` is not among them), and so do requests to services that
the scenario mocks (``HF_HUB_OFFLINE`` would end those that ``huggingface_hub`` makes).
"""

from collections.abc import MutableMapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switch:
    """A variable that keeps something quiet.

    Attributes:
        name: Name of the variable.
        value: Its value.
        reason: What it stops, and whose.
    """

    name: str
    value: str
    reason: str


TELEMETRY_OFF = (
    Switch("DO_NOT_TRACK", "1", "the common switch, which huggingface_hub and many others read"),
    Switch("AGNO_TELEMETRY", "false", "agno posts each run of an agent"),
    Switch("ANONYMIZED_TELEMETRY", "False", "chroma and browser-use report by posthog"),
    Switch("CREWAI_DISABLE_TELEMETRY", "true", "crewai sends spans of each crew"),
    Switch("CREWAI_DISABLE_VERSION_CHECK", "true", "crewai looks for a newer version"),
    Switch("CREWAI_TRACING_ENABLED", "false", "crewai uploads traces, or asks whether to"),
    Switch("DISABLE_ERROR_REPORTING", "1", "the Claude agent SDK's command reports errors"),
    Switch("DISABLE_TELEMETRY", "1", "the Claude agent SDK's command reports its use"),
    Switch("HAYSTACK_TELEMETRY_ENABLED", "False", "haystack reports pipelines by posthog"),
    Switch("HF_HUB_DISABLE_TELEMETRY", "1", "huggingface_hub, transformers and smolagents report"),
    Switch("LANGCHAIN_TRACING_V2", "false", "the older name of LANGSMITH_TRACING"),
    Switch("LANGSMITH_TRACING", "false", "langchain and langgraph upload each run"),
    Switch("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True", "litellm fetches names of headers"),
    Switch("LITELLM_LOCAL_MODEL_COST_MAP", "True", "litellm fetches a price list at its import"),
    Switch("LITELLM_OFFLINE_MODE", "true", "litellm fetches catalogs, checks and tokenizers"),
    Switch("MEM0_TELEMETRY", "False", "mem0 reports by posthog"),
    Switch("OPENAI_AGENTS_DISABLE_TRACING", "1", "openai-agents uploads each run"),
    Switch("SCARF_NO_ANALYTICS", "true", "packages that report by scarf"),
    Switch("TRACELOOP_TELEMETRY", "false", "openllmetry reports its use"),
)
"""Set where the user has set nothing."""


def keep_telemetry_quiet(environ: MutableMapping[str, str]) -> None:
    """Switch off the telemetry of frameworks in an environment.

    A variable that is set stays as it is, whatever its value: whoever measures an agent with its
    tracing has asked for it.
    """
    for switch in TELEMETRY_OFF:
        environ.setdefault(switch.name, switch.value)
