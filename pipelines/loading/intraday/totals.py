"""The totals of open days: up to 50 accounts in one request, and each of them kept.

They decide which open days are loaded, and prove what was loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from fbgraph.errors import ENDS_EVERYTHING, GraphError, TooMuchDataError
from fbgraph.http.paging import Page
from pipelines.loading.control_totals import Controls, ControlTotals
from pipelines.loading.partitions import AccountDay
from pipelines.loading.totals_record import row_of
from warehouse.decode import arrow
from warehouse.decode.hours import minute_of
from warehouse.decode.pages import decode
from warehouse.decode.rows import ROW
from warehouse.errors import WarehouseError
from warehouse.lake.proof.reconcile import Totals
from warehouse.schema.insights import INTRADAY_TOTALS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from fbgraph import GraphClient
    from warehouse.decode.pages import Account
    from warehouse.lake.partitions import Lake

__all__ = ["Look", "OpenTotals", "look_at"]

#: What Meta is asked for: the columns that are its own.
_ASKED: Final = replace(
    INTRADAY_TOTALS,
    grain=("account_id", "date"),
    columns=tuple(column for column in INTRADAY_TOTALS.columns if column.source),
)


@dataclass(frozen=True, slots=True)
class Look:
    """The totals of an account's open days (None for a day without a row at Meta), and when they
    were requested. `error`: why there are none.
    """

    account_id: str
    asked_at: datetime
    totals: Mapping[date, Totals | None] = field(default_factory=dict)
    error: str = ""


def look_at(
    client: GraphClient,
    lake: Lake,
    run_id: str,
    wanted: Mapping[str, tuple[Account, Sequence[date]]],
    now: Callable[[], datetime],
) -> Sequence[Look]:
    """Ask for the totals of accounts' open days, and keep them. `wanted`: by account (digits), its
    neighbouring days. What fails for one account is in its look. Raises what ends everything, and
    WarehouseError and OSError where they cannot be kept.
    """
    asked_at = now()
    requests = [
        client.account(account_id).request("GET", "insights", **_params(days))
        for account_id, (_, days) in wanted.items()
    ]
    pages = client.batch(requests, Page.from_response)
    looks = [
        _look(client, account, days, asked_at, page)
        for (account, days), page in zip(wanted.values(), pages, strict=True)
    ]
    zones = {account_id: account.timezone_name for account_id, (account, _) in wanted.items()}
    lake.store.each(
        lambda one: keep(lake, run_id, one, zones[one.account_id]),
        [one for one in looks if not one.error],
    )
    return looks


def _params(days: Sequence[date]) -> Mapping[str, Any]:
    return {
        "level": "account",
        "fields": list(_ASKED.fields),
        "time_range": {"since": days[0].isoformat(), "until": days[-1].isoformat()},
        "time_increment": 1,
    }


def _look(
    client: GraphClient,
    account: Account,
    days: Sequence[date],
    asked_at: datetime,
    page: Page | GraphError,
) -> Look:
    """The look at one account, from the first page of its totals or the error."""
    look = Look(account.account_id, asked_at)
    try:
        if isinstance(page, TooMuchDataError) and len(days) > 1:
            bodies = [one for day in days for one in _bodies(client, account, [day])]
        elif isinstance(page, GraphError):
            raise page
        elif page.after is not None:  # rare: a few rows are one page
            bodies = _bodies(client, account, days)
        else:
            bodies = [page.body]
        return replace(look, totals=_totals(account, days, bodies))
    except ENDS_EVERYTHING:
        raise
    except (GraphError, WarehouseError) as error:
        return replace(look, error=str(error))


def _bodies(client: GraphClient, account: Account, days: Sequence[date]) -> list[bytes]:
    edge = client.account(account.account_id).insights(**_params(days))
    return [page.body for page in edge.pages()]


def _totals(
    account: Account, days: Sequence[date], bodies: Sequence[bytes]
) -> Mapping[date, Totals | None]:
    """Raises WarehouseError for a row that cannot be read, and for two that differ."""
    decoded = decode(_ASKED, bodies, account, days)
    for reject in decoded.rejects:
        if reject.lost == ROW or reject.loses_value:
            raise WarehouseError(f"totals of act_{account.account_id}: {reject}")
    found: dict[date, Totals | None] = {}
    for day in days:
        row = row_of(decoded.of_day(day), account, day)
        found[day] = Totals.of(row) if row.num_rows else None
    return found


def keep(lake: Lake, run_id: str, look: Look, zone: str) -> None:
    """Add the totals of a look to the table `intraday_totals`. Raises WarehouseError."""
    for day, totals in look.totals.items():
        known = totals or Totals()
        row = {
            "account_id": look.account_id,
            "date": day,
            "asked_at": look.asked_at,
            "minute": minute_of(zone, day, look.asked_at),
            "impressions": known.impressions,
            "clicks": known.clicks,
            "spend": known.spend,
            "run_id": run_id,
        }
        new = arrow.records(INTRADAY_TOTALS.arrow_schema, [row])

        def add(rows: pa.Table, new: pa.Table = new) -> pa.Table:
            return pa.concat_tables([arrow.without(rows, "asked_at", new), new])

        lake.update(INTRADAY_TOTALS, add, account_id=look.account_id, date=day)


class OpenTotals(Controls):
    """Control totals of open days: those of a tick's look, for the first comparison with their
    rows, and later ones, which are asked for and kept in the same way.
    """

    def __init__(
        self,
        client: GraphClient,
        lake: Lake,
        run_id: str,
        now: Callable[[], datetime],
        looks: Sequence[Look],
    ) -> None:
        super().__init__(client, lake, run_id, now)
        self._known = {
            AccountDay(look.account_id, day): (look.asked_at, totals)
            for look in looks
            for day, totals in look.totals.items()
        }

    def of(
        self,
        account: Account,
        days: Sequence[date],
        client: GraphClient | None = None,
        until: date | None = None,
    ) -> ControlTotals:
        """The totals of the look."""
        known = {day: self._known.get(AccountDay(account.account_id, day)) for day in days}
        if None in known.values():
            return self.request(account, days, client, until)
        there = {day: one for day, one in known.items() if one}
        return ControlTotals(
            {day: totals for day, (_, totals) in there.items()},
            asked_at={day: asked_at for day, (asked_at, _) in there.items()},
        )

    def request(
        self,
        account: Account,
        days: Sequence[date],
        client: GraphClient | None = None,
        until: date | None = None,  # noqa: ARG002  # no open day is a range
    ) -> ControlTotals:
        """Later totals, which are requested now."""
        wanted = {account.account_id: (account, days)}
        [look] = look_at(client or self.counted(), self._lake, self._run_id, wanted, self._now)
        if look.error:
            return ControlTotals({}, errors=dict.fromkeys(days, look.error))
        return ControlTotals(look.totals, asked_at=dict.fromkeys(days, look.asked_at))
