"""The reliability plot draws the numbers that it is given."""

from __future__ import annotations

import numpy as np

from cardioflow.calibration import reliability
from cardioflow.report.plot_reliability import plot_reliability


def test_the_plot_holds_frequencies_limits_and_counts(tmp_path) -> None:
    found = reliability([1, 1, 1, 0, 0], [0.9, 0.95, 0.85, 0.8, 0.1], of=1, n_bins=4)
    figure = plot_reliability(found)
    above, below = figure.axes
    (line,) = [own for own in above.lines if own.get_marker() == "o"]
    np.testing.assert_allclose(line.get_xdata(), [0.1, 0.875])
    np.testing.assert_allclose(line.get_ydata(), [0, 0.75])
    segments = above.collections[0].get_segments()
    np.testing.assert_allclose([s[:, 1] for s in segments], np.stack([found.low, found.high], axis=1), atol=1e-12)
    assert [bar.get_height() for bar in below.patches] == [1, 4]
    figure.savefig(tmp_path / "reliability.svg")
    assert "predicted probability" in (tmp_path / "reliability.svg").read_text()
