"""The models guide, run on real records on the Keras backend that the environment names.

One test per promise of the guide, named after it. The guide's code stands as
printed; changed are only ``build``, which the guide nests in ``__init__``, the
missing activation and flattening, the placeholder ``do_some_preprocess`` and
the paths. ``test_guide.py`` runs this file once per backend.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras.layers import Dense, Flatten, Input
from keras.models import Model
from sklearn.metrics import f1_score

import cardioflow as ds
from cardioflow.errors import DumpError, NotRunError, UnknownActionError
from cardioflow.models import BaseModel, KerasBaseModel, names

pytestmark = pytest.mark.filterwarnings("default")

DATA = Path(os.environ["CARDIOFLOW_DATA"]) / "cinc2017"


class SimpleFCModel(KerasBaseModel):
    def __init__(self):
        super().__init__()
        self._input_shape = None

    def build(self, input_shape):
        """
        Build and compile conv model
        """
        self._input_shape = input_shape
        x = Input(self._input_shape)
        out = Dense(2, activation="softmax")(Dense(16)(Flatten()(x)))
        self.model = Model(inputs=x, outputs=out)
        self.model.compile(loss="binary_crossentropy", optimizer="adam")
        return self


@ds.model(mode="dynamic")
def fc_model(batch, config=None):
    """
    Define simple FC model model
    """
    signal_shape = batch.signal[0].shape
    return SimpleFCModel().build(signal_shape)


class ModelEcgBatch(ds.EcgBatch):
    @ds.model(mode="dynamic")
    def fc_of_the_batch_class(batch, config=None):  # noqa: N805 -- as the guide writes it
        return SimpleFCModel().build(batch.signal[0].shape)

    @ds.model(mode="static")
    def fc_known_before(pipeline, config=None):  # noqa: N805 -- as the guide writes it
        return SimpleFCModel().build(tuple(config["shape"]))


@pytest.fixture(scope="module")
def dataset() -> ds.EcgDataset:
    return ds.EcgDataset(DATA / "*.hea")


def preprocessed(pipeline: ds.Pipeline) -> ds.Pipeline:
    """The steps in place of the guide's ``do_some_preprocess``."""
    return (
        pipeline.drop_labels(["~"])
        .rename_labels({"N": "NO", "O": "NO"})
        .drop_short_signals(3000)
        .split_signals(3000, 3000)
        .binarize_labels()
    )


def loading(pipeline: ds.Pipeline | None = None) -> ds.Pipeline:
    loaded = (
        (pipeline or ds.Pipeline())
        .load(fmt="wfdb", components=["signal", "meta"])
        .load(src=DATA / "REFERENCE.csv", fmt="csv", components="target")
    )
    return preprocessed(loaded)


def fc_train_pipeline() -> ds.Pipeline:
    return loading().train_on_batch("fc_model").run(batch_size=300, shuffle=True, drop_last=True, n_epochs=50)


def fc_predict_pipeline(path: Path) -> ds.Pipeline:
    config = {"path": path}
    begun = ds.Pipeline(config={"fc_model": config}).init_model("fc_model").init_variable("prediction", [])
    return loading(begun).predict_on_batch("fc_model").run(batch_size=100, shuffle=False, drop_last=False, n_epochs=1)


@pytest.fixture(scope="module")
def trained(dataset: ds.EcgDataset) -> Any:
    return (dataset >> fc_train_pipeline()).run()


@pytest.fixture(scope="module")
def dump(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dump") / "fc_model_dump"
    trained.get_model("fc_model").save(path)
    return path


def test_every_model_extends_base_model_with_its_five_methods() -> None:
    methods = {"load", "save", "train_on_batch", "test_on_batch", "predict_on_batch"}
    assert methods == set(BaseModel.__abstractmethods__)
    assert issubclass(SimpleFCModel, BaseModel)
    assert {"fc_model", "fft_inception"} <= set(names())


def test_train_on_batch_of_fft_inception_with_f1_score_macro(dataset: ds.EcgDataset) -> None:
    model_train_pipeline = loading().train_on_batch("fft_inception", metrics=f1_score, average="macro")
    run = (dataset.subset(dataset.ids[:60]) >> model_train_pipeline).run(batch_size=30)
    losses, scores = run.get_variable("fft_inception.train_loss"), run.get_variable("fft_inception.train_metric")
    assert len(losses) == len(scores) == 2
    assert np.isfinite(losses).all()
    assert all(0 <= s <= 1 for s in scores)


def test_everything_before_the_model_is_independent_of_the_backend(dataset: ds.EcgDataset) -> None:
    heavy = ("keras", "torch", "tensorflow", "jax")
    code = (
        "import sys, cardioflow as ds\n"
        f"b = ds.EcgDataset({str(DATA / '*.hea')!r}).next_batch(4).load(fmt='wfdb', components=['signal', 'meta'])\n"
        "b = b.drop_short_signals(3000).split_signals(3000, 3000).standardize()\n"
        f"print(len(b), [m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "4 []"


def test_keras_base_model_has_model_and_hist(trained: Any) -> None:
    model = trained.get_model("fc_model")
    assert isinstance(model.model, Model)
    assert len(model.hist["train_loss"]) == 50
    assert model.hist["train_loss"][-1] < model.hist["train_loss"][0]


def test_train_and_test_on_batch_write_loss_and_metrics_to_pipeline_variables(
    dataset: ds.EcgDataset, trained: Any
) -> None:
    assert trained.get_variable("fc_model.train_loss") == trained.get_model("fc_model").hist["train_loss"]
    testing = loading().import_model("fc_model", trained).test_on_batch("fc_model", metrics=f1_score, average="macro")
    run = (dataset >> testing).run(batch_size=100)
    hist = trained.get_model("fc_model").hist
    assert run.get_variable("fc_model.val_loss") == hist["val_loss"][-3:]
    assert run.get_variable("fc_model.val_metric") == hist["val_metric"][-3:]


def test_predict_on_batch_writes_to_a_variable_to_a_component_or_in_place(dataset: ds.EcgDataset, trained: Any) -> None:
    few = dataset.subset(dataset.ids[:20])
    base = loading().import_model("fc_model", trained)
    found = dict((few >> base.predict_on_batch("fc_model")).run(batch_size=7).get_variable("prediction"))
    named = (few >> base.predict_on_batch("fc_model", save_to=ds.V("p"))).run(batch_size=7).get_variable("p")
    component = (few >> base.predict_on_batch("fc_model", save_to=ds.B("p"))).next_batch(20)
    inplace = (few >> base.predict_on_batch("fc_model", inplace=True)).next_batch(20)
    assert list(found) == [p.id for p in named] == list(component.ids)
    for i, name in enumerate(component.ids):
        np.testing.assert_allclose(component.p[i], found[name], atol=1e-6)
        np.testing.assert_allclose(inplace.signal[i][0], found[name], atol=1e-6)


def test_model_summary_save_and_load(trained: Any, dump: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = trained.get_model("fc_model")
    model.model_summary()
    assert "Total params" in capsys.readouterr().out
    again = KerasBaseModel().load(dump)
    for a, b in zip(model.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_simple_fc_model_learns(trained: Any) -> None:
    losses = trained.get_variable("fc_model.train_loss")
    assert losses[-1] < 0.6 * losses[0]


def test_a_dynamic_model_is_declared_as_a_function_and_inside_a_batch_class() -> None:
    few = ds.EcgDataset(DATA / "A00*.hea", batch_class=ModelEcgBatch)
    pipeline = (
        ds.Pipeline()
        .load(fmt="wfdb", components=["signal", "meta"])
        .load(src=DATA / "REFERENCE.csv", fmt="csv", components="target", extra_labels="ignore")
    )
    pipeline = preprocessed(pipeline).train_on_batch("fc_of_the_batch_class").train_on_batch("fc_known_before")
    pipeline = ds.Pipeline(config={"fc_known_before": {"shape": [1, 3000]}}).init_model("fc_known_before") + pipeline
    run = (few >> pipeline).run(batch_size=20)
    assert (
        len(run.get_variable("fc_of_the_batch_class.train_loss"))
        == len(run.get_variable("fc_known_before.train_loss"))
        > 0
    )


def test_a_dynamic_model_takes_its_input_shape_from_the_first_batch(trained: Any) -> None:
    assert trained.get_model("fc_model").model.input_shape == (None, 1, 3000)


def test_run_on_an_unlinked_template_records_its_arguments(dataset: ds.EcgDataset) -> None:
    template = fc_train_pipeline()
    assert "not run: no dataset" in repr(template)
    with pytest.raises(NotRunError, match="This pipeline is a template"):
        template.batches(10)
    assert (dataset >> template).batches().options.n_epochs == 50


def test_a_config_with_a_path_really_loads_the_model(dataset: ds.EcgDataset, trained: Any, dump: Path) -> None:
    run = (dataset >> fc_predict_pipeline(dump)).run()
    for a, b in zip(
        trained.get_model("fc_model").model.get_weights(), run.get_model("fc_model").model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_path_that_is_not_a_dump_is_an_error_and_never_an_untrained_model(
    dataset: ds.EcgDataset, tmp_path: Path
) -> None:
    with pytest.raises(DumpError, match="nowhere"):
        (dataset >> fc_predict_pipeline(tmp_path / "nowhere")).run()
    (tmp_path / "text").write_text("no dump")
    with pytest.raises(DumpError, match="text"):
        (dataset >> fc_predict_pipeline(tmp_path / "text")).run()


def test_predictions_with_a_dumped_model_in_another_process_are_the_same(
    dataset: ds.EcgDataset, trained: Any, dump: Path, tmp_path: Path
) -> None:
    code = (
        "import sys, pathlib, numpy as np\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import promises as p\n"
        f"run = (p.ds.EcgDataset(p.DATA / '*.hea') >> p.fc_predict_pipeline(pathlib.Path({str(dump)!r}))).run()\n"
        "found = run.get_variable('prediction')\n"
        f"np.savez({str(tmp_path / 'found.npz')!r}, ids=[x.id for x in found], values=[x.value for x in found])\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    found = np.load(tmp_path / "found.npz")
    run = (dataset >> loading().import_model("fc_model", trained).predict_on_batch("fc_model")).run(batch_size=100)
    here = run.get_variable("prediction")
    assert found["ids"].tolist() == [p.id for p in here]
    np.testing.assert_allclose(found["values"], [p.value for p in here], atol=1e-6, rtol=0)
    assert np.ptp(found["values"][:, 0]) > 0.5, "a trained model tells records apart"


def test_init_variable_with_a_list_gives_every_run_its_own_list(dataset: ds.EcgDataset, dump: Path) -> None:
    bound = dataset.subset(dataset.ids[:10]) >> fc_predict_pipeline(dump)
    assert len(bound.run().get_variable("prediction")) == len(bound.run().get_variable("prediction"))


def test_do_some_preprocess_is_a_placeholder_and_says_so() -> None:
    with pytest.raises(UnknownActionError, match="There is no action 'do_some_preprocess'"):
        ds.Pipeline().do_some_preprocess()


def test_the_same_seed_twice_gives_identical_weights(dataset: ds.EcgDataset) -> None:
    def weights() -> list[np.ndarray]:
        template = loading().train_on_batch("fft_inception")
        run = (dataset.subset(dataset.ids[:64]) >> template).run(batch_size=32, shuffle=True, seed=7)
        return run.get_model("fft_inception").model.get_weights()

    for a, b in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(a, b)
