"""Files that are named after the hash of their content: each is written once, and never changes."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from warehouse.storage.atomic import scratch_folder

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.storage.store import Store

__all__ = ["MEDIA", "is_kept", "keep_content"]

#: The folder of pictures.
MEDIA: Final = "media"


def media_key(sha256: str, extension: str) -> str:
    """Where a picture is kept: ``media/0a/0a1b….jpg``."""
    return f"{MEDIA}/{sha256[:2]}/{sha256}.{extension}"


def is_kept(store: Store, key: str, sha256: str) -> bool:
    """Whether a file is there and has the content that it is named after. Raises OSError where
    that cannot be found out.
    """
    try:
        return hashlib.sha256(store.read(key)).hexdigest() == sha256
    except FileNotFoundError:
        return False


def keep_content(store: Store, content: bytes, extension: str) -> tuple[str, str]:
    """Keep a picture, unless it is there and whole; its hash (SHA-256, hex) and its key. Raises
    OSError.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    key = media_key(sha256, extension)
    if is_kept(store, key, sha256):
        return sha256, key
    with scratch_folder(store.root) as folder:

        def write() -> Path:
            written = folder / "picture.unfinished"
            with written.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            return written

        store.replace(key, write)
    return sha256, key
