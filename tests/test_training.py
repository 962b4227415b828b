"""Training: it learns, goes on where it was interrupted, and refuses what cannot be right."""

import itertools
import json
import multiprocessing
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from safetensors.torch import save_file
from small_networks import Student
from torch import nn

from kdnotes import asm, metrics, models, training
from kdnotes.data.faceset import FaceSet, Sample
from kdnotes.data.prepare import prepare_synthetic
from kdnotes.data.schemes import SCHEMES
from kdnotes.models import inference
from kdnotes.system import processes
from kdnotes.teachers import Teachers
from kdnotes.training import TrainConfig, checkpoints, preflight
from kdnotes.training.schedule import Average, batches, learning_rate

SMALL = "mobilenetv3_small_050"
SHORT = TrainConfig("l1", epochs=4, batch_size=12, learning_rate=2e-3)
TIMES = ("seconds", "images_per_second")


@pytest.fixture(scope="module")
def train(small_faces):
    return small_faces.split("train")


@pytest.fixture(scope="module")
def validation(small_faces):
    return small_faces.split("validation")


def new_net(faces, name=SMALL, size=32, seed=0):
    torch.manual_seed(seed)
    shapes = np.concatenate([faces.landmarks, asm.mirror(faces.landmarks, faces.scheme)])
    mean = shapes.mean(axis=0) * faces.meta["stored_margin"] / 1.3
    return models.create(name, faces.scheme.n_points, mean_shape=mean, size=size)


def fit(net, faces, config=SHORT, **more):
    return training.fit(net, faces, config, progress=False, **more)


def without_times(log):
    return [{key: value for key, value in entry.items() if key not in TIMES} for entry in log]


def same_state(one, two):
    assert one.keys() == two.keys()
    for key, value in one.items():
        assert torch.equal(value, two[key]), key


def interrupt_at_step(net, step, error=KeyboardInterrupt):
    """The network raises in that training step (counted from 1) of its life."""
    steps = 0

    def count(module, args):
        nonlocal steps
        steps += module.training
        if module.training and steps == step:
            raise error

    return net.register_forward_pre_hook(count)


# --- schedule ------------------------------------------------------------------------------------


@pytest.mark.parametrize("total", [1, 2, 7, 1000])
def test_learning_rate_rises_to_its_peak_and_falls_to_nothing(total):
    rates = [learning_rate(step, total, 6e-3) for step in range(total)]
    rise = max(1, round(0.15 * total))
    assert rates[0] == pytest.approx(6e-3 / rise)
    assert max(rates) == rates[rise - 1] == 6e-3
    assert all(rate > 0 for rate in rates)
    assert learning_rate(total, total, 6e-3) == pytest.approx(0, abs=1e-12)
    assert rates[:rise] == sorted(rates[:rise])
    assert rates[rise - 1 :] == sorted(rates[rise - 1 :], reverse=True)
    assert total < 1000 or rates[-1] < 1e-7


def test_batches_are_a_shuffle_of_seed_and_epoch():
    epoch = batches(23, 5, seed=1, epoch=3)
    assert [len(batch) for batch in epoch] == [5, 5, 5, 5]
    assert len(np.unique(np.concatenate(epoch))) == 20
    assert np.array_equal(epoch, batches(23, 5, seed=1, epoch=3))
    assert not np.array_equal(epoch, batches(23, 5, seed=1, epoch=4))
    assert not np.array_equal(epoch, batches(23, 5, seed=2, epoch=3))
    (only,) = batches(3, 5, seed=0, epoch=0)
    assert sorted(only) == [0, 1, 2]


def test_average_follows_the_weights():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = Average(net, decay=0.5)
    start = net[0].weight.detach().clone()
    with torch.no_grad():
        net[0].weight.add_(1.0)
        net[1].num_batches_tracked.fill_(7)
    assert torch.equal(average.state["0.weight"], start), "the average has its own memory"
    average.update(step=0)  # decay (1 + 0) / (10 + 0) = 0.1 early on
    assert average.state["0.weight"] == pytest.approx(start + 0.9)
    assert average.state["1.num_batches_tracked"] == 7
    average.update(step=1000)
    assert average.state["0.weight"] == pytest.approx(start + 0.95)


# --- learning ------------------------------------------------------------------------------------


def test_a_student_beats_the_mean_shape(train, validation):
    net = new_net(train)
    config = TrainConfig("l1", epochs=30, batch_size=12, learning_rate=3e-3, strength=0.1)
    log = fit(net, train, replace(config, average=0.9))
    mean = np.broadcast_to(train.landmarks.mean(axis=0), validation.landmarks.shape)
    mean_shape = metrics.nme(mean, validation.landmarks, 68).mean()
    found = metrics.nme(inference.predict(net, validation), validation.landmarks, 68).mean()
    assert log[-1]["loss"] < 0.7 * log[0]["loss"]
    assert found < 0.85 * mean_shape


@pytest.mark.parametrize("n_points", [29, pytest.param(98, marks=pytest.mark.long)])
def test_mirrored_views_teach_every_scheme(n_points, tmp_path):
    """A wrong flip order stalls training far above the mean shape, whatever the learning rate."""
    faces = prepare_synthetic(tmp_path / "faces", 56, size=48, scheme=n_points, progress=False)
    few = faces.select(np.arange(48))
    net = new_net(few)
    config = TrainConfig("l1", epochs=25, batch_size=12, learning_rate=3e-3, strength=0.1)
    log = fit(net, few, replace(config, average=0.9))
    mean = np.broadcast_to(few.landmarks.mean(axis=0), few.landmarks.shape)
    mean_shape = metrics.nme(mean, few.landmarks, n_points).mean()
    found = metrics.nme(inference.predict(net, few), few.landmarks, n_points).mean()
    assert log[-1]["loss"] < log[0]["loss"] and found < mean_shape


def test_log_tells_what_was_done(train, validation, tmp_path):
    net = new_net(train)
    assert net.config.size == 32
    log = fit(net, train, SHORT, validation=validation, run=tmp_path / "run")
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4]
    assert [entry["step"] for entry in log] == [3, 6, 9, 12]
    expected = [learning_rate(step - 1, 12, 2e-3) for step in (3, 6, 9, 12)]
    assert [entry["learning_rate"] for entry in log] == pytest.approx(expected)
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == log
    assert not net.training
    found = metrics.nme(inference.predict(net, validation), validation.landmarks, 68).mean()
    assert found == pytest.approx(log[-1]["nme"], rel=1e-5), "it ends with the averaged weights"
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "checkpoint.pt",
        "log.jsonl",
    ]


def test_log_compares_student_and_teachers(train):
    """Shares of the regions, and distances in crop widths of answers that can be computed."""

    class Fixed(Student):
        def __init__(self, x):
            super().__init__()
            self.answer.data[:, 0] = x

    teachers = Teachers(Fixed(0.3), Fixed(-0.1))
    config = replace(SHORT, loss="kd-paper", epochs=1, learning_rate=0.0, weight_decay=0.0)
    (entry,) = fit(Fixed(0.1), train, config, teachers=teachers)
    for name in ("tough", "tolerant"):
        assert entry[f"{name}_distance"] == pytest.approx(0.2, abs=1e-6)
        shares = [entry[f"{name}_{word}"] for word in training.REGION_WORDS]
        assert sum(shares) == pytest.approx(1.0, abs=1e-5) and 0 < min(shares)
    assert entry["tough_error"] > 0.3 and entry["tolerant_error"] > 0.1


def test_the_papers_optimizer_is_adam_with_a_falling_rate(train):
    """Against Adam written down: a rate of 1e-3 / (1 + 1e-4·step), no weight decay, ε = 1e-7."""
    config = replace(SHORT, epochs=2, strength=0.0)
    config = replace(config, **training.PAPER_OPTIMIZER | {"batch_size": 12, "learning_rate": 0.1})
    net = Student()
    seen = []
    net.answer.register_hook(lambda gradient: seen.append(gradient.clone()))
    log = fit(net, train, config)
    x, m, v = torch.zeros(68, 2), 0, 0
    for step, gradient in enumerate(seen):
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        rate = 0.1 / (1 + 1e-4 * step)
        x -= rate * m / (1 - 0.9 ** (step + 1)) / ((v / (1 - 0.999 ** (step + 1))).sqrt() + 1e-7)
    assert len(seen) == 6 and log[-1]["learning_rate"] == pytest.approx(rate)
    assert net.answer.detach() == pytest.approx(x, abs=1e-5), "and it keeps the last weights"


def test_clipping_limits_the_gradient(train):
    def moved(clip):
        net = Student()
        config = replace(SHORT, epochs=1, epsilon=1e6, learning_rate=1e6, weight_decay=0.0)
        fit(net, train, replace(config, clip=clip, average=0.0))  # with a huge ε Adam is SGD
        return float(net.answer.detach().norm())

    assert moved(1e9) == pytest.approx(moved(None))
    assert 0 < moved(1e-3) < 0.1 * moved(None)


def test_compiled_network_trains_the_same(train, monkeypatch, tmp_path):
    whole, calls = torch.compile, []

    def compiled_eagerly(net):
        calls.append(net)
        return whole(net, backend="eager")

    monkeypatch.setattr(torch, "compile", compiled_eagerly)
    log, nets = {}, {}
    for compiled in (False, True):
        nets[compiled] = net = new_net(train)
        log[compiled] = fit(
            net, train, replace(SHORT, compile=compiled), run=tmp_path / f"{compiled}"
        )
        models.save(net, tmp_path / f"{compiled}" / "network")
    assert log[True][-1]["loss"] == pytest.approx(log[False][-1]["loss"], rel=1e-3)
    again = models.load(tmp_path / "True" / "network")
    same_state(again.state_dict(), nets[True].state_dict())
    assert len(calls) == 1


def test_half_precision_ends_with_the_training(train, monkeypatch, tmp_path):
    """A network trained in bf16 answers afterwards as the same weights from a file do."""
    monkeypatch.setattr(training.loop, "precision", lambda: "bf16")
    seen, net = [], new_net(train)
    net.backbone.register_forward_hook(lambda module, args, out: seen.append(out.dtype))
    AcceleratorState._reset_state()  # accelerate keeps its first precision for a whole process
    try:
        fit(net, train, replace(SHORT, epochs=1))
    finally:
        AcceleratorState._reset_state()
    assert set(seen) == {torch.bfloat16}
    models.save(net, tmp_path / "network")
    images = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        assert net(images) == pytest.approx(models.load(tmp_path / "network")(images), abs=1e-5)
    assert "forward" not in vars(net)


def test_tensorboard_gets_the_log(train, validation, tmp_path):
    loading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = tmp_path / "run"
    log = fit(new_net(train), train, SHORT, validation=validation, run=run, tensorboard=True)
    events = loading.EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    found = {event.step: event.value for event in events.Scalars("nme")}
    assert found == pytest.approx({entry["step"]: entry["nme"] for entry in log})
    with pytest.raises(ValueError, match="give run="):
        fit(new_net(train), train, SHORT, tensorboard=True)


def test_bar_shows_epoch_terms_error_and_speed(train, validation, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(training.progress, "READ_EVERY", 1)
    # no screen that the line must fit on
    monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda file: (None, None))
    teachers = Teachers(new_net(train, seed=1), new_net(train, seed=2))
    more = {"teachers": teachers, "validation": validation, "run": tmp_path / "student"}
    net = new_net(train)
    press_ctrl_c(net, 5)
    with pytest.raises(KeyboardInterrupt):
        training.fit(net, train, replace(SHORT, loss="kd-paper"), **more)
    training.fit(net, train, replace(SHORT, loss="kd-paper"), **more)
    shown = capsys.readouterr().err
    for word in ("student:", "epoch=4", "loss=", "main=", "tough=", "tolerant=", "NME=", "img/s="):
        assert word in shown, word
    assert "stopped after step 5; the same again goes on from there" in shown
    assert "going on after step 5 of 12" in shown and "12/12" in shown


@pytest.mark.parametrize("loss", ["l2", "smooth_l1", "wing", "kd-paper", "kd-released"])
def test_every_loss_trains(train, loss):
    net = new_net(train)
    teachers = Teachers(new_net(train, seed=1), new_net(train, seed=2))
    config = replace(SHORT, loss=loss, epochs=1)
    (entry,) = fit(net, train, config, teachers=teachers if loss.startswith("kd-") else None)
    assert np.isfinite(entry["loss"]) and "nme" not in entry
    if loss.startswith("kd-"):
        terms = entry["main"] + entry["tough"] + entry["tolerant"]
        assert entry["total"] == entry["loss"] == pytest.approx(terms, abs=1e-6)


def test_targets_replace_the_hard_landmarks(train):
    """A student that can only learn one shape learns the middle of whatever it is given."""

    def learnt(targets):
        net = Student()
        config = replace(SHORT, epochs=25, learning_rate=0.03, weight_decay=0, strength=0.0)
        fit(net, train, config, targets=targets)
        return inference.predict(net, train)[0]

    moved = train.landmarks + np.float32([0.0, 0.1])
    shift = (learnt(moved) - learnt(None)).mean(axis=0)
    assert shift == pytest.approx([0, 0.1], abs=0.01)


@pytest.mark.parametrize("n_points", SCHEMES)
def test_training_with_mirrored_views_is_not_worse_than_the_mean_shape(tmp_path, n_points):
    """A wrong order of points after a flip pulls left and right points into the middle."""
    rng = np.random.default_rng(0)
    half = rng.uniform(-20, 20, (n_points, 2))
    shape = 32 + (half + asm.mirror(half[None], SCHEMES[n_points])[0]) / 2

    def samples():
        for _ in range(24):
            points = shape + rng.normal(0, 2, (n_points, 2))
            yield Sample(np.zeros((64, 64, 3), np.uint8), points, crop=(32, 32, 64))

    path = tmp_path / "faces"
    faces = FaceSet.write(path, samples(), scheme=n_points, size=32, progress=False)
    mean = faces.landmarks.mean(axis=0)
    mean_shape = metrics.nme(np.tile(mean, (24, 1, 1)), faces.landmarks, n_points).mean()

    def trained(scheme):
        faces.scheme, net = scheme, Student(n_points)
        net.answer.data = torch.from_numpy(mean) * 2.2 / 1.3
        config = TrainConfig("l2", epochs=15, batch_size=8, learning_rate=0.02, weight_decay=0)
        fit(net, faces, replace(config, strength=0.0, average=0.5))
        return metrics.nme(inference.predict(net, faces), faces.landmarks, n_points).mean()

    right = SCHEMES[n_points]
    assert trained(right) < 1.05 * mean_shape
    assert trained(replace(right, flip=tuple(range(n_points)))) > 1.2 * mean_shape


# --- going on ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed(train, validation, tmp_path_factory):
    """Log, weights and checkpoint of a training that nothing interrupted."""
    net, run = new_net(train), tmp_path_factory.mktemp("runs") / "undisturbed"
    log = fit(net, train, validation=validation, run=run)
    parts = checkpoints.load(run / "checkpoint.pt")
    return log, net.state_dict(), parts


def check_equals(undisturbed, log, net, run):
    expected_log, weights, parts = undisturbed
    assert without_times(log) == without_times(expected_log)
    same_state(net.state_dict(), weights)
    content = checkpoints.load(run / "checkpoint.pt")
    for name in ("net", "average"):
        same_state(content[name], parts[name])
    moments = content["optimizer"]["state"], parts["optimizer"]["state"]
    assert moments[0].keys() == moments[1].keys()
    for number in moments[0]:
        same_state(moments[0][number], moments[1][number])


def test_interrupted_training_goes_on_bit_for_bit(undisturbed, train, validation, tmp_path):
    run = tmp_path / "run"
    net = new_net(train)
    interrupt_at_step(net, 8)  # the second of the third epoch
    with pytest.raises(KeyboardInterrupt):
        fit(net, train, validation=validation, run=run)
    assert len((run / "log.jsonl").read_text().splitlines()) == 2
    other = new_net(train, seed=5)  # its own start does not matter
    log = fit(other, train, validation=validation, run=run)
    check_equals(undisturbed, log, other, run)


def test_saved_less_often_it_ends_in_the_same(
    undisturbed, train, validation, tmp_path, monkeypatch
):
    run, whole, saves = tmp_path / "run", torch.save, []
    monkeypatch.setattr(torch, "save", lambda *args: (saves.append(1), whole(*args)))
    net = new_net(train)
    interrupt_at_step(net, 8)  # the second of the third epoch
    with pytest.raises(KeyboardInterrupt):
        fit(net, train, validation=validation, run=run, save_every=2)
    log = fit(net, train, validation=validation, run=run, save_every=2)
    assert len(saves) == 2, "after the second epoch, which it goes on from, and after the last"
    check_equals(undisturbed, log, net, run)


def test_finished_training_is_read_and_not_done_again(undisturbed, train, tmp_path):
    run = tmp_path / "run"
    first = new_net(train)
    log = fit(first, train, run=run)
    before = {path.name: path.stat().st_mtime_ns for path in run.iterdir()}
    net = new_net(train, seed=5)
    interrupt_at_step(net, 1, AssertionError("it trained"))
    assert fit(net, train, run=run) == log
    same_state(net.state_dict(), first.state_dict())
    assert {path.name: path.stat().st_mtime_ns for path in run.iterdir()} == before
    assert not net.training


def press_ctrl_c(net, *steps):
    """Ctrl-C is pressed in those training steps (counted from 1)."""
    done = 0

    def count(module, args):
        nonlocal done
        done += module.training
        if module.training and done in steps:
            signal.raise_signal(signal.SIGINT)

    net.register_forward_pre_hook(count)


@pytest.mark.parametrize("step", [2, 8, 9])
def test_ctrl_c_finishes_the_step_and_saves_it(undisturbed, train, validation, tmp_path, step):
    """In the middle of an epoch, and in its last step."""
    run, net = tmp_path / "run", new_net(train)
    press_ctrl_c(net, step)
    with pytest.raises(KeyboardInterrupt):
        fit(net, train, validation=validation, run=run)
    about = checkpoints.load(run / "checkpoint.pt")
    assert 3 * len(about["history"]) + about["epoch"]["steps"] == step
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    other = new_net(train, seed=5)
    press_ctrl_c(other, 13 - step)  # one step more than is left
    log = fit(other, train, validation=validation, run=run)
    check_equals(undisturbed, log, other, run)


def test_pressing_ctrl_c_again_does_not_wait(undisturbed, train, validation, tmp_path):
    run, net = tmp_path / "run", new_net(train)

    def press(module, args):
        if module.training and (run / "checkpoint.pt").exists():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    net.register_forward_pre_hook(press)
    with pytest.raises(KeyboardInterrupt):
        fit(net, train, validation=validation, run=run)
    about = checkpoints.load(run / "checkpoint.pt")
    assert len(about["history"]) == 1 and about["epoch"]["steps"] == 0
    net = new_net(train)
    log = fit(net, train, validation=validation, run=run)
    check_equals(undisturbed, log, net, run)


def test_ctrl_c_while_it_is_measured_is_not_lost(train, validation, tmp_path, monkeypatch):
    """After the last epoch, too: the caller must not go on to its next training."""
    run, predict = tmp_path / "run", inference.predict

    def press(*args):
        signal.raise_signal(signal.SIGINT)
        return predict(*args)

    monkeypatch.setattr(training.loop.inference, "predict", press)
    with pytest.raises(KeyboardInterrupt):
        fit(new_net(train), train, replace(SHORT, epochs=1), validation=validation, run=run)
    about = checkpoints.load(run / "checkpoint.pt")
    assert len(about["history"]) == 1, "what was reached is saved"


def test_ctrl_c_does_not_save_what_is_no_number_any_more(train, tmp_path, monkeypatch):
    """On a GPU nobody looks at each step's loss; the last good state must survive all the same."""
    run, descend = tmp_path / "run", training.loop.descend

    def spoilt(*args, **options):
        terms = descend(*args, **options)
        if (run / "checkpoint.pt").exists():
            signal.raise_signal(signal.SIGINT)
            terms["loss"] = terms["loss"] * float("nan")
        return terms

    monkeypatch.setattr(training.loop, "descend", spoilt)
    with pytest.raises(FloatingPointError, match="became nan"):
        fit(new_net(train), train, run=run)
    about = checkpoints.load(run / "checkpoint.pt")
    assert len(about["history"]) == 1 and about["epoch"]["steps"] == 0


def test_without_a_folder_nothing_is_promised(train, capsys):
    net = new_net(train)
    press_ctrl_c(net, 2)
    with pytest.raises(KeyboardInterrupt):
        training.fit(net, train, SHORT)
    assert "goes on" not in capsys.readouterr().err


def test_a_job_in_the_background_does_not_hear_ctrl_c(train):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        net = new_net(train)
        press_ctrl_c(net, 2)
        assert len(fit(net, train, replace(SHORT, epochs=1))) == 1
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_notebook_in_a_thread_is_left_alone(train):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(fit, new_net(train), train, replace(SHORT, epochs=1)).result()


class Forgetful(nn.Module):
    """A network with dropout: its random numbers must be those of the step, not of the clock."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.config = models.NetConfig("none", 68, size=24)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 5, 4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5))
        self.head = nn.Linear(8 * 25, 136)

    def forward(self, images):
        return self.head(self.body(images)).view(-1, 68, 2)


def test_dropout_goes_on_bit_for_bit_and_leaves_other_random_numbers_alone(train, tmp_path):
    torch.manual_seed(3)
    before, undisturbed, net = torch.get_rng_state(), Forgetful(), Forgetful()
    torch.set_rng_state(before)
    fit(undisturbed, train)
    assert torch.equal(torch.get_rng_state(), before)
    press_ctrl_c(net, 5)
    with pytest.raises(KeyboardInterrupt):
        fit(net, train, run=tmp_path / "run")
    torch.manual_seed(11)
    fit(net, train, run=tmp_path / "run")
    same_state(net.state_dict(), undisturbed.state_dict())
    another = Forgetful()
    fit(another, train, replace(SHORT, seed=1))
    assert not torch.equal(another.head.weight, net.head.weight)


def test_loss_scaling_goes_on_too(tmp_path):
    """fp16 on a GPU: its scale is part of the state."""
    net = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    run, rest = checkpoints.Run(tmp_path / "run", {}), (net, Average(net, 0.9), optimizer)
    run.write(checkpoints.State(*rest, torch.amp.GradScaler("cpu", init_scale=128.0)))
    other = torch.amp.GradScaler("cpu", init_scale=2.0)
    assert run.restore(checkpoints.State(*rest, other))
    assert other.get_scale() == 128.0


def test_a_run_of_an_earlier_version_goes_on(undisturbed, train, validation, tmp_path):
    """Checkpoints were one safetensors file: tensors named part/name, the rest JSON."""
    run, net = tmp_path / "run", new_net(train)
    interrupt_at_step(net, 8)
    with pytest.raises(KeyboardInterrupt):
        fit(net, train, validation=validation, run=run)
    content = checkpoints.load(run / "checkpoint.pt")
    tensors = {f"{part}/{k}": v for part in ("net", "average") for k, v in content[part].items()}
    for number, moments in content["optimizer"]["state"].items():
        tensors |= {f"optimizer/{number}.{name}": value for name, value in moments.items()}
    tensors = {k: v.clone(memory_format=torch.contiguous_format) for k, v in tensors.items()}
    rest = {name: content[name] for name in ("key", "history", "epoch", "scaler")}
    del rest["epoch"]["counts"]
    assert "head" not in rest["key"]["network"]  # there was only one then
    save_file(tensors, run / "checkpoint.safetensors", metadata={"kdnotes": json.dumps(rest)})
    (run / "checkpoint.pt").unlink()
    other = new_net(train, seed=5)
    check_equals(undisturbed, fit(other, train, validation=validation, run=run), other, run)


def test_interrupted_while_saving_keeps_the_last_state(
    undisturbed, train, validation, tmp_path, monkeypatch
):
    run, whole, saves = tmp_path / "run", torch.save, 0

    def save(content, part):
        nonlocal saves
        saves += 1
        if saves == 3:
            part.write_bytes(b"half a checkpoint")
            raise OSError("No space left on device")
        whole(content, part)

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(OSError, match="No space left"):
        fit(new_net(train), train, validation=validation, run=run)
    assert len(list(run.iterdir())) == 2, "no partial file stays"
    net = new_net(train)
    log = fit(net, train, validation=validation, run=run)
    check_equals(undisturbed, log, net, run)


KILLED = """
import sys, time, torch
from pathlib import Path
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[3])
import test_training as here
from kdnotes.training import checkpoints
from kdnotes.data.faceset import FaceSet

whole, saves, run = torch.save, [], Path(sys.argv[2])

def save(content, part):
    whole(content, part)
    saves.append(part)
    if len(saves) == 2:  # the whole file is cut in half, and nobody goes on
        part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
        (run.parent / "saving").touch()
        time.sleep(600)

torch.save = save
faces = FaceSet.open(sys.argv[1])
train, validation = faces.split("train"), faces.split("validation")
here.fit(here.new_net(train), train, validation=validation, run=run)
"""


def test_killed_while_saving(undisturbed, small_faces, train, validation, tmp_path):
    """`kill -9` in the middle of the second checkpoint: the first is there, and is continued."""
    run, here = tmp_path / "run", Path(__file__).parent
    command = [sys.executable, "-c", KILLED, small_faces.path, run, here]
    child = subprocess.Popen(command, cwd=here.parent, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 240
        while not (tmp_path / "saving").exists():
            assert child.poll() is None, child.stderr.read()
            assert time.monotonic() < until, "the child never came to its second checkpoint"
            time.sleep(0.05)
    finally:
        child.kill()
        child.communicate()
    assert [path.name for path in run.glob("*.pt")] == ["checkpoint.pt"]
    about = checkpoints.load(run / "checkpoint.pt")
    assert len(about["history"]) == 1
    net = new_net(train)
    log = fit(net, train, validation=validation, run=run)
    check_equals(undisturbed, log, net, run)


def test_a_full_disk_leaves_the_last_state(undisturbed, train, validation, tmp_path, monkeypatch):
    resource = pytest.importorskip("resource", reason="limits a file's size on POSIX systems")
    run, whole, saves = tmp_path / "run", torch.save, []
    most = resource.getrlimit(resource.RLIMIT_FSIZE)

    def save(content, part):
        saves.append(part)
        if len(saves) == 3:  # no room for more than 200 KB
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, most[1]))
        try:
            whole(content, part)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, most)

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(OSError, match=r"the training cannot be saved in .* goes on from that"):
        fit(new_net(train), train, validation=validation, run=run)
    monkeypatch.undo()
    assert sorted(path.name for path in run.iterdir()) == ["checkpoint.pt", "log.jsonl"]
    about = checkpoints.load(run / "checkpoint.pt")
    assert len(about["history"]) == 2
    net = new_net(train)
    log = fit(net, train, validation=validation, run=run)
    check_equals(undisturbed, log, net, run)


def test_fit_needs_no_worker_processes(train, validation, monkeypatch):
    """Nothing to pickle, nothing to copy: a script on standard input can train, too."""

    def refuse(process):
        raise AssertionError("a training started a process")

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    fit(new_net(train), train, replace(SHORT, epochs=1), validation=validation)


def test_without_a_run_folder_nothing_is_written(train, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(new_net(train), train, replace(SHORT, epochs=1))
    assert not list(tmp_path.iterdir())


# --- refusals ------------------------------------------------------------------------------------


def test_run_folder_of_another_training_is_refused(train, small_faces, tmp_path):
    run, config = tmp_path / "run", replace(SHORT, epochs=1)
    fit(new_net(train), train, config, run=run)
    before = (run / "checkpoint.pt").read_bytes()

    def refused(what, net=None, faces=train, config=config, **more):
        with pytest.raises(ValueError, match=rf"a training with another {what}") as caught:
            fit(net or new_net(train), faces, config, run=run, **more)
        assert str(run) in str(caught.value) and "\n" not in str(caught.value)

    refused("config", config=replace(config, learning_rate=1e-3))
    refused("network", net=new_net(train, size=40))
    refused("rows", faces=train.select(np.arange(30)))
    refused("targets", targets=train.landmarks)
    (run / "checkpoint.pt").rename(run / "checkpoint.pt.old")
    fit(new_net(train), train, replace(config, loss="l2"), run=run, targets=train.landmarks)
    refused("(config|targets)")
    assert (run / "checkpoint.pt.old").read_bytes() == before


def test_refusal_of_another_config_names_only_what_differs(train, tmp_path):
    run, config = tmp_path / "run", replace(SHORT, epochs=1)
    fit(new_net(train), train, config, run=run)
    with pytest.raises(ValueError, match=r"learning_rate") as caught:
        fit(new_net(train), train, replace(config, learning_rate=1e-3), run=run)
    assert "0.002" in str(caught.value) and "0.001" in str(caught.value)
    assert "batch_size" not in str(caught.value)


def test_corrupt_checkpoint_gives_one_sentence(train, tmp_path):
    run, config = tmp_path / "run", replace(SHORT, epochs=1)
    fit(new_net(train), train, config, run=run)
    path = run / "checkpoint.pt"
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"nothing like it" * 40):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"checkpoint\.pt is damaged .* delete it"):
            fit(new_net(train), train, config, run=run)


@pytest.mark.parametrize("loss", ["l1", "kd-paper"])
def test_loss_that_is_no_number_any_more(train, tmp_path, loss):
    """The last good epoch stays, and the training can go on from it."""
    run, net = tmp_path / "run", new_net(train)
    teachers = Teachers(new_net(train, seed=1)) if loss == "kd-paper" else None
    config = replace(SHORT, loss=loss, epochs=3)

    def spoil(module, args):
        if module.training and len(list(run.glob("*.pt"))):
            module.head.weight.data.fill_(float("nan"))

    net.register_forward_pre_hook(spoil)
    with pytest.raises(FloatingPointError, match=r"became nan;.* learning_rate"):
        fit(net, train, config, run=run, teachers=teachers)
    about = checkpoints.load(run / "checkpoint.pt")
    assert len(about["history"]) == 1
    assert len(fit(new_net(train), train, config, run=run, teachers=teachers)) == 3


def test_loss_that_becomes_infinite(train, monkeypatch):
    infinite = lambda pred, target, answers: pred.sum() * float("inf")  # noqa: E731
    monkeypatch.setitem(training.LOSSES, "l1", infinite)
    with pytest.raises(FloatingPointError, match="the loss became"):
        fit(new_net(train), train, replace(SHORT, epochs=1, batch_size=36))


def test_shared_faces_are_an_error_and_shared_people_a_warning(train, small_faces):
    config = replace(SHORT, epochs=1)
    overlapping = small_faces.select(np.arange(8, 20))
    with pytest.raises(ValueError, match=r"4 faces are in training and validation, 'drawn 08'"):
        fit(new_net(train), train, config, validation=overlapping)
    some, others = train.select(np.arange(0, 36, 2)), train.select(np.arange(1, 36, 2))
    with pytest.warns(UserWarning, match="9 people are in training and validation") as caught:
        fit(new_net(train), some, config, validation=others)
    assert caught[0].filename == __file__


def test_people_apart_is_no_warning(train, validation):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(new_net(train), train, replace(SHORT, epochs=1), validation=validation)


def test_impossible_configs():
    with pytest.raises(
        ValueError, match=r"no schedule is called 'cosine'; choose one of one-cycle"
    ):
        TrainConfig("l1", epochs=1, schedule="cosine")
    with pytest.raises(ValueError, match=r"no loss is called 'l3'; choose one of l1, l2"):
        TrainConfig("l3", epochs=1)
    for change in ({"epochs": 0}, {"batch_size": 0}, {"n_views": -1}):
        with pytest.raises(ValueError, match="at least one epoch"):
            TrainConfig("l1", **({"epochs": 1} | change))


def test_contradicting_arguments(train):
    net = new_net(train)
    with pytest.raises(ValueError, match="network has 29 landmarks, the faces have 68"):
        fit(models.create(SMALL, 29, size=32), train)
    with pytest.raises(ValueError, match=r"targets must be finite and \(36, 68, 2\), found"):
        fit(net, train, targets=train.landmarks[:5])
    broken = train.landmarks.copy()
    broken[3, 4] = np.nan
    with pytest.raises(ValueError, match="targets must be finite"):
        fit(net, train, targets=broken)
    with pytest.raises(ValueError, match="'kd-paper' with no teachers"):
        fit(net, train, replace(SHORT, loss="kd-paper"))
    with pytest.raises(ValueError, match="'l1' with teachers"):
        fit(net, train, teachers=Teachers(new_net(train)))


def test_a_batch_must_be_shared_evenly(train):
    two = SimpleNamespace(num_processes=2)
    config = replace(SHORT, batch_size=9)
    with pytest.raises(ValueError, match="2 processes cannot share a batch of 9 evenly"):
        preflight.check(new_net(train), train, config, None, None, None, two)


@pytest.mark.parametrize("n, batch, processes, found", [
    (1, 4, 1, "1 a step for 1 process;"), (12, 1, 1, "1 a step for 1 process;"),
    (3, 4, 2, "3 a step for 2 processes;"), (36, 12, 12, "12 a step for 12 processes;"),
])  # fmt: skip
def test_batch_norm_needs_two_faces_a_step(train, n, batch, processes, found):
    """PyTorch says "Expected more than 1 value per channel", and the other processes only that a
    connection was closed."""
    config = replace(SHORT, batch_size=batch)
    several = SimpleNamespace(num_processes=processes)
    with pytest.raises(ValueError, match=f"each process needs two faces a step.* found {found}"):
        preflight.check(
            new_net(train), train.select(np.arange(n)), config, None, None, None, several
        )


def test_without_batch_norm_one_face_is_enough(train):
    for n in (1, 2):
        fit(Student(), train.select(np.arange(n)), replace(SHORT, epochs=1, batch_size=1))
    three = SimpleNamespace(num_processes=3)
    with pytest.raises(ValueError, match="each process needs a face: found 2 a step for 3 proc"):
        preflight.check(
            Student(), train.select([0, 1]), replace(SHORT, batch_size=3), None, None, None, three
        )


@pytest.mark.parametrize("n", [1, 2, 7])
def test_validation_faces_without_an_error_are_refused_at_once(train, validation, tmp_path, n):
    """The eyes of such a face coincide. All are named, up to five, and nothing is lost."""
    faces = validation.select(np.arange(12))
    faces.landmarks[2 : 2 + n, 36] = faces.landmarks[2 : 2 + n, 45]
    ids = faces.table["id"][2 : 2 + n].tolist()
    with pytest.raises(ValueError) as caught:
        fit(new_net(train), train, validation=faces, run=tmp_path / "run")
    named = ", ".join(ids[:5]) + (", …" if n > 5 else "")
    assert f"of {n} validation faces the inter-ocular distance is 0" in str(caught.value)
    assert f": {named};" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_speed_counts_the_faces_that_were_seen(train, monkeypatch):
    """12 faces in one batch that could hold 50; and 23 in two of 10, the rest is left out."""
    clock = itertools.count()
    monkeypatch.setattr(training.loop.time, "perf_counter", lambda: float(next(clock)))
    for n, batch, seen in ((12, 50, 12), (23, 10, 20)):
        config = replace(SHORT, epochs=1, batch_size=batch)
        (entry,) = fit(Student(), train.select(np.arange(n)), config)
        assert entry["images_per_second"] * entry["seconds"] == pytest.approx(seen, abs=0.5)


# --- where it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize("version, several, expected", [
    ("2.4.1", "1", "cpu"), ("2.12.1", "1", "cpu"), ("2.13.0", "1", "mps"),
    ("2.14.1+cpu", "1", "mps"), ("2.14.1", "2", "cpu"), ("3.0.0", "1", "mps"),
])  # fmt: skip
def test_an_apple_machine_uses_what_its_pytorch_can(monkeypatch, version, several, expected):
    """`grid_sample` knows no border there before 2.13; and several processes cannot share it."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch, "__version__", version)
    monkeypatch.setenv("WORLD_SIZE", several)
    assert processes.device().type == expected and processes.on_cpu() == (expected == "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert processes.device().type == "cuda" and not processes.on_cpu()


def test_accelerate_obeys_on_an_apple_machine(train, monkeypatch):
    """It would take Apple's GPU by itself, where a training cannot run."""
    asked = []

    class Listening(Accelerator):
        def __init__(self, **options):
            asked.append(options["cpu"])
            super().__init__(**options)

    monkeypatch.setattr(training.loop, "Accelerator", Listening)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch, "__version__", "2.12.0")
    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        fit(Student(), train, replace(SHORT, epochs=1))
        assert asked == [True] and processes.state().device.type == "cpu"
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)


# --- types of numbers ----------------------------------------------------------------------------


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_everything_runs_where_numbers_have_64_bits(train, validation, float64, tmp_path):
    """The same first loss, to rounding, as in 32 bits."""
    log = fit(new_net(train), train, replace(SHORT, epochs=1), validation=validation)
    teachers = Teachers(new_net(train, seed=1))
    fit(new_net(train), train, replace(SHORT, loss="kd-paper", epochs=1), teachers=teachers)
    net = models.load(models.save(new_net(train), tmp_path / "net"))
    wide = inference.predict(net, validation)
    torch.set_default_dtype(torch.float32)
    narrow = models.load(tmp_path / "net")
    assert inference.predict(narrow, validation) == pytest.approx(wide, abs=1e-4)
    assert wide.dtype == np.float32 and np.isfinite(log[0]["loss"])


# --- inference -----------------------------------------------------------------------------------


def test_predict_does_not_depend_on_batches_and_leaves_the_mode(validation):
    net = new_net(validation).train()
    before = models.fingerprint(net)
    found = inference.predict(net, validation, batch_size=5)
    assert found.shape == (12, 68, 2)
    assert found == pytest.approx(inference.predict(net, validation), abs=1e-5)
    assert net.training and models.fingerprint(net) == before
    compiled = torch.compile(net, backend="eager")
    assert inference.predict(compiled, validation) == pytest.approx(found, abs=1e-5)


def test_predict_gives_stored_crop_units(validation):
    """The head's bias alone, in network-crop units, comes out divided by the zoom."""
    net = new_net(validation)
    net.head.weight.data.zero_()
    expected = net.head.bias.detach().view(68, 2).numpy() * 1.3 / 2.2
    assert inference.predict(net, validation)[7] == pytest.approx(expected, abs=1e-6)


def test_predict_refuses_a_network_for_other_points(validation):
    with pytest.raises(ValueError, match="network has 29 landmarks, the faces have 68"):
        inference.predict(models.create(SMALL, 29, size=32), validation)
