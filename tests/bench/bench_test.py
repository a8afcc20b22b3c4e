#!/usr/bin/env python3
"""Tests of what all suites of the benchmark share: rows, processes, arguments."""
import contextlib
import io
import json
import math
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run  # noqa: E402
from fake_side import FakeSide  # noqa: E402
from suites import auto, data, machine, processes, rows, strategies  # noqa: E402


class RowsTest(unittest.TestCase):

    def row(self, value, must=1.0, goal=2.0, better=rows.HIGHER):
        return rows.measure(rows.Definition('a', 'what', 'x', better,
                                            lambda: rows.Figure(value), must, goal))

    def test_ids_are_stable_words_that_come_once(self):
        good = rows.Definition('a.b', '', 'x', rows.HIGHER, None)
        rows.check_definitions([good])
        with self.assertRaisesRegex(ValueError, 'comes twice'):
            rows.check_definitions([good, good])
        with self.assertRaisesRegex(ValueError, "'A b'"):
            rows.check_definitions([rows.Definition('A b', '', 'x', rows.HIGHER, None)])

    def test_a_goal_reaches_what_must_be(self):
        with self.assertRaisesRegex(ValueError, 'does not reach'):
            rows.check_definitions([rows.Definition('a', '', 'x', rows.LOWER, None, 1, 2)])

    def test_verdicts(self):
        self.assertEqual(self.row(0.5).verdict(), 'MISSED')
        self.assertEqual(self.row(1).verdict(), 'must')
        self.assertEqual(self.row(2).verdict(), 'goal')
        self.assertEqual(self.row(0.5, 1, 0.6, rows.LOWER).verdict(), 'goal')
        self.assertEqual(self.row(1.5, 1, 0.6, rows.LOWER).verdict(), 'MISSED')
        self.assertEqual(self.row(5, None, None).verdict(), '')
        self.assertEqual(self.row(math.nan).verdict(), 'not measured')

    def test_the_document_has_numbers_and_reasons(self):
        def missing():
            raise rows.NotMeasured('PyTorch is missing')
        table = [self.row(1.5), self.row(math.inf),
                 rows.measure(rows.Definition('b', 'what', 'x', rows.HIGHER, missing))]
        content = json.loads(rows.document(machine.describe({'torch': None}), table))
        self.assertGreaterEqual(content['machine']['cores'], 1)
        for field in ('cpu', 'memory_bytes', 'os', 'libraries', 'date', 'load_before'):
            self.assertIn(field, content['machine'])
        values = 0
        for row in content['rows']:
            for field in ('id', 'check', 'value', 'unit', 'better', 'must', 'goal', 'runs', 'peer',
                          'peer_value'):
                self.assertIn(field, row)
            self.assertEqual('why' in row, row['value'] is None, row['id'])
            for field in ('value', 'must', 'goal', 'peer_value'):
                self.assertIsInstance(row[field], (int, float, type(None)))
            values += row['value'] is not None
        self.assertEqual(values, 1)

    def test_a_busy_machine_is_told(self):
        self.assertEqual(machine.warning({'load_before': [0.4, 9, 9], 'cores': 2}), '')
        self.assertIn('load 1.50', machine.warning({'load_before': [1.5, 0, 0], 'cores': 2}))

    def test_the_table_is_aligned(self):
        lines = rows.table([self.row(1.23456), self.row(math.nan)]).splitlines()
        self.assertRegex(lines[1], r'^a +1\.235 x +>= 1 +>= 2 +must +what$')
        self.assertIn('the value is nan', lines[2])

    def test_numbers(self):
        for value, text in ((0, '0'), (1.5, '1.5'), (1234.5678, '1235'), (0.012345, '0.01235'),
                            (1e9, '1.000e+09'), (None, ''), (20, '20')):
            self.assertEqual(rows.number(value), text)


class ProcessesTest(unittest.TestCase):

    def test_sides_take_turns_and_the_order_turns(self):
        log = []
        sides = [FakeSide([{'n': i}], log=log, name=i) for i in range(2)]
        answers = processes.alternate(sides, rounds=2, seconds=1, warmup=0.5)
        self.assertEqual(log, [(0, 0.5), (1, 0.5), (0, 1), (1, 1), (1, 1), (0, 1)])
        self.assertEqual([len(a) for a in answers], [2, 2])

    def test_rates_add_up_over_processes(self):
        answers = [[{'images_per_second': 2}, {'images_per_second': 3}]]
        self.assertEqual(processes.rates(answers), [5])

    def test_rounds_of_a_real_process(self):
        program = ('import sys\n'
                   'for line in sys.stdin:\n'
                   '  print(\'{"twice": %g}\' % (2 * float(line)), flush=True)\n'
                   'print(\'{"end": 1}\')')
        cores = sorted(os.sched_getaffinity(0))[:1]
        with processes.Side([sys.executable, '-c', program], [cores, cores]) as side:
            self.assertEqual(side.round(1.5), [{'twice': 3}] * 2)
            self.assertEqual(side.round(2), [{'twice': 4}] * 2)
            self.assertEqual(side.end(), [{'end': 1}] * 2)

    def test_a_process_that_fails_says_why(self):
        cores = sorted(os.sched_getaffinity(0))[:1]
        program = 'import sys; print("all is lost", file=sys.stderr); sys.exit(3)'
        for act in (lambda side: side.round(1), lambda side: side.end()):
            with processes.Side([sys.executable, '-c', program], [cores]) as side:
                with self.assertRaisesRegex(rows.NotMeasured, 'all is lost'):
                    act(side)
        with self.assertRaisesRegex(rows.NotMeasured, 'does not start'):
            processes.Side(['/nonexistent/program'], [cores])


class DataTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name

    def make(self, *parts):
        path = os.path.join(self.folder, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, 'w', encoding='utf-8').close()

    def test_data_are_found_in_the_folder_that_is_named(self):
        self.make('nasbench201', 'nasbench201.csv.gz')
        self.assertEqual(data.table(self.folder, strategies.TABLE),
                         f'{self.folder}/nasbench201/nasbench201.csv.gz')
        self.make('images', 'digits8-train-images-idx3-ubyte.gz')
        self.make('images', 'mnist18k', 'train-images-idx3-ubyte')
        for name in ('digits8', 'mnist18k'):
            self.assertEqual(data.samples(self.folder, name, name), f'{self.folder}/images/{name}')
        self.assertEqual(data.samples('/nowhere', 'm', f'{self.folder}/images/mnist18k'),
                         f'{self.folder}/images/mnist18k')

    def test_what_is_missing_is_not_measured_and_says_where_it_was_looked_for(self):
        with self.assertRaisesRegex(rows.NotMeasured, f'no table {self.folder}/.*--data'):
            data.table(self.folder, strategies.TABLE)
        for data_set in auto.DATA_SETS[:-1]:
            self.make('images', 'other-train-images-idx3-ubyte')
            with self.assertRaisesRegex(rows.NotMeasured, f'{data_set.name}: .*{self.folder}/im'):
                data.samples(self.folder, data_set.name, data_set.folder or data_set.name)

    def test_the_flag_goes_before_the_environment_and_that_before_what_is_beside(self):
        with mock.patch.dict(os.environ):
            os.environ.pop(data.VARIABLE, None)
            self.assertEqual(run.parse(['auto']).data, data.BESIDE)
            os.environ[data.VARIABLE] = self.folder
            self.assertEqual(run.parse(['auto']).data, self.folder)
            self.assertEqual(run.parse(['auto', '--data', os.curdir]).data, os.getcwd())


class ArgumentsTest(unittest.TestCase):

    def error(self, *arguments):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), self.assertRaises(SystemExit) as end:
            run.parse(arguments)
        self.assertEqual(end.exception.code, 2)
        return errors.getvalue()

    def test_an_unknown_suite_lists_them(self):
        self.assertIn("no suite 'nets'; there are: engine, accuracy, space, auto", self.error('nets'))

    def test_counts_are_positive(self):
        self.assertIn('--seeds 0', self.error('accuracy', '--seeds', '0'))
        self.assertIn('--training_images -1', self.error('accuracy', '--training_images', '-1'))

    def test_where_the_rows_cannot_be_written_is_told_at_the_start(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in (os.path.join(folder, 'absent', 'rows.json'), folder):
                self.assertRegex(self.error('engine', '--json', path), f'--json {path}: [A-Z]')
            rows_file = os.path.join(folder, 'rows.json')
            run.parse(['engine', '--json', rows_file])
            self.assertEqual(os.listdir(folder), [])
            with open(rows_file, 'w', encoding='utf-8') as file:
                file.write('of before')
            run.parse(['engine', '--json', rows_file])
            with open(rows_file, encoding='utf-8') as file:
                self.assertEqual(file.read(), 'of before')

    def test_a_data_folder_that_is_not_there_is_told_at_the_start(self):
        self.assertIn('there is no folder /no/such', self.error('auto', '--data', '/no/such'))

    def test_only_takes_a_prefix(self):
        args = run.parse(['engine', '--only', 'start.w'])
        self.assertEqual([d.id for d in run.wanted(args, None, None)], ['start.worst'])
        with self.assertRaisesRegex(SystemExit, 'no row begins'):
            run.wanted(run.parse(['engine', '--only', 'stop']), None, None)


if __name__ == '__main__':
    unittest.main()
