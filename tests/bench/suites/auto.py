"""The auto suite: spaces composed for a data set against the fixed default of `staged`.

For each data set two searches of random samples run on real workers, alike but for the space. Rows:
how much better the median sample of the composed space is, the share of its samples that meet the
job's limits, and how many failed. Networks that are trained first, to learn what candidates cost,
are no samples.
"""
import dataclasses
import functools
import statistics
from typing import Tuple

from .rows import HIGHER, LOWER, Definition, Figure


@dataclasses.dataclass(frozen=True)
class DataSet:
    name: str
    epochs: int
    batch: int
    folder: str = ''        # a path; '' = of that name among the images of the data folder
    train_samples: int = 0  # 0 = all
    validation_fraction: float = 0.2


DATA_SETS = (
    DataSet('digits8', epochs=20, batch=64),
    DataSet('signdigits32', epochs=15, batch=64),
    DataSet('trashnet32', epochs=15, batch=64),
    DataSet('fsdd-logmel32', epochs=8, batch=64, folder='fsdd_logmel32'),
    DataSet('mnist18k', epochs=2, batch=128),
    DataSet('fashion-mnist', epochs=2, batch=128, folder='/usr/share/datasets/fashion-mnist',
            train_samples=12000),
)


@dataclasses.dataclass
class Settings:
    data_sets: Tuple[DataSet, ...] = DATA_SETS
    samples: int = 20
    probes: int = 5
    latency_ms: float = 1.0
    parameters: int = 200000
    memory: str = '1GiB'

    @staticmethod
    def quick():
        small = dataclasses.replace(DATA_SETS[0], epochs=1)
        return Settings(data_sets=(small,), samples=3, probes=2)


def job_file(data, kind, settings):
    """A search of random samples of a space, in the form of `frontier submit`."""
    trials = settings.samples + (settings.probes if kind == 'auto' else 0)
    space = (f'{{auto: {{probes: {settings.probes}}}}}' if kind == 'auto' else f'{{{kind}: {{}}}}')
    return f'''name: {kind} on {data.name}
dataset: {{name: {data.name}, validation_fraction: {data.validation_fraction},
  train_samples: {data.train_samples}}}
search_space: {space}
strategy: {{random: {{}}, seed: 1}}
training: {{epochs: {data.epochs}, batch_size: {data.batch}, learning_rate: 0.05,
  weight_decay: 0.0005, warmup_epochs: 0.5}}
objectives: [{{accuracy: maximize}}]
constraints: ["latency_ms <= {settings.latency_ms}", "parameters <= {settings.parameters}"]
budget: {{trials: {trials}}}
limits: {{memory: {settings.memory}}}
'''


def value_of(trial, metric):
    for measurement in trial.get('result', {}).get('measurements', []):
        if measurement['metric'] == metric:
            return measurement['value']
    return None


class Measurements:
    def __init__(self, source, settings, say=lambda text: None):
        self.source, self.settings, self.say = source, settings, say

    @functools.lru_cache(maxsize=None)
    def trials(self, data, kind):
        """Those of the searched space, without the networks that were tried before it was made."""
        trials = self.source.search(data, job_file(data, kind, self.settings))
        newest = max((trial.get('space_version', 0) for trial in trials), default=0)
        samples = [trial for trial in trials if trial.get('space_version', 0) == newest]
        self.say(f'{kind} on {data.name}: {len(samples)} samples, median accuracy '
                 f'{self.median(samples):.2f} %')
        return samples

    @staticmethod
    def median(samples):
        values = [value_of(trial, 'METRIC_ACCURACY') for trial in samples]
        return 100 * statistics.median([0 if value is None else value for value in values] or [0])

    def lead(self, data):
        ours = self.trials(data, 'auto')
        theirs = self.median(self.trials(data, 'staged'))
        return Figure(self.median(ours) - theirs, len(ours), 'the default of staged', theirs,
                      f'ours {self.median(ours):.2f} %, peer in %')

    def within_limits(self, data):
        samples = self.trials(data, 'auto')
        return Figure(sum(1 for trial in samples if trial.get('feasible')) / max(1, len(samples)),
                      len(samples))

    def failures(self, data):
        samples = self.trials(data, 'auto')
        failed = [trial for trial in samples if trial['state'] != 'TRIAL_STATE_SUCCEEDED']
        missing = max(0, self.settings.samples - len(samples))
        return Figure(len(failed) + missing, len(samples))


def definitions(m: Measurements):
    s = m.settings
    limits = f'latency <= {s.latency_ms} ms, {s.parameters} parameters'
    rows = []
    for data in s.data_sets:
        name = data.name
        rows += [
            Definition(f'auto.{name}.lead',
                       f'median validation accuracy of {s.samples} random samples of auto less '
                       f'that of the default of staged, {name}, {data.epochs} epochs',
                       'points', HIGHER, functools.partial(m.lead, data), must=0.0),
            Definition(f'auto.{name}.within-limits', f'share of them that meet {limits}, {name}',
                       'share', HIGHER, functools.partial(m.within_limits, data), must=0.9),
            Definition(f'auto.{name}.failures', f'samples that failed or are missing, {name}',
                       'trials', LOWER, functools.partial(m.failures, data), must=0.0),
        ]
    return rows
