#!/usr/bin/env python3
"""Tests of the coordinator suite's own logic, with a source that measures nothing."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suites import coordinator, rows  # noqa: E402


class FakeSource:
    """Of three rounds the second is the middle one."""

    def __init__(self, optuna=True):
        self.optuna, self.rates, self.peers = optuna, [900.0, 1000.0, 2000.0], {1: 20.0, 8: 40.0}

    def no_op_trials(self, job, workers, seconds):
        assert 'no-op' in job and workers == 8 and seconds > 0
        return {'trials_per_second': self.rates.pop(0), 'report_p50_ms': 4.0}

    def sync_ms(self):
        return 0.5

    def optuna_trials(self, count, seconds):
        assert seconds > 0
        return self.peers[count] if self.optuna else None

    def need_optuna(self):
        if not self.optuna:
            raise rows.NotMeasured('Optuna is missing')

    def table_trials(self, job):
        assert 'nasbench201' in job
        starts = [1000, 3000, 4000, 9000]  # microseconds, in any order
        return [{'attempts': [{'started_unix_us': str(start)}]} for start in reversed(starts)]


def measured(source):
    definitions = coordinator.definitions(coordinator.Measurements(source, coordinator.Settings()))
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

    def test_overhead_is_the_median_from_start_to_start(self):
        row = measured(FakeSource())['coordinator.overhead.daemon']
        self.assertEqual(row.value, 2.0)


if __name__ == '__main__':
    unittest.main()
