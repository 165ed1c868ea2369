"""The HTTP libraries of the machine: which are there depends on the version of the openai SDK.

Version 3 sends by httpx2, older ones by httpx, and an environment with one of those may have no
httpx2 at all.
"""

import importlib
from typing import Any

import openai
from warpbench.mocks.transports.http_libraries import INSTALLED

LIBRARIES: list[Any] = [library.module() for library in INSTALLED]
"""Those that are installed."""

CORES: list[Any] = [library.core_module() for library in INSTALLED]
"""The packages with their pools."""

_LIMITS = type(openai.DEFAULT_CONNECTION_LIMITS)
sdk_http: Any = importlib.import_module(_LIMITS.__module__.partition(".")[0])
"""The one that the openai SDK sends by."""

sdk_httpcore: Any = CORES[LIBRARIES.index(sdk_http)]
"""The package with its pools."""

IS_WRAPPED_IN_STREAM = sdk_http.__name__ == "httpx2"
"""Whether the SDK makes an error of its own of what breaks a stream: from version 3 on."""
