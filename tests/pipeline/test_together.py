"""Several processes train one model, each on its share of every batch; ``models/together_suite.py`` runs it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from cardioflow import EcgDataset, Pipeline, V
from cardioflow.callbacks import CsvLog
from cardioflow.errors import ConfigError, LabelError, ModelError
from cardioflow.models.sklearn import SklearnBaseModel

RECORDS = EcgDataset.simulated(11, fs=100, duration_s=1)
LOADING = Pipeline().load(fmt="simulated")


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_shares_of_all_processes_are_the_batches_of_one(n):
    options = {"batch_size": 4, "shuffle": True, "seed": 5, "n_epochs": 2}
    cropping = LOADING.random_crop_signals(50)
    whole = list((RECORDS >> cropping).batches(**options))
    shares = [list((RECORDS >> cropping).batches(**options, share=(i, n))) for i in range(n)]
    assert all(len(own) == 6 for own in shares)
    for batch, parts in zip(whole, zip(*shares, strict=True), strict=True):
        assert sum((part.ids for part in parts), ()) == batch.ids
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        # The crops, too: they are drawn by record.
        signals = np.concatenate([part.signal.data.reshape(-1) for part in parts if len(part)])
        np.testing.assert_array_equal(signals, batch.signal.data.reshape(-1))


def line():
    return SklearnBaseModel().build(SGDClassifier(loss="log_loss", random_state=0), fit_at="epoch")


def together(template, **options):
    return (RECORDS >> template).run(4, engine="ray", trainers=2, **options)


def test_what_several_processes_cannot_do_is_refused_by_name(tmp_path):
    pytest.importorskip("ray")
    labelled = LOADING.load(components="target").binarize_labels()
    training = labelled.import_model("m", line()).train_on_batch("m")
    for template, options, message in (
        (training, {}, r"The model 'm', a SklearnBaseModel, is trained by one process.*TorchBaseModel"),
        (training.update(V("n"), 1), {}, r"has the step 6, update\(.*Write steps that read and transform, and then"),
        (labelled, {}, r"the pipeline trains no model"),
        (training, {"checkpoint": tmp_path / "c"}, r"trainers=2\) writes no checkpoints"),
        (training, {"n_epochs": None}, r"needs an end. Pass n_epochs"),
        (training, {"callbacks": [CsvLog(tmp_path / "log.csv")]}, r"the callback CsvLog would act in every process"),
    ):
        with pytest.raises(ConfigError, match=message):
            together(template, **options)
    with pytest.raises(ConfigError, match=r"batch_size=1, trainers=2\): a batch is divided"):
        (RECORDS >> training).run(1, engine="ray", trainers=2)
    with pytest.raises(ConfigError, match=r"run\(trainers=2\) needs a cluster. Pass engine='ray'"):
        (RECORDS >> training).run(4, trainers=2)
    for share in ((2, 2), (-1, 2), (0,), 3):
        with pytest.raises(ConfigError, match=r"run\(share=.*such as \(0, 4\)"):
            (RECORDS >> training).run(4, share=share)
    assert list(tmp_path.iterdir()) == []


def test_a_loss_of_a_whole_batch_is_refused_because_no_process_has_it():
    pytest.importorskip("ray")
    torch = pytest.importorskip("torch")
    from cardioflow.models.torch import TorchBaseModel

    network = TorchBaseModel()
    network.model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(100, 2))
    # It divides by the sum of the weights of the rows, which differs between processes.
    network.loss = torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0]))
    training = LOADING.load(components="target").binarize_labels().import_model("m", network).train_on_batch("m")
    with pytest.raises(ModelError, match=r"gives one number for a whole batch.*cross_entropy.*trainers=0"):
        together(training)


def test_a_share_that_shows_other_targets_than_the_first_batch_is_refused():
    torch = pytest.importorskip("torch")
    from cardioflow.models.replicas import Replicas
    from cardioflow.models.torch import TorchBaseModel

    class Other(Replicas):
        def exchange(self, content):
            return [content, content]

    batch = (RECORDS >> LOADING.load(components="target").binarize_labels()).next_batch(4)
    network = TorchBaseModel()
    network.model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(100, 2))
    network.begin_together(batch)
    network.replicas = Other(0, 2)
    # A softmax in one process and sigmoids in the other would be averaged.
    both = batch.replace(target=np.ones_like(batch.target))
    with pytest.raises(LabelError, match=r"first batch are exclusive, and those of a later one independent.*targets"):
        network.train_on_batch(both)
