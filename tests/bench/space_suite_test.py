#!/usr/bin/env python3
"""Tests of the space suite's own logic, with a source that measures nothing."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_side import FakeSide  # noqa: E402
from suites import rows, space  # noqa: E402


class SpaceTest(unittest.TestCase):

    class Source:
        def __init__(self, medians):
            self.medians = medians

        def proposals(self, unused_space, unused_shape):
            answers = iter(self.medians)

            class Side(FakeSide):
                def round(self, seconds):
                    return [{'median_us': next(answers), 'mean_us': 60.0, 'p99_us': 300.0,
                             'nodes': 216.5}]
            return Side([])

    def row(self, medians):
        settings = space.Settings(rounds=len(medians) - 1)
        measured = space.definitions(space.Measurements(self.Source(medians), settings))
        return rows.measure(next(d for d in measured if d.id == 'space.nasbench201.proposal'))

    def test_the_value_is_the_median_of_the_rounds_after_the_first(self):
        row = self.row([900.0, 49.0, 47.0, 90.0])
        self.assertEqual(row.value, 49.0)
        self.assertEqual(row.verdict(), 'must')
        self.assertIn('mean 60.0 us', row.check)

    def test_a_slow_proposal_is_missed(self):
        self.assertEqual(self.row([1.0, 51.0]).verdict(), 'MISSED')


if __name__ == '__main__':
    unittest.main()
