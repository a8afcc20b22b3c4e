#!/usr/bin/env python3
"""Tests of the benchmark's own logic, with a source that measures nothing."""
import contextlib
import dataclasses
import io
import json
import math
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run  # noqa: E402
from suites import (accuracy, auto, engine, machine, processes, rows,  # noqa: E402
                    sources, space)

OURS_TRAIN = {('auto', (1, 2)): 3000.0, ('auto', (2, 1)): 3600.0,
              ('f32', (1, 2)): 1500.0, ('f32', (2, 1)): 1200.0}
TORCH_TRAIN = {('f32', 'nchw', (1, 2)): 500.0, ('f32', 'nchw', (2, 1)): 600.0,
               ('f32', 'channels_last', (1, 2)): 700.0, ('f32', 'channels_last', (2, 1)): 1000.0,
               ('bf16', 'nchw', (1, 2)): 400.0, ('bf16', 'nchw', (2, 1)): 450.0,
               ('bf16', 'channels_last', (1, 2)): 900.0, ('bf16', 'channels_last', (2, 1)): 1200.0}
OURS_CALL = {'f32': 100.0, 'bf16': 60.0, 'int8': 40.0}


class FakeSide:
    """Answers the same in each round."""

    def __init__(self, answers, last=None, log=None, name=''):
        self.answers, self.last, self.log, self.name = answers, last or {}, log, name
        self.stopped = False

    def round(self, seconds):
        if self.log is not None:
            self.log.append((self.name, seconds))
        return self.answers

    def end(self):
        return [self.last] * len(self.answers)

    def stop(self):
        self.stopped = True

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()


class FakeSource:
    cores = [0, 1]
    model_run = 140.0

    def __init__(self, torch=True, ort=True, precisions=('f32', 'bf16', 'int8'), bf16_trains=True):
        self.torch, self.ort, self.precisions = torch, ort, list(precisions)
        self.bf16_trains = bf16_trains
        self.sides = []

    def _side(self, *args):
        self.sides.append(FakeSide(*args))
        return self.sides[-1]

    def need_torch(self):
        if not self.torch:
            raise rows.NotMeasured('PyTorch is missing: python3-torch')

    def ours_train(self, network, shape, precision, split):
        each = OURS_TRAIN[precision, split] / split[0]
        return self._side([{'images_per_second': each}] * split[0],
                          {'peak_rss_bytes': 40 << 20, 'precision': 'mixed'})

    def torch_train(self, network, shape, precision, layout, split):
        self.need_torch()
        if precision == 'bf16' and not self.bf16_trains:
            raise rows.NotMeasured('torch_train.py ended: no bf16')
        each = TORCH_TRAIN[precision, layout, split] / split[0]
        return self._side([{'images_per_second': each}] * split[0],
                          {'peak_rss_bytes': 200 << 20})

    def ours_latency(self, network, shape, precision):
        return self._side([{'call_us': OURS_CALL[precision]}])

    def ort_latency(self, network, shape, profile):
        if not self.ort:
            raise rows.NotMeasured('ONNX Runtime is missing')
        if network == 'empty':
            return self._side([{'call_us': 10.0}])
        return self._side([{'call_us': 150.0 if profile else 130.0}],
                          {'model_run_us': self.model_run} if profile else {})

    def nearly_empty(self, shape):
        return 'empty'

    def torch_latency(self, network, shape, layout):
        self.need_torch()
        return self._side([{'call_us': 2000.0 if layout == 'nchw' else 2500.0}])

    def start(self, network, shape):
        ready = 150.0 if network == 'resnet20' else 90.0
        return {'ready_ms': ready, 'first_step_ms': ready + 70}

    def floor(self, network, shape, precision, split):
        return 4000.0

    def macs(self, network, shape):
        return 10_000_000

    def inference_precisions(self):
        return {p: None if p in self.precisions else f'no inference in {p}'
                for p in ('f32', 'bf16', 'int8')}

    def trained_accuracy(self, network, training_images):
        return network

    def test_accuracy(self, model, precision):
        return {'f32': 0.9, 'bf16': 0.899, 'int8': 0.89}[precision]


def definitions(source, **settings):
    return engine.definitions(engine.Measurements(source, engine.Settings(**settings)))


def measured(source, **settings):
    return {d.id: rows.measure(d) for d in definitions(source, **settings)}


class DefinitionsTest(unittest.TestCase):

    def test_ids_are_stable_words_that_come_once(self):
        rows.check_definitions(definitions(None))
        rows.check_definitions(accuracy.definitions(
            accuracy.Measurements(None, accuracy.Settings())))
        good = rows.Definition('a.b', '', 'x', rows.HIGHER, None)
        with self.assertRaisesRegex(ValueError, 'comes twice'):
            rows.check_definitions([good, good])
        with self.assertRaisesRegex(ValueError, "'A b'"):
            rows.check_definitions([rows.Definition('A b', '', 'x', rows.HIGHER, None)])
        with self.assertRaisesRegex(ValueError, 'does not reach'):
            rows.check_definitions([rows.Definition('a', '', 'x', rows.LOWER, None, 1, 2)])

    def test_every_bound_is_there(self):
        bounds = {d.id: (d.must, d.goal, d.better) for d in definitions(None)}
        for row, expected in {
                'train.auto.mean': (1.8, 3.0, 'higher'), 'train.auto.min': (1.2, None, 'higher'),
                'train.f32.mean': (1.2, 2.0, 'higher'),
                'latency.ort.mean': (1.0, 1.15, 'higher'),
                'latency.best.mean': (1.3, 2.5, 'higher'),
                'latency.eager.mean': (10.0, 20.0, 'higher'), 'latency.int8': (1.5, 3.0, 'higher'),
                'memory.train.worst': (0.5, 0.25, 'lower'),
                'start.worst': (300.0, 100.0, 'lower')}.items():
            self.assertEqual(bounds[row], expected, row)
        for network in engine.NETWORKS:
            for shape in ('1x28x28', '3x32x32'):
                self.assertEqual(bounds[f'train.auto.{network}.{shape}'][0], 1.2)
                for prefix in ('train.f32', 'floor.f32', 'floor.auto', 'utilisation.auto',
                               'latency.call', 'memory.train', 'start'):
                    self.assertIn(f'{prefix}.{network}.{shape}', bounds)


class EngineTest(unittest.TestCase):

    def test_each_side_is_its_best(self):
        table = measured(FakeSource())
        row = table['train.auto.vgg-like.3x32x32']
        self.assertAlmostEqual(row.value, 3600 / 1200)
        self.assertEqual(row.peer, 'PyTorch bf16 channels_last 2x1')
        self.assertAlmostEqual(row.peer_value, 1200)
        self.assertIn('ours 3600 images/s, mixed 2x1', row.check)
        self.assertEqual(row.runs, 5)
        row = table['train.f32.resnet20.1x28x28']
        self.assertAlmostEqual(row.value, 1500 / 1000)
        self.assertEqual(row.peer, 'PyTorch f32 channels_last 2x1')
        self.assertAlmostEqual(table['train.auto.mean'].value, 3)
        self.assertAlmostEqual(table['latency.eager.mean'].value, 20)
        self.assertAlmostEqual(table['latency.ort.mean'].value, 1.2)
        self.assertAlmostEqual(table['latency.model-run.mean'].value, 1.4)
        self.assertAlmostEqual(table['latency.call.mean'].value, 1.3)
        self.assertAlmostEqual(table['memory.train.worst'].value, 0.2)
        self.assertAlmostEqual(table['start.worst'].value, 150)
        self.assertAlmostEqual(table['start-step.worst'].value, 220)
        self.assertAlmostEqual(table['utilisation.auto.resnet20.1x28x28'].value, 0.9)
        self.assertAlmostEqual(table['latency.int8'].value, 2.5)

    def test_the_stricter_time_of_the_peer_counts(self):
        source = FakeSource()
        source.model_run = 110.0
        table = measured(source)
        self.assertAlmostEqual(table['latency.ort.vgg-like.1x28x28'].value, 1.1)
        self.assertAlmostEqual(table['latency.best.vgg-like.1x28x28'].value, 110 / 60)

    def test_a_precision_that_loses_accuracy_is_left_out(self):
        row = measured(FakeSource())['latency.best.resnet20.1x28x28']
        self.assertAlmostEqual(row.value, 2)
        self.assertIn('bf16', row.check)
        self.assertIn('0.10 points', row.check)

    def test_without_other_precisions_there_is_no_best(self):
        table = measured(FakeSource(precisions=['f32']))
        for row in ('latency.best.mean', 'latency.best.resnet20.1x28x28', 'latency.int8'):
            self.assertIsNone(table[row].value)
            self.assertIn('no inference in int8', table[row].why)

    def test_without_inference_there_is_no_latency(self):
        table = measured(FakeSource(precisions=[]))
        for row in ('latency.ort.mean', 'latency.best.mean', 'latency.int8'):
            self.assertEqual(table[row].why, 'no inference in f32')

    def test_without_peers_our_figures_are_told(self):
        table = measured(FakeSource(torch=False, ort=False))
        for row, ours in (('train.auto.resnet20.1x28x28', 'ours: 3600 images/s'),
                          ('train.auto.mean', 'ours: 3600'), ('memory.train.worst', 'ours: 40 MiB'),
                          ('latency.ort.mean', 'ours: 100 us'),
                          ('latency.eager.resnet20.1x28x28', 'ours: 100 us')):
            self.assertIsNone(table[row].value, row)
            self.assertIn('missing', table[row].why)
            self.assertIn(ours, table[row].why)
        self.assertAlmostEqual(table['start.worst'].value, 150)
        self.assertAlmostEqual(table['latency.int8'].value, 2.5)

    def test_a_configuration_that_fails_is_not_the_end(self):
        row = measured(FakeSource(bf16_trains=False))['train.auto.resnet20.1x28x28']
        self.assertEqual(row.peer, 'PyTorch f32 channels_last 2x1')

    def test_all_processes_are_stopped(self):
        source = FakeSource()
        measured(source)
        self.assertTrue(source.sides)
        self.assertTrue(all(side.stopped for side in source.sides))

    def test_one_core_has_one_split(self):
        self.assertEqual(sources.splits(1), [(1, 1)])
        self.assertEqual(sources.splits(4), [(1, 4), (4, 1)])


class RowsTest(unittest.TestCase):

    def row(self, value, must=1.0, goal=2.0, better=rows.HIGHER):
        return rows.measure(rows.Definition('a', 'what', 'x', better,
                                            lambda: rows.Figure(value), must, goal))

    def test_verdicts(self):
        self.assertEqual(self.row(0.5).verdict(), 'MISSED')
        self.assertEqual(self.row(1).verdict(), 'must')
        self.assertEqual(self.row(2).verdict(), 'goal')
        self.assertEqual(self.row(0.5, 1, 0.6, rows.LOWER).verdict(), 'goal')
        self.assertEqual(self.row(1.5, 1, 0.6, rows.LOWER).verdict(), 'MISSED')
        self.assertEqual(self.row(5, None, None).verdict(), '')
        self.assertEqual(self.row(math.nan).verdict(), 'not measured')

    def test_the_document_has_numbers_and_reasons(self):
        table = list(measured(FakeSource(torch=False), networks=('resnet20',)).values())
        table.append(self.row(math.inf))
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
        self.assertGreater(values, 3)

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

    def test_only_takes_a_prefix(self):
        args = run.parse(['engine', '--only', 'start.w'])
        self.assertEqual([d.id for d in run.wanted(args, None, None)], ['start.worst'])
        with self.assertRaisesRegex(SystemExit, 'no row begins'):
            run.wanted(run.parse(['engine', '--only', 'stop']), None, None)


if __name__ == '__main__':
    unittest.main()
