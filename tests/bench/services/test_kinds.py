"""How a service is named, and what is said where the name leads to none."""

import sys
from types import ModuleType
from typing import Any

import pytest
from warpbench.bench.services.kinds import KINDS, service_named
from warpbench.bench.strategies import Drives
from warpbench.bench.targets.loading import load_factory, module_of_target, require_target
from warpbench.mocks.errors import TargetError


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve nothing."""


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    return []


def asgi2(scope: Any) -> Any:
    return scope


def create_app() -> Any:
    return app


class App:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("served")
    vars(module).update(
        app=app, wsgi_app=wsgi_app, asgi2=asgi2, create_app=create_app, App=App, api=App(), n=5
    )
    monkeypatch.setitem(sys.modules, "served", module)
    return module


@pytest.mark.parametrize("name", ["asgi:served:app", "asgi:served:api", "wsgi:served:wsgi_app"])
def test_an_application_is_a_target(name: str) -> None:
    require_target(name)

    assert module_of_target(name) == "served"


def test_each_kind_drives_one_form_of_session() -> None:
    assert {name: kind.drives for name, kind in KINDS.items()} == {
        "asgi": Drives.ASYNC,
        "wsgi": Drives.SYNC,
    }


@pytest.mark.parametrize("name", ["agent", "served:create_app", "asgi:build", "other:m:app", app])
def test_other_targets_are_no_services(name: object) -> None:
    assert service_named(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "asgi:served:ap",
            "has no 'ap' (did you mean 'app'?); what 'served' has is served:app or ",
        ),
        ("wsgi:served:ap", "; what 'served' has is served:wsgi_app"),
        ("asgi:nowhere:app", "module 'nowhere' cannot be imported"),
        ("asgi:served", "expected asgi:module:app"),
        ("asgi:served:", "expected asgi:module:app"),
        ("asgi::app", "expected asgi:module:app"),
        ("asgi", "expected asgi:module:app"),
        ("asgi:a:b:c", "expected asgi:module:app"),
        ("agsi:served:app", "found the unknown kind 'agsi' (did you mean 'asgi'?)"),
        ("asgi:served.py:app", "as in asgi:served:app"),
        ("asgi:served:n", "an ASGI application, a callable of (scope, receive, send), found int"),
        ("asgi:served:App", "found the class App: name an instance, as in app = App()"),
        ("asgi:served:asgi2", "as ASGI 2 had it"),
        ("asgi:served:create_app", "make the application in the module, as in app = create_app()"),
        ("wsgi:served:create_app", "a WSGI application, a callable of (environ, start_response)"),
        ("asgi:served:create_app()", "as in app = create_app(), and name that"),
        ("wsgi:served:app", "found a callable of (scope"),
    ],
)
def test_a_name_that_leads_to_none_says_what_to_do(name: str, said: str) -> None:
    with pytest.raises(TargetError) as caught:
        require_target(name)

    assert str(caught.value).startswith(f"target {name!r}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_may_be_called_like_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("asgi")
    module.build = create_app  # type: ignore[attr-defined]
    module.__spec__ = sys.__spec__
    monkeypatch.setitem(sys.modules, "asgi", module)

    assert load_factory("asgi:build") == (create_app, False)
