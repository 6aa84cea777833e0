"""Reads the documents of a YAML file with the line of every key and value: PyYAML, made strict."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "COMPONENT",
    "OBJECTS",
    "WAREHOUSE",
    "Document",
    "Lines",
    "UnreadableFileError",
    "documents",
]

#: The `type` of a report.
COMPONENT: Final = "pipelines.components.InsightsReport"

#: The `type` of a table of objects.
OBJECTS: Final = "pipelines.components.ObjectTable"

#: The `type` of everything else, in a Dagster project of a user.
WAREHOUSE: Final = "pipelines.components.Warehouse"

#: How similar a word must be to count as a typo of another; 1 is equal.
ALIKE: Final = 0.75

#: What PyYAML says → what it means.
_MEANT: Final[Mapping[str, str]] = {
    "found unhashable key": "found unhashable key; templates like {{ env.X }} are not supported",
    "second occurrence": "an anchor of this name is defined above already",
}

#: Keys that only a report has both of.
OF_A_REPORT: Final = frozenset({"level", "fields"})

#: Bytes of the longest file, and values in it when all aliases are written out: hundreds of
#: reports. A file of a kilobyte can name more values than there is memory for.
MOST_BYTES: Final = 1_000_000
MOST_VALUES: Final = 100_000

#: (key, "") and (key, value) → line, counted from 1; ("", "") is that of the report.
Lines = dict[tuple[str, str], int]


class UnreadableFileError(Exception):
    """A file, or the rest of one, is not YAML or cannot be read; `line` says from where."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. `keys` is None where it is not a mapping; `type` is empty where it is
    missing; `repeated` are keys that are written twice, at the top or among the attributes.
    """

    keys: Sequence[str] | None
    type: str = ""
    attributes: Any = None
    repeated: Sequence[str] = ()
    is_empty: bool = False
    lines: Lines = field(default_factory=lambda: {("", ""): 1})

    @property
    def is_meant_as_report(self) -> bool:
        """Whether it is meant as a report, perhaps with a typo in its type."""
        if isinstance(self.attributes, dict) and self.attributes.keys() >= OF_A_REPORT:
            return True
        return self._is_like(COMPONENT)

    @property
    def is_meant_as_objects(self) -> bool:
        """Whether it is meant as a table of objects, perhaps with a typo in its type."""
        attributes = self.attributes if isinstance(self.attributes, dict) else {}
        if "level" in attributes:
            return False
        return "edge" in attributes or self._is_like(OBJECTS)

    def _is_like(self, of_type: str) -> bool:
        whole, last = self.type, self.type.rpartition(".")[2].lower()
        ours = of_type.rpartition(".")[2].lower()
        return bool(
            get_close_matches(whole, [of_type], cutoff=ALIKE)
            or get_close_matches(last, [ours], cutoff=ALIKE)
        )

    @property
    def may_be_ours(self) -> bool:
        """Whether the type may be one of ours at all; a component of the same name in another
        package is not.
        """
        package = self.type.partition(".")[0]
        return not self.type or bool(get_close_matches(package, ["pipelines"], cutoff=ALIKE))

    def resolved(self, environ: Mapping[str, str]) -> Document:
        """The document with the values of ``{{ env.NAME }}`` put in, as Dagster does it."""
        return replace(self, attributes=_resolved(self.attributes, environ))


def _resolved(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(one, environ) for key, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, environ) for one in value]
    name = _ENV.fullmatch(value) if isinstance(value, str) else None
    return environ.get(name[1], value) if name else value


#: The one template that can be read without Dagster and the code of a project.
_ENV: Final = re.compile(r"\{\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml ships no types
    """Leaves days as the texts that they are written in: we report what is not a day."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def documents(path: Path) -> Iterator[Document]:
    """The documents of a file, at least one. Raises UnreadableFileError after those before the
    fault have been yielded.
    """
    try:
        loader = _Loader(_text(path))
        is_empty = True
        while loader.check_node():
            node = loader.get_node()
            _require_bounded(node)
            document = _document(node, loader.construct_document(node))
            if document.keys is not None or not _is_null(node):
                is_empty = False
                yield document
        if is_empty:
            yield Document(None, is_empty=True)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UnreadableFileError("the file is not UTF-8", line) from None
    except OSError as error:
        raise UnreadableFileError(f"the file cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = str(getattr(error, "problem", None) or error).partition("\n")[0]
        why = why.replace("got '<stream end>'", "the file ends")  # what is in <> is a tag to pages
        raise UnreadableFileError(_MEANT.get(why, why), mark.line + 1 if mark else 1) from None
    except RecursionError:
        raise UnreadableFileError("lists and keys are nested too deeply") from None
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as e:
        # PyYAML raises these for values that do not fit their tags.
        raise UnreadableFileError(f"a value cannot be read: {e}") from None


def _text(path: Path) -> str:
    """The text of a file. Raises UnreadableFileError for what may have no end."""
    if path.exists() and not path.is_file():
        raise UnreadableFileError("it is a pipe or a device, not a file")
    if path.stat().st_size > MOST_BYTES:
        raise UnreadableFileError(f"the file is longer than {MOST_BYTES:,} bytes")
    return path.read_text(encoding="utf-8")


def _require_bounded(document: yaml.Node) -> None:
    """Raise UnreadableFileError for a document that is too much to look at, aliases written out."""
    left, count = [document], 0
    while left:
        node, count = left.pop(), count + 1
        if count > MOST_VALUES:
            why = f"aliases expand to more than {MOST_VALUES:,} values, or one contains itself"
            raise UnreadableFileError(why, document.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            left += [one for pair in node.value for one in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")


def _document(node: yaml.Node, read: Any) -> Document:
    if not isinstance(node, yaml.MappingNode) or not isinstance(read, dict):
        return Document(None, lines={("", ""): node.start_mark.line + 1})
    attributes = next((v for k, v in node.value if k.value == "attributes"), None)
    named = read.get("type")
    return Document(
        keys=[str(key) for key in read],
        type="" if named is None else str(named),
        attributes=read.get("attributes"),
        repeated=[*_repeated(node), *_repeated(attributes)],
        lines=_lines(node),
    )


def _repeated(node: yaml.Node | None) -> Sequence[str]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    keys = [str(key.value) for key, _ in pairs]
    return sorted({key for key in keys if keys.count(key) > 1})


def _lines(document: yaml.MappingNode) -> Lines:
    lines = {("", ""): document.start_mark.line + 1}
    for key, value in document.value:
        lines[str(key.value), ""] = key.start_mark.line + 1
        if isinstance(value, yaml.ScalarNode):
            lines[str(key.value), str(value.value)] = value.start_mark.line + 1
        if key.value == "attributes":
            lines["", ""] = key.start_mark.line + 1
            lines |= _lines_of(value)
    return lines


def _lines_of(attributes: yaml.Node) -> Lines:
    lines: Lines = {}
    for key, value in attributes.value if isinstance(attributes, yaml.MappingNode) else ():
        lines[str(key.value), ""] = key.start_mark.line + 1
        entries = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for entry in entries:
            # An entry with keys of its own is known by each of its values.
            inner = entry.value if isinstance(entry, yaml.MappingNode) else ()
            for one in (entry, *(value for _, value in inner)):
                if isinstance(one, yaml.ScalarNode):
                    lines[str(key.value), str(one.value)] = one.start_mark.line + 1
    return lines
