"""The target: the agent under test, loaded by name from anybody's code.

A target is named ``module:attribute``. The attribute is a factory: called without an
argument, or with one, the ``Lab``. What it returns is the session:

- an ``async def session(task: str) -> str``,
- a plain ``def session(task: str) -> str``,
- a generator, async or plain, that yields the text that its user sees, piece by piece, or
- any object with both, as ``session`` (async) and ``sync_session`` (a ``Target``, say), or
- an async context manager of one of these, which is open while sessions run: for clients and
  connections that are to be closed.

Such an object may have a ``check(task, answer)``, too, which raises, or returns ``False``, where an
answer is wrong: the session has failed then.

A factory that is named may be an ``async def``. It is awaited on the event loop of the cell.

A name that begins with a kind of service, ``asgi:module:app`` or ``wsgi:module:app``, names an
application in place of a factory. It is driven through its own interface (see ``services``), and
asked what the scenario says.

A factory that takes the lab gets its tools, and then meets the waits of the model and of
the tools. One that takes nothing brings its own tools, or none.
"""

import importlib
import importlib.util
import inspect
import os
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from ...mocks.environment import DUMMY_KEY
from ...mocks.errors import TargetError, name_of, text_of
from ...mocks.import_path import append_current_directory
from ...mocks.scenario.diagnostics import listed, unknown
from ...mocks.scenario.request import USUAL_REQUEST, RequestSpec
from ...mocks.transports.clients import HttpClients
from ...mocks.world.tools import LabTool
from ..services.command import command_named, require_program
from ..services.kinds import (
    KINDS,
    NamedService,
    ServiceKind,
    kinds_said,
    looks_like_app,
    require_app,
    service_named,
)
from ..strategies.protocol import AsyncSession, SyncSession
from .built_in import BUILT_IN_TARGETS
from .outputs import AsyncOutputs, SyncOutputs, is_async, yields

if TYPE_CHECKING:
    import httpx2


def _unnoted() -> None:
    """Note nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """What the lab hands to a factory that asks for it.

    Attributes:
        offered: The scenario's tools, mocked; a target takes them as ``tools``.
        tools_taken: Called when it does.
        tool_workers: How large an executor for blocking tools should be.
        model: Name of the model to ask for.
        base_url: Where the mocked API is said to be.
        api_key: A key that is none.
        service_urls: Scheme and host (over loopback, and a path) of each HTTP service of the
            scenario, by its name.
        http_clients: Makes what async openai clients shall send their requests by.
        request: What the scenario lets a session ask a service.
    """

    offered: tuple[LabTool, ...]
    tool_workers: int
    tools_taken: Callable[[], None] = _unnoted
    model: str = "gpt-4o-mini"
    base_url: str = "https://api.openai.com/v1"
    api_key: str = DUMMY_KEY
    service_urls: Mapping[str, str] = field(default_factory=dict)
    http_clients: HttpClients = field(default_factory=HttpClients)
    request: RequestSpec = USUAL_REQUEST

    @property
    def tools(self) -> tuple[LabTool, ...]:
        """The scenario's tools, mocked: who takes them is to run each call of the script."""
        self.tools_taken()
        return self.offered

    @property
    def anthropic_base_url(self) -> str:
        """Where the mocked API of Anthropic is said to be."""
        return self.base_url.removesuffix("/v1")

    def mcp_server(self) -> Any:
        """Return an MCP server of the tools, for ``mcp.Client``; it needs the extra ``mcp``."""
        from ...mocks.world.mcp_server import mcp_server  # noqa: PLC0415 - an extra

        return mcp_server(self.tools)

    def async_http_client(self) -> "httpx2.AsyncClient | None":
        """Return the ``http_client`` for an ``AsyncOpenAI``; ``None`` for its own."""
        return self.http_clients.make()


Check = Callable[[str, str], object]
Settle = Callable[[], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The session under test in the forms that there are.

    Attributes:
        session: The coroutine function or async generator, if there is one.
        sync_session: The plain function or generator, if there is one.
        takes_lab: Whether the factory took the lab, and so its tools.
        check: Told the task and the answer of a session, if there is one: it raises, or returns
            ``False``, where the answer is wrong.
        settle: Waits for what goes on of sessions that have ended, if there may be such: a service
            works on after its response.
    """

    session: AsyncSession | AsyncOutputs | None = None
    sync_session: SyncSession | SyncOutputs | None = None
    takes_lab: bool = False
    check: Check | None = None
    settle: Settle | None = None


@runtime_checkable
class Settles(Protocol):
    """A target of which something may go on after its sessions."""

    async def settle(self) -> object:
        """Wait for it."""
        ...


T = TypeVar("T")
Factory = Callable[..., object]


def require_target(name: str) -> None:
    """Load the module of a target, and check that it has what the name names.

    Raises:
        TargetError: It cannot be imported, found, or be a target; or the program of a command that
            starts a service is not there.
    """
    service, command = service_named(name), command_named(name)
    if command is not None:
        require_program(command, os.environ)
    elif service is None:
        load_factory(name)
    else:
        _load_app(name, service)


def module_of_target(name: str) -> str:
    """Return the name of the module that a target's name names; empty for one of the lab's."""
    service = service_named(name)
    module, colon, _ = (name if service is None else service.spelled).partition(":")
    return module if colon else ""


def load_factory(name: str) -> tuple[Factory, bool]:
    """Return the factory of that name, and whether it takes the lab.

    The current directory is appended to the import path, never put first: a file there
    must not shadow an installed package.

    Args:
        name: A built-in target, or ``module:attribute``.

    Raises:
        TargetError: It cannot be imported, found or called.
    """
    spelled = BUILT_IN_TARGETS.get(name, name)
    module_name, _, attribute = spelled.partition(":")
    if not module_name or not attribute:
        raise TargetError(_no_factory_named(name, module_name))
    _require_known_kind(name, module_name, attribute)
    module, found = _found(name, module_name, attribute, _factories_said)
    if not callable(found):
        raise TargetError(
            f"target {name!r}: expected a factory, found {type(found).__name__}; "
            f"{_factories_said(module_name, module)}"
        )
    return found, _takes_lab(name, found)


def _load_app(name: str, service: NamedService) -> object:
    """Return the application that a target's name names.

    Raises:
        TargetError: It cannot be imported, found or called as one.
    """
    module_name, _, attribute = service.spelled.partition(":")
    if not module_name or not attribute or ":" in attribute:
        raise TargetError(f"target {name!r}: expected {service.kind.name}:module:app")
    if attribute.endswith("()"):
        raise TargetError(
            f"target {name!r}: a factory is not called: make the application in the module, as in "
            f"app = {attribute}, and name that"
        )
    _, app = _found(name, module_name, attribute, partial(_apps_said, service.kind))
    require_app(name, service.kind, app)
    return app


def _require_known_kind(name: str, prefix: str, rest: str) -> None:
    """Refuse a name with a second colon that begins with no kind of service, and the reverse."""
    if prefix in KINDS and importlib.util.find_spec(prefix) is None:
        raise TargetError(f"target {name!r}: expected {prefix}:module:app")
    if ":" in rest:
        raise TargetError(
            f"target {name!r}: expected module:factory, or a service as {kinds_said()}, "
            f"found the unknown kind {unknown(prefix, KINDS)}"
        )


def _found(
    name: str,
    module_name: str,
    attribute: str,
    others_said: Callable[[str, ModuleType], str],
) -> tuple[ModuleType, object]:
    """Return a module, and what it has under a name that may have dots.

    Raises:
        TargetError: There is no such module, or it has no such name.
    """
    append_current_directory()
    if module_name.endswith(".py") or "/" in module_name:
        raise TargetError(
            f"target {name!r}: {module_name!r} is a file: expected the name of its module, as in "
            f"{name.removesuffix(f'{module_name}:{attribute}')}{_as_module(module_name)}:{attribute}"
        )
    module = _imported(name, module_name)
    found: object = module
    try:
        for part in attribute.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise TargetError(
            f"target {name!r}: module {module_name!r} has no {unknown(attribute, vars(module))}; "
            f"{others_said(module_name, module)}{_hidden_file(module_name, module)}"
        ) from error
    return module, found


def _imported(name: str, module_name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"target {name!r}: module {module_name!r} cannot be imported: "
            f"{name_of(error)}: {text_of(error)}"
        ) from error


def _no_factory_named(name: str, module_name: str) -> str:
    """Return what to say of a name without a colon or without one of its sides.

    The module is imported only if there is a file of it: a misspelt built-in name is not to start
    anybody's code.
    """
    if module_name in KINDS or name in KINDS:
        return f"target {name!r}: expected {module_name or name}:module:app"
    expected = f"target {name!r}: expected module:factory or one of {listed(BUILT_IN_TARGETS)}"
    close = get_close_matches(name, list(BUILT_IN_TARGETS), n=1)
    if close:
        return f"{expected}; did you mean {close[0]!r}?"
    if not module_name:
        return expected
    is_file = module_name.endswith(".py") and Path(module_name).is_file()
    module_name = _as_module(module_name) if is_file else module_name
    if not is_file and not Path(*module_name.split(".")).with_suffix(".py").is_file():
        return expected
    append_current_directory()
    return f"{expected}; {_factories_said(module_name, _imported(name, module_name))}"


def _as_module(file: str) -> str:
    """Return the name of a file's module, seen from the current directory."""
    parts = Path(file).with_suffix("").parts
    return ".".join(part for part in parts if part != "/")


def _factories_said(module_name: str, module: ModuleType) -> str:
    """Return which names of a module may stand for a target, as the end of a message."""
    names = [f"{module_name}:{each}" for each in _factories(module)]
    if not names:
        return f"no function of {module_name!r} takes no argument or one"
    return f"what {module_name!r} has is {listed(names)}"


def _hidden_file(module_name: str, module: ModuleType) -> str:
    """Say that the file of that name is another module's, as the end of a message; or nothing."""
    file = Path(*module_name.split(".")).with_suffix(".py")
    found = getattr(module, "__file__", None)
    if not file.is_file() or (found is not None and file.samefile(found)):
        return ""
    where = "" if found is None else f", {found},"
    return (
        f"; {file} of this directory was not imported, since an installed module{where} has its "
        "name: rename the file"
    )


def _apps_said(kind: ServiceKind, module_name: str, module: ModuleType) -> str:
    """Return which names of a module may stand for an application, as the end of a message."""
    names = [
        f"{module_name}:{name}"
        for name, value in vars(module).items()
        if not name.startswith("_") and looks_like_app(kind, value)
    ]
    if not names:
        return f"nothing in {module_name!r} looks like an application"
    return f"what {module_name!r} has is {listed(names)}"


def _factories(module: ModuleType) -> list[str]:
    """Return the functions that a module defines itself and that a target could be named by."""
    found = []
    for name, value in vars(module).items():
        own = inspect.isfunction(value) and value.__module__ == module.__name__
        if own and not name.startswith("_"):
            with suppress(TargetError):
                _takes_lab(name, value)
                found.append(name)
    return found


class RunsCoroutine(Protocol):
    """Runs a coroutine to its end, on the event loop on which sessions will run."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T:
        """Return what it returns, or raise what it raises."""
        ...


@contextmanager
def opened_target(named: object, lab: Lab, run: RunsCoroutine) -> Iterator[Target]:
    """Make a target ready to be driven, and close it at the end if it is to be closed.

    Args:
        named: Its name; or, in a test, the factory itself, the coroutine function or generator
            that is its session, or a ``Target``.
        lab: Handed to a factory that takes it.
        run: Runs what is async in making, opening and closing it.

    Raises:
        TargetError: It cannot be loaded, raises, or returns no session.
    """
    if isinstance(named, Target):
        yield named
        return
    name = name_of_target(named)
    if is_async(named) or yields(named):
        yield _as_target(name, named, takes_lab=False)
        return
    built, takes_lab = _built(named, name, lab, run)
    if not isinstance(built, AbstractAsyncContextManager):
        yield _as_target(name, built, takes_lab=takes_lab)
        return
    with _blamed(name, "opening it"):
        opened = run(_opening(built))
    try:
        yield _as_target(name, opened, takes_lab=takes_lab)
    finally:
        with _blamed(name, "closing it"):
            run(_closing(built))


def _built(named: object, name: str, lab: Lab, run: RunsCoroutine) -> tuple[object, bool]:
    """Return what a factory returns, or a service as it is driven; and whether it took the lab."""
    service = service_named(named)
    if service is not None:
        return service.kind.build(name, _load_app(name, service), lab.request), False
    factory, takes_lab = load_factory(named) if isinstance(named, str) else _given(named, name)
    with _blamed(name, "its factory"):
        built = factory(lab) if takes_lab else factory()
        if inspect.iscoroutine(built):
            built = run(built)
    return built, takes_lab


@contextmanager
def _blamed(name: str, what: str) -> Iterator[None]:
    try:
        yield
    except TargetError:
        raise
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"target {name!r}: {what} raised {name_of(error)}: {text_of(error)}"
        ) from error


async def _opening(manager: AbstractAsyncContextManager[object]) -> object:
    return await manager.__aenter__()


async def _closing(manager: AbstractAsyncContextManager[object]) -> None:
    await manager.__aexit__(None, None, None)


def name_of_target(named: object) -> str:
    """Return the name of what ``build_target`` takes."""
    if isinstance(named, str):
        return named
    return str(getattr(named, "__qualname__", type(named).__qualname__)).replace(".<locals>", "")


def _given(factory: object, name: str) -> tuple[Factory, bool]:
    if not callable(factory):
        raise TargetError(
            f"target {name!r}: expected a name, a factory, a coroutine function or a Target, "
            f"found {type(factory).__name__}"
        )
    return factory, _takes_lab(name, factory)


def _takes_lab(name: str, factory: Factory) -> bool:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [
        parameter
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if len(required) > 1 or any(parameter.kind not in positional for parameter in required):
        names = ", ".join(parameter.name for parameter in required)
        raise TargetError(
            f"target {name!r}: a factory takes no argument or one (the lab), this needs: {names}"
        )
    return len(required) == 1


def _as_target(name: str, built: object, *, takes_lab: bool) -> Target:
    session = getattr(built, "session", None)
    sync_session = getattr(built, "sync_session", None)
    if session is None and sync_session is None and callable(built):
        if is_async(built):
            session = built
        else:
            sync_session = built
    for form, for_loops in ((session, True), (sync_session, False)):
        if form is not None and (not callable(form) or is_async(form) is not for_loops):
            kind = "an async def" if for_loops else "a plain def"
            raise TargetError(f"target {name!r}: expected {kind} session, found {form!r}")
    if session is None and sync_session is None:
        raise TargetError(
            f"target {name!r}: its factory returned {type(built).__name__}; expected a session "
            "(a function of the task) or an object with session or sync_session. If this is itself "
            "the session, name a function that returns it"
        )
    check = getattr(built, "check", None)
    return Target(
        session=session,
        sync_session=sync_session,
        takes_lab=takes_lab,
        check=check if callable(check) else None,
        settle=built.settle if isinstance(built, Settles) else None,
    )
