"""Public data that some rows need; the README of tests/bench says which, and in what layout."""
import glob
import os

from .rows import NotMeasured

VARIABLE = 'FRONTIER_BENCH_DATA'
# Where they are looked for if nobody says: beside the checkout.
BESIDE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                       *[os.pardir] * 4, 'shared', 'data'))


def table(folder, name):
    """Path of a table, by its path in the data folder."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise NotMeasured(f'there is no table {path}; --data or {VARIABLE} names its folder')
    return path


def samples(folder, name, place):
    """What `frontier-worker --dataset NAME=` takes of a data set; `place` is its path, or what it is
    called among the images of the data folder."""
    path = os.path.join(folder, 'images', place)
    if not any(glob.glob(f'{glob.escape(path)}{separator}train-*') for separator in '/-'):
        raise NotMeasured(f'data set {name}: there is no {path}/train-* or {path}-train-*; '
                          f'--data or {VARIABLE} names its folder')
    return path
