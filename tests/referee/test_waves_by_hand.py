"""The task ``waves`` on records of which every mark is known, with delineators that return what a test put down."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import Annotation
from cardioflow.errors import InputError
from cardioflow.referee import benchmark
from cardioflow.referee.boundaries import POINTS, BoundaryScore, best_lead_errors, match_points, score_points
from cardioflow.referee.tasks.waves import Waves
from cardioflow.referee.wave_methods import FoundWaves, wave_method
from cardioflow.referee.wave_reference import points_of, wave_records
from cardioflow.referee.wave_tally import PointScores, WaveTally

FS = 100
ANSWERS: list[dict[str, list[float]]] = []
SEEN: list[tuple[int, float]] = []


def next_answer(lead, fs):
    """The answers of a test, one lead after the other, in seconds of what the method is given."""
    SEEN.append((lead.size, fs))
    return ANSWERS[(len(SEEN) - 1) % len(ANSWERS)]


def a_list(lead, fs):
    return [1.0, 2.0]


@pytest.fixture
def answer(mine):
    def put(*answers):
        SEEN.clear()
        ANSWERS[:] = answers

    return put


def beat(at, p=True):
    """Marks of a beat with the QRS from ``at`` - 4 to ``at`` + 4, P before and T after, in samples of 10 ms."""
    marks = [(at - 4, "("), (at, "N"), (at + 4, ")"), (at + 20, "("), (at + 26, "t"), (at + 32, ")")]
    return ([(at - 20, "("), (at - 16, "p"), (at - 12, ")")] if p else []) + marks


def seconds(*samples):
    return [s / FS for s in samples]


@pytest.fixture
def two_leads(tmp_path, record):
    """A record as in LUDB: each lead has its own marks; no P wave is marked in the second one."""
    marks = {"i": beat(100) + beat(200), "ii": beat(102, p=False) + beat(202, p=False)}
    return record(tmp_path / "ludb", "1", marks, n=400, leads=("i", "ii"), comment="Rhythm: Atrial fibrillation.")


def test_each_lead_is_scored_against_its_own_marks(two_leads, answer, rows):
    answer({"QRS on": seconds(97, 195), "QRS end": seconds(104)}, {"QRS on": seconds(98, 198), "QRS end": []})
    found = {r["point"]: r for r in rows(benchmark("waves", two_leads, "mine:next_answer"), "Each lead alone")}
    onsets = found["QRS on"]
    assert (onsets["marks"], onsets["Se %"], onsets["PPV %"]) == (4, 100, 100)
    # +10, -10, 0 and 0 ms: the sum of squares is 200, over n - 1 = 3.
    assert onsets["bias ms"] == pytest.approx(0)
    assert onsets["SD ms"] == pytest.approx(np.sqrt(200 / 3))
    # Only those of 0 ms lie within the 6.5 ms of the cardiologists.
    assert onsets["within CSE %"] == pytest.approx(50)
    assert (found["QRS end"]["marks"], found["QRS end"]["Se %"]) == (4, 25)
    assert set(found) == {"QRS on", "QRS end"}, "points that a method does not give have no row"


def test_p_waves_where_none_is_marked_are_counted_by_beat(two_leads, answer, rows):
    answer({"P peak": seconds(84, 184)}, {"P peak": seconds(60, 110, 150, 300)})
    report = benchmark("waves", two_leads, "mine:next_answer")
    by_group = {r["P waves judged from"]: r for r in rows(report, "Beats in leads without any marked P wave")}
    # Of the four P waves in the second lead two lie between its first and its last mark, in which two beats are.
    assert set(by_group) == {"1 lead", "1 lead, AF and flutter"}
    for row in by_group.values():
        assert (row["beats"], row["invented"], row["specificity %"]) == (2, 2, 0)
    alone = next(r for r in rows(report, "Each lead alone") if r["point"] == "P peak")
    assert (alone["marks"], alone["Se %"], alone["PPV %"]) == (2, 100, 50)


def test_more_p_waves_than_beats_do_not_make_a_specificity_below_zero(two_leads, answer, rows):
    answer({"P peak": []}, {"P peak": seconds(100, 110, 120, 130, 140)})
    (row, *_) = rows(benchmark("waves", two_leads, "mine:next_answer"), "Beats in leads without any")
    assert (row["invented"], row["specificity %"]) == (2, 0)


def test_a_lead_without_all_brackets_is_left_out_of_the_table_of_whole_leads(tmp_path, record, answer, rows):
    marks = {"i": beat(100), "ii": [m for m in beat(100) if m != (126 + 6, ")")]}
    folder = record(tmp_path / "set", "1", marks, n=400, leads=("i", "ii"))
    answer(*[{"QRS on": seconds(96), "T end": seconds(132)}] * 2)
    report = benchmark("waves", folder, "mine:next_answer")
    alone, whole = (
        {r["point"]: (r["marks"], r["PPV %"]) for r in rows(report, title)}
        for title in ("Each lead alone", "Each lead alone, leads whose reference has all brackets")
    )
    # The end of T that was not marked in the second lead is neither missed nor invented there.
    assert alone == {"QRS on": (2, 100), "T end": (1, 100)}
    assert whole == {"QRS on": (1, 100), "T end": (1, 100)}


def test_times_are_those_of_the_record_where_only_a_part_of_it_is_marked(tmp_path, record, answer, rows):
    folder = record(tmp_path / "set", "1", {"q1c": beat(60_00) + beat(61_00)}, n=120_00, leads=("I", "II"))
    # From 10 s before the first mark, at 58.8 s in, to 10 s after the last one.
    start = 60_00 - 20 - 10_00
    answer({"QRS peak": seconds(60_00 - start, 61_01 - start)}, {"QRS peak": seconds(60_02 - start)})
    report = benchmark("waves", folder, "mine:next_answer", ann_ext="q1c")
    assert [own for own, _ in SEEN] == [pytest.approx(61_32 + 10_00 - start, abs=1)] * 2
    (own,) = rows(report, "The lead nearest to each mark")
    assert (own["point"], own["marks"], own["Se %"]) == ("QRS peak", 2, 100)
    # The first lead is nearer to both marks: 0 and +10 ms.
    assert own["bias ms"] == pytest.approx(5)
    assert own["SD of all ms"] == pytest.approx(np.sqrt(50))


def test_a_method_that_gives_some_of_the_points_is_scored_by_the_nearest_lead_too(tmp_path, record, answer, rows):
    folder = record(tmp_path / "set", "1", {"q1c": beat(500)}, n=1500, leads=("I", "II"))
    answer({"T end": seconds(533)}, {"QRS on": seconds(494)})
    found = {
        r["point"]: r["bias ms"]
        for r in rows(benchmark("waves", folder, "mine:next_answer", ann_ext="q1c"), "The lead nearest")
    }
    assert found == {"T end": pytest.approx(10), "QRS on": pytest.approx(-20)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"P Peak": [1.0]},
            r"mine:next_answer returned the point 'P Peak'\. The points are P on, P peak, P end, QRS on",
        ),
        ({"R peak": [1.0]}, r"returned the point 'R peak'"),
        ({"P peak": [[1.0, 2.0]]}, r"returned 2 dimensions for 'P peak'\. Return a list of seconds"),
        ({"P peak": 1.0}, r"returned 0 dimensions for 'P peak'"),
    ],
    ids=["another case", "another name", "a table", "one number"],
)
def test_points_that_are_not_known_are_refused_and_not_passed_over(two_leads, answer, given, said):
    answer(given)
    with pytest.raises(InputError, match=said):
        benchmark("waves", two_leads, "mine:next_answer")


@pytest.mark.usefixtures("mine")
def test_what_is_no_dict_of_points_is_refused(two_leads):
    with pytest.raises(InputError, match=r"mine:a_list returned a list\. Return a dict of the seconds of each point"):
        benchmark("waves", two_leads, "mine:a_list")


@pytest.mark.usefixtures("mine")
def test_a_function_of_the_user_has_its_own_name_and_training_data():
    method = wave_method("mine:a_list")
    assert (method.name, method.training_data) == ("mine:a_list", ())


@pytest.mark.parametrize("tolerance_ms", [0, -1, float("nan")])
def test_a_tolerance_that_nothing_meets_is_refused(tolerance_ms):
    with pytest.raises(InputError, match=rf"tolerance_ms={tolerance_ms} is not above 0"):
        Waves(tolerance_ms=tolerance_ms)


def test_the_tolerance_decides_what_is_found(two_leads, answer, rows):
    answer({"QRS peak": seconds(103, 203)}, {"QRS peak": seconds(106, 206)})
    for tolerance_ms, found in ((20, 0), (30, 50), (40, 100)):
        (own,) = rows(benchmark("waves", two_leads, "mine:next_answer", tolerance_ms=tolerance_ms), "Each lead alone")
        assert own["Se %"] == found


def test_rhythm_and_marks_are_read_from_the_header_and_the_leads(two_leads):
    (own,) = wave_records(two_leads)
    assert (own.id, own.rhythm, own.fs, own.signal.shape) == ("1", "Atrial fibrillation", 100.0, (2, 400))
    first, second = own.by_lead
    assert first.points["QRS peak"].tolist() == [1.0, 2.0]
    assert second.points["P peak"].size == 0
    assert first.span_s == (0.8, 2.32)
    assert second.span_s == (0.98, 2.34)


def annotation(*marks):
    return Annotation(np.array([s for s, _ in marks]), np.array([c for _, c in marks]))


def test_beats_without_brackets_are_a_wave_each():
    found = points_of(annotation(*((100 * k, "N") for k in range(1, 6))), FS)
    assert found.points["QRS peak"].tolist() == [1, 2, 3, 4, 5]
    assert np.isnan(found.points["QRS on"]).all()
    assert found.missing_brackets == 10


def test_two_waves_whose_inner_brackets_are_missing_are_two():
    found = points_of(annotation((10, "("), (14, "N"), (114, "N"), (118, ")")), FS)
    assert found.points["QRS peak"].tolist() == [0.14, 1.14]
    assert found.points["QRS on"].tolist() == pytest.approx([0.1, np.nan], nan_ok=True)
    assert found.points["QRS end"].tolist() == pytest.approx([np.nan, 1.18], nan_ok=True)


def test_three_phases_close_together_are_one_wave_with_the_first_peak():
    found = points_of(annotation((10, "("), (12, "t"), (16, "t"), (20, "t"), (26, ")")), FS)
    points = [found.points[name].tolist() for name in ("T on", "T peak", "T end")]
    assert points == [[0.1], [0.12], [0.26]]
    assert found.missing_brackets == 0


def test_other_marks_between_waves_change_nothing():
    plain = points_of(annotation(*beat(100)), FS)
    other = points_of(annotation(*beat(100)[:3], (86 + 2, "u"), *beat(100)[3:], (150, "|")), FS)
    for name in POINTS:
        assert plain.points[name].tolist() == other.points[name].tolist()


@pytest.mark.parametrize("shift", [0.0, 3600.0])
@pytest.mark.parametrize("seed", range(3))
def test_pairs_of_points_are_the_nearest_first_whatever_the_order(seed, shift):
    random = np.random.default_rng(seed)
    true = np.cumsum(random.uniform(0.1, 0.6, 40)) + shift
    found = true + random.uniform(-0.2, 0.2, 40)
    i, j = match_points(true, found, 0.15)
    assert len(set(i)) == len(set(j)) == i.size
    assert (np.abs(true[i] - found[j]) <= 0.15 + 1e-6).all()
    order = random.permutation(40)
    k, m = match_points(true, found[order], 0.15)
    assert sorted(zip(i, j, strict=True)) == sorted(zip(k, order[m], strict=True))
    back = match_points(found, true, 0.15)
    assert sorted(zip(back[1], back[0], strict=True)) == sorted(zip(i, j, strict=True))
    left_true, left_found = np.delete(true, i), np.delete(found, j)
    assert (np.abs(left_true[:, None] - left_found[None]) > 0.15).all(), "no pair that is left could be made"


def points(**given):
    return {name: np.array(given.get(name.lower().replace(" ", "_"), []), float) for name in POINTS}


def test_without_leads_there_is_nothing_to_score():
    assert best_lead_errors(points(t_end=[1.0]), []) == {}


def test_a_point_that_one_lead_lacks_is_taken_from_the_other():
    errors, missed = best_lead_errors(points(t_end=[1.0, 2.0]), [{}, points(t_end=[1.01])])["T end"]
    assert errors == pytest.approx([10.0])
    assert missed == 1


def test_a_point_that_is_not_a_number_is_not_found():
    score = score_points(points(t_peak=[0.9], t_end=[1.0]), {"T end": np.array([np.nan, 1.02])}, (0.0, 2.0))["T end"]
    assert (score.true, score.missed, score.invented) == (1, 0, 0)
    assert score.errors_ms == pytest.approx([20.0])


def test_a_point_found_far_from_the_peak_of_a_wave_without_bracket_is_invented():
    reference = points(p_on=[np.nan], p_peak=[1.0])
    for at, invented in ((0.95, 0), (0.71, 0), (0.65, 1)):
        score = score_points(reference, {"P on": np.array([at])}, (0.0, 2.0))["P on"]
        assert (score.missed, score.invented) == (0, invented)


def test_scores_of_parts_of_a_data_set_add_up_to_those_of_the_whole():
    reference = points(t_peak=[0.9, 1.9], t_end=[1.0, 2.0])
    found = [points(t_end=[1.01, 2.03]), points(t_end=[1.02])]
    whole, parts = PointScores(), [PointScores(), PointScores()]
    for own, part in zip(found, parts, strict=True):
        for scores in (whole, part):
            scores.start_record(["T end"])
            scores.add({"T end": score_points(reference, own, (0.0, 3.0))["T end"]})
    parts[0].extend(parts[1])
    one, other = whole.pooled("T end"), parts[0].pooled("T end")
    assert (one.true, one.missed, one.invented) == (other.true, other.missed, other.invented) == (3, 1, 0)
    assert one.mean_ms == other.mean_ms == pytest.approx(20)
    assert whole.f1_interval("T end") == parts[0].f1_interval("T end")
    assert whole.sd_interval("T end") == parts[0].sd_interval("T end")


def test_tallies_of_folds_are_merged_with_their_times(two_leads):
    (own,) = wave_records(two_leads)
    found = FoundWaves((points(p_peak=[0.84]), points(p_peak=[1.0])))
    tallies = [WaveTally(cpu_s=1.5, lead_hours=0.25), WaveTally(cpu_s=0.5, lead_hours=0.75)]
    for tally in tallies:
        tally.add(own, found, 0.15)
    tallies[0].merge(tallies[1])
    assert tallies[0].single.pooled("P peak").true == 2
    assert tallies[0].invented["1 lead"] == [(1, 2), (1, 2)]
    assert (tallies[0].cpu_s, tallies[0].lead_hours) == (2.0, 1.0)


def test_the_share_within_a_limit_counts_the_limit_itself():
    score = BoundaryScore(4, 0, 0, np.array([-6.5, 6.5, 6.6, 0.0]))
    assert score.within(6.5) == 0.75
    assert np.isnan(BoundaryScore(0, 3, 0, np.empty(0)).within(6.5))
