"""Data versions: what Dagster compares before it shows that an asset is "Unsynced".

An asset's version changes only when its content does. Whatever is built from it keeps the version
that it was built from, in tags of its event. Dagster writes these tags for the output of an asset's
own step; events that are logged separately (one of many partitions, a publish of the command line)
get them from here. Source: docs.dagster.io, Asset versioning and caching.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from warehouse.lake.parquet import content_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dagster as dg

    from warehouse.lake.partitions import Lake

__all__ = ["accounts_version", "content_version", "shown_change", "version_in", "version_tags"]

#: Tags of an event: its version, whether that was computed from contents, the code that made it
#: (which must be there for the others to be read), and of each input its version and its event.
_VERSION: Final = "dagster/data_version"
_IS_GIVEN: Final = "dagster/data_version_is_user_provided"
_CODE: Final = "dagster/code_version"
_INPUT_VERSION: Final = "dagster/input_data_version/"
_INPUT_EVENT: Final = "dagster/input_event_pointer/"
_NO_EVENT: Final = "NULL"


def version_tags(
    version: str, inputs: Mapping[dg.AssetKey, str] | None = None
) -> Mapping[str, str]:
    """Tags of an event that has this version and was built from `inputs`: asset → its version."""
    tags = {_VERSION: version, _IS_GIVEN: "true", _CODE: "fbinsights"}
    for key, of_input in (inputs or {}).items():
        asset = key.to_user_string()
        tags |= {f"{_INPUT_VERSION}{asset}": of_input, f"{_INPUT_EVENT}{asset}": _NO_EVENT}
    return tags


def version_in(event: dg.AssetMaterialization) -> str:
    """The version that an event was recorded with."""
    return (event.tags or {}).get(_VERSION, "")


def shown_change(event: dg.AssetMaterialization, lake: dg.AssetKey) -> str:
    """The change of the `lake` that the published file showed when this event was recorded."""
    return (event.tags or {}).get(f"{_INPUT_VERSION}{lake.to_user_string()}", "")


def accounts_version(lake: Lake) -> str:
    """The version of `accounts` as far as loads depend on it: the time zones and currencies that
    accounts once had and no longer have.

    A new account, a name or an amount spent changes nothing that was loaded. Meta gives an account
    another zone or currency only by closing it and opening a new one.
    """
    history = lake.read("accounts_history").sort_by("valid_from")
    kept = history.select(["account_id", "account_timezone", "account_currency"]).to_pylist()
    seen: dict[str, list[tuple[str, str]]] = {}
    for row in kept:
        states = seen.setdefault(row["account_id"], [])
        state = (str(row["account_timezone"]), str(row["account_currency"]))
        if states[-1:] != [state]:
            states.append(state)
    changed = {account_id: states for account_id, states in seen.items() if len(states) > 1}
    return _digest(json.dumps(changed, sort_keys=True).encode()) if changed else "unchanged"


def content_version(lake: Lake, table: str, account_id: str) -> str:
    """The version of an account's objects: that of their rows, not of when they were read."""
    return content_digest(lake.table(table), lake.store.open(lake.key(table, account_id, None)))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
