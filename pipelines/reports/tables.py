"""The table that a report fills: its columns, from the spec and the catalogue of fields. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import HOURLY, HOURLY_AUDIENCE, LEVELS, breakdowns, insights_fields
from warehouse.schema.columns import DATE, MONEY
from warehouse.schema.insights import BY_DAY, BY_HOUR, HOURS, OBJECTS
from warehouse.schema.periods import Period
from warehouse.schema.table import Column, Table
from warehouse.schema.verdicts import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.reports.spec import ReportSpec

__all__ = ["in_period", "table_of"]

#: (`kind` of the catalogue, whether it adds up) → kind of a column; a quotient needs more digits
#: than a sum; a kind without a line here stays as it is.
KINDS: Final[Mapping[tuple[str, bool], str]] = {
    ("money", False): "ratio",
    ("decimal", True): "decimal",
    ("decimal", False): "ratio",
    ("percent", False): "ratio",
    ("objects", False): "json",
    ("histograms", False): "json",
}

#: `unit` of the catalogue → that of a column.
UNITS: Final[Mapping[str, str]] = {"major": MONEY}

#: `additive` of the catalogue → what users of the column must know.
CAUTIONS: Final[Mapping[str, str]] = {
    "no": "; do not add up",
    "per_action_type": "; types overlap, do not add them up",
}

#: Columns of objects that exist from this level down; all others exist at every level.
FROM_LEVEL: Final[Mapping[str, str]] = {
    **{f"{level}_{what}": level for level in LEVELS for what in ("id", "name")},
    "objective": "campaign",
    "optimization_goal": "adset",
}

#: What the values of a breakdown are. Source: Insights API, Breakdowns.
MEANINGS: Final[Mapping[str, str]] = {
    "age": "Age of the people, such as 25-34; Unknown where it is not known",
    "gender": "Gender of the people: female, male or unknown",
    "country": "Country of the people, ISO code",
    "region": "Region of the people, by its name",
    "publisher_platform": "Where it was shown: facebook, instagram, audience_network, …",
    "platform_position": "Place on that platform, such as feed or instagram_stories",
    "impression_device": "Device that it was shown on, such as iphone or desktop",
    "device_platform": "Kind of device: mobile_app, mobile_web, desktop, …",
    "product_id": "Product of the catalog",
}

#: Breakdowns that come as an object → its keys that are columns, and what they mean. The id tells
#: assets apart; where there is none, the first key here. Other keys are left out, and the log
#: names them. Sources: Insights API reference, Breakdowns; what Airbyte and Keboola recorded
#: in 2025 and 2026.
ASSET_BREAKDOWNS: Final[Mapping[str, Mapping[str, str]]] = {
    "image_asset": {
        "hash": "Hash of the image",
        "name": "File name of the image",
        "url": "Address of the image; signed, expires within weeks",
    },
    "video_asset": {
        "video_id": "Video",
        "video_name": "Name of the video",
        "url": "Address of the video; signed, expires within weeks",
        "thumbnail_url": "Address of its thumbnail; signed, expires within weeks",
    },
    "body_asset": {"text": "The text"},
    "title_asset": {"text": "The title"},
    "description_asset": {"text": "The description"},
    "call_to_action_asset": {"name": "The button, such as LEARN_MORE"},
    "link_url_asset": {"website_url": "The address that the link leads to"},
    "creative_automation_asset_id": {
        "hash": "Hash of the asset",
        "name": "Name of the asset",
        "text": "Text of the asset",
        "url": "Address of the asset; signed, expires within weeks",
    },
}

#: Keys of an asset whose value differs in every response.
SIGNED: Final = frozenset({"url", "thumbnail_url"})

_AUDIENCE_HOUR: Final = Column(
    *("audience_hour", "hour"),
    "Hour on the viewers' own clocks, 0 to 23; not an instant",
    field=HOURLY_AUDIENCE,
    breakdown=True,
)


def table_of(spec: ReportSpec) -> Table:
    """The table of a spec that has no faults.

    One row per object, day (or week, or month) and value of each breakdown. Whether requested or
    not, it has the ids and names of its objects, and the metrics that it is proven by.
    """
    period = Period(spec.period)
    breakdowns = [c for name in spec.breakdowns for c in _breakdown(name)]
    own = in_period([c for c in OBJECTS if _reaches(spec.level, c.name)], period)
    there = {c.source for c in own}
    fields = [name for name in (*_metrics(spec), *spec.fields) if name not in there]
    columns = (*own, *breakdowns, *(_column(spec, n) for n in dict.fromkeys(fields)))
    dates = [c.name for c in own if c.kind == "date"]
    ids = ("account_id", f"{spec.level}_id", *dates)
    grain = dict.fromkeys((*ids, *(c.name for c in breakdowns if c.breakdown)))
    return Table(
        spec.name,
        tuple(grain),
        spec.description or _meaning(spec),
        columns,
        partitions=("account_id", "date"),
        period=period,
    )


def in_period(columns: Iterable[Column], period: Period) -> Sequence[Column]:
    """Columns of a table by day as one by week or month has them."""
    if period is Period.DAY:
        return [*columns]
    meaning = "First day of the {period} on the account's own calendar{monday}; Meta's date_start"
    monday = ", a Monday" if period is Period.WEEK else ""
    first = replace(DATE, meaning=meaning.format(period=period, monday=monday))
    last = Column(
        *("date_stop", "date"),
        f"Last day that the row covers: that of the {period}, or an earlier one while it goes on",
    )
    return [new for c in columns for new in ((first, last) if c == DATE else (c,))]


def _meaning(spec: ReportSpec) -> str:
    by = f", by {' and '.join(spec.breakdowns)}" if spec.breakdowns else ""
    when = "on each" if spec.period == Period.DAY else "in each"
    return f"What each {spec.level} did {when} of the account's {spec.period}s{by}."


def _reaches(level: str, column: str) -> bool:
    return LEVELS.index(FROM_LEVEL.get(column, LEVELS[0])) <= LEVELS.index(level)


def _metrics(spec: ReportSpec) -> Sequence[str]:
    """The metrics that a day is proven by, as far as its breakdowns have them."""
    known = breakdowns()
    rows = [known[name] for name in spec.breakdowns if name in known]
    return [metric for metric in METRICS if all(row.gives(metric) for row in rows)]


def _breakdown(name: str) -> Sequence[Column]:
    if name == HOURLY:
        return HOURS
    if name == HOURLY_AUDIENCE:
        return [_AUDIENCE_HOUR]
    if name in ASSET_BREAKDOWNS:
        return _asset(name, ASSET_BREAKDOWNS[name])
    known = breakdowns().get(name)
    # A breakdown of undocumented shape is kept as it comes: a key must always be readable.
    kind = "text" if known is not None and known.wire == "text" else "json"
    return [Column(name, kind, MEANINGS.get(name, f"Breakdown {name}"), breakdown=True)]


def _asset(name: str, parts: Mapping[str, str]) -> Sequence[Column]:
    """The key of an asset, and what else its object has, each as a column of text."""
    prefix = name.removesuffix("_id")
    instead = next(iter(parts))
    meaning = f"Asset of the breakdown {name}: its id, or its {instead} if it has none"
    key = Column(
        *(f"{prefix}_id", "text", meaning), field=name, breakdown=True, inside=("id", instead)
    )
    others = [
        Column(f"{prefix}_{part}", "text", what, field=name, inside=(part,), moves=part in SIGNED)
        for part, what in parts.items()
    ]
    return [key, *others]


def _column(spec: ReportSpec, name: str) -> Column:
    known = BY_HOUR if HOURLY in spec.breakdowns else BY_DAY
    column = known.get(name) or _made(name)
    if column.kind != "actions":
        return column
    requested = spec.action_breakdowns or ()
    keys = tuple(key for key in requested if key != "action_type")
    return replace(
        column,
        windows=spec.action_attribution_windows,
        keys=keys,
        by_type=spec.action_breakdowns != (),
    )


def _made(name: str) -> Column:
    """A column for a field without a description of ours, by what the catalogue says about it. A
    field that the catalogue does not list is kept as JSON.
    """
    field = insights_fields().get(name)
    if field is None:
        return Column(name, "json", f"Field {name} as Meta sent it: not in our catalogue of fields")
    kind = KINDS.get((field.kind, field.additive == "yes"), field.kind)
    unit = "count" if field.kind == "actions" and not field.unit else field.unit
    words = field.field.replace("_", " ").capitalize()
    meaning = f"{words}{CAUTIONS.get(field.additive, '')}"
    return Column(field.field, kind, meaning, UNITS.get(unit, unit))
