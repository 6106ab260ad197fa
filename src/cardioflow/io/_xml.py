"""XML from strangers: no DTD, no entity, no depth or number of elements that the file's size does not warrant."""

from __future__ import annotations

import base64
import binascii
import itertools
import math
import re
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._source import read_whole

__all__ = ["base64_bytes", "number", "numbers", "optional_number", "parse_xml", "root_name", "text"]

_MOST_DEPTH = 64
# An element costs some 500 bytes; one in 32 keeps the tree below 16 times the file. Real files have one in 70 or more.
_BYTES_PER_ELEMENT = 32
_ALWAYS_ALLOWED = 2000
_TOO_MANY = "has more elements, or deeper ones, than a file of its size can hold an ECG with."


def parse_xml(path: Path, root_tag: str, what: str, *, doctype: bool = False) -> Element:
    """Return the root of an XML file, called ``root_tag``, with the prefixes of namespaces taken off all names.

    ``doctype`` says that a format carries a ``<!DOCTYPE … SYSTEM "…">`` of its root by habit: it is blanked out before
    the parser sees the file, so that nothing of it is ever processed. Any other DTD is refused, and with it
    every entity, since a DTD is where they are declared. expat feeds the tree without Python in between
    (why: ``docs/decisions/0010``).

    Raises:
        FormatError: when the file is not well-formed XML, holds a DTD or entities, is a bomb, or has another root,
            so that it is not ``what``.
    """
    content = read_whole(path)
    if doctype:
        content = _without_doctype(content, root_tag)
    _check_number(content)
    tree, parser = TreeBuilder(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = tree.start, tree.end
    parser.CharacterDataHandler = tree.data
    parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = _refuse, _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(content, True)  # noqa: FBT003 -- whether this is all of it; it has no name
        root: Element = tree.close()
    except expat.ExpatError as error:
        raise FormatError(f"is not well-formed XML: {error}.") from error
    except (ValueError, LookupError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"names an encoding that cannot be read: {error}.") from error
    _take_prefixes_off(root)
    if root.tag != root_tag:
        raise FormatError(f"is not {what}: its root is <{root.tag}>; expected <{root_tag}>.")
    return root


def _refuse(*declaration: object) -> NoReturn:
    del declaration
    raise FormatError("holds a DTD or an entity, which is refused: nothing may be fetched or expanded.")


def _check_number(content: bytes) -> None:
    """Refuse what has too many elements or attributes for its size; counting is cheaper than building them."""
    # Comments count as elements, what stands in UTF-16 twice, and base64's "=" as attributes, which cost half as much.
    n_elements = content.count(b"<") - content.count(b"</") + content.count(b"=") / 2
    if n_elements > _ALWAYS_ALLOWED + len(content) / _BYTES_PER_ELEMENT:
        raise FormatError(_TOO_MANY)


def _take_prefixes_off(root: Element) -> None:
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > _MOST_DEPTH:
            raise FormatError(_TOO_MANY)
        below: list[Element] = []
        for element in level:
            if ":" in element.tag:
                element.tag = element.tag.rpartition(":")[2]
            for name in element.keys():  # noqa: SIM118 -- an element is not a dict: iterating gives its children
                if ":" in name:
                    value = element.attrib.pop(name)
                    if not name.startswith("xmlns:"):
                        element.set(name.rpartition(":")[2], value)
            below.extend(element)
        level = below


def _without_doctype(content: bytes, root: str) -> bytes:
    pattern = rb"<!DOCTYPE\s+" + root.encode() + rb"""\s+SYSTEM\s+(?:"[^"<>\[\]]*"|'[^'<>\[\]]*')\s*>"""
    # Blanks of the same length, so that a parser's line and column stay true.
    head = re.sub(pattern, lambda found: b" " * len(found[0]), content[:4096], count=1)
    return head + content[4096:]


def root_name(head: bytes) -> str:
    """Return the name of the first element in a file's first bytes, without its namespace; empty if there is none."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    else:
        text = head.decode("latin-1").removeprefix("\u00ef\u00bb\u00bf")
    if not text.lstrip().startswith("<"):
        return ""
    text = re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    found = re.search(r"<([A-Za-z_][\w.\-]*:)?([A-Za-z_][\w.\-]*)", text)
    return found[2] if found else ""


def text(element: Element | None, path: str) -> str | None:
    """Return the text of the first element at ``path``, without outer spaces; ``None`` when absent or empty."""
    if element is None:
        return None
    found = element.findtext(path)
    return found.strip() or None if found is not None else None


def number(written: str | None, what: str) -> float:
    """Return a finite number.

    Raises:
        FormatError: when ``written``, which is ``what``, is not a number.
    """
    value = optional_number(written)
    if value is None:
        raise FormatError(f"gives {written!r} for {what}; expected a number.")
    return value


def optional_number(written: str | None) -> float | None:
    """Return the finite number in a text, ``None`` where devices write a word or a dash for what was not measured."""
    try:
        value = float(written or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def numbers(written: str, what: str) -> NDArray[np.float64]:
    """Return the numbers in a text, separated by spaces or commas.

    Raises:
        FormatError: when something else stands there.
    """
    parts = []
    # In pieces, because a list of Python strings costs twenty times the text.
    for start, stop in _pieces(written):
        words = written[start:stop].replace(",", " ").split()
        try:
            parts.append(np.array(words, dtype=np.float64))
        except ValueError as error:
            raise FormatError(f"holds something that is not a number in {what}: {error}.") from error
    found = np.concatenate(parts) if parts else np.empty(0)
    if not np.isfinite(found).all():
        raise FormatError(f"holds a number that is not finite in {what}.")
    return found


def _pieces(written: str, size: int = 1 << 16) -> list[tuple[int, int]]:
    cuts = [0]
    while cuts[-1] < len(written):
        at = min(cuts[-1] + size, len(written))
        while at < len(written) and not written[at].isspace() and written[at] != ",":
            at += 1
        cuts.append(at)
    return list(itertools.pairwise(cuts))


def base64_bytes(written: str | None, what: str) -> bytes:
    """Return what a base64 text holds.

    Raises:
        FormatError: when it is not base64.
    """
    try:
        return base64.b64decode("".join((written or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"holds no valid base64 in {what}: {error}.") from error
