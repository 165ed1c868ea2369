"""The environment variables that a target is given, and why: tables, and nothing else.

An SDK refuses to make a client without a key, and some without a region or an address, though no
request leaves this machine. The names are those that the providers' own SDKs read, and where a
framework reads another one for the same provider, that one as well.
"""

from dataclasses import dataclass

DUMMY_KEY = "warpbench-dummy-key"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment.

    Attributes:
        name: Name of the variable.
        value: What a target reads.
        reason: Why it is set, where that is not obvious.
    """

    name: str
    value: str
    reason: str = ""


def _key(name: str, reason: str = "") -> Variable:
    return Variable(name, DUMMY_KEY, reason)


DUMMY_KEYS = (
    _key("OPENAI_API_KEY"),
    _key("ANTHROPIC_API_KEY"),
    _key("AZURE_API_KEY", "LiteLLM and CrewAI"),
    _key("AWS_ACCESS_KEY_ID", "without it, botocore looks for a real one in files and at hosts"),
    _key("AWS_SECRET_ACCESS_KEY"),
    _key("CEREBRAS_API_KEY"),
    _key("CO_API_KEY", "Cohere's own SDK"),
    _key("COHERE_API_KEY", "LangChain and LiteLLM"),
    _key("DASHSCOPE_API_KEY", "Qwen"),
    _key("DEEPSEEK_API_KEY"),
    _key("FIREWORKS_API_KEY"),
    _key("FIREWORKS_AI_API_KEY", "LiteLLM"),
    _key("GOOGLE_API_KEY", "Gemini; google-genai takes this one where both are set"),
    _key("GEMINI_API_KEY"),
    _key("GROQ_API_KEY"),
    _key("HF_TOKEN", "without it, huggingface_hub reads the real one from a file"),
    _key("HUGGINGFACE_API_KEY", "LiteLLM"),
    _key("HUGGINGFACEHUB_API_TOKEN", "LangChain"),
    _key("MISTRAL_API_KEY"),
    _key("MOONSHOT_API_KEY", "Kimi"),
    _key("NVIDIA_API_KEY"),
    _key("OPENROUTER_API_KEY"),
    _key("PERPLEXITY_API_KEY"),
    _key("PERPLEXITYAI_API_KEY", "LiteLLM"),
    _key("PPLX_API_KEY", "LangChain"),
    _key("TOGETHER_API_KEY"),
    _key("TOGETHERAI_API_KEY", "LiteLLM"),
    _key("XAI_API_KEY"),
)
"""Set in place of whatever is there: real keys never reach a target."""

DUMMY_KEYS_WHERE_ONE_IS_SET = (
    _key("AZURE_OPENAI_API_KEY", "beside OPENAI_API_KEY, `openai.chat` would ask which is meant"),
)
"""Set only in place of a key."""

DEFAULTS = (
    Variable("AWS_DEFAULT_REGION", "us-east-1", "botocore makes no client without a region"),
    Variable("AWS_REGION", "us-east-1", "boto3's is the one above; other SDKs read this one"),
    Variable("AZURE_API_BASE", "https://warpbench.openai.azure.com", "LiteLLM and CrewAI"),
    Variable("OPENAI_API_VERSION", "2024-10-21", "the openai SDK needs one for Azure"),
    Variable("AZURE_API_VERSION", "2024-10-21", "LiteLLM and CrewAI"),
)
"""Set where the user has set nothing: they are no secrets."""


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """A variable that names the address of an API to an SDK.

    Attributes:
        name: Name of the variable.
        usual: The address that the SDK takes without it.
    """

    name: str
    usual: str


BASE_URLS = (
    BaseUrl("OPENAI_BASE_URL", "https://api.openai.com/v1"),
    BaseUrl("OPENAI_API_BASE", "https://api.openai.com/v1"),  # LangChain and LiteLLM
    BaseUrl("ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
    BaseUrl("GOOGLE_GEMINI_BASE_URL", "https://generativelanguage.googleapis.com"),
    BaseUrl("CO_API_URL", "https://api.cohere.com"),
    BaseUrl("GROQ_BASE_URL", "https://api.groq.com"),
)
"""What a program that the target starts is given in place of a model's own address."""

DROPPED = (
    *("OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"),
    *("ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "CO_API_URL"),
    # The keys of a profile stand in a file, and go before those of the environment.
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
)
"""Taken out."""
