"""The accuracy suite: test accuracy on Fashion-MNIST, same recipe and data, against PyTorch.

Both are trained with batch 128, Nesterov momentum 0.9, weight decay 5e-4 on weights alone, a cosine
with warm-up, no augmentation, the same initialization rule and normalization. The peer is PyTorch
in f32 for both of our precisions: that it loses in bf16 would be no excuse.

All networks and seeds take hours. With a journal each training is written down when it has ended,
and is not done again by a later call: the measurement may be stopped, and go on another day.
"""
import dataclasses
import functools
import json
import math
import statistics
from typing import Tuple

from .engine import NETWORKS
from .rows import HIGHER, Definition, Figure, NotMeasured

ALLOWANCE_POINTS = 0.3
STANDARD_ERRORS = 2


@dataclasses.dataclass
class Settings:
    networks: Tuple[str, ...] = NETWORKS
    precisions: Tuple[str, ...] = ('f32', 'mixed')
    seeds: int = 5
    epochs: int = 5
    training_images: int = 0
    journal: str = ''  # file; '' = none


class Journal:
    """What was measured before: a line of JSON for each training, the settings it had and the
    points it reached. A last line that was cut short is not counted."""

    def __init__(self, path):
        self.path, self.known = path, {}
        if not path:
            return
        try:
            # To be told now, and not after the first training, that it cannot be written.
            with open(path, 'a+', encoding='utf-8') as file:
                file.seek(0)
                lines = file.read().split('\n')
        except (OSError, UnicodeDecodeError) as error:
            raise NotMeasured(f'journal {path}: {error}') from error
        for number, line in enumerate(lines[:-1], 1):
            try:
                entry = json.loads(line)
                points = entry.pop('points')
                self.known[self.key(entry)] = float(points)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise NotMeasured(f'{path}, line {number}: not a training: {error}') from error
        if lines[-1]:
            with open(path, 'w', encoding='utf-8') as file:
                file.write(''.join(line + '\n' for line in lines[:-1]))

    @staticmethod
    def key(settings):
        return json.dumps(settings, sort_keys=True)

    def points(self, settings, measure):
        """Those known for the settings; else those that measure() gives, which are then known."""
        key = self.key(settings)
        if key not in self.known:
            self.known[key] = measure()
            if self.path:
                with open(self.path, 'a', encoding='utf-8') as file:
                    file.write(json.dumps({**settings, 'points': self.known[key]}) + '\n')
        return self.known[key]


def standard_error(ours, theirs):
    """Of the difference of two means; 0 where one seed tells nothing of the spread."""
    return math.sqrt(sum(statistics.variance(side) / len(side)
                         for side in (ours, theirs) if len(side) > 1))


class Measurements:
    def __init__(self, source, settings, say=lambda text: None):
        self.source, self.settings, self.say = source, settings, say

    @functools.cached_property
    def journal(self):
        return Journal(self.settings.journal)

    @functools.lru_cache(maxsize=None)
    def accuracies(self, network, precision):
        """Points, by seed; of PyTorch if `precision` is 'torch'."""
        points = []
        for seed in range(1, self.settings.seeds + 1):
            train = (self.source.torch_accuracy if precision == 'torch' else
                     functools.partial(self.source.ours_accuracy, precision=precision))
            settings = dict(network=network, seed=seed, epochs=self.settings.epochs,
                            training_images=self.settings.training_images)
            points.append(self.journal.points({**settings, 'precision': precision},
                                              lambda: 100 * train(**settings)))
            self.say(f'{network} {precision} seed {seed}: {points[-1]:.2f} points')
        return points

    def margin(self, network, precision):
        ours = self.accuracies(network, precision)
        mean = statistics.mean(ours)
        try:
            theirs = self.accuracies(network, 'torch')
        except NotMeasured as reason:
            raise NotMeasured(f'{reason}; ours: {mean:.2f} points') from reason
        error = standard_error(ours, theirs)
        difference = mean - statistics.mean(theirs)
        return Figure(difference + ALLOWANCE_POINTS + STANDARD_ERRORS * error, len(ours),
                      'PyTorch f32', statistics.mean(theirs),
                      f'ours {mean:.2f}, difference {difference:+.2f}, standard error {error:.2f}'
                      ' points, peer in points')


def definitions(m: Measurements):
    s = m.settings
    images = s.training_images or 'all'
    return [Definition(f'accuracy.{precision}.{network}',
                       f"test accuracy after {s.epochs} epochs of {images} images minus PyTorch's, "
                       f'plus {ALLOWANCE_POINTS} points and {STANDARD_ERRORS} standard errors, '
                       f'{network} {precision}',
                       'points', HIGHER, functools.partial(m.margin, network, precision), must=0.0)
            for network in s.networks for precision in s.precisions]
