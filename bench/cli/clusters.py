"""``--on`` and ``--shards``: where trials run, if not here as they usually do."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from ...mocks.errors import UsageError
from ...mocks.network import Network
from ...mocks.transports.registry import require_transport
from ..cluster.leased_trials import LeasedTrials
from ..cluster.leases import Cluster
from ..cluster.local_cluster import LocalCluster
from ..gate.measuring import TIME_LIMIT_S
from ..results.formatting import counted, seconds
from ..runner.processes import TrialProcesses
from .commands.run import RunOptions
from .options import Messages
from .progress import stderr_for


def require_fitting(options: RunOptions) -> None:
    """Refuse what does not go with many workers, one of which runs each trial.

    Raises:
        UsageError: Options do not go together.
    """
    if options.on is None and options.shards is None:
        return
    asked = "--shards" if options.on is None else f"--on {options.on}"
    over_sockets = [each for each in options.transport if not require_transport(each).in_process]
    refused = (
        ("--serve", options.serve is not None, "a service as deployed takes a machine to itself"),
        ("--validate", bool(options.validate), "pairs of trials in real time take an idle machine"),
        (
            "--processes",
            options.processes != (1,),
            "a worker has one core; --shards cuts a cell's sessions into parts",
        ),
        (
            f"--transport {over_sockets[0] if over_sockets else ''}",
            bool(over_sockets),
            "the mocked model's server would share the one core of its trial",
        ),
    )
    for what, is_there, reason in refused:
        if is_there:
            raise UsageError(f"{asked}: cannot go with {what}: {reason}")


@contextmanager
def cluster_for(options: RunOptions, messages: Messages) -> Iterator[Cluster | None]:
    """Open the cluster that options ask for, and close it in the end.

    Args:
        options: What was asked for.
        messages: How much is said of it.

    Yields:
        The cluster; ``None`` if trials run here, one at a time.

    Raises:
        UsageError: There is no such cluster.
    """
    network = Network(options.network)
    if options.on is not None:
        with _opened(options.time_limit, network, messages) as cluster:
            yield cluster
    elif options.shards is not None:
        with closing(LocalCluster(options.time_limit, network)) as here:
            yield here
    else:
        yield None


def require_measured_there(on: str | None, here: Mapping[str, bool]) -> None:
    """Refuse what the gate measures on this machine only.

    Args:
        on: Where trials shall run; ``None`` for here.
        here: What is measured here, and whether it was asked for.

    Raises:
        UsageError: They do not go together.
    """
    for what, is_asked in here.items():
        if on is not None and is_asked:
            raise UsageError(
                f"--on {on}: cannot go with {what}, which is measured on this machine: leave out "
                "one of them"
            )


@contextmanager
def gate_trials(
    on: str | None, network: Network, messages: Messages
) -> Iterator[LeasedTrials | None]:
    """Open the cluster that trials of the gate shall run on, and close it in the end.

    Args:
        on: Its name; ``None`` if they run here.
        network: The network that trials are in.
        messages: How much is said of it.

    Yields:
        What runs the trials; ``None`` if they run here.

    Raises:
        UsageError: There is no such cluster.
    """
    if on is None:
        yield None
        return
    here = TrialProcesses(TIME_LIMIT_S, network=network)
    with _opened(TIME_LIMIT_S, network, messages) as cluster:
        yield LeasedTrials(cluster, here.check_target)


@contextmanager
def _opened(time_limit_s: float, network: Network, messages: Messages) -> Iterator[Cluster]:
    """Open a cluster of Ray, say what it is, and close it in the end."""
    # Only here is Ray imported, and the room that knows it.
    from ..cluster.ray_cluster import RayCluster  # noqa: PLC0415

    with closing(RayCluster(time_limit_s, network)) as cluster:
        how = (
            "of the cluster at RAY_ADDRESS"
            if cluster.started_in_s is None
            else f"on this machine, started in {seconds(cluster.started_in_s)}"
        )
        line = f"ray: {counted(cluster.size, 'worker')} {how}"
        stderr_for(messages).print(line, markup=False, highlight=False)
        yield cluster
