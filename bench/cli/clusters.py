"""``--on`` and ``--shards``: where the trials of a run are measured, if not here one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from ...mocks.errors import UsageError
from ...mocks.network import Network
from ...mocks.transports.registry import require_transport
from ..cluster.leases import Cluster
from ..cluster.local_cluster import LocalCluster
from ..results.formatting import counted, seconds
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
    if options.on is None and options.shards is None:
        yield None
        return
    cluster: Cluster
    if options.on is None:
        cluster = LocalCluster(options.time_limit, network)
    else:
        # Only here is Ray imported, and the room that knows it.
        from ..cluster.ray_cluster import RayCluster  # noqa: PLC0415

        cluster = RayCluster(options.time_limit, network)
        how = (
            "of the cluster at RAY_ADDRESS"
            if cluster.started_in_s is None
            else f"on this machine, started in {seconds(cluster.started_in_s)}"
        )
        console = stderr_for(messages)
        line = f"ray: {counted(cluster.size, 'worker')} {how}"
        console.print(line, markup=False, highlight=False)
    try:
        yield cluster
    finally:
        cluster.close()
