"""How far the open day of an account is, in lines for a terminal: a bar each, and words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len

from fbgraph import act_id
from pipelines.cli.output.bars import bar
from pipelines.cli.output.table import table_lines
from pipelines.cli.output.terminal import hanging, wrapped
from pipelines.escaping import escaped
from pipelines.watching.message import apart
from warehouse.decode.hours import hours_of, zone_named
from warehouse.decode.money import amount_text, money_text
from warehouse.schema.views.results import RESULTS
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from pipelines.cli.output.bars import Glyphs

__all__ = ["DayPace", "account_lines", "below_lines"]

#: A bar ends at this many times what is usual, or of the budget: Meta may spend up to 1.75 times a
#: daily budget on one day (docs/operations.md#today-by-the-hour).
TIMES: Final = 1.75

#: Cells of a bar in a line, in a table and, in a line, of a stream without a width.
_NARROWEST, _WIDEST, _IN_TABLE, _USUAL_BAR = 10, 32, 12, 24

#: Cells of a line's label.
_LABEL: Final = 12

#: Rows of a table of campaigns or ads.
MOST_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class DayPace:
    """A row of the view `today`: an account, campaign or ad, `row` with the columns of the view.
    `has_nothing`: Meta was asked for the account's today, and had nothing of it yet.
    """

    row: Mapping[str, Any]
    has_nothing: bool = False

    @property
    def account_id(self) -> str:
        return str(self.row["account_id"])

    @property
    def level(self) -> str:
        return str(self.row["level"])

    @property
    def name(self) -> str:
        """Its name, or its id."""
        if self.level == "account":
            key = act_id(self.account_id)
            return f"{self.row['account_name']} ({key})" if self.row["account_name"] else key
        return str(self.row["object_name"] or self.row["object_id"])

    @property
    def currency(self) -> str:
        return str(self.row["account_currency"] or "")

    @property
    def zone(self) -> str:
        return str(self.row["account_timezone"])

    @property
    def day(self) -> date:
        found: date = self.row["date"]
        return found

    @property
    def asked_at(self) -> datetime:
        found: datetime = self.row["asked_at"]
        return found

    @property
    def totals_at(self) -> datetime:
        """When Meta was last asked for anything: for hours, or for the account's total alone."""
        known: datetime | None = self.row["known_at"]
        return max(self.asked_at, known or self.asked_at)

    @property
    def spent_at(self) -> datetime:
        """When Meta last said that what was spent is what the hours have."""
        has_moved = self.row["known_spend"] != self.row["spend"]
        return self.asked_at if has_moved else self.totals_at

    @property
    def is_idle(self) -> bool:
        """Whether nothing is spent, and nothing is usual."""
        return not (self.row["spend"] or self.row["spend_usual"])

    @property
    def whole_until(self) -> str:
        """The clock's time at the end of the last whole hour; "" if there is none."""
        hour = self.row["last_whole_hour"]
        return "" if hour is None else f"{hour + 1:02}:00"

    @property
    def against_usual(self) -> float | None:
        """Spend in whole hours, as times of what is usual by then; None if nothing is."""
        usual, spend = self.row["spend_usual"], self.row["spend_whole"]
        return float(spend / usual) if usual and spend is not None else None

    @property
    def against_budget(self) -> float | None:
        """Spend so far as a share of the daily budget; None if it has none by the day."""
        budget = self.row["budget"]
        return float(self.row["spend"] / budget) if budget else None

    def day_gone(self, at: datetime) -> float:
        """Share of the day's seconds that had passed at an instant. Raises UnknownZoneError."""
        hours = hours_of(self.zone, self.day)
        first, last = hours.starts[0], hours.ends[-1]
        return min(max((at.timestamp() - first) / (last - first), 0.0), 1.0)

    def is_asked(self, now: datetime) -> bool:
        """Whether it is about the day that the account has now."""
        return self.day == now.astimezone(zone_named(self.zone)).date()


def account_lines(  # noqa: PLR0913  # what is shown, and on what
    pace: DayPace,
    now: datetime,
    width: int | None,
    glyphs: Glyphs,
    *,
    findings: Sequence[str],
    is_whole: bool,
) -> Iterator[str]:
    """The lines of an account. `is_whole`: with those that only a named account has."""
    local = now.astimezone(zone_named(pace.zone))
    yield from wrapped(escaped(pace.name), width)
    yield from wrapped(f"  {local:%A %Y-%m-%d, %H:%M} in {pace.zone}. {_asked(pace, now)}", width)
    if pace.is_asked(now):
        shown = [
            _spent_line(pace, width, glyphs),
            _known_line(pace, width, glyphs),
            _budget_line(pace, width, glyphs),
        ]
        shown += [_same_hours(pace), _results_line(pace)] if is_whole else []
        shown += [_end_line(pace)]
        for head, text in filter(None, shown):
            yield from hanging(head, text, width)
        if note := pace.row["note"]:
            yield from wrapped(f"  {note}", width)
    for finding in findings:
        yield from wrapped(f"  ! {escaped(finding)}", width, "  ")


def _asked(pace: DayPace, now: datetime) -> str:
    zone = zone_named(pace.zone)
    of_hours, at = pace.asked_at.astimezone(zone), pace.totals_at.astimezone(zone)
    if not pace.is_asked(now):
        nothing = "Meta has nothing of today yet"
        why = nothing if pace.has_nothing else "Today has not been asked yet"
        return f"{why}; {pace.day} was last asked at {at:%Y-%m-%d %H:%M}."
    late = "" if pace.spent_at == pace.totals_at else f"; hours are those of {of_hours:%H:%M}"
    return f"Meta was asked at {at:%H:%M}, {_ago(now - pace.totals_at)}{late}."


def _ago(passed: timedelta) -> str:
    minutes = max(int(passed / timedelta(minutes=1)), 0)
    if minutes < 1:
        return "just now"
    if minutes < 120:  # noqa: PLR2004  # beyond two hours minutes say nothing
        return f"{counted(minutes, 'minute')} ago"
    return f"{counted(minutes // 60, 'hour')} ago"


def _head(label: str, drawn: str = "") -> str:
    return f"  {label:<{_LABEL}}{f'{drawn}  ' if drawn else ''}"


def _bar_width(width: int | None) -> int:
    return _USUAL_BAR if width is None else min(max((width - 16) // 3, _NARROWEST), _WIDEST)


def _spent_line(pace: DayPace, width: int | None, glyphs: Glyphs) -> tuple[str, str] | None:
    """Whole hours against the same hours of usual weekdays."""
    usual, times = pace.row["spend_usual"], pace.against_usual
    if usual is None or not pace.whole_until:
        return None
    label = f"by {pace.whole_until}"
    spent = money_text(pace.row["spend_whole"], pace.currency)
    days = pace.row["same_weekdays"]
    weekday = f"{pace.day:%A}"
    of = f"median of {days} {weekday}s" if days != 1 else f"one {weekday}"
    if times is None:
        return _head(label), f"{spent}; usually nothing by then ({of})"
    drawn = bar(times / TIMES, _bar_width(width), 1 / TIMES, glyphs)
    text = f"{spent}, {_compared(times)} {money_text(usual, pace.currency)} ({of})"
    return _head(label, drawn), text


def _known_line(pace: DayPace, width: int | None, glyphs: Glyphs) -> tuple[str, str] | None:
    """What was known at an instant against what was known at that time of usual weekdays: both lack
    what Meta counts late.
    """
    known, usual = pace.row["known_spend"], pace.row["known_usual"]
    if known is None or not usual:
        return None
    times = float(known / usual)
    drawn = bar(times / TIMES, _bar_width(width), 1 / TIMES, glyphs)
    at = pace.row["known_at"].astimezone(zone_named(pace.zone))
    text = (
        f"{money_text(known, pace.currency)} known at {at:%H:%M}, {_compared(times)}"
        f" {money_text(usual, pace.currency)} that were known by then"
    )
    return _head("as known", drawn), text


def _compared(times: float) -> str:
    percent = round(100 * (times - 1))
    if percent == 0:
        return "as usual:"
    return f"{abs(percent)} % {'more' if percent > 0 else 'less'} than the usual"


def _budget_line(pace: DayPace, width: int | None, glyphs: Glyphs) -> tuple[str, str]:
    """All that was spent against the daily budget, with a mark for the time that has passed."""
    spent, share = money_text(pace.row["spend"], pace.currency), pace.against_budget
    gone = pace.day_gone(pace.spent_at)
    if share is None:
        return _head("so far"), f"{spent}; {gone:.0%} of the day was gone".replace("%", " %")
    drawn = bar(share / TIMES, _bar_width(width), gone / TIMES, glyphs)
    text = (
        f"{spent} of {money_text(pace.row['budget'], pace.currency)} a day: {share:.0%} of the"
        f" budget, when {gone:.0%} of the day was gone"
    )
    return _head("budget", drawn), text.replace("%", " %")


def _end_line(pace: DayPace) -> tuple[str, str] | None:
    at_end, low, high = (pace.row[f"projected_{one}"] for one in ("spend", "low", "high"))
    if at_end is None:
        return None
    spread = ""
    if low is not None and high is not None:
        span = f"{amount_text(low, pace.currency)} to {money_text(high, pace.currency)}"
        spread = f"; {span} (range of the last {pace.day:%A}s)"
    elif low is not None:
        spread = f"; at least {money_text(low, pace.currency)}"
    return _head("end of day"), f"about {money_text(at_end, pace.currency)}{spread}"


def _same_hours(pace: DayPace) -> tuple[str, str] | None:
    """The same hours of yesterday and of a week ago."""
    if not pace.whole_until:
        return None
    days = {"yesterday": "spend_yesterday", "a week ago": "spend_week_ago"}
    texts = [
        f"{money_text(pace.row[column], pace.currency)} {day}"
        if pace.row[column] is not None
        else f"not known {day} (not completely loaded)"
        for day, column in days.items()
    ]
    return _head("before"), f"{', '.join(texts)}; each by {pace.whole_until}"


def _results_line(pace: DayPace) -> tuple[str, str] | None:
    """The results, as far as reports by the day have them."""
    asked_at = pace.row["results_asked_at"]
    if asked_at is None:
        return None
    numbers = {one.number.replace("_", " "): pace.row[one.number] for one in RESULTS}
    some = [f"{number:,.0f} {name}" for name, number in numbers.items() if number]
    at = asked_at.astimezone(zone_named(pace.zone))
    return _head("results"), f"{', '.join(some) or 'none'}, asked at {at:%H:%M}; they come in late"


# -- campaigns and ads of an account ---------------------------------------------------------------


def below_lines(
    level: str, rows: Sequence[DayPace], width: int | None, glyphs: Glyphs
) -> Iterator[str]:
    """The campaigns or ads of an account, those that spent most first."""
    busy = sorted(
        (one for one in rows if not one.is_idle),
        key=lambda one: (-one.row["spend"], one.name),
    )
    idle = len(rows) - len(busy)
    if busy:
        by = f"by {busy[0].whole_until}"
        columns = {
            level: apart([(one.name, str(one.row["object_id"])) for one in busy]),
            "spent": _amounts(busy, "spend"),
            by: _amounts(busy, "spend_whole"),
            "usual by then": _amounts(busy, "spend_usual"),
            "pace": [_table_bar(one, glyphs) for one in busy],
            "end of day": _amounts(busy, "projected_spend"),
            "budget": _amounts(busy, "budget"),
        }
        filled = {title: texts for title, texts in columns.items() if any(map(str.strip, texts))}
        table = [*zip(*filled.values(), strict=True)][:MOST_ROWS]
        # All that was spent says less than whole hours, which alone can be compared.
        spare = ("spent", "budget", "end of day") if by in filled else ("budget", "end of day")
        yield from table_lines([*filled], table, width, spare=spare)
    left_out = [f"{len(busy) - MOST_ROWS} more that spend"] if len(busy) > MOST_ROWS else []
    left_out += [f"{idle} without spend, today or usually"] if idle else []
    if left_out:
        text = f"Not shown: {counted(len(rows) - min(len(busy), MOST_ROWS), level)}"
        yield from wrapped(f"{text} ({', '.join(left_out)}).", width)


def _table_bar(pace: DayPace, glyphs: Glyphs) -> str:
    times = pace.against_usual
    return "" if times is None else bar(times / TIMES, _IN_TABLE, 1 / TIMES, glyphs)


def _amounts(paces: Sequence[DayPace], column: str) -> Sequence[str]:
    """A column of money, without its currency, to the right; blank where nothing is known."""
    amounts = ((one.row[column], one.currency) for one in paces)
    texts = [
        "" if amount is None else amount_text(amount, currency) for amount, currency in amounts
    ]
    width = max(map(cell_len, texts), default=0)
    return [text.rjust(width) for text in texts]
