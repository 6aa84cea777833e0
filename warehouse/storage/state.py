"""Small state next to the data of a lake: JSON under a key, by one rule in a folder and a bucket.

    load      the value as it is now: an old one or a new one, never half of one
    save      puts a value in place at once; of two writers the last one stays
    change    reads, decides and writes, and nothing that another process writes comes in between

`change` holds a lock where the store has one (a folder); where it has none (a bucket) it writes on
the condition that nobody was faster, and else decides again. Which lake this is, its last change,
report runs in flight, failures and cooldowns are kept this way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warehouse.errors import NotAFileError
from warehouse.storage.atomic import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.storage.store import Store

__all__ = ["change", "load", "save"]


def load(store: Store, key: str) -> Any:
    """The value of a key. Raises FileNotFoundError where it has none, ValueError where its file
    cannot be read as JSON (people edit these files) or is none, InaccessibleError where it may not
    be read, and OSError where the store cannot be reached.
    """
    try:
        text = store.read(key)
    except NotAFileError as error:
        raise ValueError(str(error)) from None
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(f"{store.name(key)} nests too deeply") from None


def save(store: Store, key: str, value: Any) -> None:
    """Give a key a value, whatever it had. Raises OSError.

    The disk is not waited for: that takes tens of milliseconds where many do it. A power cut may
    lose the last values.
    """
    store.note(key, _text(value))


def change(store: Store, key: str, decide: Callable[[], Any]) -> None:
    """Give a key the value that `decide` returns, or leave it as it is for None. Raises OSError.

    `decide` reads the key by `load`; it may be called several times. What it raises is raised.
    """
    with scratch_folder(store.root) as folder:

        def write() -> Path | None:
            value = decide()
            if value is None:
                return None
            written = folder / "state.unfinished"
            written.write_text(_text(value), encoding="utf-8")
            return written

        store.replace(key, write)


def _text(value: Any) -> str:
    return f"{json.dumps(value, ensure_ascii=False)}\n"
