"""`ObjectTable`: everything there is to say about one kind of object, as one row of data.

Requests, Parquet files, DuckDB's comments, DDL, docs, Dagster's assets, refreshes and rejects all
read it. Nothing here knows HTTP: edges, kinds and fields are names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from warehouse.schema.columns import FETCHED_AT, UTC
from warehouse.schema.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    #: JSON of an object → values of columns that are made of it.
    Derive = Callable[[Mapping[str, Any]], Mapping[str, Any]]

__all__ = ["LISTED_BY", "MOVING", "ObjectTable"]

#: The account of what several accounts may share, or of what does not say whose it is.
LISTED_BY: Final = Column("account_id", "id", "Ad account that lists it", field="")

#: Columns that change by themselves, or with every other change: a new value is not a new state.
MOVING: Final = frozenset({"amount_spent", "balance", "budget_remaining", "updated_time"})

#: When a state was seen, in every history.
_VALIDITY: Final = (
    Column(
        *("valid_from", "instant"),
        "When this state was first seen; a microsecond after the previous one if a clock "
        "that was ahead had given that a later time",
        UTC,
        field="",
    ),
    Column(
        *("valid_to", "instant"),
        "When the next state was first seen; NULL for the state it has now",
        UTC,
        field="",
    ),
)


@dataclass(frozen=True, kw_only=True)
class ObjectTable:
    """One kind of object, listed on an edge of an ad account: its table, its history, how it is
    requested, and what may be missing.

    `edge`: of the account; "" for accounts, which are found in their own way. `kind`: its name in
    the catalogue of Graph's fields; "" if it is not there. `one`: an object of it, as "an ad set".

    `columns`: the first is the key; `fetched_at` is added. `field` of a column may be a path into
    nested parts, as "creative.id". Columns without a field are `derived`: a function of the whole
    JSON of an object gives their values, by the names of columns, as Graph would have sent them.
    Fields that it needs beyond those of columns are `requested` too.

    `grain`: if one row is not an id alone. `has_history`: each state is kept that differs in
    another column than those that are `moving`, or that Column says `moves`.
    `deleted`: the column that is DELETED for a deleted object; "" if no column says so, and objects
    that are no longer listed are left as they were last seen. `is_counted`: Meta documents that the
    edge counts them (`total_count`), so that a listing is known to be complete; otherwise a count
    that does not come is nothing to warn about. `parameters`: of its requests, as the
    size of pictures. `is_read_by_id`: an id is enough to read one.
    `are_events`: they are not listed whole, but read by time, from where the last load ended.

    `insights_column`: of insights, with ids of it; `mentioned_by`: (table of objects, column) with
    such ids; what they mention and no listing had is read by id. `is_needed`: the first load of an
    account lists it. `is_optional`: a token may lack the right for it, and nothing else fails then.
    `restricted`: fields of accounts that take more rights than reading ads, or that fail the whole
    request: they are requested apart, and keep what was read last where Meta refuses them.
    `listed_every_days`: how often a refresh lists all of it. `thumbnail`: the column with the
    address of a picture, which is downloaded once. `is_own`: a person's, and not built in.
    """

    name: str
    meaning: str
    one: str
    columns: tuple[Column, ...]
    edge: str
    kind: str = ""
    grain: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ("account_id",)
    has_history: bool = True
    moving: frozenset[str] = MOVING
    deleted: str = "effective_status"
    is_counted: bool = True
    parameters: tuple[tuple[str, Any], ...] = ()
    is_read_by_id: bool = True
    are_events: bool = False
    insights_column: str = ""
    mentioned_by: tuple[tuple[str, str], ...] = ()
    is_needed: bool = False
    is_optional: bool = False
    listed_every_days: int = 1
    requested: tuple[str, ...] = ()
    restricted: tuple[str, ...] = ()
    derived: Derive | None = field(default=None, repr=False)
    thumbnail: str = ""
    is_own: bool = False

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def key(self) -> str:
        """The column that identifies an object within its account."""
        return self.columns[0].name

    @cached_property
    def latest(self) -> Table:
        """The table of the latest state."""
        columns = (*self.columns, FETCHED_AT)
        return Table(self.name, self.grain or (self.key,), self.meaning, columns, self.partitions)

    @cached_property
    def history(self) -> Table | None:
        """The table of every state that was seen; None if none is kept."""
        if not self.has_history:
            return None
        states = [c for c in self.columns if c.name not in self.moving and not c.moves]
        return Table(
            f"{self.name}_history",
            (*self.latest.grain, "valid_from"),
            f"Every state of {self.one} that was seen: one row per change. Columns that change by "
            "themselves, such as the remaining budget, are only in the table without history.",
            (*states, *_VALIDITY),
            self.partitions,
        )

    @property
    def tables(self) -> Sequence[Table]:
        """Its tables: the latest state and, if it is kept, the history."""
        return (self.latest,) if self.history is None else (self.latest, self.history)

    @cached_property
    def fields(self) -> Sequence[str]:
        """Graph fields to request, in order: of a path the whole that it leads into."""
        sources = (column.source.partition(".")[0] for column in self.columns if column.source)
        wanted = dict.fromkeys((*sources, *self.requested))
        return tuple(name for name in wanted if name not in self.restricted)

    def without(self, refused: Collection[str]) -> Sequence[str]:
        """Its `fields` but for those that are refused."""
        return [name for name in self.fields if name not in refused]

    @cached_property
    def restricted_columns(self) -> frozenset[str]:
        """The columns that `restricted` fields give."""
        return frozenset(
            column.name
            for column in self.columns
            if column.source.partition(".")[0] in self.restricted
        )
