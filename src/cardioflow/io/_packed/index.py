"""The index of a packed store, ``store.json``: its shards, and the checksums of every block of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from cardioflow.errors import FormatError
from cardioflow.io._codecs.quantize import MISSING

__all__ = ["BLOCK_BYTES", "INDEX", "Index", "ShardEntry"]

INDEX: Final = "store.json"
_VERSION: Final = 2
_WITHOUT_CHECKSUMS: Final = 1
"""Version 1 has no checksums; it is still read."""
BLOCK_BYTES: Final = 1 << 18
"""How many bytes of a shard have one checksum: a batch drawn at random reads a block around each record once."""
_DTYPES: Final = ("int16", "float32")


@dataclass(frozen=True)
class ShardEntry:
    """What the index says of one shard."""

    file: str
    dtype: str
    """Of its samples: ``"int16"`` or ``"float32"``."""
    n_records: int
    n_bytes: int = 0
    """Of the whole file."""
    signal: tuple[int, int] = (0, 0)
    """The bytes [start, stop) of the file that hold samples."""
    crc32: str = ""
    """Eight hex digits a block; empty in version 1."""

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Return the entry that ``entry`` describes.

        Raises:
            KeyError, TypeError, ValueError: when it is not one.
        """
        start, stop = entry.get("signal", (0, 0))
        found = cls(
            str(entry["file"]),
            str(entry["dtype"]),
            int(entry["n_records"]),
            int(entry.get("n_bytes", 0)),
            (int(start), int(stop)),
            str(entry.get("crc32", "")),
        )
        # A name with a folder in it could lead out of the store.
        if Path(found.file).name != found.file or found.dtype not in _DTYPES or found.n_records < 0:
            raise ValueError(f"{entry!r:.200} does not describe a shard")
        n_blocks = -(-found.n_bytes // BLOCK_BYTES)
        if len(found.crc32) != 8 * n_blocks or not 0 <= start <= stop <= found.n_bytes:
            raise ValueError(f"shard {found.file!r} has checksums for another size than {found.n_bytes} bytes")
        return found

    @property
    def checksums(self) -> tuple[int, ...]:
        """The CRC-32 of each block."""
        return tuple(int(self.crc32[i : i + 8], 16) for i in range(0, len(self.crc32), 8))


@dataclass(frozen=True)
class Index:
    """The content of ``store.json``."""

    n_records: int
    shards: tuple[ShardEntry, ...]
    has_checksums: bool = True
    checksum: str = ""
    """Of the index as it was read, and so of the whole store, whose blocks' checksums it holds."""

    @classmethod
    def read(cls, store: Path) -> Self:
        """Return the index of the store at ``store``.

        Raises:
            FormatError: when there is none, or it is damaged.
        """
        path = store / INDEX
        try:
            return cls._from_json(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise FormatError(
                f"{store} is not a packed store: it has no {INDEX}. Make one with EcgDataset.pack."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FormatError(f"{path} is not the index of a packed store: {error}. Pack the records again.") from None

    @classmethod
    def _from_json(cls, content: dict[str, Any]) -> Self:
        version = content["cardioflow_store"]
        if version not in (_VERSION, _WITHOUT_CHECKSUMS):
            raise ValueError(f"its version is {version!r}, expected {_VERSION} or {_WITHOUT_CHECKSUMS}")
        checksum = content.pop("crc32", None)
        found = _checksum(content)
        if checksum != (found if version == _VERSION else None):
            raise ValueError("it does not have its checksum")
        shards = tuple(ShardEntry.from_json(entry) for entry in content["shards"])
        index = cls(int(content["n_records"]), shards, has_checksums=version == _VERSION, checksum=found)
        if index.n_records != sum(shard.n_records for shard in shards):
            raise ValueError(f"it counts {index.n_records} records, but its shards have another number")
        return index

    def write(self, store: Path) -> None:
        """Write the index into the folder ``store``."""
        content = {
            "cardioflow_store": _VERSION,
            "n_records": self.n_records,
            "missing": MISSING,
            "shards": [asdict(shard) for shard in self.shards],
        }
        content["crc32"] = _checksum(content)
        (store / INDEX).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _checksum(content: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(content, sort_keys=True, separators=(',', ':')).encode()):08x}"
