"""Fields of accounts that take more rights than reading ads: asked apart, so that a refusal costs
those columns and nothing else.

One such field fails the whole request that it is in (codes 10, 100, 200), for all of its accounts.
So the fields are asked for together, then each alone, then account by account where they are few.
Once a day: a refusal costs requests, and the answers hardly ever change.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.errors import (
    ENDS_EVERYTHING,
    GraphError,
    NotFoundError,
    PermissionDeniedError,
    RequestError,
)
from pipelines.loading.accounts.discovery import account_id_of
from warehouse.lake.history import footer_of_objects
from warehouse.schema.tables import OBJECT_TABLES
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fbgraph import GraphClient
    from pipelines.loading.accounts.discovery import Discovery
    from warehouse.lake.partitions import Lake

__all__ = ["with_restricted_fields"]

_log = logging.getLogger(__name__)

#: How long answers are good for: less than a day, so that a daily refresh asks each time.
GOOD_FOR: Final = timedelta(hours=20)

#: Accounts that are asked one by one at most: as many as fit into one request.
ONE_BY_ONE: Final = 50

#: What Meta says no with.
REFUSALS: Final = (PermissionDeniedError, NotFoundError, RequestError)


@dataclass(slots=True)
class _Answers:
    """`values`: account (digits) → field → value, None where there is none. `refused`: field → why,
    and of how many accounts.
    """

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, tuple[str, int]] = field(default_factory=dict)

    def take(self, account_id: str, fields: Sequence[str], row: Mapping[str, Any]) -> None:
        found = {name: row.get(name) for name in fields}
        self.values.setdefault(account_id, {}).update(found)

    def refuse(self, name: str, error: GraphError, accounts: int) -> None:
        self.refused[name] = str(error), self.refused.get(name, ("", 0))[1] + accounts


def with_restricted_fields(
    client: GraphClient, lake: Lake, found: Discovery, now: datetime
) -> Discovery:
    """The accounts, with those fields if it is time to ask for them. Raises what ends
    everything.
    """
    accounts = OBJECT_TABLES["accounts"]
    asked_at = footer_of_objects(lake, accounts.latest, None).listed_at
    ids = [str(row["account_id"]) for row in found.rows]
    if not ids or (asked_at is not None and timedelta() <= now - asked_at < GOOD_FOR):
        return found
    fields, answers = accounts.restricted, _Answers()
    try:
        if found.by_id:
            _each(client, ids, fields, answers)
        else:
            _list(client, ids, fields, answers)
    except ENDS_EVERYTHING:
        raise
    except GraphError as error:
        _log.info("%s of the accounts were not read: %s", ", ".join(fields), error)
        return found
    rows = [{**row, **answers.values.get(str(row["account_id"]), {})} for row in found.rows]
    return replace(found, rows=rows, has_restricted=True, withheld=_in_words(answers))


def _in_words(answers: _Answers) -> str:
    return "; ".join(
        f"{name} of {counted(number, 'account')} needs a right that the token lacks: {why}"
        for name, (why, number) in answers.refused.items()
    )


def _list(
    client: GraphClient, ids: Sequence[str], fields: Sequence[str], answers: _Answers
) -> None:
    """Ask for fields of all accounts at once."""
    try:
        rows = list(client.node("me").edge("adaccounts", fields=["account_id", *fields]))
    except ENDS_EVERYTHING:
        raise
    except REFUSALS as error:
        if len(fields) > 1:
            for name in fields:
                _list(client, ids, [name], answers)
        elif len(ids) <= ONE_BY_ONE:
            _each(client, ids, fields, answers)
        else:
            answers.refuse(fields[0], error, len(ids))
        return
    for row in rows:
        if isinstance(row, Mapping):
            answers.take(account_id_of(row), fields, row)


def _each(
    client: GraphClient, ids: Sequence[str], fields: Sequence[str], answers: _Answers
) -> None:
    """Ask account by account."""
    requests = [client.account(account_id).request(fields=list(fields)) for account_id in ids]
    refused: dict[str, GraphError] = {}
    for account_id, answer in zip(ids, client.batch(requests), strict=True):
        if isinstance(answer, Mapping):
            answers.take(account_id, fields, answer)
        elif isinstance(answer, REFUSALS):
            refused[account_id] = answer
        else:
            raise answer
    if refused and len(fields) > 1:
        for name in fields:
            _each(client, list(refused), [name], answers)
    elif refused:
        answers.refuse(fields[0], next(iter(refused.values())), len(refused))
