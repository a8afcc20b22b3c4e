"""The coordinator suite: how many trials it coordinates, and what one costs beside its training.

Trials train nothing. All of it runs on this machine: the coordinator, the load, the disk, which is
asked for every commit (synchronous=FULL).
"""
import dataclasses
import functools
import statistics

from .rows import HIGHER, LOWER, Definition, Figure

WORKERS = 8
OPTUNA_PROCESSES = (1, 8)

# Networks of three stages; 10^7 genotypes, so that no search comes to an end.
NO_OP_JOB = '''
name: no-op
dataset: {name: no-op, input: [1, 28, 28], classes: 10}
search_space:
  staged:
    stem_widths: [8, 12, 16, 20]
    stages:
      - &stage
        blocks: [convolution, depthwise_separable, residual, inverted_bottleneck]
        kernels: [3, 5, 7]
        widths: [16, 24, 32, 40, 48, 56, 64]
        depths: [1, 2]
        strides: [1, 2]
        connections: [0]
      - *stage
      - *stage
strategy: {random: {}, seed: 1}
training: {epochs: 1, batch_size: 64, learning_rate: 0.05}
objectives: [{accuracy: maximize}, {latency_ms: minimize}]
budget: {trials: 10000000}
'''

TABLE_JOB = '''
name: table
dataset: {name: cifar10, input: [3, 32, 32], classes: 10}
search_space: {nasbench201: {}}
strategy: {random: {}, seed: 1}
training: {epochs: 12, batch_size: 64, learning_rate: 0.05}
objectives: [{accuracy: maximize}]
budget: {trials: %d}
'''


@dataclasses.dataclass
class Settings:
    rounds: int = 3
    seconds: float = 10.0
    table_trials: int = 300

    @staticmethod
    def quick():
        return Settings(rounds=1, seconds=2.0, table_trials=30)


class Measurements:
    def __init__(self, source, settings, say=lambda text: None):
        self.source, self.settings, self.say = source, settings, say

    @functools.lru_cache(maxsize=None)
    def sides(self):
        """Trials a second of ours and of Optuna, round by round in turns; the disk's sync beside."""
        ours, syncs = [], []
        theirs = {processes: [] for processes in OPTUNA_PROCESSES}
        for _ in range(self.settings.rounds):
            answer = self.source.no_op_trials(NO_OP_JOB, WORKERS, self.settings.seconds)
            ours.append(answer)
            syncs.append(self.source.sync_ms())
            self.say(f'{answer["trials_per_second"]:.0f} trials/s, sync {syncs[-1]:.3f} ms')
            for processes, rates in theirs.items():
                rate = self.source.optuna_trials(processes, self.settings.seconds)
                if rate is not None:
                    rates.append(rate)
                    self.say(f'Optuna, {processes} processes: {rate:.1f} trials/s')
        return ours, theirs, syncs

    def trials(self):
        ours, theirs, syncs = self.sides()
        middle = {key: statistics.median(answer[key] for answer in ours) for key in ours[0]}
        return Figure(middle['trials_per_second'], len(ours),
                      detail=f'{WORKERS} workers; a report with the next lease '
                             f'{middle["report_p50_ms"]:.2f} ms (median); sync of the disk '
                             f'{statistics.median(syncs):.3f} ms',
                      **self.peer(theirs, 1))

    def peer(self, theirs, processes):
        if not theirs[processes]:
            return {}
        return {'peer': f'Optuna on SQLite, {processes} '
                        f'process{"es" if processes > 1 else ""}, trials/s',
                'peer_value': statistics.median(theirs[processes])}

    def against_optuna(self, processes):
        ours, theirs, _ = self.sides()
        self.source.need_optuna()
        ratios = [answer['trials_per_second'] / rate
                  for answer, rate in zip(ours, theirs[processes])]
        return Figure(statistics.median(ratios), len(ratios), **self.peer(theirs, processes))

    def overhead(self):
        """From one lease to the next of a worker that looks its results up in a table."""
        trials = self.source.table_trials(TABLE_JOB % self.settings.table_trials)
        starts = sorted(int(trial['attempts'][0]['started_unix_us']) for trial in trials)
        gaps = [(later - earlier) / 1000 for earlier, later in zip(starts, starts[1:])]
        return Figure(statistics.median(gaps), len(gaps),
                      detail=f'the slowest of a hundred {sorted(gaps)[int(0.99 * len(gaps))]:.1f} ms')


def definitions(m: Measurements):
    found = [Definition('coordinator.trials',
                        f'durable no-op trials through gRPC, {WORKERS} workers, one connection each, '
                        'load and coordinator on the same cores', 'trials/s', HIGHER, m.trials,
                        must=1500.0, goal=5000.0)]
    found += [Definition(f'coordinator.against-optuna.{processes}',
                         f'the same against Optuna (ask, tell, SQLite) with {processes} '
                         f'process{"es" if processes > 1 else ""}', 'x', HIGHER,
                         functools.partial(m.against_optuna, processes))
              for processes in OPTUNA_PROCESSES]
    found += [Definition('coordinator.overhead.daemon',
                         'lease to next lease of an idle cluster\'s worker, results from a table '
                         'inside the daemon, median', 'ms', LOWER, m.overhead, must=20.0, goal=2.0)]
    return found
