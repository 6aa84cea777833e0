"""The place of a lake, from WAREHOUSE_URL. Light: neither pyarrow nor, for a folder, boto3."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warehouse.errors import WarehouseError
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from warehouse.storage.store import Store

__all__ = ["LOCAL_VARIABLE", "lake_root", "open_store"]

#: Names the folder on this machine for lakes that are elsewhere.
LOCAL_VARIABLE: Final = "WAREHOUSE_LOCAL"

#: A bucket, and what comes before the keys of a lake in it.
_BUCKET: Final = re.compile(
    r"s3://([A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])((?:/[^/?#*\[\]\\]+)*)/?"
)


def lake_root(url: str | Path) -> Path:
    """The folder on this machine: of the lake, or of the files that stay here of one in a bucket.

    Raises WarehouseError as `open_store` does.
    """
    return open_store(url).root


def open_store(url: str | Path) -> Store:
    """The store that WAREHOUSE_URL names. Nothing is read yet.

    Raises WarehouseError for a URL that is neither a folder nor a bucket of S3.
    """
    text = str(url)
    scheme, separator, _ = text.partition("://")
    if not separator or scheme == "file":
        return Folder(Path(text.removeprefix("file://")))
    found = _BUCKET.fullmatch(text)
    prefix = found[2].strip("/") if found else ""
    if found is None or {".", ".."} & {*prefix.split("/")}:
        raise WarehouseError(  # without the text: somebody may have put credentials into it
            f"WAREHOUSE_URL begins with {scheme}:// but is not like s3://bucket/prefix. Set it to "
            "that or to a folder; put credentials and endpoint in AWS_* variables"
        )
    try:
        from warehouse.storage.s3 import Bucket  # noqa: PLC0415  only who has a bucket needs boto3
    except ModuleNotFoundError:
        raise WarehouseError(
            "A bucket needs boto3. Install it: pip install 'fbinsights[s3]'"
        ) from None
    here = Path(os.environ.get(LOCAL_VARIABLE) or "./data")
    return Bucket(found[1], prefix, here / "s3" / found[1] / prefix)
