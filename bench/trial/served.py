"""A service as deployed, as the target of a trial: started, driven, sampled, ended."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...mocks.errors import TargetError, UsageError
from ...mocks.scenario.request import RequestSpec
from ..results.service_use import ProcessEnded, ServiceUse
from ..services.command import ServeCommand
from ..services.deployed import DeployedService
from ..services.served import HOST, ServedService
from ..targets.loading import Target
from .machine import available_cores

if TYPE_CHECKING:
    from ..instruments.process_tree import ProcessTree

_QUIET_WITHIN_S = 10.0
_SETTLES_WITHIN_S = 10.0
_SETTLES_EVERY_S = 0.03
_SETTLED_LOOKS = 3
_STATUS_WITHIN_S = 3.0
_LOOKS_EVERY_S = 0.01


class ServedTarget:
    """A service that runs, and what it takes while it is measured.

    Attributes:
        target: What drives it.
        driven: Its connections.

    Args:
        service: The service.
        tree: Its processes.
        request: What a session asks.
        root: Scheme, host and port of the mocked world's server.
    """

    def __init__(
        self, service: ServedService, tree: "ProcessTree", request: RequestSpec, root: str
    ) -> None:
        self._service = service
        self._root = root
        self._tree = tree
        self._use: ServiceUse | None = None
        self.driven = DeployedService(HOST, service.port, request)
        self.target = Target(session=self.driven.session, settle=self._settle)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Sample its processes in this scope."""
        began_s, client_s = time.monotonic(), time.process_time()
        with self._tree.sampling():
            yield
        tree = self._tree
        ended = tree.ended()
        self._use = ServiceUse(
            cpu_s=tree.cpu_s,
            elapsed_s=time.monotonic() - began_s,
            processes=tree.processes,
            threads=tree.threads,
            files=tree.files,
            memory_bytes=tree.memory_bytes,
            memory_kind=tree.memory_kind,
            started=tree.started,
            ended=tuple(map(self._with_status, ended)),
            ended_count=len(ended),
            client_cpu_s=time.process_time() - client_s,
            cores=available_cores(),
        )

    def use(self, origin_ns: int) -> ServiceUse:
        """Return what it took.

        Args:
            origin_ns: When the trial began, in monotonic time.
        """
        assert self._use is not None  # it has been measured
        ended = tuple(replace(each, at_ns=each.at_ns - origin_ns) for each in self._use.ended)
        return replace(self._use, ended=ended)

    async def _settle(self) -> None:
        """Wait for what the service goes on to ask behind its answers, for some seconds at most.

        Between two requests of it there is a moment without any.
        """
        from ...mocks.transports.loopback.outside import requests_under_way  # noqa: PLC0415

        until_s, quiet = time.monotonic() + _SETTLES_WITHIN_S, 0
        while quiet < _SETTLED_LOOKS and time.monotonic() < until_s:
            under_way = await asyncio.to_thread(requests_under_way, self._root)
            quiet = 0 if under_way else quiet + 1
            await asyncio.sleep(_SETTLES_EVERY_S)

    def _with_status(self, ended: ProcessEnded) -> ProcessEnded:
        """Return it with its status, if it was the command: whoever keeps that was told."""
        if not ended.was_command or ended.status is not None:
            return ended
        until_s = time.monotonic() + _STATUS_WITHIN_S
        while self._service.status is None and time.monotonic() < until_s:
            time.sleep(_LOOKS_EVERY_S)
        return replace(ended, status=self._service.status)


@contextmanager
def served_target(
    command: ServeCommand,
    workers: int,
    request: RequestSpec,
    root: str,
    *,
    ready_within_s: float,
) -> Iterator[ServedTarget]:
    """Start a service, and end it with all that it has started.

    Args:
        command: Starts it.
        workers: How many workers the command is told to have.
        request: What a session asks.
        root: Scheme, host and port of the mocked world's server.
        ready_within_s: Real seconds that it gets to answer its first request.

    Raises:
        TargetError: It cannot be started, or does not answer in time.
    """
    process_tree = _process_tree()
    with (
        tempfile.TemporaryDirectory(prefix="warpbench-serve-") as folder,
        ServedService(command, workers, _environment(root, Path(folder))) as service,
    ):
        service.wait_until_ready(ready_within_s)
        tree = process_tree(service.keeper, service.pid)
        if tree.count() > 1:
            tree.wait_until_quiet(_QUIET_WITHIN_S)
        yield ServedTarget(service, tree, request, root)


def _environment(root: str, folder: Path) -> Mapping[str, str]:
    # Only a service as deployed takes the transport's own modules.
    from ...mocks.transports.loopback.outside import (  # noqa: PLC0415
        authority_pem,
        environment_outside,
    )

    trusted = folder / "authority.pem"
    try:
        trusted.write_text(authority_pem(root))
    except UsageError as error:
        raise TargetError(f"--serve: {error}") from error
    return environment_outside(os.environ, root, str(trusted))


def _process_tree() -> "type[ProcessTree]":
    try:
        from ..instruments.process_tree import ProcessTree  # noqa: PLC0415 - needs an extra
    except ImportError as error:
        raise TargetError(
            "--serve: a service as deployed needs two packages more: pip install 'warpbench[serve]'"
        ) from error
    return ProcessTree
