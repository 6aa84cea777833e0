r"""Values as they may stand in a page, well-formed and not, and what becomes of each.

Raw JSON, so that no JSON writer tidies it. Bytes that are no UTF-8 are lone surrogates here
("\udcff" is the byte 0xff), digits of other scripts are escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from warehouse.schema.columns import HOURLY

__all__ = ["MALFORMED", "REJECTED", "Case"]

REJECTED = object()


@dataclass(frozen=True)
class Case:
    """A value as it is written in the page, and the value that loads; `REJECTED` if no row may.

    `lost` is what is noted of it, entry by entry. `column` is the one that is blamed, if it has
    another name than the key.
    """

    key: str
    raw: str
    loads: Any
    column: str | None = None
    lost: tuple[str, ...] = ()


def rejected(key: str, *raws: str, column: str | None = None) -> list[Case]:
    """Keys, and the three that prove: the row is lost."""
    return [Case(key, raw, REJECTED, column, ("row",)) for raw in raws]


def nulled(key: str, *raws: str) -> list[Case]:
    """Any other cell: it alone is lost."""
    return [Case(key, raw, None, lost=("cell",)) for raw in raws]


def noted(key: str, *triples: tuple[str, Any, str]) -> list[Case]:
    """A part of a cell is lost, or nothing; the rest of it loads."""
    return [Case(key, raw, value, lost=tuple(lost.split())) for raw, value, lost in triples]


def loaded(key: str, *pairs: tuple[str, Any]) -> list[Case]:
    return [Case(key, raw, value) for raw, value in pairs]


def amounts(*pairs: tuple[str, str]) -> list[Case]:
    return [Case("spend", raw, Decimal(value)) for raw, value in pairs]


CLICK = '"action_type": "link_click"'


def clicks(value: Any) -> list[dict[str, Any]]:
    return [{"action_type": "link_click", "value": value}]


WHOLE_NUMBERS = [
    *rejected("impressions", '"12a"', '""', '"NaN"', '"3.0"', '"3.7"', '"1e3"', '" 12 "', '" 5"'),
    *rejected("impressions", '"9223372036854775808"', '"-9223372036854775809"', '"1,234"', '"."'),
    *rejected("impressions", '"1_000"', '"1 000"', '"١٢"', '"\uff15"', '"²"', '"5\\n"', '".5"'),
    *rejected(
        "impressions", '"+5"', '"+"', '"-"', '"--5"', '"5-"', '"\u22125"', '"null"', '"true"'
    ),
    *rejected("impressions", '"0x1F"', '"0X1f"', '"0x"', '"-0x1F"', '"0b1"', '"1e0"', '"1.0"'),
    *rejected("impressions", r'"5\u0000"', r'"\u00005"', r'"\ufeff5"', f'"{"9" * 5000}"'),
    *rejected("impressions", "12.5", "1.0", "1e3", "true", "false", "NaN", "-Infinity", "9" * 5000),
    *rejected("impressions", "9223372036854775808", "{}", '{"value": 5}', "[]", '["12"]'),
    *loaded("impressions", ('"9223372036854775807"', 2**63 - 1), ('"-5"', -5), ('"007"', 7)),
    *loaded("impressions", ('"-9223372036854775808"', -(2**63)), ('"0"', 0), ('"-0"', 0)),
    *loaded("impressions", (r'"\u0035"', 5), (f'"{"0" * 40}5"', 5), ("12", 12), ("null", None)),
]

DECIMALS = [
    *rejected("spend", '"1e400"', '"NaN"', '"Infinity"', '"1.2345678"', '"1234567890123.12"'),
    *rejected("spend", '"1e-7"', '"1,5"', '""', '" 1"', '"0x1F"', '"1_0"', '"--1"', '"€1"', '"."'),
    *rejected("spend", '"\uff15.5"', '"-"', '"1e"', '"e5"', '"1.5e1.5"', '"0x1p3"', '"1/2"'),
    *rejected("spend", '"1.234,50"', '"1,234.50"', '"1.5 EUR"', '"nan"', '"-inf"', '"1 %"', '" "'),
    *rejected("spend", '"1e12"', '"1e-999"', '"999999999999.9999999"', '"12.34e-5"', '"null"'),
    *rejected("spend", '"1e99999999999999999999"', f'"{"9" * 200}"', f'"0.{"0" * 40}1"'),
    *rejected("spend", r'"1.5\u0000"', "1e400", "0.30000000000000004", "1.0000001", "Infinity"),
    *rejected("spend", "true", "false", '{"value": "1"}', "[]", '["1"]'),
    # Arrow's own cast takes these for 0.
    *rejected("spend", '"1e-45"', '"123456E-65"', '"0.1e-75"', '"1e-81"', "1e-89"),
    *loaded("spend", ("null", None)),
    *amounts(('"0"', "0"), ('"-0"', "0"), ('"0e400"', "0"), ('"18.4"', "18.4"), ('"+5"', "5")),
    *amounts(('".5"', "0.5"), ('"5."', "5"), ('"1E+2"', "100"), ('"1e2"', "100"), ("1e2", "100")),
    *amounts(("0.1", "0.1"), ("1.00000000000000000000", "1"), ('"-3.5"', "-3.5")),
    *amounts(('"1e-6"', "0.000001"), ('"1.2345670"', "1.234567")),
    *amounts(('"999999999999.999999"', "999999999999.999999")),
    *amounts(('"999999999999999999e-6"', "999999999999.999999")),
    *amounts(("12345678901.123456", "12345678901.123456")),
]

#: Not a list at all.
NO_LISTS = ("{}", f"{{{CLICK}}}", '"x"', '""', "3", "true", f'{{"0": {{{CLICK}}}}}', "NaN")

#: Numbers that cannot be kept: the entry stays, without its number.
NO_NUMBERS = (
    *('"12a"', '""', "{}", "true", '["1"]', '"1e400"', '"1.2345678"', '"1e-45"', "1e-65"),
    *('"1", "value": "2"', '"1", "value": "1"', 'null, "value": "2"'),
)

#: Entries that nobody can tell what they are about.
NO_ENTRIES = (
    *("null", '"s"', "[]", "7", f"[{{{CLICK}}}]", "[" * 200 + "]" * 200),
    *('{"action_type": ["a"], "value": "1"}', '{"action_type": true, "value": "1"}'),
    f'{{{CLICK}, {CLICK}, "value": "1"}}',
)

HALF = r'[{"action_type": "a\ud800", "value": "1"}]'

LISTS = [
    *nulled("actions", *NO_LISTS),
    *noted(
        "actions", *((f'[{{{CLICK}, "value": {n}}}]', clicks(None), "value") for n in NO_NUMBERS)
    ),
    *noted("actions", *((f"[{one}]", [], "entry") for one in NO_ENTRIES)),
    *noted(
        "actions", *((f'[{{{CLICK}, "value": "3"}}, {n}]', clicks(3), "entry") for n in NO_ENTRIES)
    ),
    *noted(
        "actions", (f'[null, {{{CLICK}, "value": ""}}, "x"]', clicks(None), "entry value entry")
    ),
    *noted("actions", (HALF, [{"action_type": "a\ufffd", "value": 1}], "nothing")),
    *noted("actions", ('[{"value": "12a"}]', [{"action_type": None, "value": None}], "value")),
    *loaded("actions", ("[]", []), ("null", None), (f"[{{{CLICK}}}]", clicks(None))),
    *loaded("actions", (f'[{{{CLICK}, "value": null}}]', clicks(None))),
    *loaded("actions", (f'[{{{CLICK}, "value": "0"}}]', clicks(0))),
    *loaded("actions", (f'[{{{CLICK}, "value": 7}}]', clicks(7))),
    *loaded("actions", (f'[{{{CLICK}, "value": "1", "7d_click": "1"}}]', clicks(1))),
    *loaded("actions", (f'[{{{CLICK}, "value": "1", "odd": 1, "odd": 2}}]', clicks(1))),
    *loaded("actions", (f"[{{{CLICK}}}, {{{CLICK}}}]", clicks(None) * 2)),
    *loaded("actions", ('[{"action_type": ""}]', [{"action_type": "", "value": None}])),
    # Lists of one number have no type: website_purchase_roas and its like.
    *loaded("actions", ('[{"value": "3.2"}]', [{"action_type": None, "value": Decimal("3.2")}])),
    *loaded("actions", ('[{"action_type": null}]', [{"action_type": None, "value": None}])),
    *loaded("actions", ("[{}]", [{"action_type": None, "value": None}])),
]

DAYS = [
    *rejected("date_start", '"2026-02-30"', '"2026-3-1"', '"2026-11-21T00:00:00+0000"', "null"),
    *rejected("date_start", '"2026-W47-6"', '"20261121"', '" 2026-11-21"', '"2026-11-21Z"', "{}"),
    *rejected("date_start", '"\uff12026-11-21"', '"21.11.2026"', '"2026-13-01"', '"10000-01-01"'),
    *rejected("date_start", '"-2026-11-21"', r'"2026-11-21\u0000"', "true", '["2026-11-21"]', '""'),
    *rejected("date_start", '"0000-01-01"', '"1999-12-31"', '"2026-11-20"', '"2026-11-22"'),
    *rejected("date_start", '"9999-12-31"', "20261121"),
    *rejected("date_stop", '"2026-11-22"', '""', '"2026-2-3"', "20261121", "true", column="date"),
    *rejected("date_stop", '["2026-11-21"]', "[]", "{}", column="date"),
    *loaded("date_stop", ("null", None)),
]

HOURS = [
    *rejected(
        HOURLY, '"24:00:00 - 24:59:59"', '"25:00:00 - 25:59:59"', '"noon"', '""', "7", '"07"'
    ),
    *rejected(HOURLY, '"7:00:00 - 7:59:59"', '"07:00:00-07:59:59"', '"07:00:00 - 08:00:00"'),
    *rejected(HOURLY, '"07:30:00 - 08:29:59"', '"07:00:00 \u2013 07:59:59"', "true", "[]", "{}"),
    *rejected(HOURLY, '"07:00:00 - 07:59:59 "', r'"07:00:00 - 07:59:59\u0000"'),
    *loaded(HOURLY, ('"00:00:00 - 00:59:59"', 0), ('"23:00:00 - 23:59:59"', 23), ("null", None)),
]

NAMES = [
    *nulled(
        "campaign_name", '{"a": 1}', "[]", '[["a"]]', "true", "NaN", '"a", "campaign_name": "b"'
    ),
    *noted(
        "campaign_name",
        (r'"\ud83d"', "\ufffd", "nothing"),
        (r'"a\udc00\ud800b"', "a\ufffd\ufffdb", "nothing"),
        (r'"\ud83d\udeb2\ud83d"', "🚲\ufffd", "nothing"),
        ('"\udcff"', "\ufffd", "nothing"),
        ('"a\udcc3"', "a\ufffd", "nothing"),
        ('"\udcc0\udc80"', "\ufffd\ufffd", "nothing"),
        ('"\udced\udca0\udc80"', "\ufffd" * 3, "nothing"),
        ('"\udcf4\udc90\udc80\udc80"', "\ufffd" * 4, "nothing"),
    ),
    *loaded(
        "campaign_name", (r'"\u0000"', "\0"), (r'"a\u0000b"', "a\0b"), ('"\ufeffa"', "\ufeffa")
    ),
    *loaded("campaign_name", (r'"\ud83d\udeb2"', "🚲"), (r'"\udbff\udfff"', "\U0010ffff")),
    *loaded("campaign_name", ('""', ""), ('" "', " "), ('"NULL"', "NULL"), ("null", None)),
    *loaded("campaign_name", ("5", "5"), ("5.5", "5.5"), ("1e400", "1e400")),
    *loaded("campaign_name", (f'"{"x" * 100_000}"', "x" * 100_000)),
]

IDS = [
    *rejected(
        "ad_id", '""', '"12a"', "null", "-1", '"act_12"', "1.5", "1e3", "12.0", '" 12"', "[]"
    ),
    *rejected("ad_id", '"\uff11\uff12"', r'"12\u0000"', "{}", "true", '"0x1"'),
    *loaded("ad_id", ("12023000000000001", "12023000000000001"), ('"012"', "012")),
    *loaded("ad_id", ("1" * 29, "1" * 29)),
    *rejected("account_id", '"1"', "null", '"act_111122223333444"', '"111122223333444 "'),
    *rejected("account_id", '"0111122223333444"'),
    *loaded("account_id", ("111122223333444", "111122223333444")),
]

#: Keys that nobody asked for, and keys that are there twice.
KEYS = [
    *loaded("cost_of_doing", ('"1"', None), ('[1, {"a": "\udcff"}]', None), ("1e999", None)),
    *loaded("cost_of_doing", ("[" * 200 + "]" * 200, None), (f'{{"a": {"9" * 500}}}', None)),
    *loaded("cost_of_doing", ('{"a": 1, "a": NaN}', None)),
    *loaded("cost_of_doing", ('1, "cost_of_doing": 1', None)),
    *rejected("clicks", '"1", "clicks": "2"', '"1", "clicks": null'),
    *rejected("clicks", 'null, "clicks": "2"', r'"1", "\u0063licks": "1"'),
]

#: The same numbers where they prove nothing.
OPTIONAL = [
    *nulled("inline_link_clicks", *(c.raw for c in WHOLE_NUMBERS if c.loads is REJECTED)),
    *nulled("social_spend", *(c.raw for c in DECIMALS if c.loads is REJECTED)),
    *nulled(
        "campaign_id",
        *(c.raw for c in IDS if c.key == "ad_id" and c.loads is REJECTED and c.raw != "null"),
    ),
]

MALFORMED = [*WHOLE_NUMBERS, *DECIMALS, *LISTS, *DAYS, *HOURS, *NAMES, *IDS, *KEYS, *OPTIONAL]
