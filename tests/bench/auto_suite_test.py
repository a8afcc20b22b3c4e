#!/usr/bin/env python3
"""Tests of the auto suite's own logic, with a source that measures nothing."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suites import auto, rows  # noqa: E402


class AutoTest(unittest.TestCase):
    DATA = auto.DataSet('digits', epochs=1, batch=64)

    @staticmethod
    def trial(accuracy, version=0, feasible=True):
        measurements = [] if accuracy is None else [{'metric': 'METRIC_ACCURACY',
                                                     'value': accuracy}]
        state = 'TRIAL_STATE_FAILED' if accuracy is None else 'TRIAL_STATE_SUCCEEDED'
        return {'state': state, 'space_version': version, 'feasible': feasible,
                'result': {'measurements': measurements}}

    def rows(self, ours, staged):
        test = self

        class Source:
            def search(self, data, job):
                test.assertEqual(data, test.DATA)
                return staged if 'staged' in job else ours
        settings = auto.Settings(data_sets=(self.DATA,), samples=3)
        measured = auto.definitions(auto.Measurements(Source(), settings))
        return {row.id: row for row in map(rows.measure, measured)}

    def test_networks_tried_before_the_space_was_made_are_no_samples(self):
        ours = [self.trial(0.1), self.trial(0.2, version=1), self.trial(0.9, version=1),
                self.trial(0.8, version=1, feasible=False)]
        measured = self.rows(ours, [self.trial(0.5), self.trial(0.7), self.trial(0.6)])
        lead = measured['auto.digits.lead']
        self.assertAlmostEqual(lead.value, 20)
        self.assertAlmostEqual(lead.peer_value, 60)
        self.assertAlmostEqual(measured['auto.digits.within-limits'].value, 2 / 3)
        self.assertEqual(measured['auto.digits.within-limits'].verdict(), 'MISSED')
        self.assertEqual(measured['auto.digits.failures'].value, 0)

    def test_what_failed_or_is_missing_counts_against_it(self):
        measured = self.rows([self.trial(None), self.trial(0.9)], [self.trial(0.5)] * 3)
        self.assertEqual(measured['auto.digits.failures'].value, 2)
        self.assertAlmostEqual(measured['auto.digits.lead'].value, -5)

    def test_probes_are_on_top_of_the_samples(self):
        settings = auto.Settings(samples=20, probes=5)
        self.assertIn('trials: 25', auto.job_file(self.DATA, 'auto', settings))
        self.assertIn('trials: 20', auto.job_file(self.DATA, 'staged', settings))


if __name__ == '__main__':
    unittest.main()
