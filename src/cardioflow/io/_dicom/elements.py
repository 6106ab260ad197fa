"""A DICOM data set as text, numbers and bytes that are never trusted.

pydicom splits the file into elements; their values are decoded here. Its own
conversion warns, raises a dozen kinds of exception, and fixes values silently.
"""

from __future__ import annotations

import math
import struct
import zlib
from functools import cache
from io import BytesIO
from typing import Any, Final

from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from cardioflow.errors import FormatError
from cardioflow.io._limits import most_bytes

__all__ = ["Elements", "read_elements"]

_CODES = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}

# As pydicom counts: whether value representations are implicit, whether the order is little endian.
_EXPLICIT: Final = False
_LITTLE: Final = True
_AFTER_PREFIX: Final = 132
_PIECE: Final = 1 << 16
# An item that holds one code, the least that is written, has 60 bytes.
_BYTES_PER_ITEM: Final = 48
_ALWAYS_ALLOWED_ITEMS: Final = 2000


def read_elements(content: bytes, keywords: tuple[str, ...]) -> Elements:
    """Return the elements named by ``keywords`` of a DICOM file; the others are passed over unread.

    Raises:
        FormatError: when the file is not a DICOM file, or is deflated and would become too large.
    """
    tags: list[BaseTag | int] = [_tag(keyword) for keyword in ("SpecificCharacterSet", *keywords)]
    file = BytesIO(content)
    file.seek(_AFTER_PREFIX)
    try:
        # The file meta information, group 2, is always explicit little endian (PS3.10 clause 7.1).
        meta = Elements(read_dataset(file, _EXPLICIT, _LITTLE, stop_when=_after_meta), "latin-1")
        syntax = meta.text("TransferSyntaxUID")
        if syntax == DeflatedExplicitVRLittleEndian:
            file = _inflated(content, file.tell())
        implicit, little = syntax in (None, ImplicitVRLittleEndian), syntax != ExplicitVRBigEndian
        _check_items(file.getbuffer(), little=little)
        dataset = read_dataset(file, implicit, little, specific_tags=tags)
    except FormatError:
        raise
    except Exception as error:  # pydicom leaks whatever its parser meets
        raise FormatError(f"is not a DICOM file that can be read: {error}.") from error
    return Elements(dataset, "latin-1")._with_encoding()


def _check_items(content: memoryview, *, little: bool) -> None:
    """Refuse far more items of sequences than a file has room to fill: pydicom takes 80 µs for each, even an empty one.

    Raises:
        FormatError: when there are.
    """
    # Counted wherever they stand, in samples too, where four such bytes are rare.
    n_items = bytes(content).count(b"\xfe\xff\x00\xe0" if little else b"\xff\xfe\xe0\x00")
    if n_items > _ALWAYS_ALLOWED_ITEMS + len(content) // _BYTES_PER_ITEM:
        raise FormatError(f"has {n_items} items of sequences in {len(content)} bytes, most of which must be empty.")


def _after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag >> 16 != 2


def _inflated(content: bytes, begin: int) -> BytesIO:
    """Return the data set of a deflated file (PS3.5 clause A.5): RFC 1951, without zlib's head and checksum.

    Raises:
        FormatError: when it is damaged, breaks off, or becomes larger than may be.
    """
    # Samples of 16 bit take four times their bytes until they are a record.
    most = most_bytes(len(content)) // 4
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    whole = BytesIO()
    try:
        for at in range(begin, len(content), _PIECE):
            piece = content[at : at + _PIECE]
            while piece and not inflater.eof:
                whole.write(inflater.decompress(piece, _PIECE))
                piece = inflater.unconsumed_tail
                if whole.tell() > most:
                    raise FormatError(
                        f"is deflated and has more than {most} bytes when inflated, too many for a file of "
                        f"{len(content)}. Convert it to Explicit VR Little Endian."
                    )
    except zlib.error as error:
        raise FormatError(f"is deflated, but cannot be inflated: {error}.") from error
    if not inflater.eof:
        raise FormatError(f"is deflated, and ends after {whole.tell()} inflated bytes. Fetch it again.")
    whole.seek(0)
    return whole


@cache
def _tag(keyword: str) -> BaseTag:
    # Looking a keyword up takes longer than all else that is done with an element.
    return Tag(keyword)


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
        return _bytes(self._element(keyword))

    def text(self, keyword: str) -> str | None:
        """Return an element's text without padding; ``None`` when it is absent or empty."""
        element = self._element(keyword)
        if element is None:
            return None
        raw = _bytes(element)
        try:
            found = raw.decode(self._encoding, "replace")
        except LookupError:
            found = raw.decode("latin-1")
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
        if element is None:
            return []
        raw = _bytes(element)
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
        element = self._element(keyword)
        if element is None:
            return []
        try:
            # Of defined length, a sequence is still bytes, which pydicom takes apart when it is asked for.
            value = self._dataset[_tag(keyword)].value if isinstance(element, RawDataElement) else element.value
        except Exception as error:  # pydicom leaks whatever its parser meets
            raise FormatError(f"holds no sequence that can be read as {keyword}: {error}.") from error
        # With another value representation it may be anything: bytes, a number, a name.
        if not isinstance(value, Sequence):
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
            return self._dataset.get_item(_tag(keyword))
        except Exception as error:  # pydicom leaks whatever its parser meets
            raise FormatError(f"holds no {keyword} that can be read: {error}.") from error


def _bytes(element: Any) -> bytes:
    value = getattr(element, "value", None)
    if isinstance(value, bytes):
        return value
    # What pydicom has converted by itself (the character set) comes back as text or a list of it.
    return "\\".join(value).encode() if isinstance(value, list) else str(value or "").encode()


def _vr(element: Any, keyword: str) -> str:
    vr = getattr(element, "VR", None)
    return str(vr) if vr and vr != "UN" else _usual_vr(keyword)


@cache
def _usual_vr(keyword: str) -> str:
    # Implicit VR: the dictionary knows, and of two possibilities the elements read here are unsigned.
    try:
        return dictionary_VR(_tag(keyword)).split(" or ")[0]
    except (KeyError, ValueError):
        return ""
