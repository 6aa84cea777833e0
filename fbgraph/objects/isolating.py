"""Pages of an edge where one object may make a whole page fail.

Meta refuses a page of creatives if it cannot make the `object_story_spec` of one of them
(docs/graph-api.md#creatives). Which one, it does not say: that one is found by halving the page,
and read without the field that fails. The others lose nothing, and it costs a few requests.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from fbgraph.errors import GraphError, RetryableError, SpoiledPageError, TooMuchDataError
from fbgraph.http.paging import shrinking
from fbgraph.limits.retry import ALONE, LOOKING, OF_A_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph.http.paging import Page, PageSize, Params
    from fbgraph.limits.retry import RetryPolicy

    Fetch = Callable[[Params], Page]

__all__ = ["Isolation", "spoils"]

#: After this many objects in a row it is not the objects' fault: the fields are left out of all
#: further pages. (If a token may not read the pages behind an account's ads, each ad fails.)
_NOT_ONE_OBJECTS: Final = 5

#: After this many objects of a listing have failed, none of the next ones is tried more than once:
#: one that fails for the moment keeps what is known of it until the next listing, and a listing of
#: thousands of them ends.
_MANY: Final = 10

#: Codes of an error that says nothing. One that stays after all attempts may be one object's.
_UNKNOWN: Final = frozenset({1, 2})


def spoils(error: object) -> bool:
    """Whether a response is an error that may be about one object: a smaller page may work then."""
    is_unknown = type(error) is RetryableError and error.detail.code in _UNKNOWN
    return is_unknown or isinstance(error, SpoiledPageError | TooMuchDataError)


@dataclass(slots=True)
class Isolation:
    """What a listing does about objects that make a page fail. `fragile`: fields that can; `key`:
    the field with the id.

    Afterwards `without` has the ids of objects that came without these fields, and `unread` those
    that came with nothing but their id, each with Meta's reason. If not even an object's id can be
    read, the listing ends with that error: no cursor leads past it.
    """

    fragile: Sequence[str] = ()
    key: str = "id"
    without: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    _bound: int = 0  # one of this many objects that come next fails; 0: nothing is known
    _in_a_row: int = 0
    _has_met: bool = False
    _is_served: bool = False  # Meta has sent a smaller page since one failed
    _reason: str = ""

    def fetching(self, fetch_by: Callable[[Sequence[RetryPolicy]], Fetch], size: PageSize) -> Fetch:
        """Fetches pages of any number of rows around objects that fail. `fetch_by`: what fetches a
        page of the `limit` that it is given, and tries as often as some policies allow.

        The first page that fails is tried three times, then smaller ones at once. Where Meta sends
        one of those, it is not down, and there is little waiting: an object costs some 20 requests,
        and seconds; from the tenth on, none. Where it sends none, the first object is tried as
        often as any request. Faults of no object, such as a broken connection, are tried as often
        as ever.
        """
        patient, once, alone = map(fetch_by, (OF_A_REQUEST, LOOKING, ALONE))
        usual = shrinking(patient, size)
        sooner, at_once = (_or_else(shrinking(one, size), usual) for one in (alone, once))
        looking = _or_else(once, alone)
        fetch_alone, fetch_once = (_or_else(one, patient) for one in (alone, once))

        def fetch_page(params: Params) -> Page:
            are_many = len(self.without) + len(self.unread) >= _MANY
            fetch = at_once if self._has_met or are_many else sooner
            if self._in_a_row >= _NOT_ONE_OBJECTS:
                return self._noted(sooner(self._without_fragile(params)))
            while self._bound != 1:
                rows = self._bound // 2 or size.rows
                try:
                    page = looking({**params, "limit": rows}) if self._bound else fetch(params)
                except GraphError as error:
                    if not (spoils(error) or (_is_luck(error) and self._bound)):
                        raise
                    self._is_served &= self._bound > 0
                    self._bound = rows if self._bound else size.rows
                    continue
                self._is_served = True
                self._bound -= rows if self._bound else 0
                self._in_a_row = 0 if page.data else self._in_a_row
                return page
            self._bound = 0
            is_up = self._is_served or self._has_met
            of_one = fetch_once if are_many else fetch_alone if is_up else patient
            return self._alone(of_one, {**params, "limit": 1})

        return fetch_page

    def _alone(self, fetch: Fetch, params: Params) -> Page:
        """The page of one object, with as much of it as Meta gives."""
        try:
            return fetch(params)
        except GraphError as error:
            if not spoils(error):
                raise
            self._reason = str(error)
        self._in_a_row += 1
        self._has_met = True
        if self.fragile:
            try:
                return self._noted(fetch(self._without_fragile(params)))
            except GraphError as error:
                if not spoils(error):
                    raise
                self._reason = str(error)
        page = fetch({**params, "fields": [self.key]})
        self.unread |= dict.fromkeys(self._ids(page), self._reason)
        return replace(page, data=[], body=b"")

    def _noted(self, page: Page) -> Page:
        self.without |= dict.fromkeys(self._ids(page), self._reason)
        return page

    def _without_fragile(self, params: Params) -> Params:
        left = [name for name in params.get("fields") or () if name not in self.fragile]
        return {**params, "fields": left}

    def _ids(self, page: Page) -> Sequence[str]:
        rows = [row for row in page.data if isinstance(row, dict)]
        return [str(row[self.key]) for row in rows if row.get(self.key)]


def _or_else(fetch: Fetch, more_patient: Fetch) -> Fetch:
    """Fetches a page with `fetch` and, if that fails for a reason that is about no object, with
    `more_patient`.
    """

    def fetch_page(params: Params) -> Page:
        try:
            return fetch(params)
        except GraphError as error:
            if not _is_luck(error):
                raise
        return more_patient(params)

    return fetch_page


def _is_luck(error: GraphError) -> bool:
    """Whether an error is about the way to Meta, and about no object."""
    return type(error) is RetryableError and not spoils(error)
