"""Partners in a pipeline come from the whole data set, so that batches do not decide who meets whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cardioflow import EcgDataset, F, Pipeline, V
from cardioflow.batch.partners import BatchPartners
from cardioflow.errors import ConfigError, FormatError, LabelError

N = 24


@pytest.fixture(scope="module")
def dataset():
    return EcgDataset.simulated(N, rhythms=("SR", "AF", "SR"), fs=100, duration_s=4)


@pytest.fixture(scope="module")
def loaded():
    return Pipeline().load(fmt="simulated", components=["signal", "meta"]).load(components="target")


CHAINS = {
    "random_mix_up": lambda p: p.random_crop_signals(200).binarize_labels().random_mix_up(1.0),
    "random_cut_mix": lambda p: p.standardize().binarize_labels().random_cut_mix(),
    "after unstacking": lambda p: p.binarize_labels().split_signals(100).unstack_signals().random_mix_up(1.0),
    "after rebatch": lambda p: p.binarize_labels().split_signals(100).unstack_signals().rebatch(5).random_cut_mix(),
    "one after the other": lambda p: p.binarize_labels().random_mix_up(0.5).random_mix_up(1.0).random_cut_mix(),
    "get_triplets": lambda p: p.random_gaussian_noise().get_triplets(2, 150),
    "triplets of other labels": lambda p: p.rename_labels({"SR": "N", "AF": "A"}).get_triplets(1, 90, {"A": ["N"]}),
}
each_chain = pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)


def rows(bound, batch_size, **options):
    """Signal, target and triplet of each row, by the row's id."""
    found = {}
    for batch in bound.batches(batch_size, **{"seed": 3, **options}):
        for i, name in enumerate(batch.ids):
            triplet = batch.triplet[i] if hasattr(batch, "triplet") else None
            found[name] = batch.signal[i].tobytes(), np.asarray(batch.target[i]).tolist(), triplet
    return found


@each_chain
def test_a_row_is_the_same_whatever_the_batch_size_the_order_and_the_threads(dataset, loaded, chain):
    bound = dataset >> chain(loaded)
    once = rows(bound, 50)
    assert len(once) >= 8
    for size, options in ((3, {}), (7, {"shuffle": True}), (7, {"threads": 0}), (3, {"threads": 4, "shuffle": True})):
        assert rows(bound, size, **options) == once


def test_records_are_mixed_with_others_and_every_epoch_has_its_own_partners(dataset, loaded):
    chain = CHAINS["random_mix_up"](loaded)
    plain = rows(dataset >> loaded.random_crop_signals(200).binarize_labels(), 5)
    mixed = rows(dataset >> chain, 5)
    assert all(mixed[name][0] != plain[name][0] for name in dataset.ids)
    assert any(sorted(target) != [0, 1] for _, target, _ in mixed.values())
    epochs = [batch.signal for batch in (dataset >> chain).batches(N, n_epochs=2)]
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize("name", ["random_mix_up", "random_cut_mix", "get_triplets"])
def test_the_whole_data_set_as_one_batch_gives_what_the_pipeline_gives(dataset, loaded, name):
    template = CHAINS[name](loaded)
    last = template.steps[-1]
    (found,) = (dataset >> template).batches(N, seed=3)
    before = Pipeline()._with_template(replace(template.template, steps=template.steps[:-1]))
    (plain,) = (dataset >> before).batches(N, seed=3)
    direct = getattr(plain, name)(*last.args, **last.kwargs)
    assert direct.signal == found.signal
    assert np.array_equal(direct.target, found.target)


def test_triplets_have_the_labels_that_their_names_say_and_every_record_is_an_anchor(dataset, loaded):
    label = dataset.labels
    found = rows(dataset >> CHAINS["get_triplets"](loaded), 2)
    assert sorted(found) == sorted(f"{name}/{k}" for name in dataset.ids for k in range(2))
    for _, target, (anchor, positive, negative) in found.values():
        assert anchor != positive
        assert label[anchor] == label[positive] == target != label[negative]


def test_a_last_batch_of_one_record_gives_its_triplets(dataset, loaded):
    found = rows(dataset.subset(dataset.ids[:7]) >> loaded.get_triplets(3, 100), 3)
    assert len(found) == 21


def test_a_part_of_a_data_set_meets_none_of_the_records_that_it_left_out(dataset, loaded):
    part = dataset.subset(dataset.ids[:10])
    found = rows(part >> loaded.get_triplets(2, 100), 4)
    assert {name for *_, triplet in found.values() for name in triplet} <= set(part.ids)


def test_a_row_stays_when_records_that_it_does_not_meet_are_left_out(dataset, loaded):
    template = loaded.get_triplets(1, 100)
    whole = rows(dataset >> template, 7)
    part = dataset.subset([name for i, name in enumerate(dataset.ids) if i % 4])
    again = rows(part >> template, 5)
    same = [name for name, (*_, triplet) in whole.items() if set(triplet) <= set(part.ids)]
    assert len(same) >= 4
    assert all(again[name] == whole[name] for name in same)


@pytest.fixture
def files(tmp_path):
    for i in range(12):
        x = np.random.default_rng(i).standard_normal((1, 300)).astype(np.float32)
        np.savez(tmp_path / f"r{i:02}.npz", signal=x, fs=100.0)
    (tmp_path / "r05.npz").write_bytes(b"not an archive")
    return EcgDataset(str(tmp_path / "*.npz"))


@pytest.mark.parametrize("name", ["random_mix_up", "get_triplets"])
def test_a_record_that_cannot_be_read_is_nobodys_partner_and_is_listed_once(files, name):
    labels = {record: "AN"[i % 2] for i, record in enumerate(files.ids)}
    template = Pipeline().load(fmt="npz").load(src=labels, components="target")
    template = (
        template.get_triplets(2, 100) if name == "get_triplets" else template.binarize_labels().random_mix_up(1.0)
    )
    bound = files >> template
    once = rows(bound, 50, on_error="skip")
    assert {record.partition("/")[0] for record in once} == set(files.ids) - {"r05"}
    for size, options in ((3, {}), (5, {"shuffle": True, "threads": 4}), (4, {"threads": 0})):
        assert rows(bound, size, on_error="skip", **options) == once
    run = bound.run(3, on_error="skip")
    assert [skipped.record for skipped in run.skipped] == ["r05"]
    without = files.subset([record for record in files.ids if record != "r05"])
    assert rows(without >> template, 4) == once
    with pytest.raises(FormatError, match="r05"):
        bound.run(3)


def test_dropped_records_are_nobodys_partner(dataset, loaded):
    template = loaded.drop_labels(["AF"]).binarize_labels().random_mix_up(1.0)
    kept = dataset.subset([name for name in dataset.ids if dataset.labels[name] == "SR"])
    assert rows(dataset >> template, 5) == rows(
        kept >> loaded.drop_labels(["AF"]).binarize_labels().random_mix_up(1.0), 4
    )


def test_labels_that_only_reading_tells_are_found_by_reading(dataset, loaded):
    template = loaded.apply_transform(str.lower, src="target", dst="target").get_triplets(1, 100)
    found = rows(dataset >> template, 24, seed=1)
    assert len(found) == N
    for _, target, (anchor, positive, negative) in found.values():
        assert dataset.labels[anchor].lower() == dataset.labels[positive].lower() == target
        assert dataset.labels[negative].lower() != target
    assert rows(dataset >> template, 5, shuffle=True, seed=1) == found


def test_a_step_that_depends_on_the_run_cannot_come_before_one_that_needs_partners(dataset, loaded):
    template = loaded.init_variable("n", 0).update(V("n"), F(len)).binarize_labels().random_mix_up()
    with pytest.raises(ConfigError, match=r"step 4, update\(.*is not repeated. Move random_mix_up before it"):
        (dataset >> template).run(4)


def test_a_label_without_its_opposite_names_the_record(dataset, loaded):
    template = loaded.get_triplets(1, 100, {"SR": ["AF"], "AF": ["SR"]})
    only = dataset.subset([name for name in dataset.ids if dataset.labels[name] == "SR"])
    with pytest.raises(LabelError, match=r"found no negative for record 'sim00000'"):
        rows(only >> template, 4)


def test_no_record_is_its_own_partner(dataset, loaded):
    two = dataset.batch([0, 1])
    for epoch in range(20):
        batch = two.replace(epoch=epoch)
        drawn = BatchPartners(batch, "step").draw(batch, batch.keys("step"), lambda *_: True)
        assert [drawn.mates.ids[row] for row in drawn.row] == [two.ids[1], two.ids[0]]
    alone = dataset.batch([0])
    assert BatchPartners(alone, "step").draw(alone, alone.keys("step"), lambda *_: True).row.tolist() == [-1]


def _fill_with_the_epoch(batch):
    signal = batch.component("signal")
    return batch.replace(signal=signal.with_data(np.full(signal.data.size, batch.epoch, np.float32)))


def test_partners_come_from_the_epoch_of_their_rows():
    dataset = EcgDataset.simulated(12, fs=100, duration_s=4)
    template = Pipeline().load(fmt="simulated").load(components="target").binarize_labels()
    template = template.call(_fill_with_the_epoch, pure=True).random_mix_up()
    for batch in (dataset >> template).batches(12, n_epochs=3):
        np.testing.assert_allclose(batch.signal.data, batch.epoch, atol=1e-6)


def test_a_second_mixture_draws_what_it_draws_on_the_whole_data_set_as_one_batch(dataset, loaded):
    numbers = loaded.binarize_labels()
    twice = numbers.random_cut_mix(1.0).random_cut_mix(1.0)
    whole = (dataset >> numbers).next_batch(len(dataset), seed=4).random_cut_mix(1.0).random_cut_mix(1.0)
    for batch in (dataset >> twice).batches(3, n_epochs=1, seed=4):
        for i, name in enumerate(batch.ids):
            np.testing.assert_array_equal(batch.signal[i], whole.signal[whole.ids.index(name)])
