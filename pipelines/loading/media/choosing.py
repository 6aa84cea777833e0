"""Which pictures a run downloads, and which creatives need a new address first. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from warehouse.schema.objects.links import expires_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

__all__ = ["Choice", "MediaLimits", "Tried", "Wanted", "choose", "has_expired", "in_turn"]

#: Attempts that each run makes at a picture; then it is tried once in `PAUSE`.
ATTEMPTS: Final = 3
PAUSE: Final = timedelta(days=7)

#: Days in which all pictures that are kept have come early in the order of looking at them.
_TURNS: Final = 28


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """The most of one account in one run: pictures that are tried, bytes that are kept, and
    creatives that are read by id because their address has expired. Meta counts each of these as a
    call, while a listing has 50 in one, so they are few.
    """

    pictures: int = 1_000
    total_bytes: int = 100_000_000
    read_again: int = 100


class Wanted(NamedTuple):
    """A creative without a kept thumbnail, and where its picture is."""

    creative_id: str
    address: str


class Tried(NamedTuple):
    """What is known of a picture: whether it is kept, how many attempts in a row have failed, when
    the last one was, and the hash and the file of what is kept.
    """

    is_kept: bool
    attempts: int
    at: datetime
    sha256: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to `download`, in order; the ids to `read_again` for an address that has not expired;
    and how many are `left` for later runs.
    """

    download: Sequence[Wanted] = ()
    read_again: Sequence[str] = ()
    left: int = 0


def choose(
    creatives: Iterable[tuple[str, str | None]],
    tried: Mapping[str, Tried],
    now: datetime,
    limits: MediaLimits,
) -> Choice:
    """What a run does about the pictures of an account.

    `creatives`: their ids and the addresses of their thumbnails. First come those that were never
    tried, the newest creative (the highest id) first; then those that failed, the one that has
    waited longest first. After three attempts in vain a picture waits a week for each other one.
    """
    due = [
        Wanted(creative_id, address)
        for creative_id, address in creatives
        if address and _is_due(tried.get(creative_id), now)
    ]
    newest = sorted(due, key=lambda one: (len(one.creative_id), one.creative_id), reverse=True)
    ordered = sorted(
        newest,
        key=lambda one: tried[one.creative_id].at.timestamp() if one.creative_id in tried else 0.0,
    )
    valid = [one for one in ordered if not has_expired(one.address, now)]
    expired = [one.creative_id for one in ordered if has_expired(one.address, now)]
    download = valid[: limits.pictures]
    read_again = expired[: min(limits.read_again, limits.pictures - len(download))]
    return Choice(download, read_again, len(due) - len(download) - len(read_again))


def in_turn(tried: Mapping[str, Tried], today: date) -> Sequence[str]:
    """The creatives whose pictures are kept, in the order in which they are looked at to see if
    they are whole: each day begins elsewhere, so that in four weeks each comes early once.
    """
    begins = today.toordinal() % _TURNS * (0x10000 // _TURNS)
    kept = [(int(one.sha256[:4], 16), key) for key, one in tried.items() if one.is_kept]
    return [key for _, key in sorted(((at - begins) % 0x10000, key) for at, key in kept)]


def has_expired(address: str, now: datetime) -> bool:
    """Whether an address says that it leads nowhere any more."""
    ends = expires_at(address)
    return ends is not None and ends < now.timestamp()


def _is_due(tried: Tried | None, now: datetime) -> bool:
    if tried is None:
        return True
    return not tried.is_kept and (tried.attempts < ATTEMPTS or now - tried.at >= PAUSE)
