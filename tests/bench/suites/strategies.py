"""The strategies suite: how well and how fast they search, on public tables of results.

Time is simulated: a trial takes what the table says. Tables are those of NAS-Bench-201 (Dong and
Yang 2020) with the latencies of HELP (Lee et al. 2021). Where architectures are proposed once, equal
ones (by canonical hash, 6,466 classes and fewer among 15,625 cells) have one result in the searches
for several objectives: the mean of theirs.
"""
import dataclasses
import functools
import os
import statistics
from typing import Tuple

from . import auto
from .rows import HIGHER, LOWER, Definition, Figure, NotMeasured

TABLE = os.path.normpath(
    os.path.join(auto.SHARED, os.pardir, 'nasbench201', 'nasbench201.csv.gz'))

# Accuracies after a search by the published protocol: CIFAR-10, repeats allowed.
PUBLISHED = {'random': ('random {}', 93.78),
             'evolution': ('evolution { population_size: 10 sample_size: 3 }', 93.93),
             'reinforce': ('reinforce {}', 93.96)}

ONE_OBJECTIVE = ('random', 'local_search', 'evolution', 'nsga2', 'reinforce', 'tpe', 'bayesian')
SEVERAL_OBJECTIVES = ('random', 'local_search', 'evolution', 'nsga2', 'nsga3', 'tpe', 'bayesian')
MODEL_FREE = ('random', 'local_search', 'evolution', 'nsga2', 'nsga3', 'reinforce')
MODEL_BASED = ('tpe', 'bayesian', 'auto')

# Objectives of the searches for fronts. Cells that take under half a millisecond on a Raspberry Pi
# have no path from input to output; they count as half a millisecond.
FRONTS = {'xeon': '+c10_test_acc_200e,lat_gold_6226_ms',
          'raspi4': '+c10_test_acc_200e,lat_raspi4_ms>0.5',
          'three': '+c10_test_acc_200e,lat_gold_6226_ms,params_c10'}
FRONT_TRIALS = (200, 500)

SIMULATED_SECONDS = 12_000
TWELVE_OF_200_EPOCHS = 12 / 200


@dataclasses.dataclass
class Settings:
    seeds: int = 500        # of searches for one objective
    front_seeds: int = 50   # of searches for several
    history: int = 100_000  # trials before the proposals that are timed
    proposals: int = 200

    @staticmethod
    def quick():
        return Settings(seeds=4, front_seeds=2, history=500, proposals=20)


class Measurements:
    def __init__(self, source, settings, say=lambda text: None):
        self.source, self.settings, self.say = source, settings, say
        self.repeats = {}  # by search

    # Searches

    @functools.lru_cache(maxsize=None)
    def accuracies(self, strategy, data='c10', repeats=False):
        """Test accuracy, by seed, of the cell that a search of 12,000 s found best."""
        spec = f'{strategy} allow_repeats: true' if repeats else strategy
        return self._search(f'{spec} on {data}', spec, self.settings.seeds,
                            objectives=f'+{data}_valid_acc_12e', report=f'{data}_test_acc_200e',
                            seconds='train_time_c10valid_200e_s',
                            seconds_scale=TWELVE_OF_200_EPOCHS, time=SIMULATED_SECONDS,
                            counts=not repeats)

    @functools.lru_cache(maxsize=None)
    def noise_free(self, strategy):
        return self._search(f'{strategy} without noise', strategy, self.settings.seeds,
                            objectives='+c10_test_acc_200e', report='c10_test_acc_200e', trials=100)

    @functools.lru_cache(maxsize=None)
    def shares(self, strategy, front):
        """By number of trials: shares of the hypervolume, by seed."""
        values = self._search(f'{strategy} for {front}', strategy, self.settings.front_seeds,
                              objectives=FRONTS[front], trials=max(FRONT_TRIALS),
                              at=','.join(map(str, FRONT_TRIALS)), average_equal=None)
        return dict(zip(FRONT_TRIALS, zip(*values)))

    def _search(self, name, strategy, seeds, counts=True, **flags):
        answer = self.source.strategy_search(TABLE, strategy, seeds=seeds, **flags)
        if counts:
            self.repeats[name] = answer['repeats']
        values = answer['value']
        single = values if not isinstance(values[0], list) else [v[-1] for v in values]
        self.say(f'{name}: {statistics.mean(single):.4f}')
        return values

    # Rows

    def published(self, name):
        strategy, published = PUBLISHED[name]
        values = self.accuracies(strategy, repeats=True)
        mean = statistics.mean(values)
        return Figure(abs(mean - published), len(values), 'published', published,
                      f'ours {mean:.2f} +- {_deviation(values):.2f}')

    def _arms(self, measure, names):
        """Means by strategy, for those that are given by name."""
        return {name: statistics.mean(measure(f'{name} {{}}')) for name in names}

    @staticmethod
    def _best(means, digits):
        best = max(means, key=means.get)
        listed = ', '.join(f'{name} {mean:.{digits}f}' for name, mean in means.items())
        return best, means[best], listed

    def best_published(self):
        best, mean, listed = self._best(self._arms(self.accuracies, ONE_OBJECTIVE), 2)
        return Figure(mean, self.settings.seeds, detail=f'{best}; {listed}')

    def best_noise_free(self):
        best, mean, listed = self._best(self._arms(self.noise_free, ONE_OBJECTIVE), 3)
        return Figure(mean, self.settings.seeds, detail=f'{best}; {listed}')

    def auto_published(self):
        values = self.accuracies('auto {}')
        return Figure(statistics.mean(values), len(values), detail=f'+- {_deviation(values):.2f}')

    def behind(self, data):
        """Points by which the best strategy is ahead of the portfolio."""
        means = self._arms(functools.partial(self.accuracies, data=data), ONE_OBJECTIVE)
        best, mean, listed = self._best(means, 2)
        ours = statistics.mean(self.accuracies('auto {}', data=data))
        return Figure(mean - ours, self.settings.seeds, best, mean,
                      f'auto {ours:.2f}; {listed}')

    def _front(self, strategy, front, trials):
        return self.shares(strategy, front)[trials]

    def front_behind(self, front, trials):
        measure = functools.partial(self._front, front=front, trials=trials)
        best, mean, listed = self._best(self._arms(measure, SEVERAL_OBJECTIVES), 4)
        ours = statistics.mean(measure('auto {}'))
        return Figure(100 * (mean - ours) / mean, self.settings.front_seeds, best, mean,
                      f'auto {ours:.4f}; {listed}')

    def front_share(self, front, trials, strategy):
        values = self._front(f'{strategy} {{}}', front, trials)
        return Figure(statistics.mean(values), len(values), detail=f'+- {_deviation(values):.4f}')

    def best_front(self, front, trials):
        measure = functools.partial(self._front, front=front, trials=trials)
        names = (*SEVERAL_OBJECTIVES, 'auto')
        best, mean, listed = self._best(self._arms(measure, names), 4)
        return Figure(mean, self.settings.front_seeds, detail=f'{best}; {listed}')

    def front_margin(self, front, trials):
        measure = functools.partial(self._front, front=front, trials=trials)
        means = self._arms(measure, (*SEVERAL_OBJECTIVES, 'auto'))
        best, mean, listed = self._best({k: v for k, v in means.items() if k != 'nsga2'}, 4)
        return Figure(mean - means['nsga2'], self.settings.front_seeds, 'nsga2', means['nsga2'],
                      f'{best} {mean:.4f}; {listed}')

    def all_repeats(self):
        for name in (*ONE_OBJECTIVE, 'auto'):
            self.accuracies(f'{name} {{}}')
        for name in (*SEVERAL_OBJECTIVES, 'auto'):
            self.shares(f'{name} {{}}', 'xeon')
        return Figure(sum(self.repeats.values()), len(self.repeats),
                      detail=f'{len(self.repeats)} kinds of search')

    def proposal(self, names):
        """The slowest strategy's 95th percentile, in milliseconds."""
        slowest = {}
        for name in names:
            seconds = self.source.strategy_proposals(f'{name} {{}}', self.settings.history,
                                                     self.settings.proposals)
            slowest[name] = 1e3 * sorted(seconds)[int(0.95 * (len(seconds) - 1))]
            self.say(f'{name}: {slowest[name]:.3f} ms a proposal')
        listed = ', '.join(f'{name} {value:.2f}' for name, value in slowest.items())
        return Figure(max(slowest.values()), self.settings.proposals, detail=listed)


def _deviation(values):
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _no_early_stopping():
    raise NotMeasured('trials are not stopped early yet')


def definitions(m: Measurements):
    s = m.settings
    protocol = 'CIFAR-10, 12-epoch validation, 12,000 s'
    rows = [Definition(f'strategies.published.{name}',
                       f'difference from the published {published}, {protocol}, repeats allowed, '
                       f'{s.seeds} seeds', 'points', LOWER, functools.partial(m.published, name),
                       must=0.15)
            for name, (_, published) in PUBLISHED.items()]
    rows += [
        Definition('strategies.published.best',
                   f'test accuracy of the best single strategy, {protocol}, {s.seeds} seeds',
                   'percent', HIGHER, m.best_published, must=94.15, goal=94.25),
        Definition('strategies.published.auto', f'test accuracy of auto, {protocol}', 'percent',
                   HIGHER, m.auto_published, must=94.05)]
    rows += [Definition(f'strategies.behind.{data}',
                        f'points by which the best strategy is ahead of auto, {name}', 'points',
                        LOWER, functools.partial(m.behind, data), must=0.1, goal=0.03)
             for data, name in (('c10', 'CIFAR-10'), ('c100', 'CIFAR-100'),
                                ('in16', 'ImageNet16-120'))]
    rows += [Definition(f'strategies.behind.{front}.{trials}',
                        'hypervolume by which the best strategy is ahead of auto, '
                        f'{FRONTS[front]}, {trials} trials', 'percent', LOWER,
                        functools.partial(m.front_behind, front, trials), must=1.0, goal=0.03)
             for front in ('xeon', 'raspi4') for trials in FRONT_TRIALS]
    rows.append(Definition('strategies.noise-free.best',
                           'test accuracy of the best strategy after 100 trials that are told it',
                           'percent', HIGHER, m.best_noise_free, must=94.33, goal=94.36))
    for trials, nsga2, best, goal in ((200, 0.983, 0.988, 0.994), (500, 0.995, 0.998, 0.999)):
        what = f'share of the true hypervolume after {trials} trials, accuracy and latency on a Xeon'
        rows.append(Definition(f'strategies.front.nsga2.{trials}', f'{what}, nsga2', 'share', HIGHER,
                               functools.partial(m.front_share, 'xeon', trials, 'nsga2'),
                               must=nsga2))
        rows.append(Definition(f'strategies.front.best.{trials}', f'{what}, best strategy', 'share',
                               HIGHER, functools.partial(m.best_front, 'xeon', trials), must=best,
                               goal=goal))
    rows += [Definition(f'strategies.front.{front}.{trials}',
                        'share of the true hypervolume of the best strategy less that of nsga2, '
                        f'{FRONTS[front]}, {trials} trials', 'share', HIGHER,
                        functools.partial(m.front_margin, front, trials), must=0.0)
             for front in ('raspi4', 'three') for trials in FRONT_TRIALS]
    rows += [
        Definition('strategies.early-stopping.saved',
                   'epochs saved by early stopping with several objectives', 'percent', HIGHER,
                   _no_early_stopping, must=50, goal=70),
        Definition('strategies.early-stopping.lost', 'hypervolume lost to it', 'percent', LOWER,
                   _no_early_stopping, must=1, goal=0.5),
        Definition('strategies.repeats', 'architectures proposed again, all strategies', 'count',
                   LOWER, m.all_repeats, must=0),
        Definition('strategies.proposal.model-free',
                   f'p95 of a proposal after {s.history:,} trials, mobile space, slowest strategy',
                   'ms', LOWER, functools.partial(m.proposal, MODEL_FREE), must=1, goal=0.2),
        Definition('strategies.proposal.model-based',
                   f'p95 of a proposal after {s.history:,} trials, mobile space, slowest strategy',
                   'ms', LOWER, functools.partial(m.proposal, MODEL_BASED), must=50, goal=10)]
    return rows
