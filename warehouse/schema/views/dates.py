"""The view `calendar`: every date of the loads, with its week, month and weekday."""

from __future__ import annotations

from typing import Final

from warehouse.schema.table import Column, View

__all__ = ["CALENDAR"]

#: A column about a date → its SQL. DuckDB's names of days are English wherever it runs.
_OF_DATES: Final = {
    Column("date", "date", "Every date from the first account-day loaded to the last"): "date",
    Column("year", "number", "Year of the calendar"): "year(date)",
    Column("quarter", "number", "Quarter, 1 to 4"): "quarter(date)",
    Column("month", "number", "Month, 1 to 12"): "month(date)",
    Column("month_start", "date", "First day of the month"): "date_trunc('month', date)::DATE",
    Column(
        *("iso_year", "number"),
        "Year that the ISO week belongs to: 2026 for 2027-01-01, which is in week 53 of it",
    ): "isoyear(date)",
    Column("iso_week", "number", "ISO week, 1 to 53; weeks begin on Monday"): "week(date)",
    Column("week_start", "date", "Monday of the week"): "date_trunc('week', date)::DATE",
    Column("weekday", "text", "Monday to Sunday"): "dayname(date)",
    Column("weekday_number", "number", "1 for Monday to 7 for Sunday"): "isodow(date)",
}

CALENDAR: Final = View(
    "calendar",
    ("date",),
    "Every date from the first account-day in loads to the last, whether or not anything was "
    "delivered.",
    tuple(_OF_DATES),
    "FROM (FROM loads SELECT unnest(generate_series(min(date), max(date), INTERVAL 1 DAY))::DATE "
    f"AS date) SELECT {', '.join(f'{sql} AS {column.name}' for column, sql in _OF_DATES.items())}",
)
