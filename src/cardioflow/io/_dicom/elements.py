"""A DICOM data set as text, numbers and bytes that are never trusted.

pydicom splits the file into elements; their values are decoded here. Its own
conversion warns, raises a dozen kinds of exception, and fixes values silently.
"""

from __future__ import annotations

import math
import struct
from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cardioflow.errors import FormatError

__all__ = ["Elements", "read_elements"]

_CODES = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}


def read_elements(content: bytes, keywords: tuple[str, ...]) -> Elements:
    """Return the elements named by ``keywords`` of a DICOM file; the others are passed over unread.

    Raises:
        FormatError: when the file is no DICOM file, or is compressed as a whole.
    """
    try:
        dataset = dcmread(BytesIO(content), specific_tags=["SpecificCharacterSet", *keywords])
        syntax = dataset.file_meta.get("TransferSyntaxUID")
    except Exception as error:  # pydicom leaks whatever its parser meets
        raise FormatError(f"is no DICOM file that can be read: {error}.") from error
    if syntax == DeflatedExplicitVRLittleEndian:
        raise FormatError("is deflated as a whole, which is not read. Convert it to Explicit VR Little Endian.")
    return Elements(dataset, "latin-1")._with_encoding()


class Elements:
    """One data set, or one item of a sequence."""

    __slots__ = ("_dataset", "_encoding")

    def __init__(self, dataset: Dataset, encoding: str) -> None:
        self._dataset = dataset
        self._encoding = encoding

    def _with_encoding(self) -> Elements:
        term = (self.text("SpecificCharacterSet") or "").split("\\")[0].strip()
        encoding = python_encoding.get(term, "latin-1")
        # The default repertoire is ASCII; devices write Latin-1 into it all the same.
        return Elements(self._dataset, "latin-1" if encoding == "iso8859" else encoding)

    def raw(self, keyword: str) -> bytes:
        """Return an element's bytes; none when it is absent."""
        value: Any = self._element(keyword)
        value = getattr(value, "value", None)
        if isinstance(value, bytes):
            return value
        # What pydicom has converted by itself (the character set) comes back as text or a list of it.
        return "\\".join(value).encode() if isinstance(value, list) else str(value or "").encode()

    def text(self, keyword: str) -> str | None:
        """Return an element's text without padding; ``None`` when it is absent or empty."""
        try:
            found = self.raw(keyword).decode(self._encoding, "replace")
        except LookupError:
            found = self.raw(keyword).decode("latin-1")
        return found.strip(" \0\t\r\n") or None

    def number(self, keyword: str) -> float | None:
        """Return an element's first number, written as text (DS, IS) or in binary; ``None`` when absent or empty."""
        found = self.numbers(keyword)
        return found[0] if found else None

    def numbers(self, keyword: str) -> list[float]:
        """Return all numbers of an element.

        Raises:
            FormatError: when something else stands there.
        """
        element = self._element(keyword)
        raw = self.raw(keyword)
        code = _CODES.get(_vr(element, keyword))
        try:
            if code is not None:
                order = "<" if getattr(element, "is_little_endian", True) else ">"
                width = struct.calcsize(code)
                found = [float(v) for v in struct.unpack(f"{order}{len(raw) // width}{code}", raw)]
            else:
                parts = raw.decode("latin-1").split("\\")
                found = [float(part.strip(" \0")) for part in parts if part.strip(" \0")]
        except (ValueError, struct.error) as error:
            raise FormatError(f"gives {raw[:32]!r} for {keyword}; expected numbers.") from error
        if not all(math.isfinite(v) for v in found):
            raise FormatError(f"gives {raw[:32]!r} for {keyword}; expected finite numbers.")
        return found

    def is_big_endian(self, keyword: str) -> bool:
        """Return whether an element's bytes stand in the retired big-endian order."""
        return not getattr(self._element(keyword), "is_little_endian", True)

    def items(self, keyword: str) -> list[Elements]:
        """Return the items of a sequence; none when it is absent."""
        try:
            if keyword not in self._dataset:
                return []
            value = self._dataset[keyword].value
        except Exception as error:  # pydicom leaks whatever its parser meets
            raise FormatError(f"holds no sequence that can be read as {keyword}: {error}.") from error
        if value is None or isinstance(value, bytes | str):
            return []
        return [Elements(item, self._encoding) for item in value if isinstance(item, Dataset)]

    def code(self, keyword: str) -> tuple[str, str]:
        """Return the value and the meaning of a code sequence's first item; empty where there is none."""
        items = self.items(keyword)
        if not items:
            return "", ""
        return items[0].text("CodeValue") or "", items[0].text("CodeMeaning") or ""

    def _element(self, keyword: str) -> Any:
        try:
            # get_item gives the bytes as they stand in the file, without pydicom's conversion.
            return self._dataset.get_item(keyword)
        except Exception as error:  # pydicom leaks whatever its parser meets
            raise FormatError(f"holds no {keyword} that can be read: {error}.") from error


def _vr(element: Any, keyword: str) -> str:
    vr = element.VR if isinstance(element, RawDataElement) else getattr(element, "VR", None)
    if vr and vr != "UN":
        return str(vr)
    # Implicit VR: the dictionary knows, and of two possibilities the elements read here are unsigned.
    try:
        return dictionary_VR(Tag(keyword)).split(" or ")[0]
    except (KeyError, ValueError):
        return ""
