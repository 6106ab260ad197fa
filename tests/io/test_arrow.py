"""Arrow IPC, files and streams, as PyArrow writes them; and Parquet, which is the same table."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, ipc, parquet

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import FormatError
from cardioflow.io._recognise import recognise
from cardioflow.io.arrow import Arrow
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.parquet import Parquet

SIGNAL = np.random.default_rng(0).normal(0, 0.3, (2, 1000)).astype(np.float32)
TOLD = {"cardioflow": '{"fs": 500}'}


def table(**more: object) -> pa.Table:
    return pa.table({"I": SIGNAL[0], "V1": SIGNAL[1], **more}).replace_schema_metadata(TOLD)


def written(path: Path, content: pa.Table, *, stream: bool = False, codec: str | None = None, rows: int = 300) -> Path:
    make = ipc.new_stream if stream else ipc.new_file
    with make(str(path), content.schema, options=ipc.IpcWriteOptions(compression=codec)) as out:
        out.write_table(content, rows)
    return path


def read(path: Path, **request: object) -> Record:
    return Arrow().read(path, ReadRequest(**request))


def fails(path: Path, *parts: str, reader: Any = None) -> None:
    with pytest.raises(FormatError) as caught:
        (reader or Arrow()).read(path, ReadRequest())
    for part in (path.name, *parts):
        assert part in str(caught.value)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "x.arrow"


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
def test_files_and_streams_of_several_batches_are_the_same_record(path, stream, codec):
    written(path, table(), stream=stream, codec=codec)
    found = read(path)
    assert recognise(path) == "arrow"
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert (found.fs, found.leads, found.units) == (500.0, ("I", "V1"), ("mV", "mV"))


@pytest.mark.parametrize("codec", ["uncompressed", "lz4", "zstd"])
def test_feather_of_version_2_is_an_arrow_file(tmp_path, codec):
    path = tmp_path / "x.feather"
    feather.write_feather(table(), str(path), compression=codec)
    assert recognise(path) == "arrow"
    np.testing.assert_array_equal(read(path).signal, SIGNAL)


@pytest.mark.parametrize("stream", [False, True])
def test_columns_of_other_kinds_are_left_out_and_missing_numbers_are_nan(path, stream):
    content = pa.table(
        {
            "note": ["a"] * 4,
            "II": pa.array([1, None, 3, 4], pa.int64()),
            "class": pa.array(["a", "b", "a", "b"]).dictionary_encode(),
            "V1": pa.array([1.5, 2.5, None, 4.5], pa.float64()),
            "on": [True, False, True, False],
            "h": pa.array(np.array([1, 2, 3, 4], np.float16)),
            "deep": [[1, 2], [], None, [3]],
        }
    ).replace_schema_metadata(TOLD)
    found = read(written(path, content, stream=stream, rows=3))
    assert found.leads == ("II", "V1", "h")
    np.testing.assert_array_equal(found.signal, [[1, np.nan, 3, 4], [1.5, 2.5, np.nan, 4.5], [1, 2, 3, 4]])


def test_two_columns_of_one_name_are_two_leads(path):
    content = pa.Table.from_arrays([pa.array(SIGNAL[0]), pa.array(SIGNAL[1])], ["a", "a"])
    found = read(written(path, content.replace_schema_metadata(TOLD)))
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert found.leads == ("a", "a")


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("{}", "holds no sampling rate"),
        ('{"fs": "500"}', "holds no sampling rate"),
        ("[", "metadata that cannot be read: The text is not JSON"),
        ('{"fs": 500, "units": ["mV"]}', "for 2 columns of numbers"),
        ('{"fs": 500, "units": 5}', "tells the units 5"),
        ('{"fs": 500, "units": ["mV", 1]}', "tells the units ('mV', 1)"),
        ('{"fs": 500, "marks": [1]}', "has annotations that are not a list of columns"),
    ],
)
@pytest.mark.parametrize("reader", [Arrow(), Parquet()])
def test_metadata_that_is_none_is_refused(tmp_path, reader, told, says):
    content = table().replace_schema_metadata({"cardioflow": told})
    path = tmp_path / "x.tab"
    written(path, content) if isinstance(reader, Arrow) else parquet.write_table(content, path)
    fails(path, says, reader=reader)


def test_a_table_without_numbers_is_refused(path):
    fails(written(path, pa.table({"note": ["a"]}).replace_schema_metadata(TOLD)), "no column of numbers, but ['note']")


def test_a_shard_of_a_packed_store_says_to_read_the_store_and_the_store_is_read_as_one(tmp_path):
    for name in "ab":
        written(tmp_path / f"{name}.arrow", table())
    EcgDataset(str(tmp_path / "*.arrow")).pack(tmp_path / "s.packed")
    fails(tmp_path / "s.packed/shard-00000.arrow", "is a part of a packed store. Read the store: EcgDataset(")
    batch = (EcgDataset(tmp_path / "s.packed") >> Pipeline().load(fmt=None)).next_batch(2)
    np.testing.assert_array_equal(batch.signal[1], SIGNAL)


def test_a_file_that_breaks_off_is_refused_wherever_it_does(path):
    whole = written(path, table(), codec="lz4").read_bytes()
    for n in [0, 3, 6, 8, 12, 20, 100, len(whole) // 2, len(whole) - 7, len(whole) - 1]:
        path.write_bytes(whole[:n])
        fails(path)


def test_a_stream_that_breaks_off_inside_a_message_is_refused(path):
    whole = written(path, table(), stream=True).read_bytes()
    for n in [3, 4, 7, 8, 12, 100, len(whole) // 2, len(whole) - 20]:
        path.write_bytes(whole[:n])
        fails(path)


def test_a_message_that_is_not_a_table_is_refused(path):
    with pa.OSFile(str(path), "wb") as sink:
        ipc.write_tensor(pa.Tensor.from_numpy(SIGNAL), sink)
    fails(path, "begins with a tensor; expected a schema")


# Sizes that lie


def allocated(act: Callable[[], None]) -> int:
    """How many bytes PyArrow's pool held at the most, beyond what it held before."""
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        act()
    finally:
        pa.set_memory_pool(before)
    return pool.max_memory() or 0


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("claim", [1 << 24, 1 << 40, (1 << 63) - 1])
def test_a_buffer_that_says_that_it_unpacks_to_far_more_is_refused(path, stream, codec, claim):
    whole = written(path, table(), stream=stream, codec=codec, rows=1000).read_bytes()
    size = struct.pack("<q", 4000)
    assert whole.count(size) == 2  # one for each column, before what is compressed
    path.write_bytes(whole.replace(size, struct.pack("<q", claim)))
    assert allocated(lambda: fails(path, "says that it holds 1000 rows of 2 columns, and unpacks to")) < 1 << 20


def test_zeros_that_are_packed_to_next_to_nothing_are_refused(path):
    written(path, pa.table({"I": np.zeros(5_000_000)}).replace_schema_metadata(TOLD), codec="zstd", rows=5_000_000)
    assert path.stat().st_size < 1 << 16
    assert allocated(lambda: fails(path, "and unpacks to 40000000 bytes")) < 1 << 20


@pytest.mark.parametrize(
    ("claim", "says"), [(-2, "unpacks to -2 bytes"), (3, "is not an Arrow file or stream"), (-1, "Buffer #1 too small")]
)
def test_a_buffer_with_false_sizes_is_refused(path, claim, says):
    zeros = pa.table({"I": np.zeros(1000, "f4")}).replace_schema_metadata(TOLD)
    whole = written(path, zeros, codec="lz4", rows=1000).read_bytes()
    path.write_bytes(whole.replace(struct.pack("<q", 4000), struct.pack("<q", claim), 1))
    fails(path, says)


@pytest.mark.parametrize("rows", [1001, 1 << 40, (1 << 63) - 1, -1])
def test_a_batch_of_more_rows_than_it_has_is_refused(path, rows):
    whole = written(path, table(), rows=1000).read_bytes()
    path.write_bytes(whole.replace(struct.pack("<q", 1000), struct.pack("<q", rows)))
    assert allocated(lambda: fails(path)) < 1 << 20


@pytest.mark.parametrize("size", [0x7FFFFFFF, 1 << 24])
def test_a_message_that_says_that_it_is_longer_than_the_file_is_refused(path, size):
    whole = bytearray(written(path, table()).read_bytes())
    whole[12:16] = struct.pack("<i", size)
    path.write_bytes(whole)
    fails(path, "is not an Arrow file or stream that can be read")


def schema_of_one_field_named_often(n: int, length: int) -> bytes:
    """A stream whose schema has ``n`` fields, all of them one field with a name of ``length`` letters."""
    parts: dict[str, int] = {}
    out = bytearray(8)

    def put(name: str, content: bytes) -> None:
        out.extend(bytes(-len(out) % 8))
        parts[name] = len(out)
        out.extend(content)

    # Slots of a field: name, nullable, kind of type, type, dictionary, children.
    put("field slots", struct.pack("<8H", 16, 24, 4, 0, 20, 8, 0, 12))
    put("field", struct.pack("<i5I", parts["field slots"], *[0] * 5))
    field = parts["field"]
    struct.pack_into("<i", out, field, field - parts["field slots"])
    out[field + 20] = 2  # an integer
    put("type slots", struct.pack("<4H", 8, 8, 4, 0))
    put("type", struct.pack("<ii", len(out) + (-len(out) % 8) - parts["type slots"], 32))
    put("children", struct.pack("<I", 0))
    put("name", struct.pack("<I", length) + b"a" * length + b"\0")
    for place, target in ((4, "name"), (8, "type"), (12, "children")):
        struct.pack_into("<I", out, field + place, parts[target] - field - place)
    put("fields", struct.pack("<I", n) + bytes(4 * n))
    # References lead forward only, as numbers without a sign: the field is moved behind.
    put("again", bytes(out[parts["field slots"] : parts["fields"]]))
    moved = parts["again"] + field - parts["field slots"]
    for i in range(n):
        at = parts["fields"] + 4 + 4 * i
        struct.pack_into("<I", out, at, moved - at)
    head = bytearray()
    # The message: version, kind of header, header, length of the body; and the schema: endianness, fields.
    slots = struct.pack("<6H", 12, 24, 4, 6, 8, 16)
    schema_slots = struct.pack("<4H", 8, 8, 0, 4)
    head += struct.pack("<I", 24) + bytes(4) + slots + bytes(4)
    head += struct.pack("<ihBxI4xq", 16, 4, 1, 0, 0)
    schema = len(head) + 8
    struct.pack_into("<I", head, 24 + 8, schema - 32)
    head += schema_slots
    head += struct.pack("<iI", 8, 0)
    struct.pack_into("<I", head, schema + 4, len(head) + parts["fields"] - schema - 4)
    metadata = bytes(head + out)
    metadata += bytes(-len(metadata) % 8)
    return struct.pack("<iI", -1, len(metadata)) + metadata + struct.pack("<iI", -1, 0)


def test_a_schema_that_names_one_long_text_very_often_is_refused(path):
    path.write_bytes(schema_of_one_field_named_often(3, 10))
    assert ipc.open_stream(str(path)).schema.names == ["a" * 10] * 3
    path.write_bytes(schema_of_one_field_named_often(2000, 100_000))
    assert path.stat().st_size < 220_000
    fails(path, "has a schema that claims far more fields")


# Parquet


def test_a_parquet_table_of_few_long_texts_is_read_without_them(tmp_path):
    path = tmp_path / "x.parquet"
    parquet.write_table(table(note=["a" * 100_000] * 1000), path)
    assert path.stat().st_size < 1 << 16
    read_it = lambda: np.testing.assert_array_equal(Parquet().read(path, ReadRequest()).signal, SIGNAL)  # noqa: E731
    assert allocated(read_it) < 1 << 20


@pytest.mark.parametrize("name", ["I", "I.x"])
def test_a_parquet_column_of_texts_that_is_called_like_a_lead_is_refused(tmp_path, name):
    path = tmp_path / "x.parquet"
    texts = pa.array(["a" * 100_000] * 1000)
    content = pa.Table.from_arrays([pa.array(SIGNAL[0]), texts], ["I", name]).replace_schema_metadata(TOLD)
    parquet.write_table(content, path)
    assert allocated(lambda: fails(path, f"has two columns named {name!r}", reader=Parquet())) < 1 << 20


def test_two_columns_of_one_name_in_parquet_are_two_leads(tmp_path):
    path = tmp_path / "x.parquet"
    content = pa.Table.from_arrays([pa.array(SIGNAL[0]), pa.array(SIGNAL[1])], ["a", "a"])
    parquet.write_table(content.replace_schema_metadata(TOLD), path)
    found = Parquet().read(path, ReadRequest())
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert found.leads == ("a", "a")


@pytest.mark.parametrize(
    "how",
    [
        {"compression": "none", "use_dictionary": False},
        *({"compression": codec, "row_group_size": 300} for codec in ("snappy", "gzip", "zstd", "lz4", "brotli")),
        {"data_page_version": "2.0", "data_page_size": 256, "version": "1.0", "write_page_checksum": True},
        {"use_dictionary": False, "use_byte_stream_split": ["I", "V1"], "write_page_index": True},
        {"use_dictionary": False, "column_encoding": {"n": "DELTA_BINARY_PACKED"}, "data_page_size": 256},
    ],
)
def test_parquet_is_read_with_any_options_of_the_writer(tmp_path, how):
    path = tmp_path / "x.parquet"
    counts = pa.array([None if i % 7 == 0 else i for i in range(1000)], pa.int16())
    content = table(n=counts, deep=[[i, i] for i in range(1000)], h=pa.array(SIGNAL[0].astype(np.float16)))
    parquet.write_table(content, path, **how)
    found = Parquet().read(path, ReadRequest())
    assert found.leads == ("I", "V1", "n", "h")
    np.testing.assert_array_equal(found.signal[:2], SIGNAL)
    np.testing.assert_array_equal(found.signal[2], [np.nan if i % 7 == 0 else i for i in range(1000)])
    np.testing.assert_array_equal(found.signal[3], SIGNAL[0].astype(np.float16))


@pytest.mark.parametrize("how", [{"compression": "zstd"}, {"compression": "zstd", "use_dictionary": False}, {}])
def test_a_parquet_page_that_says_that_it_is_far_larger_is_refused(tmp_path, how):
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"I": np.round(SIGNAL[0], 1)}).replace_schema_metadata(TOLD), path, **how)
    whole = path.read_bytes()
    # 2^31 - 1 and 2^25 as numbers of the compact protocol, before and over every byte of the first headers.
    for number in (b"\xfe\xff\xff\xff\x0f", b"\x80\x80\x80\x20"):
        for at in range(4, 40):
            for over in (0, 1, 2, 3):
                path.write_bytes(whole[:at] + number + whole[at + over :])

                def read_it() -> None:
                    with contextlib.suppress(FormatError):
                        Parquet().read(path, ReadRequest())

                assert allocated(read_it) < 1 << 20, (number, at, over)


def test_a_footer_at_which_pyarrow_ends_the_process_is_refused(tmp_path):
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"I": SIGNAL[0]}).replace_schema_metadata(TOLD), path)
    whole = path.read_bytes()
    # In the schema the lead becomes a column that is never missing, which its statistics contradict.
    assert whole.count(b"\x25\x02\x18\x01I") == 1
    path.write_bytes(whole.replace(b"\x25\x02\x18\x01I", b"\x25\x00\x18\x01I"))
    fails(path, "is not a Parquet file that can be read", reader=Parquet())


def test_a_parquet_page_that_says_that_it_has_more_values_than_it_holds_is_refused(tmp_path):
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"I": np.round(SIGNAL[0], 1)}).replace_schema_metadata(TOLD), path)
    whole = path.read_bytes()
    # The dictionary's header in its own header, field 7 behind field 3, and the number of its values.
    at = whole.index(b"\x4c\x15", 4, 40) + 2
    path.write_bytes(whole[:at] + b"\xfe\xff\xff\xff\x0f" + whole[at + 1 :])
    fails(path, "says that it has 2147483647 values", reader=Parquet())
    path.write_bytes(whole[:4] + b"\x1b" + whole[5:])
    fails(path, "has a field of the kind 11", reader=Parquet())
    path.write_bytes(whole[:4] + b"\x1c" * 30 + whole[34:])
    fails(path, "has a structure that is nested more than 8 deep", reader=Parquet())
    path.write_bytes(whole[:5] + b"\xff" * 30 + whole[35:])
    fails(path, "has a number of more than 64 bits", reader=Parquet())
