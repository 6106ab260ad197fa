"""A batch is immutable, and its rows know their provenance."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from cardioflow import EcgDataset
from cardioflow.batch import Annotation, EcgBatch, Meta, Ragged, unstack
from cardioflow.batch.ecg_batch import Skipped
from cardioflow.batch.partners import BatchPartners
from cardioflow.errors import InputError, LabelError, UnknownActionError, UnknownNameError


def _batch() -> EcgBatch:
    return EcgBatch(
        ids=("a", "b", "c"),
        signal=Ragged.from_arrays([np.full((1, n), i, np.float32) for i, n in enumerate((4, 6, 8))]),
        meta=Meta.from_rows([{"fs": 100.0, "leads": ("I",), "units": ("mV",)} for _ in range(3)]),
        annotation=tuple(Annotation(sample=np.array([1, 3])) for _ in range(3)),
        target=np.array(["N", "A", "N"], dtype=object),
        classes=("A", "N"),
        seed=3,
    ).with_component("score", np.arange(3))


def test_taking_rows_takes_them_from_every_component() -> None:
    taken = _batch().take([2, 0])
    assert taken.ids == ("c", "a")
    assert taken.target.tolist() == ["N", "N"]
    assert taken.signal.lengths.tolist() == [8, 4]
    assert taken.score.tolist() == [2, 0]
    assert taken.provenance.record_id == ("c", "a")
    assert len(taken.meta) == len(taken.annotation) == 2
    assert _batch().take(np.array([True, False, True])).ids == ("a", "c")


def test_rows_and_slices_are_batches() -> None:
    batch = _batch()
    assert batch[1].ids == ("b",)
    assert batch[1:].ids == ("b", "c")
    assert [row.ids[0] for row in batch] == ["a", "b", "c"]


def test_joining_the_rows_restores_the_batch() -> None:
    batch = _batch()
    joined = EcgBatch.concat(list(batch))
    assert joined.ids == batch.ids
    assert joined.signal == batch.signal
    assert joined.meta == batch.meta
    assert joined.annotation == batch.annotation
    assert joined.target.tolist() == batch.target.tolist()
    np.testing.assert_array_equal(joined.provenance.key, batch.provenance.key)


def test_batches_with_different_classes_are_not_joined() -> None:
    batch = _batch()
    with pytest.raises(LabelError, match=r"Batches of the classes \('A', 'N'\) and \('N', 'A'\) cannot be joined"):
        EcgBatch.concat([batch, batch.replace(classes=("N", "A"))])
    with pytest.raises(LabelError, match=r"\('A', 'N'\) and None cannot be joined"):
        EcgBatch.concat([batch, batch.replace(classes=None)])


def test_binarized_and_unbinarized_batches_are_not_joined() -> None:
    batch = _batch()
    with pytest.raises(LabelError, match="some have binarized targets and some have labels cannot be joined"):
        EcgBatch.concat([batch.binarize_labels(), batch])
    assert EcgBatch.concat([batch.binarize_labels()] * 2).target.shape == (6, 2)


def test_batches_with_different_seeds_or_epochs_are_not_joined() -> None:
    with pytest.raises(InputError, match=r"Batches of different seeds \(3, 4\) cannot be joined.*replace\(seed=…\)"):
        EcgBatch.concat([_batch(), _batch().replace(seed=4)])
    with pytest.raises(InputError, match=r"Batches of different epochs \(0, 1\)"):
        EcgBatch.concat([_batch(), _batch().replace(epoch=1)])


def test_real_and_complex_signals_are_not_joined() -> None:
    with pytest.raises(InputError, match=r"'signal' differs in the type of its samples \(complex64, float32\)"):
        EcgBatch.concat([_batch(), _batch().fft()])


def test_no_two_rows_of_a_joined_batch_draw_the_same_numbers() -> None:
    noisy = _batch().random_gaussian_noise(0.1).random_gaussian_noise(0.1)
    joined = EcgBatch.concat([_batch().standardize(), noisy])
    assert joined.history == ("random_gaussian_noise", "random_gaussian_noise", "standardize")


def test_empty_batches_add_only_their_skipped_records() -> None:
    skipped = (Skipped("x", "load", InputError("why")),)
    empty = EcgBatch(ids=(), seed=9, skipped=skipped)
    joined = EcgBatch.concat([empty, _batch()])
    assert joined.ids == ("a", "b", "c")
    assert joined.score.tolist() == [0, 1, 2]
    assert joined.skipped == skipped


def test_a_component_of_another_length_is_refused() -> None:
    with pytest.raises(InputError, match="Component 'target' has 2 rows, but the batch has 3 ids"):
        _batch().replace(target=np.zeros(2))


def test_a_batch_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="cannot assign"):
        _batch().ids = ("x",)  # type: ignore[misc]


def test_an_error_names_a_component_that_is_not_loaded() -> None:
    with pytest.raises(InputError, match=r"The batch has no signal\. Call load\(components='signal'\) first"):
        EcgBatch(ids=("a",)).component("signal")
    with pytest.raises(UnknownNameError, match=r"The batch has no component 'signals'\. Did you mean 'signal'"):
        _batch().component("signals")


def test_an_unknown_action_is_an_attribute_error_with_the_nearest() -> None:
    with pytest.raises(UnknownActionError, match=r"There is no action or component 'standardise'.*'standardize'"):
        _batch().standardise()
    assert not hasattr(_batch(), "_private")


def test_copies_and_pickles_of_a_batch_are_complete() -> None:
    for again in (copy.copy(_batch()), pickle.loads(pickle.dumps(_batch()))):
        assert again.signal == _batch().signal
        assert again.score.tolist() == [0, 1, 2]


def test_actions_keep_the_subclass() -> None:
    class Mine(EcgBatch):
        pass

    batch = Mine(ids=("a",), signal=Ragged.from_arrays([np.zeros((1, 9))]), meta=Meta.from_rows([{"fs": 1.0}]))
    assert type(batch.standardize()) is Mine


def test_keys_depend_on_seed_epoch_record_step_and_occurrence() -> None:
    batch = _batch()
    base = batch.keys("random_crop")
    others = [
        batch.replace(seed=4).keys("random_crop"),
        batch.replace(epoch=1).keys("random_crop"),
        batch.keys("random_split"),
        batch.replace(history=("random_crop",)).keys("random_crop"),
    ]
    assert all((base != other).all() for other in others)
    np.testing.assert_array_equal(base, batch.replace(history=("standardize",)).keys("random_crop"))
    np.testing.assert_array_equal(base[[2]], batch.take([2]).keys("random_crop"))


def test_unstacking_gives_a_row_per_segment_that_knows_its_record() -> None:
    batch = _batch()
    cut = batch.replace(
        signal=Ragged(np.arange(6, dtype=np.float32), [(2, 1, 1), (3, 1, 1), (1, 1, 1)]),
        annotation=tuple((Annotation(),) * n for n in (2, 3, 1)),
        provenance=batch.provenance.cut([np.array([0.0, 0.5]), np.array([0.0, 0.1, 0.2]), np.array([0.3])]),
    )
    rows = unstack(cut)
    assert rows.ids == ("a/0", "a/1", "b/0", "b/1", "b/2", "c/0")
    assert rows.provenance.record_id == ("a", "a", "b", "b", "b", "c")
    assert rows.provenance.n_segments.tolist() == [2, 2, 3, 3, 3, 1]
    assert [s[0] for s in rows.provenance.segment_start_s] == [0.0, 0.5, 0.0, 0.1, 0.2, 0.3]
    assert rows.signal.dense().reshape(-1).tolist() == [0, 1, 2, 3, 4, 5]
    assert rows.score.tolist() == [0, 0, 1, 1, 1, 2]
    assert len(set(rows.provenance.key.tolist())) == 6
    assert unstack(rows) is rows


def test_cutting_a_segment_again_counts_from_the_records_first_sample() -> None:
    provenance = _batch().provenance.cut([np.array([2.0])] * 3).cut([np.array([0.0, 1.0])] * 3)
    assert provenance.segment_start_s[0].tolist() == [2.0, 3.0]


def test_merging_gives_a_batch_of_the_given_size_and_the_rest() -> None:
    batch = _batch()
    first, rest = EcgBatch.merge([batch[:1], batch[1:]], batch_size=2)
    assert rest is not None
    assert (first.ids, rest.ids) == (("a", "b"), ("c",))
    assert EcgBatch.merge([batch])[1] is None
    with pytest.raises(InputError, match=r"merge\(batch_size=0\): expected 1 or more"):
        EcgBatch.merge([batch], 0)


def test_rows_are_cut_only_if_they_have_segments() -> None:
    batch = _batch()
    assert not batch.is_cut
    assert not EcgBatch(ids=("a",)).is_cut
    cut = batch.replace(signal=Ragged.from_arrays([np.zeros((2, 1, 4), np.float32)] * 3), annotation=None)
    assert cut.is_cut
    assert not unstack(cut).is_cut


def test_merging_to_one_row_leaves_the_others() -> None:
    first, rest = EcgBatch.merge(list(_batch()), 1)
    assert (first.ids, rest.ids) == (("a",), ("b", "c"))
    whole, none = EcgBatch.merge(list(_batch()), 3)
    assert (whole.ids, none) == (("a", "b", "c"), None)
    with pytest.raises(InputError, match=r"merge\(batch_size=0\): expected 1 or more"):
        EcgBatch.merge(list(_batch()), 0)


def test_a_step_on_a_batch_is_in_its_history() -> None:
    loaded = EcgDataset.simulated(2, fs=100, duration_s=2).next_batch(2).load(fmt="simulated")
    assert loaded.history == ("load",)
    assert loaded.flip_signals().history == ("load", "flip_signals")


def test_no_rows_are_loaded_as_no_rows() -> None:
    none = EcgDataset.simulated(2, fs=100, duration_s=2).next_batch(2)[:0].load(fmt="simulated")
    assert (len(none), none.ids, none.history) == (0, (), ("load",))


def test_partners_of_a_batch_know_its_labels() -> None:
    asked = []

    def labels_of(batch: EcgBatch) -> list[str]:
        asked.append(batch.ids)
        return batch.target.tolist()

    partners = BatchPartners(_batch(), "random_mix_up")
    assert partners.labels(labels_of) == partners.labels(labels_of) == ["N", "A", "N"]
    assert asked == [("a", "b", "c")]
