"""The lines that a PDF draws, in millimetres: enough of ISO 32000's operators to measure a page."""

import re
import zlib

import numpy as np

TOKEN = re.compile(rb"\[[^\]]*\]|\((?:\\.|[^\\)])*\)|<[^>]*>|/[^\s/<>\[\]()]+|[-+.\w*'\"]+")


def strokes(pdf: bytes) -> list[np.ndarray]:
    """Return the points of each path of all content streams, (n, 2) in millimetres from the lower left corner."""
    found = []
    for match in re.finditer(rb"(?<!end)stream\r?\n", pdf):
        end = pdf.index(b"endstream", match.end())
        try:
            content = zlib.decompressobj().decompress(pdf[match.end() : end])
        except zlib.error:
            content = pdf[match.end() : end]
        if re.search(rb"\b(re|l|S)\b", content) and b"beginbfchar" not in content and b"\0" not in content[:200]:
            found += _paths(content)
    return [path * 25.4 / 72 for path in found]


def _paths(content: bytes) -> list[np.ndarray]:
    matrix, stack, numbers, points, found = np.eye(3), [], [], [], []
    for token in TOKEN.findall(content):
        try:
            numbers.append(float(token))
            continue
        except ValueError:
            pass
        if token == b"q":
            stack.append(matrix)
        elif token == b"Q" and stack:
            matrix = stack.pop()
        elif token == b"cm" and len(numbers) >= 6:
            a, b, c, d, e, f = numbers[-6:]
            matrix = np.array([[a, b, 0], [c, d, 0], [e, f, 1]]) @ matrix
        elif token in (b"m", b"l") and len(numbers) >= 2:
            if token == b"m" and points:
                found.append(np.array(points))
                points = []
            points.append(tuple((np.array([*numbers[-2:], 1.0]) @ matrix)[:2]))
        elif token in (b"S", b"s", b"n", b"f", b"B", b"f*") and points:
            found.append(np.array(points))
            points = []
        numbers = []
    return found


def page_size(pdf: bytes) -> tuple[float, float]:
    """Return the width and height of the first page in millimetres."""
    box = re.search(rb"/MediaBox\s*\[\s*([^\]]+)\]", pdf).group(1)
    left, low, right, high = map(float, box.split())
    return (right - left) * 25.4 / 72, (high - low) * 25.4 / 72


def pulses(paths: list[np.ndarray], tolerance: float = 0.05) -> list[tuple[float, float]]:
    """Return the height and width of each path that has the shape of a calibration pulse: six points, one step up."""
    found = []
    for path in paths:
        if len(path) != 6:
            continue
        x, y = path.T
        flat = abs(y[0] - y[1]) < tolerance and abs(y[2] - y[3]) < tolerance and abs(y[4] - y[5]) < tolerance
        upright = abs(x[1] - x[2]) < tolerance and abs(x[3] - x[4]) < tolerance
        if flat and upright:
            found.append((abs(y[2] - y[1]), abs(x[3] - x[2])))
    return found
