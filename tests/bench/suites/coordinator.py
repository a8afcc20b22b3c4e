"""The coordinator suite: how many trials it coordinates, and what one costs beside its training.

Trials train nothing. All of it runs on this machine: the coordinator, the load, the disk, which is
asked for every commit (synchronous=FULL).
"""
import dataclasses
import functools
import re
import statistics

from . import rows
from .rows import HIGHER, LOWER, Definition, Figure

WORKERS = 8
OPTUNA_PROCESSES = (1, 8)
STORED = 1_000_000  # trials

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

# Of a data set with fewer samples than a batch has, which the trial's process finds out.
REFUSED_JOB = '''
name: refused
dataset: {name: tiny, input: [1, 8, 8], classes: 10}
search_space:
  staged:
    stem_widths: [4, 6, 8]
    stages:
      - blocks: [convolution, depthwise_separable]
        kernels: [1, 3, 5]
        widths: [2, 4, 6, 8]
        depths: [1, 2]
        strides: [1]
        connections: [0]
strategy: {random: {}, seed: 1}
training: {epochs: 1, batch_size: 1000, learning_rate: 0.05}
objectives: [{accuracy: maximize}]
budget: {trials: %d}
'''


@dataclasses.dataclass
class Settings:
    rounds: int = 3
    seconds: float = 10.0
    table_trials: int = 300
    refused_trials: int = 100
    stored: int = STORED
    swarm_workers: int = 10_000
    swarm_trial_seconds: float = 60.0
    swarm_seconds: float = 60.0
    query_rounds: int = 50
    schedules: int = 500
    kills: int = 50
    mutations: bool = False  # compiles the core anew for each: 20 minutes, the first time 25

    @staticmethod
    def quick():
        return Settings(rounds=1, seconds=2.0, table_trials=30, refused_trials=10, stored=5_000,
                        swarm_workers=200, swarm_trial_seconds=4.0, swarm_seconds=4.0,
                        query_rounds=5, schedules=5, kills=4)


def once(method):
    """Measures once; what was found, or why nothing was, is the same for all rows that ask."""
    @functools.lru_cache(maxsize=None)
    def attempt(self):
        try:
            return method(self), None
        except rows.NotMeasured as reason:
            return None, reason

    @functools.wraps(method)
    def ask(self):
        found, reason = attempt(self)
        if reason is not None:
            raise reason
        return found
    return ask


class Measurements:
    def __init__(self, source, settings, say=lambda text: None):
        self.source, self.settings, self.say = source, settings, say

    @once
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
        return self.gaps(self.source.table_trials(TABLE_JOB % self.settings.table_trials))

    def process_overhead(self):
        """The same of a worker whose trials are processes that find nothing to train."""
        trials = self.source.refused_trials(REFUSED_JOB % self.settings.refused_trials)
        others = [trial['state'] for trial in trials if trial['state'] != 'TRIAL_STATE_FAILED']
        if others:
            raise rows.NotMeasured(f'{len(others)} trials were not refused')
        return self.gaps(trials)

    @staticmethod
    def gaps(trials):
        starts = sorted(int(trial['attempts'][0]['started_unix_us']) for trial in trials)
        gaps = [(later - earlier) / 1000 for earlier, later in zip(starts, starts[1:])]
        return Figure(statistics.median(gaps), len(gaps),
                      detail=f'the slowest of a hundred {sorted(gaps)[int(0.99 * len(gaps))]:.1f} ms')


    @once
    def stored(self):
        """With many trials in the database: pace by rounds in turns with an empty one, answers,
        restarts."""
        s = self.settings
        full, empty, restarts = [], [], []
        with self.source.filled(NO_OP_JOB, s.stored) as run:
            queries = self.source.queries_on(run, s.query_rounds)
            self.say(f'{queries}')
            for number in range(s.rounds):
                restarts.append(self.source.restart_on(run))
                sides = [lambda: full.append(self.source.trials_on(run, WORKERS, s.seconds)),
                         lambda: empty.append(self.source.no_op_trials(NO_OP_JOB, WORKERS,
                                                                       s.seconds))]
                for side in sides if number % 2 == 0 else reversed(sides):
                    side()
                self.say(f'restart {restarts[-1]:.2f} s; {full[-1]["trials_per_second"]:.0f} '
                         f'trials/s, {empty[-1]["trials_per_second"]:.0f} when empty')
        ratios = [a['trials_per_second'] / b['trials_per_second'] for a, b in zip(full, empty)]
        return queries, ratios, restarts

    def stored_pace(self):
        _, ratios, _ = self.stored()
        return Figure(statistics.median(ratios), len(ratios))

    def stored_query(self, key):
        queries, _, _ = self.stored()
        return Figure(queries[key], self.settings.query_rounds,
                      detail=f'{queries["trials"]} trials, {queries["front"]} on the front')

    def stored_restart(self):
        _, _, restarts = self.stored()
        return Figure(statistics.median(restarts), len(restarts))

    @once
    def swarm(self):
        s = self.settings
        answer = self.source.swarm(NO_OP_JOB, s.swarm_workers, s.swarm_trial_seconds,
                                   s.swarm_seconds)
        self.say(f'{answer}')
        if answer['errors'] or answer['workers'] != s.swarm_workers:
            raise rows.NotMeasured(f'{answer["workers"]} workers, {answer["errors"]} calls failed, '
                                   f'the first: {answer["first_error"]}')
        return answer

    def of_swarm(self, key):
        answer = self.swarm()
        return Figure(answer[key], 1,
                      detail=f'{answer["leases_per_second"]:.0f} leases and '
                             f'{answer["calls_per_second"]:.0f} calls a second; half of the leases '
                             f'within {answer["lease_p50_ms"]:.1f} ms')

    def restart_under_load(self):
        gaps = [self.source.restart_under_load(NO_OP_JOB, WORKERS, self.settings.seconds) / 1000
                for _ in range(self.settings.rounds)]
        return Figure(statistics.median(gaps), len(gaps))

    def mutations(self):
        if not self.settings.mutations:
            raise rows.NotMeasured('compiles the core a dozen times: by --only coordinator.mutations')
        found, missed = self.source.mutations()
        if missed:
            raise rows.NotMeasured(f'not found: {", ".join(missed)}')
        return Figure(len(found), 1, detail=f'all of {len(found)}')

    def test(self, program, pattern, environment):
        """A figure that a test prints, if it passes."""
        passed, text = self.source.run_test(program, dict(environment))
        found = re.search(pattern, text)
        if not passed or not found:
            lines = [line for line in text.splitlines() if 'Failure' in line or 'seed' in line]
            raise rows.NotMeasured(f'{program[-1]} failed: {" ".join(lines)[:300]}')
        return Figure(float(found.group(1)), 1, detail=found.group(0))


def of_test(m, row, check, unit, program, pattern, environment, must=None, goal=None):
    """A row that a test program of this build prints; `program` is its path below tests/."""
    return Definition(row, check, unit, HIGHER,
                      functools.partial(m.test, program, pattern, environment), must, goal,
                      builds=program[-1:])


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
                         'inside the daemon, median', 'ms', LOWER, m.overhead, must=20.0, goal=2.0),
              Definition('coordinator.overhead.process',
                         'the same with a process for each trial, which reads its data, checks its '
                         'task and refuses it, median', 'ms', LOWER, m.process_overhead, must=60.0,
                         goal=15.0)]
    stored = f'with {STORED:,} trials in the database, '
    found += [
        Definition('coordinator.stored.pace', stored + 'no-op trials a second by those without',
                   'x', HIGHER, m.stored_pace, must=0.8, goal=1.0),
        Definition('coordinator.stored.status', stored + 'status of the job', 'ms', LOWER,
                   functools.partial(m.stored_query, 'status_ms'), must=50.0, goal=5.0),
        Definition('coordinator.stored.front', stored + 'front', 'ms', LOWER,
                   functools.partial(m.stored_query, 'front_ms'), must=100.0, goal=10.0),
        Definition('coordinator.stored.page', stored + 'a page of 50 trials', 'ms', LOWER,
                   functools.partial(m.stored_query, 'page_ms'), must=50.0, goal=5.0),
        Definition('coordinator.stored.restart', stored + 'from the start to the first lease', 's',
                   LOWER, m.stored_restart, must=5.0, goal=1.0)]
    swarm = '10,000 workers, trials of 60 s, heartbeats every 10 s, a connection each: '
    found += [
        Definition('coordinator.swarm.lease', swarm + 'report and next lease, the slowest of a hundred',
                   'ms', LOWER, functools.partial(m.of_swarm, 'lease_p99_ms'), must=100.0, goal=20.0),
        Definition('coordinator.swarm.cores', swarm + 'cores that the coordinator uses', 'cores',
                   LOWER, functools.partial(m.of_swarm, 'cores'), must=1.0, goal=0.5),
        Definition('coordinator.swarm.memory', swarm + 'memory of the coordinator', 'MB', LOWER,
                   functools.partial(m.of_swarm, 'memory_mb'), must=1000.0, goal=300.0)]
    found += [
        Definition('coordinator.restart', 'killed under the load of the no-op trials and started '
                   'anew: the longest time in which no trial ended', 's', LOWER,
                   m.restart_under_load, must=2.0, goal=0.5),
        of_test(m, 'coordinator.simulation', 'simulated schedules of 300 operations with faults, '
                'none of which breaks an invariant', 'schedules',
                ('simulation', 'cluster_simulation_test'), r'(\d+) schedules of [^;\n]*',
                {'FRONTIER_SIMULATED_SCHEDULES': str(m.settings.schedules)}, must=500.0,
                goal=100_000.0),
        Definition('coordinator.mutations', 'single-line faults in the core that the tests find, each '
                   'put in alone', 'faults', HIGHER, m.mutations, must=10.0),
        of_test(m, 'coordinator.power-cut', 'moments of some commits, between any two accesses to the '
                'disk, at which the power went; each time the database opens with all that was '
                'acknowledged', 'moments',
                ('unit', 'coordinator', 'storage', 'sqlite_power_cut_test'),
                r'(\d+) moments of [^;\n]*',
                {'arguments': ['--gtest_filter=PowerCutTest.AtEvery*']}),
        of_test(m, 'coordinator.chaos', 'random kills and suspensions of coordinator and workers in a '
                'job of six times as many trials, none lost or doubled', 'kills',
                ('e2e', 'search', 'search_e2e_test'),
                r'(\d+) kills and suspensions in [^;\n]*',
                {'FRONTIER_CHAOS_KILLS': str(m.settings.kills),
                 'arguments': ['--gtest_filter=ChaosTest.*']}, must=50.0),
        of_test(m, 'coordinator.network-cut', 'each worker cut off for longer than a lease, and all at '
                'once; trials, none lost or doubled', 'trials', ('e2e', 'search', 'search_e2e_test'),
                r'(\d+) trials; each of \d+ workers was cut off',
                {'arguments': ['--gtest_filter=NetworkCutTest.*']})]
    return found
