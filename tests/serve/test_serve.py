"""The service answers ECG files with JSON or FHIR, refuses what it should with a reason, and lives on."""

from __future__ import annotations

import asyncio
import io
import json
import random
import socket
import time
import zipfile
from pathlib import Path

import httpx
import pytest

import cardioflow
from cardioflow.bundle.json_form import as_json
from cardioflow.errors import ConfigError
from cardioflow.report.measure_file import measure_file
from cardioflow.report.page.page import script_source
from cardioflow.serve.app import create_app
from cardioflow.serve.pool import Pool
from cardioflow.serve.refusal import RefusalError
from cardioflow.serve.running import is_loopback, listening
from cardioflow.serve.settings import ServerSettings

BASE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def app():
    # A loaded machine takes its time for the first record of each kind.
    return create_app(
        ServerSettings(max_upload_mb=1.0, upload_timeout_s=0.5, linger_s=0.3, timeout_s=120.0, allow_identify=True)
    )


def ask(app, method: str, url: str, **given) -> httpx.Response:
    """Return the response of the application, without a network."""

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
            return await client.request(method, url, **given)

    return asyncio.run(call())


def send(app, content, bundle="beats", filename="a.zip", **more) -> httpx.Response:
    return ask(app, "POST", f"/v1/predict/{bundle}", params={"filename": filename, **more}, content=content)


@pytest.fixture(scope="module")
def record(cinc: Path) -> bytes:
    """A WFDB record as a ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for suffix in (".hea", ".mat"):
            archive.write(cinc / f"A00015{suffix}", f"A00015{suffix}")
    return out.getvalue()


def test_an_answer_is_what_the_bundle_says_in_python(app, cinc, record):
    for name in ("beats", "waves"):
        response = send(app, record, name)
        assert response.status_code == 200, response.text
        expected = as_json(cardioflow.load(name).predict(cinc / "A00015.hea")[0])
        found = response.json()
        assert found.pop("bundle") == name
        assert found.pop("release") == cardioflow.load(name).description.release
        assert found.pop("warnings") == []
        del expected["file"]
        assert found == json.loads(json.dumps(expected))


def test_a_device_file_is_answered_without_the_name_of_the_patient(app, data):
    path = data / "formats" / "hl7_aecg" / "Example_aECG.xml"
    content = path.read_bytes()
    plain = send(app, content, filename="Miller_Anna.xml")
    assert plain.status_code == 200, plain.text
    assert plain.json()["judged"]
    asked = send(app, content, filename="a.xml", identify=True).json()
    assert asked["patient"]["patient_id"]
    assert asked["patient"]["patient_id"] not in plain.text
    assert "Miller" not in plain.text
    assert "patient" not in plain.json()
    report = send(app, content, filename="a.xml", form="fhir").text
    assert asked["patient"]["patient_id"] not in report
    named = send(app, content, filename="a.xml", form="fhir", identify=True).json()
    assert named["contained"][0]["resourceType"] == "Patient"
    assert named["subject"] == {"reference": "#patient"}


def test_measurements_and_the_report_are_those_of_the_command_line_without_the_name_of_the_file(app, data):
    path = data / "formats" / "hl7_aecg" / "Example_aECG.xml"
    content = path.read_bytes()

    def post(what: str, name: str = "Miller_Anna.xml") -> httpx.Response:
        return ask(app, "POST", f"/v1/{what}", params={"filename": name}, content=content)

    expected = measure_file(path)
    del expected["file"]
    assert post("measure").json() == json.loads(json.dumps(expected))
    page = post("report")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "ECG report: upload" in page.text
    assert "Miller" not in page.text
    heart_rate = f"{expected['whole']['heart_rate']:.0f} /min"
    assert heart_rate in page.text
    # The page of the server shows it in a frame: its policy has to allow the script of the report.
    assert script_source() in ask(app, "GET", "/").headers["content-security-policy"]
    assert script_source() in page.text.replace("&#x27;", "'")
    assert post("measure", "a.edf").status_code == 200  # the content counts, not the name
    refused = ask(app, "POST", "/v1/report", params={"filename": "a.edf"}, content=b"rubbish")
    assert refused.status_code == 422
    assert "is not recognised as one of the known formats" in refused.json()["detail"]


def test_what_identifies_the_patient_is_not_given_unless_the_server_allows_it(record):
    strict = create_app(ServerSettings(bundles=("beats",)))
    response = send(strict, record, identify=True)
    assert response.status_code == 403
    assert response.json()["detail"].startswith("This server does not give what identifies a patient.")


@pytest.mark.parametrize(
    ("content", "given", "status", "reason"),
    [
        (b"", {}, 400, "The request has no body"),
        (b"rubbish", {"filename": "../a.edf"}, 400, "The file name is not valid"),
        (b"rubbish", {"filename": ".a"}, 400, "The file name is not valid"),
        (b"rubbish", {"filename": "a.edf"}, 422, "is not recognised as one of the known formats"),
        (b"rubbish", {"bundle": "none"}, 404, "There is no bundle of that name. There are: af, beats, quality, waves."),
        (b"PK\x03\x04rubbish", {}, 422, "The archive is damaged"),
        (b"0" * 1_000_001, {}, 413, "The file is larger than 1 MB"),
        (b"0       " * 32, {"filename": "a.edf"}, 422, "a.edf"),
    ],
)
def test_what_is_not_an_ecg_is_refused_with_the_reason(app, content, given, status, reason):
    response = send(app, content, **given)
    assert response.status_code == status
    assert reason in response.json()["detail"]
    assert "cardioflow-" not in response.text


def test_archives_that_reach_out_or_swell_are_refused(app):
    def archive(entries: dict[str, bytes]) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in entries.items():
                made.writestr(name, content)
        return out.getvalue()

    for entries, status, reason in (
        ({"../a.hea": b"x"}, 400, "The file name is not valid"),
        ({"a/b.hea": b"x"}, 400, "The file name is not valid"),
        ({"a.bin": b"0" * 5_000_000}, 413, "The archive holds more than 4 MB"),
        ({f"{i}.hea": b"x" for i in range(21)}, 413, "The archive holds 21 files, and at most 20 are read"),
        ({}, 422, "The archive is empty"),
        ({"a.hea": b"a 1 100 10\n/etc/passwd 16 200 16 0 0 0 0 I\n"}, 422, "a.hea"),
        ({"a.edf": b"x", "b.edf": b"y"}, 422, "There are 2 ECGs in the archive. Send one at a time."),
    ):
        response = send(app, archive(entries))
        assert (response.status_code, reason in response.json()["detail"]) == (status, True), response.text
        assert "root:" not in response.text


def test_a_body_without_a_length_is_cut_off_and_a_slow_one_is_not_waited_for(app):
    async def endless():
        while True:
            yield b"0" * 100_000

    async def slow():
        for _ in range(100):
            yield b"0"
            await asyncio.sleep(0.1)

    assert send(app, endless()).status_code == 413
    start = time.monotonic()
    response = send(app, slow())
    assert response.status_code == 408
    assert response.json()["detail"] == "The file did not arrive within 0.5 s."
    assert time.monotonic() - start < 9


def test_damaged_files_end_in_an_answer_or_a_reason_and_leave_nothing_behind(app, data, record, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rng = random.Random(0)
    sources = [("a.zip", record)]
    small = [p for p in sorted((data / "formats").rglob("*")) if p.suffix.lower() in (".xml", ".scp", ".edf")]
    sources += [(f"a{path.suffix}", path.read_bytes()) for path in small if path.stat().st_size < 300_000]
    for _ in range(30):
        name, content = rng.choice(sources)
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 40)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        if rng.random() < 0.3:
            damaged = damaged[: rng.randrange(1, len(damaged))]
        response = send(app, bytes(damaged), filename=name)
        assert response.status_code in (200, 400, 413, 422), response.text
        assert response.status_code == 200 or response.json()["detail"]
    assert ask(app, "GET", "/health").json()["admitted"] == 0
    assert list(tmp_path.iterdir()) == []


def test_a_full_queue_is_told_to_come_again_and_a_place_lasts_until_the_work_ends():
    async def scenario() -> None:
        pool = Pool(workers=1, queue=1)
        pool.admit()
        with pytest.raises(RefusalError, match=r"not finished within 0\.05 s") as late:
            await pool.run(lambda: time.sleep(0.4), 0.05)
        assert late.value.status == 422
        pool.admit()
        with pytest.raises(RefusalError, match="The server is busy") as busy:
            pool.admit()
        assert busy.value.status == 503
        await asyncio.sleep(0.5)
        assert pool.admitted == 1
        assert await pool.run(lambda: 7, 1) == 7
        await asyncio.sleep(0)
        assert pool.admitted == 0

    asyncio.run(scenario())


def test_another_host_name_is_refused_so_that_a_web_page_cannot_reach_the_server(app):
    assert ask(app, "GET", "/health", headers={"host": "evil.example"}).status_code == 400


def test_page_health_metrics_and_schema_are_served(app, record):
    page = ask(app, "GET", "/")
    assert "Drop an ECG file here" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http" not in page.text.replace("http://127.0.0.1:8000", "")
    send(app, record)
    text = ask(app, "GET", "/metrics").text
    assert 'cardioflow_requests_total{bundle="beats",status="200"}' in text
    assert 'cardioflow_answers_total{bundle="beats",outcome="judged"}' in text
    assert "A00015" not in text
    schema = ask(app, "GET", "/openapi.json").json()
    assert set(schema["paths"]["/v1/predict/{bundle}"]["post"]["responses"]) >= {
        "200",
        "400",
        "408",
        "413",
        "422",
        "503",
    }
    (beats,) = (own for own in ask(app, "GET", "/v1/bundles").json() if own["name"] == "beats")
    assert beats["not_for"]


def test_a_port_in_use_is_said_in_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigError, match=rf"cannot listen on 127\.0\.0\.1, port {port}: Address already in use\. Choose"
        ):
            listening("127.0.0.1", port)
    with pytest.raises(ConfigError, match=r"--host 'no such host' is not a name or an address"):
        listening("no such host", 0)


def test_only_loopback_addresses_are_private():
    assert [is_loopback(h) for h in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.1", "ecg.example")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
