"""Wrong versions of KD-Loss, and the test that notices each.

Every mutant is `losses/kd.py` with one small mistake. It is put in the place of the real module,
and the named test of `test_losses.py` must fail. Some mutants are equivalent in value and gradient;
`region` tells those apart.
"""

import inspect
import types

import pytest
import test_losses as tests

from kdnotes import losses
from kdnotes.losses import kd

SOURCE = inspect.getsource(kd)
#: The names of the loss that the tests use.
NAMES = ("LOW", "NEGATIVE", "NONE", "PAPER", "POSITIVE", "RELEASED", "kd_loss")

#: Test to a call of it; PAPER and RELEASED are the mutant's.
KILLERS = {
    "transcription, paper": lambda m: tests.test_equals_the_loop_transcription("paper", m.PAPER),
    "transcription, released": lambda m: tests.test_equals_the_loop_transcription(
        "released", m.RELEASED
    ),
    "figure values": lambda m: tests.test_values_read_off_the_papers_figures(),
    "named terms": lambda m: tests.test_each_teacher_has_its_own_term(m.PAPER),
    "swapped total": lambda m: tests.test_swapped_teachers_change_the_total_of_released_only(),
    "mirrored teachers": lambda m: tests.test_mirrored_teachers_give_the_same_loss(),
    "borders, paper": lambda m: tests.test_borders_of_paper(0.4, 1),
    "borders, released": lambda m: tests.test_borders_of_released(m.RELEASED.tough, 1, 0.4),
    "perfect teacher": lambda m: tests.test_a_perfect_teacher(0.3),
    "main at tau": lambda m: tests.test_main_loss_at_tau(m.RELEASED, 0.2),
    "student's gradient only": lambda m: tests.test_gradient_reaches_the_student_only(m.RELEASED),
    "mask": lambda m: tests.test_mask_means_over_the_points_that_count(m.PAPER),
    "finite": lambda m: tests.test_finite_where_distances_vanish(
        m.PAPER, 0.0, 0.0, tests.torch.float64
    ),
}

SWAP = (
    "    tough = assist(tough, settings.tough_weight, settings.tough)\n"
    "    tolerant = assist(tolerant, settings.tolerant_weight, settings.tolerant)\n"
)
#: Mutant to what is replaced, by what, and the test that notices.
MUTANTS = {
    "Tough and Tolerant teacher swapped": (
        SWAP,
        "    tough, tolerant = tolerant, tough\n" + SWAP,
        "named terms",
    ),
    "Tough and Tolerant settings swapped": (
        SWAP,
        SWAP.replace(", settings.tough)", ", settings.T)")
        .replace(", settings.tolerant)", ", settings.tough)")
        .replace("settings.T)", "settings.tolerant)"),
        "transcription, released",
    ),
    "student and teacher swapped": (
        "return (pred - target).abs(), (teacher - target).abs().detach()",
        "return (teacher - target).abs().detach(), (pred - target).abs()",
        "transcription, paper",
    ),
    "sign of α⁻": (
        "loss = torch.where(regions == NEGATIVE, alpha_negative * gap,",
        "loss = torch.where(regions == NEGATIVE, -alpha_negative * gap,",
        "figure values",
    ),
    "sign of α⁻ in the ramp": (
        ", alpha_negative * ramp * gap)",
        ", -alpha_negative * ramp * gap)",
        "transcription, paper",
    ),
    "the teacher is not reflected": (
        "gap = (t - u).abs()",
        "gap = (teacher - pred).abs()",
        "mirrored teachers",
    ),
    "β applied twice": (
        "torch.where(u < beta * t, LOW, NEGATIVE)",
        "torch.where(u < beta * beta * t, LOW, NEGATIVE)",
        "transcription, released",
    ),
    "no ramp in PAPER": (
        'tough=Assistance(0.9, -0.45, 0.4, "ramp")',
        'tough=Assistance(0.9, -0.45, 0.4, "zero")',
        "transcription, paper",
    ),
    "the ramp divides by t": (
        "torch.where(regions == LOW, beta * t, 1.0)",
        "torch.where(regions == LOW, t, 1.0)",
        "transcription, paper",
    ),
    "the ramp divides by zero": (
        "torch.where(regions == LOW, beta * t, 1.0)",
        "(beta * t)",
        "finite",
    ),
    "α⁺ in R_N": (
        "torch.where(regions == POSITIVE, alpha_positive * gap, loss)",
        "torch.where(regions >= NEGATIVE, alpha_positive * gap, loss)",
        "transcription, paper",
    ),
    "a perfect teacher assists in RELEASED": (
        "torch.where(t > 0, torch.where(u > t, POSITIVE, better), NONE)",
        "torch.where(u > t, POSITIVE, better)",
        "perfect teacher",
    ),
    "main loss without its weight": (
        "main = settings.main_weight * main_loss(",
        "main = main_loss(",
        "transcription, paper",
    ),
    "the parabola is not continued": (
        "u**2 + (slope - tau) * tau",
        "u**2",
        "transcription, paper",
    ),
    "τ from the Tough teacher": (
        "threshold(settings, target, tolerant)\n",
        "threshold(settings, target, tough)\n",
        "transcription, released",
    ),
    "gradient to the teacher": (
        "(teacher - target).abs().detach()",
        "(teacher - target).abs()",
        "student's gradient only",
    ),
    "the mask is forgotten": (
        "reduced(term, mask, reduction)",
        "reduced(term, None, reduction)",
        "mask",
    ),
    # Equivalent in value and gradient, but for the named region or the slope at one point:
    "> for >= at u = t in PAPER (value and gradient 0 on both sides)": (
        "torch.where(u >= t, POSITIVE, better)",
        "torch.where(u > t, POSITIVE, better)",
        "borders, paper",
    ),
    ">= for > at u = t in RELEASED (value and gradient 0 on both sides)": (
        "torch.where(u > t, POSITIVE, better)",
        "torch.where(u >= t, POSITIVE, better)",
        "borders, released",
    ),
    "<= for < at u = βt (PAPER: the same value, another slope)": (
        "torch.where(u < beta * t, LOW, NEGATIVE)",
        "torch.where(u <= beta * t, LOW, NEGATIVE)",
        "borders, paper",
    ),
    "< for <= at u = τ (the same value, in RELEASED another slope)": (
        "torch.where(u <= tau, slope * u,",
        "torch.where(u < tau, slope * u,",
        "main at tau",
    ),
}


def put_in_place(monkeypatch, source):
    """A module made of `source`, which the tests now take for `kdnotes.losses`."""
    module = types.ModuleType("kdnotes.losses")
    vars(module).update({name: getattr(losses, name) for name in losses.__all__})
    exec(compile(source, "kd.py with a mistake", "exec"), vars(module))
    monkeypatch.setattr(tests, "losses", module)
    for name in NAMES:
        monkeypatch.setattr(tests, name, getattr(module, name))
    return module


@pytest.mark.parametrize("killer", KILLERS)
def test_the_right_loss_passes(monkeypatch, killer):
    KILLERS[killer](put_in_place(monkeypatch, SOURCE))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_every_mutant_is_noticed(monkeypatch, mutant):
    right, wrong, killer = MUTANTS[mutant]
    assert SOURCE.count(right) >= 1, f"kd.py has changed: {right!r} is not there any more"
    module = put_in_place(monkeypatch, SOURCE.replace(right, wrong, 1))
    with pytest.raises((AssertionError, ValueError, RuntimeError, ZeroDivisionError)):
        KILLERS[killer](module)
