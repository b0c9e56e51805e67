"""Borders and peaks are traced to their tolerance with a small part of the grid's points."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import photogap
from photogap.sweeps.ask.config import Refine
from photogap.sweeps.drive.promote import moves, promote
from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import Watch, run
from photogap.sweeps.drive.trace import Table, bracket, propose, width
from photogap.sweeps.errors import SweepError
from photogap.sweeps.store.place import place
from support.driving import plan_of

BASE = np.geomspace(0.01, 10.0, 5)


class Search:
    """The rounds of a search on a function of (x, across), with its computed points."""

    def __init__(self, function, across, rule, each=1):
        self.function, self.rule, self.each = function, rule, each
        self.x, self.across = list(BASE), list(across)
        self.known = {(x, a): function(x, a) for x in self.x for a in self.across}
        self.rounds = 0
        while points := propose(self.table(), rule, each):
            self.rounds += 1
            assert self.rounds < 100
            new = [p for p in points if p not in self.known]
            assert new, "a computed point was proposed again"
            for x, a in new:
                self.known[x, a] = function(x, a)
            self.x = sorted({*self.x, *(x for x, _ in new)})
            self.across = sorted({*self.across, *(a for _, a in new)})

    def table(self):
        y = np.array([[self.known.get((x, a), np.nan) for a in self.across] for x in self.x])
        ended = np.array([[(x, a) in self.known for a in self.across] for x in self.x])
        return Table(np.array(self.x), np.array(self.across), y, ended)

    def brackets(self, a):
        table = self.table()
        j = self.across.index(a)
        return bracket(self.x, table.y[:, j], table.ended[:, j], self.rule.level)


def rule(**given):
    return Refine(**{"variable": "gap", "axis": "F0", "find": "border", "tolerance": 0.01} | given)


def border_at(a):
    return 0.3 * np.exp(1.5 * a)


def gap(x, a):
    return max(0.0, np.log(x / border_at(a)))


@pytest.mark.parametrize("each", [1, 2, 3])
def test_border_is_enclosed_to_its_tolerance(each):
    found = Search(gap, np.linspace(0, 2, 7), rule(), each)
    for a in found.across:
        ((low, high),) = found.brackets(a)
        assert low <= border_at(a) <= high
        assert width(low, high, "log") <= 0.01
    dense = 7 * np.log(BASE[-1] / BASE[0]) / np.log(1.01)
    assert len(found.known) < 0.2 * dense
    assert found.rounds <= {1: 9, 2: 5, 3: 3}[each]


def test_columns_are_added_where_the_border_bends_or_ends():
    def bent(x, a):
        return gap(x, 4 * (a - 1) ** 2) if a < 1.7 else 0.0

    coarse = [0.0, 0.5, 1.0, 1.5, 2.0]
    found = Search(bent, coarse, rule(across="T", tolerance=0.03))
    assert len(found.across) > 2 * len(coarse)
    for a in found.across:
        if a < 1.7 and border_at(4 * (a - 1) ** 2) < BASE[-1]:
            ((low, high),) = found.brackets(a)
            assert low <= border_at(4 * (a - 1) ** 2) <= high
            assert width(low, high, "log") <= 0.03
        else:
            assert not found.brackets(a)
    ends = [a for a in found.across if found.brackets(a)]
    assert 1.7 - max(ends) < 0.03 * 2
    straight = Search(gap, [0.0, 1.0, 2.0], rule(across="T"))
    assert len(straight.across) == 3, "a straight border needs no more columns"


def test_peak_lies_between_close_neighbours():
    def peaked(x, a):
        return -(np.log(x / (0.2 + a)) ** 2)

    found = Search(peaked, [0.0, 1.0, 3.3], rule(find="peak", tolerance=0.02))
    for j, a in enumerate(found.across):
        y = found.table().y[:, j]
        known = np.flatnonzero(np.isfinite(y))
        best = int(np.argmax(y[known]))
        low, high = (found.x[known[best + step]] for step in (-1, 1))
        assert low < 0.2 + a < high
        assert width(low, high, "log") < 0.05


@given(st.lists(st.floats(0.02, 9.0), min_size=1, max_size=4, unique=True), st.integers(1, 3))
def test_every_crossing_of_a_column_is_enclosed(borders, each):
    """As many as the first labels show."""

    def steps(x, _):
        return float(sum(x > b for b in borders) % 2)

    found = Search(steps, [0.0], rule(level=0.5), each)
    shown = [steps(x, 0) for x in BASE]
    assert len(found.brackets(0.0)) >= sum(a != b for a, b in itertools.pairwise(shown))
    for low, high in found.brackets(0.0):
        assert width(low, high, "log") <= 0.01
        assert any(low <= b <= high for b in borders)


def test_failed_points_end_the_search_between_them():
    def broken(x, a):
        return np.nan if 0.2 < x < 0.5 else gap(x, a)

    found = Search(broken, [0.0], rule())
    assert not found.brackets(0.0), "the border is not enclosed by computed points"
    assert len(found.known) < 12


LEVEL = 0.02
"""Reached at F0 = 0.02 (1 + T)."""
RULE = {"variable": "Delta0_peak", "axis": "F0", "find": "border", "level": LEVEL, "tolerance": 0.02, "budget": 100}
AXES = {"F0": [0.01, 0.1, 1.0, 10.0], "T": [10.0, 20.0, 30.0]}


def test_a_traced_cube_holds_its_border_and_goes_on(tmp_path):
    target = place(tmp_path / "a.zarr")
    report = run(plan_of(AXES, refine=RULE), target, workers=0)
    ds = photogap.open(tmp_path / "a.zarr")
    computed = int((ds["status"] == "ok").sum())
    assert report.counts.computed == computed <= 0.5 * ds["status"].size
    assert (report.counts.done, report.counts.total) == (computed, computed)
    found = photogap.analysis.threshold_fluence(ds, LEVEL, "Delta0_peak").squeeze()
    assert found["F0_low"].notnull().all()
    assert float((found["F0_high"] / found["F0_low"]).max()) <= 1.02
    told = status(target)
    assert told["counts"] == {"ok": computed}
    assert told["points"] == computed
    assert told["not_asked"] == ds["status"].size - computed
    assert run(plan_of(AXES, refine=RULE), target, workers=0).counts.computed == 0
    finer = RULE | {"tolerance": 0.002}
    again = run(plan_of(AXES, refine=finer), target, workers=0)
    assert 3 * 3 <= again.counts.computed <= 3 * 5, "the search goes on from the labels it has"


def test_a_config_of_its_own_asks_for_traced_labels(tmp_path):
    target = place(tmp_path / "a.zarr")
    run(plan_of(AXES, refine=RULE), target, workers=0)
    labels = photogap.open(tmp_path / "a.zarr")["F0"].values.tolist()
    run(plan_of(AXES | {"F0": labels}), target, workers=0)
    assert status(target)["not_asked"] == 0
    assert set(status(target)["counts"]) == {"ok"}


def test_budget_limits_labels(tmp_path):
    """And say so, whatever is searched for."""
    said: list[str] = []
    for find in ("border", "peak", "change"):
        rule = RULE | {"find": find, "tolerance": 1e-6, "budget": 5}
        target = place(tmp_path / f"{find}.zarr")
        run(plan_of(AXES, refine=rule), target, workers=0, watch=Watch(told=said.append))
        assert photogap.open(target).sizes["F0"] == 4 + 5
        assert "`refine.budget` of 5 new values is used up" in said.pop()
    run(plan_of(AXES, refine=RULE), place(tmp_path / "enough.zarr"), workers=0, watch=Watch(told=said.append))
    assert said == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"across": "F0"}, r"`refine.across`: unknown name"),
        ({"across": "damping"}, r"`refine.across`"),
        ({"find": "edge"}, r"`refine.find`"),
    ],
)
def test_bad_searches_are_refused(change, message, tmp_path):
    with pytest.raises(SweepError, match=message):
        run(
            plan_of(AXES | {"damping": ["full", "real"]}, refine=RULE | change),
            place(tmp_path / "a.zarr"),
            workers=0,
        )


def test_each_plane_has_a_border_of_its_own(tmp_path):
    """Two materials, of which the second reaches the level at half the fluence, over curved columns."""
    axes = AXES | {"material": ["A", "B"], "T": [10.0, 30.0, 200.0]}
    run(plan_of(axes, refine=RULE | {"across": "T", "budget": 200}), place(tmp_path / "a.zarr"), workers=0)
    found = photogap.analysis.threshold_fluence(photogap.open(tmp_path / "a.zarr"), LEVEL, "Delta0_peak").squeeze()
    # straight lines within 2 % need steps of at most sqrt(8 0.02) (1 + T), and halving makes twice as many
    assert 3 < found.sizes["T"] <= 2 * np.log(201 / 11) / np.sqrt(0.16) + 1
    for material, strength in (("A", 1.0), ("B", 2.0)):
        here = found.sel(material=material).dropna("T")
        truth = LEVEL * (1 + here["T"]) / strength
        assert here.sizes["T"] >= 3
        # the fake gap has a floor of 2e-4
        assert bool((here["F0_low"] <= truth).all() and (truth <= 1.02 * here["F0_high"]).all())
        assert float((here["F0_high"] / here["F0_low"]).max()) <= 1.02


@pytest.mark.parametrize("shift", [1.0, 1.004, 1.3, 0.5])
def test_screening_encloses_the_fine_border_with_few_points(shift):
    """However far the coarse one lies."""
    across = np.linspace(0, 2, 7)
    screened = Search(lambda x, a: gap(shift * x, a), across, rule())
    x, fine, rounds = list(screened.x), {}, 0

    def table(known):
        y = np.array([[known.get((v, a), np.nan) for a in across] for v in x])
        return Table(np.array(x), across, y, np.array([[(v, a) in known for a in across] for v in x]))

    while points := promote(table(screened.known), table(fine), rule()):
        assert not set(points) & set(fine), "a computed point was proposed again"
        fine |= {(v, a): gap(v, a) for v, a in points}
        x, rounds = sorted({*x, *(v for v, _ in points)}), rounds + 1
        assert rounds < 50
    for j, a in enumerate(across):
        ((low, high),) = bracket(x, table(fine).y[:, j], table(fine).ended[:, j], 0.0)
        assert low <= border_at(a) <= high
        assert width(low, high, "log") <= 0.01
    unscreened = Search(gap, across, rule())
    assert len(fine) <= {1.0: 2 * 7, 1.004: len(unscreened.known) / 2}.get(shift, len(unscreened.known) + 7)
    found = moves([table(screened.known)], [table(fine)], rule())
    assert found.columns == sum(border_at(a) / shift < BASE[-1] for a in across)
    assert found.points == (len(screened.known), len(fine))
    assert 1 + found.largest == pytest.approx(max(shift, 1 / shift), rel=0.011)


def test_screening_checks_the_ends_where_it_finds_no_border():
    screened = Search(lambda x, a: 0.0, [0.0], rule()).table()
    empty = Table(screened.x, screened.across, np.full_like(screened.y, np.nan), np.zeros_like(screened.ended))
    assert promote(screened, empty, rule()) == [(BASE[0], 0.0), (BASE[-1], 0.0)]


SCREENED = RULE | {"screen": "rtol"}
"""The fake gap does not depend on rtol."""


def test_a_screened_cube_computes_fine_points_at_the_border_alone(tmp_path):
    axes = AXES | {"rtol": [1e-2, 1e-3]}
    target, said = place(tmp_path / "a.zarr"), []
    report = run(plan_of(axes, refine=SCREENED), target, workers=0, watch=Watch(told=said.append))
    ds = photogap.open(target)
    done = (ds["status"] == "ok").sum([d for d in ds["status"].dims if d != "rtol"])
    coarse, fine = (int(done.sel(rtol=value)) for value in (1e-2, 1e-3))
    found = photogap.analysis.threshold_fluence(ds, LEVEL, "Delta0_peak").squeeze()
    columns = int(found["F0_low"].sel(rtol=1e-2).notnull().sum())
    assert fine == 2 * columns < coarse / 3
    assert found["F0_low"].sel(rtol=1e-3).equals(found["F0_low"].sel(rtol=1e-2).assign_coords(rtol=1e-3))
    assert report.counts.computed == coarse + fine
    assert status(target)["counts"] == {"ok": coarse + fine}
    assert status(target)["points"] == coarse + fine, "no other point of the fine label is asked for"
    assert said == [
        f"`refine.screen`: from rtol = 0.01 ({coarse} points) to 0.001 ({fine} points) the border moves by at most "
        f"0 (relative), median 0, in {columns} columns"
    ]
    assert run(plan_of(axes, refine=SCREENED), target, workers=0).counts.computed == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"screen": "F0"}, "`screen` needs `find: border` and an axis other than `axis` and `across`. Got 'F0'"),
        ({"find": "peak"}, "`screen` needs `find: border`.*Got 'rtol' with `find: peak`"),
        ({"screen": "atol"}, "`refine.screen`: unknown name"),
        ({"screen": "damping"}, "`refine.screen` must be an axis of numbers. Got 'damping'"),
    ],
)
def test_bad_screenings_are_refused(change, message, tmp_path):
    axes = AXES | {"rtol": [1e-2, 1e-3], "damping": ["full", "real"]}
    with pytest.raises(SweepError, match=message):
        run(plan_of(axes, refine=SCREENED | change), place(tmp_path / "a.zarr"), workers=0)
