"""Removes everything that a lake holds of one account.

The account-days and objects of an account are files of its own. Two tables have one file for all
accounts, which is replaced whole. A picture goes if no other account has it. A process that is
killed on the way leaves a mark, and the same command resumes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc

from warehouse.storage.content import MEDIA
from warehouse.storage.state import save

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from warehouse.lake.partitions import Lake

__all__ = ["Traces", "remove_account", "traces_of", "unmark"]

#: Files of one account, including those of tables that are no longer defined.
_FILES: Final = (
    "*/account_id={}/date=*/data.parquet",
    "*/account_id={}/data.parquet",
    "rejects/*/{}/*/*.parquet",
    ".damaged/*/*/account_id={}/data.parquet",
    ".failed/*/{}/*.json",
    ".runs/*/{}/*.json",
)

#: Tables whose file has the rows of all accounts.
_SHARED: Final = ("accounts_history", "accounts")

_MARK: Final = ".forgetting/{}.json"


@dataclass(frozen=True, slots=True)
class Traces:
    """What the lake has of an account: keys of `files`, `rows` of shared files, its latest `name`,
    and whether an earlier removal was begun and not finished.
    """

    files: Sequence[str] = ()
    rows: int = 0
    name: str = ""
    is_begun: bool = False

    def __bool__(self) -> bool:
        return bool(self.files or self.rows or self.is_begun)

    @property
    def account_days(self) -> int:
        """Files of account-days."""
        return sum("/date=" in key for key in self.files)


def traces_of(lake: Lake, account_id: str) -> Traces:
    """Look for everything of an account (digits). Raises WarehouseError for a shared file that
    cannot be read.
    """
    found = [one.key for pattern in _FILES for one in lake.store.find(pattern.format(account_id))]
    found = [*_own_pictures(lake, account_id), *found]
    states = [lake.read(table).filter(pc.field("account_id") == account_id) for table in _SHARED]
    names = states[-1].column("account_name").to_pylist()
    begun = bool(lake.store.find(_MARK.format(account_id)))
    return Traces(found, sum(map(len, states)), str(names[0] or "") if names else "", begun)


def remove_account(lake: Lake, account_id: str, files: Sequence[str]) -> None:
    """Remove what `traces_of` found; the row in `accounts`, which names the account, comes last.

    A mark stays until `unmark`. Raises OSError and WarehouseError; calling it again resumes.
    """
    save(lake.store, _MARK.format(account_id), {"account_id": account_id})
    # Pictures first: which of them are the account's is known only as long as its files are there.
    pictures = [key for key in files if key.startswith(f"{MEDIA}/")]
    lake.store.each(lake.store.delete, pictures)
    lake.store.each(lake.store.delete, [key for key in files if key not in {*pictures}])
    for table in _SHARED:
        lake.update(table, lambda rows: _without(rows, account_id))
    lake.changed()
    _remove_empty_folders(lake, account_id)


def unmark(lake: Lake, account_id: str) -> None:
    """The removal is complete."""
    lake.store.delete(_MARK.format(account_id))


def _own_pictures(lake: Lake, account_id: str) -> Sequence[str]:
    """Pictures of an account that no other account has: the same picture is kept once for all."""
    rows = lake.read("thumbnails")
    is_own = pc.field("account_id") == account_id
    own, others = rows.filter(is_own)["path"], rows.filter(~is_own)["path"]
    return sorted({*own.to_pylist()} - {*others.to_pylist(), None})


def _without(rows: pa.Table, account_id: str) -> pa.Table:
    kept = rows.filter(pc.field("account_id") != account_id)
    return kept if len(kept) < len(rows) else rows


def _remove_empty_folders(lake: Lake, account_id: str) -> None:
    """Folders of this machine name the account too. Objects of a bucket leave no folders."""
    for name in (f"*/account_id={account_id}", f"*/*/{account_id}"):
        for top in lake.root.glob(name):
            for folder in (*sorted(top.glob("**/"), reverse=True), top):
                with suppress(OSError):  # it has another file in it, or is gone already
                    folder.rmdir()
