"""Whether a body has the shape of a sample: its keys, with the types of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fbgraph.catalog.fields import HOURLY

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}

#: Keys of rows that are not asked for by name.
UNASKED = {"date_start", "date_stop", HOURLY}


def fields_of(shape: Any) -> str:
    """The fields that a sample has, whether it is a list or one object."""
    if not isinstance(shape, dict):
        return ""
    if "data" not in shape:
        return ",".join(shape)
    return ",".join(key for row in shape["data"] for key in row.keys() - UNASKED)


def problem(value: Any, shape: Any, at: str = "") -> str:
    """Where a value does not have a shape, or an empty text."""
    if isinstance(shape, dict):
        keys = sorted(value) if isinstance(value, dict) else [type(value)]
        if keys != sorted(shape):
            return f"{at}: {sorted(shape)} wanted, {keys}"
        return first(problem(value[key], shape[key], f"{at}.{key}") for key in shape)
    if isinstance(shape, list):
        return problem_of_list(value, shape, at)
    if shape in TYPES:
        # A bool is an int to Python, and not to JSON.
        fits = isinstance(value, TYPES[shape]) and isinstance(value, bool) == (shape == "bool")
        return "" if fits else f"{at}: {shape} wanted, {value!r}"
    return "" if value == shape else f"{at}: {shape!r} wanted, {value!r}"


def problem_of_list(value: Any, shapes: list[Any], at: str) -> str:
    """Each shape is that of some entries; together the entries have its keys, in rows not all."""
    if not isinstance(value, list) or (not shapes and at == ".data" and value):
        return f"{at}: another list wanted, {value!r}"
    for shape in shapes:
        like = [one for one in value if isinstance(one, dict) == isinstance(shape, dict)]
        merged = together(like) if isinstance(shape, dict) else like[0] if like else value
        if said := problem(merged, shape, f"{at}[]"):
            return said
    return ""


def together(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The keys of all rows, each with a value that one of them has: the longest list."""
    found: dict[str, Any] = {}
    for row in rows:
        for key, value in row.items():
            if isinstance(value, list) and isinstance(found.get(key), list):
                found[key] = found[key] + value
            else:
                found.setdefault(key, value)
    return found


def first(texts: Any) -> str:
    return next((text for text in texts if text), "")


def described(body: bytes) -> str:
    text = body.decode()
    return "html" if text.startswith("<!DOCTYPE html>") else text or "empty"
