"""The strategies suite: how well and how fast they search, on public tables of results.

Time is simulated: a trial takes what the table says. Tables are those of NAS-Bench-201 (Dong and
Yang 2020) with the latencies of HELP (Lee et al. 2021). Where architectures are proposed once, equal
ones (by canonical hash, 6,466 classes and fewer among 15,625 cells) have one result in the searches
for several objectives: the mean of theirs.
"""
import dataclasses
import functools
import statistics

from .rows import HIGHER, LOWER, Definition, Figure

TABLE = 'nasbench201/nasbench201.csv.gz'  # in the data folder

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

# The same strategy of ours and of Optuna.
OPTUNA = ('random', 'tpe', 'nsga2')
OPTUNA_TRIALS = 200

# Early stopping: of 200 epochs, with a pause after 12; one in so many goes on.
RUNG_EPOCHS, WHOLE_EPOCHS, REDUCTION = 12, 200, 4
STOPPING = ('random', 'local_search', 'evolution', 'nsga2', 'nsga3', 'tpe', 'bayesian', 'auto')
PARALLEL_WORKERS = 64
PARALLEL = ('local_search', 'evolution', 'nsga2', 'nsga3', 'tpe', 'bayesian', 'auto')

SIMULATED_SECONDS = 12_000
TWELVE_OF_200_EPOCHS = 12 / 200


@dataclasses.dataclass
class Settings:
    seeds: int = 500        # of searches for one objective
    front_seeds: int = 50   # of searches for several
    history: int = 100_000  # trials before the proposals that are timed
    short_history: int = 100
    proposals: int = 200
    peer_seeds: int = 5

    @staticmethod
    def quick():
        return Settings(seeds=4, front_seeds=2, history=500, proposals=20, peer_seeds=1)


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

    @functools.lru_cache(maxsize=None)
    def stopped_early(self, strategy):
        """Shares of the hypervolume that whole trainings dominate, by seed; share of epochs saved."""
        trials, objectives = max(FRONT_TRIALS), FRONTS['xeon']
        answer = self.source.strategy_search(
            TABLE, strategy, seeds=self.settings.front_seeds, objectives=objectives, trials=trials,
            at=trials, average_equal=None, epochs=WHOLE_EPOCHS,
            early_stopping=f'asha {{ rungs: {RUNG_EPOCHS} reduction: {REDUCTION} }}',
            rung=objectives.replace('c10_test_acc_200e', 'c10_valid_acc_12e'),
            rung_epochs=RUNG_EPOCHS, rung_share=RUNG_EPOCHS / WHOLE_EPOCHS)
        self.repeats[f'{strategy} stopped early'] = answer['repeats']
        saved = 1 - statistics.mean(answer['epochs']) / (trials * WHOLE_EPOCHS)
        self.say(f'{strategy} stopped early: {statistics.mean(answer["value"]):.4f}, '
                 f'{100 * saved:.1f} % of the epochs saved')
        return answer['value'], saved

    @functools.lru_cache(maxsize=None)
    def parallel(self, strategy):
        """Shares of the hypervolume, by seed, with many workers whose trials take their time."""
        values = self._search(f'{strategy} with {PARALLEL_WORKERS} workers', strategy,
                              self.settings.front_seeds, objectives=FRONTS['xeon'],
                              trials=max(FRONT_TRIALS), at=max(FRONT_TRIALS), average_equal=None,
                              workers=PARALLEL_WORKERS, seconds='train_time_c10valid_200e_s')
        return values

    @functools.lru_cache(maxsize=None)
    def optuna(self, sampler):
        """Shares of the hypervolume after OPTUNA_TRIALS trials, by seed; seconds of a proposal."""
        accuracy, latency = (name.lstrip('+') for name in FRONTS['xeon'].split(','))
        answer = self.source.optuna_search(TABLE, sampler, accuracy=accuracy, latency=latency,
                                           trials=OPTUNA_TRIALS, seeds=self.settings.peer_seeds)
        whole = self.source.table_points(TABLE, accuracy, latency)
        shares = [hypervolume(found, whole) / hypervolume(whole, whole)
                  for found in answer['found']]
        seconds = statistics.mean(answer['seconds'])
        self.say(f'Optuna {sampler}: {statistics.mean(shares):.4f}, {1e3 * seconds:.2f} ms')
        return shares, seconds

    @functools.lru_cache(maxsize=None)
    def ours_beside_optuna(self, strategy, networks):
        """The same of ours, on the same table: equal architectures keep their own results. Without
        `networks` those that it proposes are built before its time is taken."""
        beforehand = {} if networks else {'known': None}
        answer = self.source.strategy_search(
            TABLE, f'{strategy} {{}}', seeds=self.settings.front_seeds, objectives=FRONTS['xeon'],
            trials=OPTUNA_TRIALS, at=OPTUNA_TRIALS, **beforehand)
        seconds = sum(answer['seconds']) / sum(answer['trials'])
        self.say(f'ours {strategy}{"" if networks else ", choosing alone"}: '
                 f'{statistics.mean(answer["value"]):.4f}, {1e3 * seconds:.4f} ms')
        return answer['value'], seconds

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

    @functools.lru_cache(maxsize=None)
    def proposal_times(self, name, history):
        """The 95th percentile in milliseconds, and the peak of memory in MB."""
        answer = self.source.strategy_proposals(f'{name} {{}}', history, self.settings.proposals)
        seconds = answer['seconds']
        slow = 1e3 * sorted(seconds)[int(0.95 * (len(seconds) - 1))]
        self.say(f'{name}: {slow:.3f} ms a proposal after {history:,} trials')
        return slow, answer['peak_bytes'] / 1e6

    def proposal(self, names):
        """The slowest strategy's."""
        slowest = {name: self.proposal_times(name, self.settings.history)[0] for name in names}
        listed = ', '.join(f'{name} {value:.2f}' for name, value in slowest.items())
        return Figure(max(slowest.values()), self.settings.proposals, detail=listed)

    def proposal_growth(self):
        """How much longer a proposal takes with a long history than with a short one."""
        growth = {name: self.proposal_times(name, self.settings.history)[0] /
                  self.proposal_times(name, self.settings.short_history)[0]
                  for name in MODEL_FREE + MODEL_BASED}
        listed = ', '.join(f'{name} {value:.2f}' for name, value in growth.items())
        return Figure(max(growth.values()), self.settings.proposals, detail=listed)

    def memory(self):
        peaks = {name: self.proposal_times(name, self.settings.history)[1]
                 for name in MODEL_FREE + MODEL_BASED}
        listed = ', '.join(f'{name} {value:.0f}' for name, value in peaks.items())
        return Figure(max(peaks.values()), detail=listed)

    def epochs_saved(self):
        saved = {name: 100 * self.stopped_early(f'{name} {{}}')[1] for name in STOPPING}
        listed = ', '.join(f'{name} {value:.1f}' for name, value in saved.items())
        return Figure(min(saved.values()), self.settings.front_seeds, detail=listed)

    def hypervolume_lost(self):
        """By the strategy that loses the most."""
        lost = {}
        for name in STOPPING:
            whole = statistics.mean(self._front(f'{name} {{}}', 'xeon', max(FRONT_TRIALS)))
            stopped = statistics.mean(self.stopped_early(f'{name} {{}}')[0])
            lost[name] = 100 * (whole - stopped) / whole
        listed = ', '.join(f'{name} {value:+.2f}' for name, value in lost.items())
        return Figure(max(lost.values()), self.settings.front_seeds, detail=listed)

    def parallel_change(self):
        """Of the best strategy; the others beside it."""
        change = {}
        for name in PARALLEL:
            alone = statistics.mean(self._front(f'{name} {{}}', 'xeon', max(FRONT_TRIALS)))
            change[name] = 100 * (statistics.mean(self.parallel(f'{name} {{}}')) - alone) / alone
        listed = ', '.join(f'{name} {value:+.2f}' for name, value in change.items())
        return Figure(min(change.values()), self.settings.front_seeds, detail=listed)

    def ahead_of_optuna(self):
        theirs = {name: statistics.mean(self.optuna(name)[0]) for name in OPTUNA}
        ours = {name: statistics.mean(self.ours_beside_optuna(name, True)[0])
                for name in (*SEVERAL_OBJECTIVES, 'auto')}
        best, mean, listed = self._best(ours, 4)
        peer, peer_mean, peers = self._best(theirs, 4)
        return Figure(mean - peer_mean, self.settings.peer_seeds, f'Optuna {peer}', peer_mean,
                      f'{best}; {listed}; Optuna: {peers}')

    def faster_than_optuna(self, name, networks):
        """By the same kind of strategy."""
        theirs, ours = self.optuna(name)[1], self.ours_beside_optuna(name, networks)[1]
        return Figure(theirs / ours, self.settings.peer_seeds, f'Optuna {name}', 1e3 * theirs,
                      f'ours {1e3 * ours:.4f} ms, peer in ms')

    def best_faster_than_optuna(self):
        """By the strategies that find the most."""
        theirs = max(OPTUNA, key=lambda name: statistics.mean(self.optuna(name)[0]))
        ours = max((*SEVERAL_OBJECTIVES, 'auto'),
                   key=lambda name: statistics.mean(self.ours_beside_optuna(name, True)[0]))
        seconds, our_seconds = self.optuna(theirs)[1], self.ours_beside_optuna(ours, True)[1]
        return Figure(seconds / our_seconds, self.settings.peer_seeds, f'Optuna {theirs}',
                      1e3 * seconds, f'{ours}, {1e3 * our_seconds:.3f} ms; peer in ms')


def _deviation(values):
    return statistics.stdev(values) if len(values) > 1 else 0.0


def hypervolume(points, whole):
    """Area that (accuracy, latency) points dominate, up to the worst of the whole table."""
    least = min(accuracy for accuracy, _ in whole)
    slowest = max(latency for _, latency in whole)
    area, reached = 0.0, slowest
    for accuracy, latency in sorted(points, reverse=True):
        if latency < reached:
            area += (accuracy - least) * (reached - latency)
            reached = latency
    return area


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
                   m.epochs_saved, must=50, goal=70),
        Definition('strategies.early-stopping.lost',
                   'hypervolume lost to it, by the strategy that loses the most, '
                   f'{max(FRONT_TRIALS)} trials', 'percent', LOWER, m.hypervolume_lost, must=1,
                   goal=0.5),
        Definition('strategies.repeats', 'architectures proposed again, all strategies', 'count',
                   LOWER, m.all_repeats, must=0),
        Definition('strategies.proposal.model-free',
                   f'p95 of a proposal after {s.history:,} trials, mobile space, slowest strategy',
                   'ms', LOWER, functools.partial(m.proposal, MODEL_FREE), must=1, goal=0.2),
        Definition('strategies.proposal.model-based',
                   f'p95 of a proposal after {s.history:,} trials, mobile space, slowest strategy',
                   'ms', LOWER, functools.partial(m.proposal, MODEL_BASED), must=50, goal=10),
        Definition('strategies.proposal.growth',
                   f'the same, divided by the figure after {s.short_history} trials, the strategy '
                   'that grows the most', 'ratio', LOWER, m.proposal_growth, must=2, goal=1.2),
        Definition('strategies.memory', f'peak memory with {s.history:,} trials', 'MB', LOWER,
                   m.memory, must=300, goal=150),
        Definition('strategies.parallel',
                   f'hypervolume with {PARALLEL_WORKERS} workers against one at equal trials, the '
                   'strategy that loses the most', 'percent', HIGHER, m.parallel_change, must=-1,
                   goal=-0.3),
        Definition('strategies.optuna.quality',
                   f'share of the true hypervolume after {OPTUNA_TRIALS} trials, ours less '
                   "Optuna's, best strategies", 'share', HIGHER, m.ahead_of_optuna, must=0.0),
        Definition('strategies.optuna.time.best',
                   "time of one of Optuna's proposals by that of ours, best strategies", 'ratio',
                   HIGHER, m.best_faster_than_optuna, must=50)]
    rows += [Definition(f'strategies.optuna.{row}.{name}',
                        f"time of one of Optuna's proposals by that of ours, {name}; {what}",
                        'ratio', HIGHER, functools.partial(m.faster_than_optuna, name, networks),
                        must=50)
             for row, networks, what in (
                 ('time', True, 'ours builds, checks and hashes the network as well'),
                 ('choosing', False, 'both choose alone, our networks are built beforehand'))
             for name in OPTUNA]
    return rows
