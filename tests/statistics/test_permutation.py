"""Classes tested at once: as rarely wrong as they say, on paths as heavy-tailed as real ones."""

from itertools import combinations

import numpy as np
import pytest

from onnxspec.statistics import permutation
from onnxspec.statistics.permutation import Classes
from simulation import Population, disjoint

HEAVY = Population(path=1.5, milder=0.2)


def share(rng, paths, population=HEAVY):
    return np.stack(population.survey(rng, *disjoint(paths)).columns[:2])


def within(classes, paths):
    ends = np.arange(classes * paths) % classes
    return Classes.touched(ends, ends)


def between(classes, laps):
    ends = np.array(list(combinations(range(classes), 2)) * laps)
    return Classes.touched(*ends.T)


def rejected(p):
    return {number for number, one in p.items() if one < 0.05}


@pytest.mark.parametrize("classes", [within(60, 10), between(16, 5)])
def test_classes_that_are_alike_are_rarely_told_apart(classes):
    rng = np.random.default_rng(3)
    paths = classes.paths.max() + 1
    false = [bool(rejected(permutation.against_the_rest(share(rng, paths), classes))) for _ in range(20)]
    assert sum(false) <= 3


def test_models_that_are_alike_are_rarely_told_apart():
    rng = np.random.default_rng(4)
    classes = within(60, 10)
    false = []
    for _ in range(20):
        common = np.exp(rng.standard_normal(600))
        models = (share(rng, 600, Population(path=1.0)) * [common, np.ones(600)] for _ in range(2))
        false.append(bool(rejected(permutation.between_models(*models, classes))))
    assert sum(false) <= 3


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_a_class_that_differs_is_found_and_no_other(factor):
    rng = np.random.default_rng(0)
    classes = within(10, 100)
    one = share(rng, 1000, Population(path=1.0))
    one[0, classes.paths[classes.numbers.repeat(classes.sizes) == 3]] *= factor
    assert rejected(permutation.against_the_rest(one, classes)) == {3}


def test_models_that_differ_in_a_class_are_told_apart_there():
    rng = np.random.default_rng(0)
    classes = within(10, 40)
    first, second = (share(rng, 400, Population(path=0.5)) for _ in range(2))
    first[0, ::10] *= 2
    p = permutation.between_models(first, second, classes)
    assert rejected(p) == {0}
    assert p == permutation.between_models(second, first, classes)


def test_the_same_model_twice_differs_nowhere():
    one = share(np.random.default_rng(0), 100)
    assert set(permutation.between_models(one, one, within(5, 20)).values()) == {1.0}


def westfall_and_young(table):
    """p of their procedure as they state it, class by class; (1 + draws, classes), what was found first."""
    p = np.ones((2, table.shape[1]))
    for side, contrasts in enumerate((table, -table)):
        left, last = list(range(table.shape[1])), 0.0
        while left:
            first = max(left, key=lambda c: contrasts[0, c])
            last = max(last, np.mean(contrasts[:, left].max(1) >= contrasts[0, first]))
            p[side, first] = last
            left.remove(first)
    return np.minimum(1, 2 * p.min(0))


def test_p_is_that_of_westfall_and_youngs_procedure():
    """Over the same draws, one by one."""
    rng, drawing = np.random.default_rng(1), np.random.default_rng(permutation._SEED)
    ends = np.arange(120) % 6
    found = share(rng, 120, Population(path=0.7))
    found[0, ends == 2] *= 2

    def contrast(shares, own):
        log, variance = [], 0.0
        for h, t in (shares[:, own], shares[:, ~own]):
            log.append(np.log(h.sum() / t.sum()))
            variance += np.square(h / h.sum() - t / t.sum()).sum()
        return (log[0] - log[1]) / np.sqrt(variance)

    drawn = [found, *(found[:, drawing.permutation(120)] for _ in range(999))]
    known = westfall_and_young(np.array([[contrast(one, ends == c) for c in range(6)] for one in drawn]))
    reported = permutation.against_the_rest(found, Classes.touched(ends, ends))
    assert known[2] < 0.1
    assert [reported[c] for c in range(6)] == pytest.approx(known, abs=1e-12)


def test_p_between_models_is_that_of_the_procedure_too():
    rng, drawing = np.random.default_rng(1), np.random.default_rng(permutation._SEED)
    ends = np.arange(120) % 6
    models = np.stack([share(rng, 120, Population(path=0.7)) for _ in range(2)])
    models[0, 0, ends == 2] *= 4

    def contrast(shares, own):
        (h, t), (other_h, other_t) = shares[:, :, own]
        influence = h / h.sum() - t / t.sum() - other_h / other_h.sum() + other_t / other_t.sum()
        log = np.log(h.sum() / t.sum()) - np.log(other_h.sum() / other_t.sum())
        return log / np.sqrt(np.square(influence).sum())

    drawn = [models, *(np.where(drawing.random(120) < 0.5, models[::-1], models) for _ in range(999))]
    known = westfall_and_young(np.array([[contrast(one, ends == c) for c in range(6)] for one in drawn]))
    reported = permutation.between_models(*models, Classes.touched(ends, ends))
    assert known[2] < 0.1
    assert [reported[c] for c in range(6)] == pytest.approx(known, abs=1e-12)


def test_the_same_data_give_the_same_p():
    one = share(np.random.default_rng(0), 100)
    assert permutation.against_the_rest(one, within(5, 20)) == permutation.against_the_rest(one, within(5, 20))


def test_a_path_between_two_classes_belongs_to_both():
    classes = Classes.touched(np.array([0] * 12 + [1] * 4), np.array([0] * 6 + [1] * 10))
    assert classes.numbers.tolist() == [0, 1]
    assert [set(one.tolist()) for one in np.split(classes.paths, classes.starts[1:])] == [{*range(12)}, {*range(6, 16)}]
    assert classes.starts.tolist() == [0, 12]


def test_classes_of_few_paths_are_not_tested():
    ends = np.repeat([4, 5, 6], [9, 10, 11])
    assert sorted(permutation.against_the_rest(share(np.random.default_rng(0), 30), Classes.touched(ends, ends))) == [
        5,
        6,
    ]


def test_nothing_is_tested_where_nothing_can_be():
    ends, one = np.zeros(20, int), share(np.random.default_rng(0), 20)
    assert permutation.against_the_rest(one, Classes.touched(ends, ends)) == {}
    assert permutation.against_the_rest(one * [[0], [1]], within(2, 10)) == {}
    assert permutation.against_the_rest(one[:, :5], within(1, 5)) == {}
    assert permutation.between_models(one[:, :5], one[:, :5], within(1, 5)) == {}


def test_a_class_without_fast_wiggling_is_left_out_and_leaves_the_others_their_test():
    one = share(np.random.default_rng(0), 60)
    other = one.copy()
    one[0, ::3] = 0
    assert sorted(permutation.against_the_rest(one, within(3, 20))) == [1, 2]
    assert sorted(permutation.between_models(one, other, within(3, 20))) == [1, 2]


def test_a_class_that_wiggles_alone_has_nothing_to_be_held_against():
    one = share(np.random.default_rng(0), 60)
    one[0, 1::3] = one[0, 2::3] = 0
    assert permutation.against_the_rest(one, within(3, 20)) == {}


def test_paths_that_share_an_image_with_an_earlier_one_are_left_out():
    assert permutation.unshared(np.array([0, 2, 0, 4, 5]), np.array([1, 3, 4, 5, 6])).tolist() == [0, 1, 3]
    assert not len(permutation.unshared(np.zeros(0, int), np.zeros(0, int)))
