#!/usr/bin/env python3
"""Tests of the accuracy suite's own logic, with a source that measures nothing."""
import dataclasses
import math
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suites import accuracy, rows  # noqa: E402


class AccuracyTest(unittest.TestCase):

    class Source:
        def __init__(self, ours, theirs):
            self.ours, self.theirs = ours, theirs

        def ours_accuracy(self, network, precision, seed, epochs, training_images):
            return self.ours[seed - 1]

        def torch_accuracy(self, network, seed, epochs, training_images):
            return self.theirs[seed - 1]

    def margin(self, ours, theirs):
        settings = accuracy.Settings(networks=('resnet20',), precisions=('f32',), seeds=len(ours))
        [definition] = accuracy.definitions(
            accuracy.Measurements(self.Source(ours, theirs), settings))
        self.assertEqual(definition.must, 0)
        return rows.measure(definition)

    def test_ids_are_stable_words_that_come_once(self):
        rows.check_definitions(accuracy.definitions(
            accuracy.Measurements(None, accuracy.Settings())))

    def test_what_is_in_the_journal_is_not_trained_again(self):
        trained = []

        class Source:
            def ours_accuracy(self, network, precision, seed, epochs, training_images):
                trained.append(seed)
                if seed == 3 and len(trained) == 3:
                    raise KeyboardInterrupt
                return 0.9 + seed / 1000

        with tempfile.TemporaryDirectory() as folder:
            journal = os.path.join(folder, 'journal')
            settings = accuracy.Settings(seeds=4, journal=journal)
            with self.assertRaises(KeyboardInterrupt):
                accuracy.Measurements(Source(), settings).accuracies('resnet20', 'f32')
            with open(journal, 'a', encoding='utf-8') as file:
                file.write('{"network": "resn')  # cut short
            points = accuracy.Measurements(Source(), settings).accuracies('resnet20', 'f32')
            self.assertEqual([round(p, 6) for p in points], [90.1, 90.2, 90.3, 90.4])
            self.assertEqual(trained, [1, 2, 3, 3, 4])
            # Other settings are other trainings.
            other = dataclasses.replace(settings, seeds=1, epochs=6)
            accuracy.Measurements(Source(), other).accuracies('resnet20', 'f32')
            self.assertEqual(trained, [1, 2, 3, 3, 4, 1])
            accuracy.Measurements(Source(), settings).accuracies('resnet20', 'f32')
            self.assertEqual(len(trained), 6)

    def test_what_is_no_journal_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            journal = os.path.join(folder, 'journal')
            for text in ('# words\n', '[1]\n', '{"seed": 1}\n', '{"points": "many"}\n'):
                with open(journal, 'w', encoding='utf-8') as file:
                    file.write(text)
                with self.assertRaisesRegex(rows.NotMeasured, 'journal, line 1: not a training'):
                    accuracy.Journal(journal)
                with open(journal, encoding='utf-8') as file:
                    self.assertEqual(file.read(), text)
            for path in (folder, os.path.join(folder, 'absent', 'journal')):
                with self.assertRaisesRegex(rows.NotMeasured, f'journal {path}: '):
                    accuracy.Journal(path)

    def test_the_spread_of_seeds_is_allowed_for(self):
        # Differences of means -1 point; variances 2 points^2 a side, so a standard error of 2^0.5.
        row = self.margin([0.88, 0.90], [0.89, 0.91])
        self.assertAlmostEqual(row.value, -1 + 0.3 + 2 * math.sqrt(2))
        self.assertEqual(row.runs, 2)
        self.assertAlmostEqual(row.peer_value, 90)

    def test_one_seed_has_no_spread(self):
        self.assertAlmostEqual(self.margin([0.88], [0.89]).value, -0.7)
        self.assertEqual(self.margin([0.88], [0.89]).verdict(), 'MISSED')


if __name__ == '__main__':
    unittest.main()
