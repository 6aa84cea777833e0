"""What runs in a process of its own: one call on the published file, within bounds that hold.

DuckDB looks at its own bounds between steps. One step may take hours and gigabytes:
`list_sum(range(1000000000))` is one. So the kernel has the same bounds: a query that does not
listen is ended with its process, and the server starts another.
"""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import duckdb

from pipelines.agents.bounds import RefusedError
from pipelines.agents.results import COUNTING_SECONDS
from warehouse.errors import WarehouseError
from warehouse.published.opened import Warehouse
from warehouse.published.publish import SNAPSHOTS
from warehouse.published.verify import damage_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.agents.bounds import Bounds

__all__ = ["GRACE_AFTER_TIME", "answer", "too_long", "too_much"]

T = TypeVar("T")

#: How long after its time a query is ended that does not listen: rows may still be counted.
GRACE_AFTER_TIME: Final = COUNTING_SECONDS + 1

#: The share of the memory that DuckDB may take: rows on their way out need some.
OF_DUCKDB: Final = 0.75

MIB: Final = 1 << 20

_ONLY_TABLES: Final = (
    "Queries read the published tables alone: no file, no address, and not the schema lake, which"
    " is files. list_tables has what there is; tables of the same names are in it."
)


def answer(work: Callable[[Warehouse, Bounds], T], link: Path, bounds: Bounds) -> T:
    """What `work` returns for the published file that a link leads to now. Raises RefusedError.

    The process ends without a word if memory is exhausted: what DuckDB has allocated would be
    missing in the next call.
    """
    try:
        with _opened(link) as opened:
            opened.seal(int(bounds.megabytes * OF_DUCKDB), bounds.threads)
            _limit(bounds.megabytes * MIB)
            signal.setitimer(signal.ITIMER_REAL, bounds.seconds + GRACE_AFTER_TIME)
            return work(opened, bounds)
    except (MemoryError, duckdb.OutOfMemoryException):
        os._exit(1)
    except duckdb.InterruptException:
        raise RefusedError(too_long(bounds)) from None
    except duckdb.PermissionException:
        raise RefusedError(_ONLY_TABLES) from None
    except (duckdb.Error, WarehouseError) as error:
        raise RefusedError(str(error)) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _opened(link: Path) -> Warehouse:
    if not link.exists():
        raise RefusedError(
            f"Nothing has been published at {link} yet. Load something with `fbinsights backfill`,"
            " or point WAREHOUSE_URL at the lake."
        )
    if why := damage_of(link, link.parent / SNAPSHOTS):
        raise RefusedError(why)
    return Warehouse(link.resolve())


def _limit(size: int) -> None:
    """Let this process allocate `size` more bytes than it has by now, and write no file."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])  # data and stacks
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize() + size, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def too_much(bounds: Bounds) -> str:
    """What is reported of a query that needs more memory than it may take."""
    return (
        f"The query needs more than the {bounds.megabytes} MB that it may take. Narrow it: fewer"
        " days, accounts or columns, or sums instead of rows."
    )


def too_long(bounds: Bounds) -> str:
    """What is reported of a query that needs more time than it may take."""
    return (
        f"The query took longer than the {bounds.seconds} s that it may take, and was stopped."
        " Narrow it: fewer days or accounts, or sums instead of rows."
    )
