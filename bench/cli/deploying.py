"""What ``--serve`` asks for: a service as deployed, and what does not go with one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ...mocks.transports.registry import LOOPBACK, RESPX
from ..services.command import WORKERS, command_named, serve_command
from ..strategies import gather
from ..trial.loops import ASYNCIO
from .commands.run import RunOptions
from .names import default_loops, default_strategies
from .options import DEFAULT_TARGET
from .values import POOL_OF_LOAD

_EXAMPLE = '--serve "uvicorn my_app:app --port {port} --workers {workers}"'


@dataclass(frozen=True, slots=True)
class Deployed:
    """A service as deployed, as a run takes it.

    Attributes:
        options: The options, with those filled in that follow from it.
        factors: Fields of ``Factors`` beside those of the options.
    """

    options: RunOptions
    factors: Mapping[str, Any]


def deployed_service(options: RunOptions) -> Deployed | None:
    """Return the service that the options ask for; ``None`` if they ask for none.

    Raises:
        UsageError: Options do not go together.
    """
    for target in options.target:
        if command_named(target) is not None:
            raise UsageError(
                f"--target {target!r}: a service as deployed is named by its command, as {_EXAMPLE}"
            )
    if options.serve is None:
        if options.workers:
            raise UsageError(
                "--workers: only a service as deployed has workers: give the command that starts "
                f"it, as {_EXAMPLE}"
            )
        if options.ready_within is not None:
            raise UsageError(
                "--ready-within: only a service as deployed is waited for: give the command that "
                f"starts it, as {_EXAMPLE}"
            )
        return None
    _require_fitting(options)
    command = serve_command(options.serve)
    if options.workers and not command.takes_workers:
        raise UsageError(
            f"--workers: the command of --serve has no {WORKERS}: put it where their number "
            "belongs, or leave --workers out"
        )
    ready = {} if options.ready_within is None else {"ready_within_s": options.ready_within}
    return Deployed(
        replace(
            options,
            target=(command.target,),
            strategy=(gather.STRATEGY.name,),
            loop=(ASYNCIO.name,),
            clock=ClockMode.WALL.value,
            transport=(LOOPBACK.name,),
        ),
        {"workers": options.workers or (1,), **ready},
    )


def _require_fitting(options: RunOptions) -> None:
    """Refuse what makes no sense beside ``--serve``.

    Raises:
        UsageError: Something does; the message says why.
    """
    in_process = "in-process it is a factor, with --target asgi:module:app"
    refused = (
        (
            "--target",
            options.target != (DEFAULT_TARGET,),
            "the command of --serve is the target: leave one of them out",
        ),
        (
            f"--clock {options.clock}",
            options.clock not in {None, ClockMode.WALL.value},
            "a service as deployed is reached over real sockets, and no clock can skip over them: "
            "use --clock wall; in-process, with --target asgi:module:app, any clock will do",
        ),
        (
            "--transport",
            options.transport not in {(RESPX.name,), (LOOPBACK.name,)},
            "a service as deployed asks the model by its own client: leave it out",
        ),
        (
            "--strategy",
            options.strategy not in {default_strategies(), (gather.STRATEGY.name,)},
            "how its requests run is up to the service as deployed, and the lab sends them all "
            f"from one event loop ({gather.STRATEGY.name}): leave it out; {in_process}",
        ),
        (
            "--loop",
            options.loop not in {default_loops(), (ASYNCIO.name,)},
            "which event loop it has is up to the service as deployed, say it in its command: "
            f"leave it out; {in_process}",
        ),
        (
            "--tool-workers",
            options.tool_workers != POOL_OF_LOAD,
            "a service as deployed has threads of its own: leave it out",
        ),
        (
            "--processes",
            options.processes != (1,),
            "how many processes it has is up to the service as deployed: use --workers, with "
            f"{WORKERS} in its command; {in_process}",
        ),
        (
            "--validate",
            bool(options.validate),
            "a service as deployed runs in real time already: leave it out",
        ),
    )
    for what, is_there, why in refused:
        if is_there:
            raise UsageError(f"{what}: {why}")
