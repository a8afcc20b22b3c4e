#!/usr/bin/env python3
"""Tests of the coordinator suite's own logic, with a source that measures nothing."""
import contextlib
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run  # noqa: E402
from suites import coordinator, rows  # noqa: E402


class FakeSource:
    """Of three rounds the second is the middle one."""

    def __init__(self, optuna=True):
        self.optuna, self.rates, self.peers = optuna, [900.0, 1000.0, 2000.0], {1: 20.0, 8: 40.0}
        self.restarts, self.swarm_errors = [3.0, 1.0, 2.0], 0
        self.refused, self.missed = 'TRIAL_STATE_FAILED', []
        self.tests = set()

    def no_op_trials(self, job, workers, seconds):
        assert 'no-op' in job and workers == 8 and seconds > 0
        rate = self.rates.pop(0) if self.rates else 1000.0
        return {'trials_per_second': rate, 'report_p50_ms': 4.0}

    def sync_ms(self):
        return 0.5

    def optuna_trials(self, count, seconds):
        assert seconds > 0
        return self.peers[count] if self.optuna else None

    def need_optuna(self):
        if not self.optuna:
            raise rows.NotMeasured('Optuna is missing')

    @contextlib.contextmanager
    def filled(self, job, trials):
        assert 'no-op' in job and trials == 1_000_000
        yield 'run'

    def trials_on(self, run, workers, seconds):
        assert run == 'run' and workers == 8 and seconds > 0
        return {'trials_per_second': 900.0}

    def queries_on(self, run, rounds):
        assert run == 'run' and rounds > 0
        return {'trials': 1_000_000, 'front': 500, 'status_ms': 1.0, 'front_ms': 8.0,
                'page_ms': 3.0}

    def restart_on(self, run):
        return self.restarts.pop(0)

    def swarm(self, job, workers, trial_seconds, seconds):
        assert 'no-op' in job and workers == 10_000 and trial_seconds == 60 and seconds > 0
        return {'workers': workers, 'errors': self.swarm_errors, 'first_error': 'too slow',
                'leases_per_second': 166.0, 'calls_per_second': 1200.0, 'lease_p50_ms': 2.0, 'lease_p99_ms': 15.0,
                'cores': 0.4, 'memory_mb': 350.0}

    def restart_under_load(self, job, workers, seconds):
        return 400.0

    def run_test(self, name, environment):
        self.tests.add(name[-1])
        if name[-1] == 'sqlite_power_cut_test':
            return True, '90 moments of 6 commits, each with three remainders; more\n'
        if name[-1] == 'cluster_simulation_test':
            return True, '500 schedules of 300 operations from seed 1; more\n'
        if 'FRONTIER_CHAOS_KILLS' in environment:
            return False, 'chaos_test.cc:9: Failure\nseed 3\n'
        return True, '60 trials; each of 3 workers was cut off for longer than its lease\n'

    def refused_trials(self, job):
        assert 'tiny' in job
        return [{'state': self.refused, 'attempts': [{'started_unix_us': str(start)}]}
                for start in (1000, 13000, 25000)]

    def mutations(self):
        return (['a', 'b'], self.missed)

    def table_trials(self, job):
        assert 'nasbench201' in job
        starts = [1000, 3000, 4000, 9000]  # microseconds, in any order
        return [{'attempts': [{'started_unix_us': str(start)}]} for start in reversed(starts)]


def measured(source, settings=coordinator.Settings()):
    definitions = coordinator.definitions(coordinator.Measurements(source, settings))
    rows.check_definitions(definitions)
    return {d.id: rows.measure(d) for d in definitions}


class CoordinatorSuite(unittest.TestCase):
    def test_takes_the_middle_of_the_rounds_and_the_peer_beside(self):
        row = measured(FakeSource())['coordinator.trials']
        self.assertEqual(row.value, 1000)
        self.assertEqual(row.peer_value, 20)
        self.assertEqual(row.runs, 3)
        self.assertEqual(row.verdict(), 'MISSED')

    def test_ratios_are_of_the_same_rounds(self):
        found = measured(FakeSource())
        self.assertEqual(found['coordinator.against-optuna.1'].value, 50)
        self.assertEqual(found['coordinator.against-optuna.8'].value, 25)

    def test_without_optuna_ours_is_measured_and_the_rest_says_why(self):
        found = measured(FakeSource(optuna=False))
        self.assertEqual(found['coordinator.trials'].value, 1000)
        self.assertIsNone(found['coordinator.against-optuna.1'].value)
        self.assertIn('Optuna', found['coordinator.against-optuna.1'].why)

    def test_stored_trials_are_compared_round_by_round(self):
        found = measured(FakeSource())
        self.assertAlmostEqual(found['coordinator.stored.pace'].value, 0.9)
        self.assertEqual(found['coordinator.stored.restart'].value, 2.0)
        self.assertEqual(found['coordinator.stored.front'].value, 8.0)
        self.assertIn('500 on the front', found['coordinator.stored.front'].check)

    def test_a_swarm_with_failed_calls_has_no_figures(self):
        source = FakeSource()
        self.assertEqual(measured(source)['coordinator.swarm.lease'].value, 15.0)
        source = FakeSource()
        source.swarm_errors = 2
        row = measured(source)['coordinator.swarm.cores']
        self.assertIsNone(row.value)
        self.assertIn('2 calls failed, the first: too slow', row.why)

    def test_figures_of_tests_count_if_they_pass(self):
        found = measured(FakeSource())
        self.assertEqual(found['coordinator.simulation'].value, 500)
        self.assertEqual(found['coordinator.network-cut'].value, 60)
        self.assertEqual(found['coordinator.power-cut'].value, 90)
        self.assertIsNone(found['coordinator.chaos'].value)
        self.assertIn('seed 3', found['coordinator.chaos'].why)

    def test_tests_that_are_run_are_built_and_only_for_the_rows_that_run_them(self):
        source = FakeSource()
        measured(source)
        wanted = run.wanted(run.parse(['coordinator']), None, None)
        self.assertEqual(run.programs(wanted), sorted(source.tests))
        self.assertEqual(len(source.tests), 3)
        wanted = run.wanted(run.parse(['coordinator', '--only', 'coordinator.power']), None, None)
        self.assertEqual(run.programs(wanted), ['sqlite_power_cut_test'])
        self.assertEqual(run.programs(run.wanted(run.parse(['engine']), None, None)), [])

    def test_overhead_is_the_median_from_start_to_start(self):
        found = measured(FakeSource())
        self.assertEqual(found['coordinator.overhead.daemon'].value, 2.0)
        self.assertEqual(found['coordinator.overhead.process'].value, 12.0)

    def test_a_trial_that_is_not_refused_is_no_measure_of_the_process(self):
        source = FakeSource()
        source.refused = 'TRIAL_STATE_SUCCEEDED'
        row = measured(source)['coordinator.overhead.process']
        self.assertIsNone(row.value)
        self.assertIn('3 trials were not refused', row.why)

    def test_mutations_are_tried_on_demand_and_all_must_be_found(self):
        self.assertIn('--only', measured(FakeSource())['coordinator.mutations'].why)
        demanded = coordinator.Settings(mutations=True)
        self.assertEqual(measured(FakeSource(), demanded)['coordinator.mutations'].value, 2)
        source = FakeSource()
        source.missed = ['c']
        row = measured(source, demanded)['coordinator.mutations']
        self.assertIsNone(row.value)
        self.assertIn('c', row.why)


if __name__ == '__main__':
    unittest.main()
