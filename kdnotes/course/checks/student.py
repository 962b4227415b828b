"""Checks of notebook 04."""

from collections.abc import Callable

import numpy as np

from kdnotes.course.checks.judge import NO_FUNCTION, NOTHING, RIGHT, Case, check, near, stopped


@check
def inverse_time() -> Case:
    """Checks `halved(decay, total)`: when the `decay` of Keras has halved the rate, and the other.

    The first number is the step at which peak / (1 + decay · step) is half of the peak. The second
    is the share of its own peak that `one_cycle` has at this step, in a training of `total` steps.
    """
    from kdnotes.training.schedule import one_cycle

    decay, total, step = 0.004, 900, 250

    def at(step):
        return [step, one_cycle(round(step), total, 1.0)]

    right = at(step)
    return (
        (decay, total),
        right,
        {
            "That rate falls by the same share in every step: exponential.": at(np.log(2) / decay),
            "That rate falls along a line: 1 − decay · step in place of a division.": at(step / 2),
            "Half of the training is not half of the rate.": at(total / 2),
            "Steps count from 0, and step 0 has the full rate.": at(step + 1),
            "The step is right; `one_cycle` does not stand at one half there.": [step, 0.5],
            "The step is right; `one_cycle` rises first, and only then follows the cosine.": [
                step, (1 + np.cos(np.pi * step / total)) / 2
            ],
            "The other way round: first the step.": right[::-1],
        },
    )  # fmt: skip


@check
def stored_answers() -> Case:
    """Checks `look_up(stored, known, rows, epoch)`: the teachers' answers for a batch of faces.

    `stored` (N, K, T, L, 2) are the stored answers; `known` (N,) says which row of the face set
    each of them belongs to; `rows` (B,) are the rows of the batch. In epoch e the student sees
    view e mod K.
    """
    rng = np.random.default_rng(5)
    stored, epoch = rng.normal(size=(6, 4, 2, 3, 2)), 6
    known, rows = np.array([9, 2, 5, 0, 3, 7]), np.array([3, 2, 5])
    at = np.array([np.flatnonzero(known == row)[0] for row in rows])
    return (
        (stored, known, rows, epoch),
        stored[at, epoch % 4],
        {
            "The view is right, the faces are not: a row of the face set is not a position in "
            "the store.": stored[rows, epoch % 4],
            "The faces are right, the view is not: after K epochs the views come again.": (
                stored[at, min(epoch, 3)]
            ),
            "The faces are right, the view is not: epochs count from 0.": stored[
                at, (epoch - 1) % 4
            ],
            "The right faces in the order of the store, not in that of the batch.": stored[
                np.isin(known, rows), epoch % 4
            ],
            "Those are answers for the view of the first epoch.": stored[at, 0],
            "Those are places in a sorted list; the store has the order of `known`.": stored[
                np.searchsorted(np.sort(known), rows), epoch % 4
            ],
        },
    )


#: The words for a gain, by the sides of zero on which the two ends of its interval lie.
BETTER, WORSE, OPEN = "better", "worse", "not known"
#: Fewest seeds of a comparison.
SEEDS = 5


def own_loss(answer: Callable) -> str:
    """Checks `defend(train, people, steps)`: a loss of one's own against L1.

    `train(loss, seed, steps)` trains one network and returns its errors (N,) on validation faces;
    `loss` takes `pred` and `target` (B, L, 2) and returns one number. `people` (N,) says who is on
    each face. The function returns gain, low, high of `metrics.gain_interval` over seeds and
    people, and "better", "worse" or "not known". The check trains nothing: its `train` has results
    of its own, in which the own loss is better, worse, and neither.
    """
    if not callable(answer):
        return NO_FUNCTION.format(type(answer).__name__)
    for better in (0.25, -0.25, 0.0):
        trainings = _Trainings(better)
        try:
            found = answer(trainings.train, trainings.people.copy(), trainings.steps)
        except Exception as error:  # whatever a reader's function may do
            return stopped(error)
        if found is None:
            return NOTHING
        complaint = trainings.complaint() or trainings.judge(found)
        if complaint:
            return complaint
    return RIGHT


class _Trainings:
    """Trainings that are not done, and whether they are a comparison.

    Args:
        better: The true gain of the own loss.
    """

    steps = 60

    def __init__(self, better: float):
        self.better, self.done = better, {"own": [], "L1": []}
        self.people = np.repeat(np.arange(15), 3)
        self.fault = ""

    def train(self, loss, seed, steps):
        """The errors of one training."""
        which, fault = _kind(loss)
        self.fault = self.fault or fault
        self.done[which].append((int(seed), int(steps)))
        return self.errors(which, int(seed))

    def errors(self, which, seed):
        """Of a seed. What is hard for both losses, a face or a seed's views, is common to both."""
        rng = np.random.default_rng([7, abs(seed)])
        person = np.random.default_rng(3).gamma(6.0, 0.015, 15)[self.people]
        common = person * rng.gamma(40.0, 1 / 40, self.people.size) * rng.uniform(0.7, 1.3)
        own = common * (1 - self.better) * rng.gamma(400.0, 1 / 400, self.people.size)
        return own if which == "own" else common

    def complaint(self):
        """What is wrong with the trainings themselves; empty if nothing is."""
        seeds = {name: [seed for seed, _ in runs] for name, runs in self.done.items()}
        for name, missing in (("L1", "losses.l1"), ("own", "your own loss")):
            if not seeds[name]:
                return f"Nothing was trained with {missing}; both losses are compared."
        if self.fault:
            return self.fault
        for name, of in seeds.items():
            if len(set(of)) < len(of):
                return f"A seed of {name} is trained twice: it gives the same network again."
        if set(seeds["own"]) != set(seeds["L1"]):
            return (
                f"Not paired by seed: {sorted(seeds['own'])} with the own loss, "
                f"{sorted(seeds['L1'])} with L1. Give both the same seeds."
            )
        if len(seeds["own"]) < SEEDS:
            return f"Found {len(seeds['own'])} seeds of each loss, expected at least {SEEDS}."
        steps = {name: {steps for _, steps in runs} for name, runs in self.done.items()}
        if steps["own"] != steps["L1"] or len(steps["own"]) > 1:
            return "The trainings have different numbers of steps: the longer one has an advantage."
        if steps["own"] != {self.steps}:
            return f"Found {steps['own'].pop()} steps, expected the number given, {self.steps}."
        return ""

    def judge(self, found):
        """What is wrong with the result; empty if nothing is."""
        try:
            *numbers, word = found
            gain, low, high = numbers = [float(x) for x in numbers]
        except (TypeError, ValueError):
            return f"Expected gain, low, high and a word, found {found!r}."
        if word not in (BETTER, WORSE, OPEN):
            return f"Expected the word {BETTER!r}, {WORSE!r} or {OPEN!r}, found {word!r}."
        for sentence, expected in self.results().items():
            if near(np.array(numbers), np.array(expected)).all():
                if sentence:
                    return sentence
                break
        else:
            return (
                f"Found gain {gain:.4f} and interval {low:.4f} to {high:.4f}, which is not that of "
                "`metrics.gain_interval(own, l1, people)` with errors (seeds, faces)."
            )
        expected = BETTER if low > 0 else WORSE if high < 0 else OPEN
        if word != expected:
            return (
                f"The interval {low:.3f} to {high:.3f} allows {expected!r}, found {word!r}. The "
                "verdict follows from where zero lies, not from the gain."
            )
        return ""

    def results(self):
        """Sentence to [gain, low, high]; the right result has no sentence."""
        from kdnotes import metrics

        def table(which):
            return np.stack([self.errors(which, seed) for seed, _ in self.done[which]])

        def by_seed(which):
            return table(which)[np.argsort([seed for seed, _ in self.done[which]])]

        own, l1 = by_seed("own"), by_seed("L1")
        return {
            "": metrics.gain_interval(own, l1, self.people),
            "The other way round: the gain of the own loss over L1.": (
                metrics.gain_interval(l1, own, self.people)
            ),
            "The interval counts faces; give `gain_interval` the people.": (
                metrics.gain_interval(own, l1)
            ),
            "The interval has no part for seeds: give (seeds, faces), not the mean over seeds.": (
                metrics.gain_interval(own.mean(axis=0), l1.mean(axis=0), self.people)
            ),
            "One seed alone is in the result; give the errors of all seeds, (seeds, faces).": (
                metrics.gain_interval(own[0], l1[0], self.people)
            ),
            "The rows are not paired: row by row the same seed.": (
                metrics.gain_interval(table("own"), table("L1"), self.people)
            ),
            "A share was asked for, not per cent.": [
                100 * x for x in metrics.gain_interval(own, l1, self.people)
            ],
        }


def _kind(loss):
    """Whether a loss is "own" or "L1", and what is wrong with one's own."""
    import torch

    from kdnotes import losses

    rng = torch.Generator().manual_seed(0)
    target = torch.rand(4, 5, 2, generator=rng) - 0.5
    pred = (target + 0.2 * torch.randn(4, 5, 2, generator=rng)).requires_grad_()
    value, l1 = loss(pred, target), losses.l1(pred, target)
    if not torch.is_tensor(value) or value.ndim:
        return "own", "The loss of a batch is one number, a tensor without dimensions."
    if torch.isclose(value, l1):
        return "L1", ""
    ratios = [float(loss(target + d, target) / losses.l1(target + d, target)) for d in (0.05, 0.3)]
    ratios.append(float((value / l1).detach()))
    if np.allclose(ratios, ratios[0], rtol=1e-3):
        return "own", "Your loss is L1 times a constant, which Adam does not notice."
    if not value.requires_grad:
        return "own", "No gradient flows through your loss: compute it with torch, without detach."
    (gradient,) = torch.autograd.grad(value, pred)
    if not torch.isfinite(gradient).all() or not torch.isfinite(value):
        return "own", "Your loss or its gradient is not finite."
    if not float(loss(target.clone(), target)) < float(value.detach()):
        return "own", "Your loss is no smaller where the prediction is right."
    return "own", ""
