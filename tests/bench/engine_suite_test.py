#!/usr/bin/env python3
"""Tests of the engine suite's own logic, with a source that measures nothing."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_side import FakeSide  # noqa: E402
from suites import engine, rows, sources  # noqa: E402

OURS_TRAIN = {('auto', (1, 2)): 3000.0, ('auto', (2, 1)): 3600.0,
              ('f32', (1, 2)): 1500.0, ('f32', (2, 1)): 1200.0}
TORCH_TRAIN = {('f32', 'nchw', (1, 2)): 500.0, ('f32', 'nchw', (2, 1)): 600.0,
               ('f32', 'channels_last', (1, 2)): 700.0, ('f32', 'channels_last', (2, 1)): 1000.0,
               ('bf16', 'nchw', (1, 2)): 400.0, ('bf16', 'nchw', (2, 1)): 450.0,
               ('bf16', 'channels_last', (1, 2)): 900.0, ('bf16', 'channels_last', (2, 1)): 1200.0}
OURS_CALL = {'f32': 100.0, 'bf16': 60.0, 'int8': 40.0}


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

    def prepared(self, shape):
        return 1e6 if shape == '1x28x28' else 5e5

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
        self.assertAlmostEqual(table['batches.share.vgg-like.3x32x32'].value, 3600 / 2 / 5e5)
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


if __name__ == '__main__':
    unittest.main()
