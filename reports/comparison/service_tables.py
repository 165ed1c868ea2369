"""The ``[[services]]`` of a scenario that would answer requests which were refused, as TOML."""

import ipaddress
import json
from collections.abc import Iterable, Iterator

from ...bench.results.formatting import plain
from ...bench.results.refused_hosts import RefusedHost

_USUAL_LATENCY_S = 0.1
_MOST_TABLES = 3


def service_tables(hosts: Iterable[RefusedHost]) -> str:
    """Return tables to paste into a scenario, so that it mocks these hosts.

    A host of which few paths were asked for has a table for each: another path of it may belong to
    the model. The latency is to be replaced by the real one. At most three tables are returned.

    Args:
        hosts: The hosts, the most important first; one whose name is not known is left out.
    """
    tables = [table for host in hosts for table in _tables(host)]
    return "\n\n".join(tables[:_MOST_TABLES])


def _tables(refused: RefusedHost) -> Iterator[str]:
    host = plain(refused.host).replace(" ", "")
    if not host:
        return
    paths = [each for each in refused.paths if each.isprintable() and " " not in each]
    for path in paths if 0 < len(paths) <= _MOST_TABLES else ["/"]:
        url = f"{_scheme(host)}://{host}{path}*"
        yield "\n".join(
            (
                "[[services]]",
                f"name = {json.dumps(host + (path if len(paths) > 1 else ''))}",
                f"url = {json.dumps(url)}",
                f"latency_s = {_USUAL_LATENCY_S}",
                "json = {}",
            )
        )


def _scheme(host: str) -> str:
    """Guess the scheme: one's own servers, at a port or an address, seldom have certificates."""
    name, _, port = host.rpartition(":")
    if port.isdigit() and name:
        return "https" if port == "443" else "http"
    return "http" if _is_address(host) else "https"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
