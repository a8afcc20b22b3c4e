#!/usr/bin/env python3
"""Tests of the strategies suite's own logic, with a source that measures nothing."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suites import rows, strategies  # noqa: E402


class StrategiesTest(unittest.TestCase):
    ACCURACY = {'random': 93.7, 'local_search': 94.2, 'evolution': 94.0, 'nsga2': 94.05,
                'reinforce': 93.9, 'tpe': 94.1, 'bayesian': 94.15, 'auto': 94.19}
    SHARE = {'random': 0.93, 'local_search': 0.985, 'evolution': 0.96, 'nsga2': 0.984,
             'nsga3': 0.98, 'tpe': 0.983, 'bayesian': 0.99, 'auto': 0.988}

    class Source:
        def __init__(self, repeats=0):
            self.repeats, self.asked = repeats, []

        def strategy_search(self, table, strategy, **flags):
            self.asked.append((strategy, flags))
            name = strategy.split()[0]
            seconds = 0.002 if 'known' in flags else 0.02
            whole = {'trials': [200, 200], 'seconds': [seconds] * 2, 'repeats': self.repeats}
            if 'early_stopping' in flags:
                lost = 0.009 if name == 'tpe' else 0.001
                return {**whole, 'value': [StrategiesTest.SHARE[name] + 0.009 - lost] * 2,
                        'epochs': [40_000, 20_000]}
            if 'workers' in flags or 'average_equal' not in flags and 'at' in flags:
                return {**whole, 'value': [StrategiesTest.SHARE[name]] * 2}
            if 'at' in flags:
                value = [[StrategiesTest.SHARE[name], StrategiesTest.SHARE[name] + 0.009]] * 2
            else:
                shift = 0.0 if 'allow_repeats' not in strategy else 0.1
                value = [StrategiesTest.ACCURACY[name] + shift] * 2
            return {'value': value, 'repeats': self.repeats}

        def strategy_proposals(self, strategy, history, count):
            slow = {'reinforce': 0.0015, 'bayesian': 0.009}.get(strategy.split()[0], 0.0001)
            # One in twenty may take longer.
            return {'seconds': [1.0] + [slow * (1 if history > 5 else 0.5)] * (count - 1),
                    'peak_bytes': 100e6}

        def optuna_search(self, table, sampler, **flags):
            found = {'random': [[1.0, 2.0]], 'tpe': [[3.0, 1.0]], 'nsga2': [[2.0, 1.0]]}[sampler]
            return {'found': [found], 'seconds': [0.004, 0.006]}

        def table_points(self, table, *columns):
            return [(0.0, 3.0), (1.0, 2.0), (2.0, 1.0), (4.0, 1.0)]

    def rows(self, source=None):
        settings = strategies.Settings(seeds=2, front_seeds=2, history=10, short_history=5,
                                       proposals=40)
        measurements = strategies.Measurements(source or self.Source(), settings)
        definitions = strategies.definitions(measurements)
        rows.check_definitions(definitions)
        return {d.id: rows.measure(d) for d in definitions}

    def test_rows_say_who_was_best_and_by_how_much(self):
        measured = self.rows()
        self.assertAlmostEqual(measured['strategies.published.random'].value, 0.02)
        best = measured['strategies.published.best']
        self.assertAlmostEqual(best.value, 94.2)
        self.assertIn('local_search', best.check)
        self.assertAlmostEqual(measured['strategies.behind.c10'].value, 0.01)
        self.assertEqual(measured['strategies.behind.c10'].peer, 'local_search')
        self.assertAlmostEqual(measured['strategies.front.nsga2.200'].value, 0.984)
        self.assertAlmostEqual(measured['strategies.front.best.500'].value, 0.999)
        self.assertAlmostEqual(measured['strategies.front.raspi4.200'].value, 0.006)
        self.assertAlmostEqual(measured['strategies.behind.xeon.200'].value, 100 * 0.002 / 0.99)

    def test_only_searches_for_published_figures_may_repeat(self):
        source = self.Source()
        measured = self.rows(source)
        self.assertEqual(measured['strategies.repeats'].verdict(), 'must')
        repeating = [s for s, _ in source.asked if 'allow_repeats' in s]
        self.assertEqual(len(repeating), 3)
        self.assertEqual(self.rows(self.Source(repeats=1))['strategies.repeats'].verdict(),
                         'MISSED')

    def test_the_slowest_strategy_counts_and_its_slowest_twentieth_does_not(self):
        measured = self.rows()
        self.assertAlmostEqual(measured['strategies.proposal.model-free'].value, 1.5)
        self.assertEqual(measured['strategies.proposal.model-free'].verdict(), 'MISSED')
        self.assertAlmostEqual(measured['strategies.proposal.model-based'].value, 9)

    def test_early_stopping_is_told_by_the_strategy_it_serves_worst(self):
        measured = self.rows()
        self.assertAlmostEqual(measured['strategies.early-stopping.saved'].value, 70)
        self.assertAlmostEqual(measured['strategies.early-stopping.lost'].value, 100 * 0.009 / 0.992)

    def test_what_grows_and_what_is_lost_in_parallel(self):
        measured = self.rows()
        self.assertAlmostEqual(measured['strategies.proposal.growth'].value, 2)
        self.assertAlmostEqual(measured['strategies.memory'].value, 100)
        self.assertAlmostEqual(measured['strategies.parallel'].value, -100 * 0.009 / 0.969)

    def test_optuna_is_judged_by_its_best_and_by_the_same_kind(self):
        measured = self.rows()
        # The whole table dominates 4 x 2, the point (3, 1) 3 x 2.
        self.assertAlmostEqual(measured['strategies.optuna.quality'].peer_value, 0.75)
        self.assertAlmostEqual(measured['strategies.optuna.quality'].value, 0.99 - 0.75)
        for name in ('best', 'random', 'tpe', 'nsga2'):
            self.assertAlmostEqual(measured[f'strategies.optuna.time.{name}'].value, 0.005 / 1e-4)
        for name in ('random', 'tpe', 'nsga2'):
            self.assertAlmostEqual(measured[f'strategies.optuna.choosing.{name}'].value,
                                   0.005 / 1e-5)

    def test_hypervolume_counts_what_points_dominate_together(self):
        whole = [(0.0, 4.0), (4.0, 0.0)]
        self.assertAlmostEqual(strategies.hypervolume([(2, 1), (1, 0.5), (2, 2)], whole),
                               2 * 3 + 1 * 0.5)
        self.assertEqual(strategies.hypervolume([], whole), 0)

    def test_without_the_table_the_rows_say_so(self):
        class Source(self.Source):
            def strategy_search(self, table, strategy, **flags):
                raise rows.NotMeasured(f'there is no table {table}')
        row = self.rows(Source())['strategies.published.best']
        self.assertIsNone(row.value)
        self.assertIn('nasbench201.csv.gz', row.why)


if __name__ == '__main__':
    unittest.main()
