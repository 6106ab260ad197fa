"""The parts of the server by themselves: names, archives, places, counters and settings at their limits."""

from __future__ import annotations

import asyncio
import io
import threading
import zipfile
from pathlib import Path

import pytest

from cardioflow.errors import ConfigError
from cardioflow.serve.arrivals import Arrivals
from cardioflow.serve.metrics import Metrics
from cardioflow.serve.pool import Pool
from cardioflow.serve.refusal import RefusalError
from cardioflow.serve.running import is_loopback
from cardioflow.serve.sender import Sender
from cardioflow.serve.settings import ServerSettings
from cardioflow.serve.uploads import refuse_long, safe_name, save, unpacked


def refused(status: int, call, *arguments, **more) -> str:
    """Return the reason of a refusal with that status."""
    with pytest.raises(RefusalError) as caught:
        call(*arguments, **more)
    assert caught.value.status == status
    return caught.value.text


# -- names and lengths ---------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "A00001.hea", "x-1_2.tar.gz", "_", "a" * 100, "1.EDF"])
def test_a_plain_name_is_kept(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hea",
        "../a",
        "a/b",
        "a\\b",
        "/etc/passwd",
        "C:a",
        "a b",
        "a\n",
        "a\0",
        "ä.hea",
        "-rf",
        "a" * 101,
    ],
)
def test_a_name_with_a_folder_or_another_character_is_refused(name):
    assert "no folders" in refused(400, safe_name, name)


@pytest.mark.parametrize("length", ["", "1000000", "abc", "-5", "1e9", "0"])
def test_a_length_up_to_the_limit_or_none_goes_on(length):
    # A length that is not a number says nothing: what arrives is counted.
    refuse_long(length, 1e6)


@pytest.mark.parametrize("length", ["1000001", "9" * 30])
def test_a_longer_body_is_refused_before_it_is_read(length):
    assert refused(413, refuse_long, length, 1e6) == "The file is larger than 1 MB."


# -- bodies --------------------------------------------------------------------


async def chunks(*parts: bytes):
    for part in parts:
        yield part


def test_a_body_is_written_chunk_by_chunk_up_to_its_limit(tmp_path):
    sender = Sender(5.0)
    asyncio.run(save(chunks(b"abc", b"", b"defg"), tmp_path / "f", most=7, sender=sender))
    assert (tmp_path / "f").read_bytes() == b"abcdefg"
    assert sender.size == 7
    with pytest.raises(RefusalError, match=r"larger than 6e-06 MB"):
        asyncio.run(save(chunks(b"abc", b"defg"), tmp_path / "g", most=6, sender=Sender(5.0)))
    # What is too much is not written.
    assert (tmp_path / "g").read_bytes() == b"abc"


def test_a_body_without_a_byte_is_refused(tmp_path):
    for parts in ((), (b"",), (b"", b"")):
        with pytest.raises(RefusalError, match="has no body"):
            asyncio.run(save(chunks(*parts), tmp_path / "f", most=10, sender=Sender(5.0)))


# -- archives ------------------------------------------------------------------


def archive(folder: Path, entries: dict[str, bytes]) -> Path:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return path


def test_the_header_of_a_record_stands_for_its_files(tmp_path):
    path = archive(tmp_path, {"r.dat": b"12", "r.HEA": b"r 1", "r.atr": b"0"})
    assert unpacked(path, tmp_path, most=100) == [tmp_path / "r.HEA"]
    assert {own.name for own in tmp_path.iterdir()} == {"r.dat", "r.HEA", "r.atr"}


def test_an_archive_without_a_header_gives_all_its_files(tmp_path):
    path = archive(tmp_path, {"a.xml": b"<a/>", "b.xml": b"<b/>"})
    assert {own.name for own in unpacked(path, tmp_path, most=100)} == {"a.xml", "b.xml"}


def test_a_file_that_is_not_an_archive_is_itself(tmp_path):
    assert unpacked(tmp_path / "a.edf", tmp_path, most=1) == [tmp_path / "a.edf"]


@pytest.mark.parametrize(
    ("entries", "status", "text"),
    [
        ({}, 422, "The archive is empty."),
        ({"../evil.hea": b"x"}, 400, "no folders"),
        ({"in/a.hea": b"x"}, 400, "no folders"),
        ({"/abs.hea": b"x"}, 400, "no folders"),
        ({f"{i}.hea": b"x" for i in range(21)}, 413, "holds 21 files, and at most 20 are read"),
        # 100 kB of zeros in a few hundred bytes.
        ({"bomb.dat": bytes(100_000)}, 413, "holds more than 0.001 MB"),
        ({"a.dat": bytes(600), "b.dat": bytes(600)}, 413, "holds more than 0.001 MB"),
    ],
    ids=["empty", "above", "folder", "root", "many", "bomb", "two"],
)
def test_an_archive_beyond_its_limits_is_refused(tmp_path, entries, status, text):
    own = tmp_path / "own"
    own.mkdir()
    assert text in refused(status, unpacked, archive(own, entries), own, most=1000)
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_an_archive_that_lies_or_is_damaged_is_refused(tmp_path):
    good = archive(tmp_path, {"a.hea": b"r 1 500 5000" * 20}).read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(good[:-30])
    assert "The archive is damaged" in refused(422, unpacked, cut, tmp_path, most=10_000)
    flipped = bytearray(good)
    flipped[45] ^= 0xFF
    (tmp_path / "bad.zip").write_bytes(flipped)
    assert "The archive is damaged" in refused(422, unpacked, tmp_path / "bad.zip", tmp_path, most=10_000)
    out = io.BytesIO(good)
    with zipfile.ZipFile(out, "a") as made:
        made.writestr("folder/", b"")
    (tmp_path / "dir.zip").write_bytes(out.getvalue())
    refused(400, unpacked, tmp_path / "dir.zip", tmp_path, most=10_000)


# -- places --------------------------------------------------------------------


def test_a_place_is_kept_until_the_work_ends_also_after_its_time_is_up():
    async def go() -> None:
        pool, ends = Pool(1, 0), threading.Event()
        pool.admit()
        assert "busy" in refused(503, pool.admit)
        with pytest.raises(RefusalError, match=r"was not finished within 0\.05 s") as caught:
            await pool.run(lambda: ends.wait(10), 0.05)
        assert caught.value.status == 422
        assert pool.admitted == 1
        ends.set()
        for _ in range(100):
            await asyncio.sleep(0.02)
            if not pool.admitted:
                break
        pool.admit()
        assert await pool.run(lambda: 6 * 7, 5.0) == 42
        pool.close()

    asyncio.run(go())


def test_an_error_in_the_work_is_raised_and_its_place_given_back():
    async def go() -> None:
        pool = Pool(2, 3)
        for _ in range(5):
            pool.admit()
        refused(503, pool.refuse_full)

        def fails() -> None:
            raise ValueError("inside")

        with pytest.raises(ValueError, match="inside"):
            await pool.run(fails, 5.0)
        await asyncio.sleep(0)
        assert pool.admitted == 4
        pool.close()

    asyncio.run(go())


def test_the_slowest_upload_makes_room_and_one_that_has_just_begun_does_not():
    arrivals = Arrivals(2)
    with arrivals.place(20) as slow, arrivals.place(20) as quick:
        assert "busy" in refused(503, arrivals.place(20).__enter__)
        slow.waited_s, slow.size = 2.0, 10
        quick.waited_s, quick.size = 2.0, 1000
        assert (slow.rate, quick.rate) == (5.0, 500.0)
        with arrivals.place(20):
            assert len(arrivals) == 2
            assert slow._dismissed.is_set()
            assert not quick._dismissed.is_set()
    assert len(arrivals) == 0


def test_a_sender_that_has_not_been_waited_for_is_not_slow():
    assert Sender(1.0).rate == float("inf")


# -- counters and settings -----------------------------------------------------


def test_counters_hold_what_was_counted_and_the_gauges_what_is():
    metrics = Metrics(admitted=lambda: 3, arriving=lambda: 1)
    for status in (200, 200, 422):
        metrics.request("af", status, 0.25)
    metrics.answer("af", "judged")
    text, kind = metrics.text()
    lines = text.decode().splitlines()
    assert kind.startswith("text/plain")
    for line in (
        'cardioflow_requests_total{bundle="af",status="200"} 2.0',
        'cardioflow_requests_total{bundle="af",status="422"} 1.0',
        'cardioflow_answers_total{bundle="af",outcome="judged"} 1.0',
        'cardioflow_seconds_count{bundle="af"} 3.0',
        'cardioflow_seconds_sum{bundle="af"} 0.75',
        "cardioflow_admitted 3.0",
        "cardioflow_arriving 1.0",
    ):
        assert line in lines
    # A second server in the process counts for itself.
    assert 'bundle="af"' not in Metrics(admitted=int, arriving=int).text()[0].decode()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"max_upload_mb": 0}, "ServerSettings(max_upload_mb=0) is not above 0."),
        ({"timeout_s": -1.0}, "ServerSettings(timeout_s=-1.0) is not above 0."),
        ({"upload_timeout_s": float("nan")}, "ServerSettings(upload_timeout_s=nan) is not above 0."),
        ({"workers": 0}, "ServerSettings(workers=0) is not above 0."),
        ({"arriving": 0}, "ServerSettings(arriving=0) is not above 0."),
        ({"queue": -1}, "ServerSettings(queue=-1) is below 0."),
        ({"bundles": ()}, "ServerSettings(bundles=()) has no bundle."),
    ],
)
def test_a_limit_that_would_refuse_everything_is_an_error(change, text):
    with pytest.raises(ConfigError) as caught:
        ServerSettings(**change)
    assert text in str(caught.value)


def test_no_queue_is_a_setting():
    assert ServerSettings(queue=0).queue == 0


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("127.0.0.1", True), ("127.8.9.1", True), ("localhost", True), ("::1", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.4", False), ("example.org", False), ("", False)),
    ],
)
def test_an_address_that_other_machines_reach_is_told_from_one_that_they_do_not(host, expected):
    assert is_loopback(host) is expected
