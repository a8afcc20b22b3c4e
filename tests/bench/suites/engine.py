"""The engine suite: training, inference, memory and start-up against PyTorch and ONNX Runtime."""
import dataclasses
import functools
import math
from typing import Dict, List, Optional, Tuple

from . import processes, sources
from .rows import HIGHER, LOWER, Definition, Figure, NotMeasured, number

NETWORKS = ('resnet20', 'mobilenetv2-like', 'vgg-like', 'squeezenet-like')
INPUTS = ('1x28x28', '3x32x32')
INT8_NETWORK, INT8_INPUT = 'vgg-like', '3x64x64'  # 155 million MACs
ACCURACY_ALLOWANCE = 0.003


@dataclasses.dataclass
class Settings:
    networks: Tuple[str, ...] = NETWORKS
    inputs: Tuple[str, ...] = INPUTS
    rounds: int = 5
    train_seconds: float = 1.5    # of a round of one side
    screen_seconds: float = 0.5   # of two rounds of each configuration of the peer
    latency_seconds: float = 0.5
    starts: int = 3
    training_images: int = 0      # before accuracies of inference precisions are compared; 0 = all

    @staticmethod
    def quick():
        return Settings(inputs=INPUTS[:1], rounds=2, train_seconds=0.3, screen_seconds=0.2,
                        latency_seconds=0.1, starts=1, training_images=6400)


@dataclasses.dataclass
class Training:
    """Trained images a second of the machine, and the peak memory of one process, on both sides."""
    ours: float
    ours_split: Tuple[int, int]
    ours_precision: str
    ours_bytes: int
    rounds: int
    torch: Optional[float] = None
    torch_name: str = ''
    torch_bytes: int = 0
    missing: str = ''  # why there is no peer


@dataclasses.dataclass
class Latencies:
    """Microseconds of a batch-1 call; None for a peer that is missing."""
    ours: Dict[str, float]  # by precision
    rounds: int
    call: Optional[float] = None       # of ONNX Runtime, JavaScript included
    model_run: Optional[float] = None  # by its profiler, which slows each layer
    net_call: Optional[float] = None   # `call` less that of a nearly empty network
    eager: Optional[float] = None
    ort_missing: str = ''
    torch_missing: str = ''

    def onnx_runtime(self):
        """What the peer itself takes, as strictly as can be told: profiling slows it, and a call
        from JavaScript has costs that are not its own."""
        return None if self.call is None else min(self.net_call, self.model_run)


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


class Measurements:
    """Measures what rows ask for, each thing once."""

    def __init__(self, source, settings, say=lambda text: None):
        self.source, self.settings, self.say = source, settings, say
        self._torch_rates = {}

    def _screen(self, make):
        """Images a second of a configuration: the better of two short rounds, since what disturbs
        a round makes it slower."""
        with make() as side:
            return max(sum(a['images_per_second'] for a in side.round(self.settings.screen_seconds))
                       for _ in range(2))

    def _best_torch(self, network, shape, precisions):
        """The fastest of PyTorch's configurations: (precision, layout, split)."""
        self.source.need_torch()
        best, best_rate, failure = None, 0, None
        for precision in precisions:
            for layout in ('nchw', 'channels_last'):
                for split in sources.splits(len(self.source.cores)):
                    key = (network, shape, precision, layout, split)
                    if key not in self._torch_rates:
                        try:
                            self._torch_rates[key] = self._screen(
                                lambda key=key: self.source.torch_train(*key))
                        except NotMeasured as reason:  # others may work
                            self._torch_rates[key], failure = 0, reason
                        self.say(f'{network} {shape}: PyTorch {precision} {layout} '
                                 f'{sources.split_name(split)} '
                                 f'{number(self._torch_rates[key])} images/s')
                    if self._torch_rates[key] > best_rate:
                        best, best_rate = key[2:], self._torch_rates[key]
        if best is None:
            raise failure or NotMeasured('no configuration of PyTorch trains')
        return best

    @functools.lru_cache(maxsize=None)
    def training(self, network, shape, precision):
        missing, torch = '', None
        try:
            torch = self._best_torch(network, shape, ('f32',) if precision == 'f32' else
                                     ('f32', 'bf16'))
        except NotMeasured as reason:
            missing = str(reason)
        splits = sources.splits(len(self.source.cores))
        sides = []
        try:
            for split in splits:
                sides.append(self.source.ours_train(network, shape, precision, split))
            if torch is not None:
                sides.append(self.source.torch_train(network, shape, *torch))
            answers = processes.alternate(sides, self.settings.rounds, self.settings.train_seconds)
            last = [side.end() for side in sides]
        finally:
            for side in sides:
                side.stop()
        medians = [processes.median(processes.rates(rounds)) for rounds in answers]
        best = max(range(len(splits)), key=lambda i: medians[i])
        result = Training(medians[best], splits[best], last[best][0].get('precision', precision),
                          max(end['peak_rss_bytes'] for end in last[best]), self.settings.rounds,
                          missing=missing)
        if torch is not None:
            result.torch = medians[-1]
            result.torch_name = f'PyTorch {torch[0]} {torch[1]} {sources.split_name(torch[2])}'
            result.torch_bytes = max(end['peak_rss_bytes'] for end in last[-1])
        self.say(f'{network} {shape} {precision}: {number(result.ours)} images/s, '
                 f'{result.torch_name or missing} {number(result.torch)}')
        return result

    @functools.lru_cache(maxsize=None)
    def floor(self, network, shape, precision):
        split = self.training(network, shape, precision).ours_split
        return self.source.floor(network, shape, precision, split)

    @functools.lru_cache(maxsize=None)
    def prepared(self, shape):
        return self.source.prepared(shape)

    def batches_share(self, network, shape):
        training = self.training(network, shape, 'auto')
        processes_, threads = training.ours_split
        return Figure(training.ours / (processes_ * threads) / self.prepared(shape),
                      training.rounds)

    @functools.lru_cache(maxsize=None)
    def latencies(self, network, shape):
        ours, sides, missing = self.offered_precisions(), {}, {}
        try:
            for precision in ours:
                sides[precision] = self.source.ours_latency(network, shape, precision)
            for name, make in (
                    ('call', lambda: self.source.ort_latency(network, shape, profile=False)),
                    ('empty', lambda: self.source.ort_latency(
                        self.source.nearly_empty(shape), shape, profile=False)),
                    ('run', lambda: self.source.ort_latency(network, shape, profile=True)),
                    ('nchw', lambda: self.source.torch_latency(network, shape, 'nchw')),
                    ('channels_last',
                     lambda: self.source.torch_latency(network, shape, 'channels_last'))):
                try:
                    sides[name] = make()
                except NotMeasured as reason:
                    missing[name] = str(reason)
            answers = processes.alternate(list(sides.values()), self.settings.rounds,
                                          self.settings.latency_seconds)
            last = {name: side.end()[0] for name, side in sides.items()}
        finally:
            for side in sides.values():
                side.stop()
        medians = {name: processes.median(processes.values(rounds, 'call_us'))
                   for name, rounds in zip(sides, answers)}
        result = Latencies({precision: medians[precision] for precision in ours},
                           self.settings.rounds,
                           ort_missing=next((missing[n] for n in ('call', 'empty', 'run')
                                             if n in missing), ''),
                           torch_missing=missing.get('nchw', ''))
        if not result.ort_missing:
            result.call = medians['call']
            result.net_call = medians['call'] - medians['empty']
            result.model_run = last['run']['model_run_us']
        eager = [medians[name] for name in ('nchw', 'channels_last') if name in medians]
        if eager:
            result.eager = min(eager)
        times = ', '.join(f'{p} {number(us)}' for p, us in result.ours.items())
        self.say(f'{network} {shape}: {times} us, ONNX Runtime {number(result.call)} (less the '
                 f'binding {number(result.net_call)}, its run {number(result.model_run)}), PyTorch '
                 f'{number(result.eager)}')
        return result

    @functools.lru_cache(maxsize=None)
    def start(self, network, shape):
        """Answers of fresh processes that know the picks."""
        self.source.start(network, shape)
        return [self.source.start(network, shape) for _ in range(self.settings.starts)]

    @functools.lru_cache(maxsize=None)
    def inference_precisions(self):
        answers = self.source.inference_precisions()
        if answers['f32'] is not None:
            raise NotMeasured(answers['f32'])
        return answers

    def offered_precisions(self):
        return [p for p, why_not in self.inference_precisions().items() if why_not is None]

    @functools.lru_cache(maxsize=None)
    def accurate_precisions(self, network):
        """Inference precisions within the allowance of f32's test accuracy, with their loss."""
        offered = self.offered_precisions()
        if offered == ['f32']:
            raise NotMeasured('; '.join(filter(None, self.inference_precisions().values())))
        model = self.source.trained_accuracy(network, self.settings.training_images)
        accuracy = {p: self.source.test_accuracy(model, p) for p in offered}
        losses = {p: accuracy['f32'] - a for p, a in accuracy.items()}
        return {p: loss for p, loss in losses.items() if loss <= ACCURACY_ALLOWANCE}

    # Figures of rows.

    def training_ratio(self, network, shape, precision):
        t = self.training(network, shape, precision)
        if t.torch is None:
            raise NotMeasured(f'{t.missing}; ours: {number(t.ours)} images/s')
        return Figure(t.ours / t.torch, t.rounds, t.torch_name, t.torch,
                      f'ours {number(t.ours)} images/s, {t.ours_precision} '
                      f'{sources.split_name(t.ours_split)}, peer in images/s')

    def best_precision(self, network, shape):
        precisions = self.accurate_precisions(network)
        latency = self.latencies(network, shape)
        best = min(precisions, key=latency.ours.get)
        peer = latency.onnx_runtime()
        if peer is None:
            raise NotMeasured(latency.ort_missing)
        return Figure(peer / latency.ours[best], latency.rounds, 'ONNX Runtime f32', peer,
                      f'{best} {number(latency.ours[best])} us, accuracy loss '
                      f'{100 * precisions[best]:.2f} points on Fashion-MNIST, peer in us')

    def latency_ratio(self, network, shape, kind):
        latency = self.latencies(network, shape)
        peer, name, missing = {
            'ort': (latency.onnx_runtime(), 'ONNX Runtime f32', latency.ort_missing),
            'model-run': (latency.model_run, 'ONNX Runtime f32 model_run', latency.ort_missing),
            'call': (latency.call, 'ONNX Runtime f32 call', latency.ort_missing),
            'eager': (latency.eager, 'PyTorch eager f32', latency.torch_missing)}[kind]
        if peer is None:
            raise NotMeasured(f'{missing}; ours: {number(latency.ours["f32"])} us')
        return Figure(peer / latency.ours['f32'], latency.rounds, name, peer,
                      f'ours {number(latency.ours["f32"])} us, peer in us')

    def int8_ratio(self):
        why_not = self.inference_precisions()['int8']
        if why_not is not None:
            raise NotMeasured(why_not)
        sides = []
        try:
            for precision in ('int8', 'f32'):
                sides.append(self.source.ours_latency(INT8_NETWORK, INT8_INPUT, precision))
            answers = processes.alternate(sides, self.settings.rounds,
                                          self.settings.latency_seconds)
        finally:
            for side in sides:
                side.stop()
        int8, f32 = (processes.median(processes.values(a, 'call_us')) for a in answers)
        return Figure(f32 / int8, self.settings.rounds, 'ours f32', f32,
                      f'int8 {number(int8)} us, peer in us')

    def memory_ratio(self, network, shape):
        t = self.training(network, shape, 'auto')
        if t.torch is None:
            raise NotMeasured(f'{t.missing}; ours: {number(t.ours_bytes / 2**20)} MiB')
        return Figure(t.ours_bytes / t.torch_bytes, 1, t.torch_name, t.torch_bytes / 2**20,
                      f'ours {number(t.ours_bytes / 2**20)} MiB, peer in MiB')

    def utilisation(self, network, shape, precision):
        t, floor = self.training(network, shape, precision), self.floor(network, shape, precision)
        flops = 3 * 2 * self.source.macs(network, shape) * t.ours
        return Figure(t.ours / floor, t.rounds, "oneDNN's best single primitives", floor,
                      f'ours {number(t.ours)} images/s, about {number(flops / 1e9)} GFLOP/s, '
                      'peer in images/s')

    def start_ms(self, network, shape, until):
        times = [answer[until] for answer in self.start(network, shape)]
        return Figure(processes.median(times), len(times))


def _over(figures, combine, text):
    """One figure out of several; missing as soon as one of them is."""
    def measure():
        all_figures = [figure() for figure in figures]
        value = combine([figure.value for figure in all_figures])
        return Figure(value, min(f.runs for f in all_figures), all_figures[0].peer, None,
                      f'{text} {len(all_figures)}')
    return measure


def definitions(m: Measurements) -> List[Definition]:
    """All rows, in the order they are measured and printed."""
    combinations = [(n, i) for n in m.settings.networks for i in m.settings.inputs]
    out = []

    def family(prefix, check, unit, better, figure, must=None, goal=None):
        """A row for each network and input; returns what measures them."""
        figures = []
        for network, shape in combinations:
            measure = functools.lru_cache(maxsize=None)(
                functools.partial(figure, network, shape))
            figures.append(measure)
            out.append(Definition(f'{prefix}.{network}.{shape}', f'{check}, {network} {shape}',
                                  unit, better, measure, must, goal))
        return figures

    def add(*args, **kwargs):
        out.append(Definition(*args, **kwargs))

    for precision in ('f32', 'auto'):
        family(f'floor.{precision}', "sum of oneDNN's best single primitives, as images/s of the "
               'machine', 'images/s', HIGHER,
               functools.partial(lambda p, n, s: Figure(m.floor(n, s, p)), precision))
    for precision, name, musts in (
            ('auto', 'trained images/s of the machine against the best PyTorch configuration',
             (1.2, 1.8, 3.0)),
            ('f32', 'the same in f32 on both sides', (None, 1.2, 2.0))):
        figures = family(f'train.{precision}', name, 'x', HIGHER,
                         functools.partial(lambda p, n, s: m.training_ratio(n, s, p), precision),
                         must=musts[0])
        add(f'train.{precision}.mean', f'{name}, geometric mean', 'x', HIGHER,
            _over(figures, geometric_mean, 'over'), must=musts[1], goal=musts[2])
        if musts[0] is not None:
            add(f'train.{precision}.min', f'{name}, the least', 'x', HIGHER,
                _over(figures, min, 'of'), must=musts[0])
    for precision in ('f32', 'auto'):
        family(f'utilisation.{precision}', 'achieved FLOP/s by that of the best single primitives',
               'x', HIGHER, functools.partial(lambda p, n, s: m.utilisation(n, s, p), precision))

    family('batches.share', 'time of one thread to prepare a batch, with all augmentation, by '
           'that of a step on one thread', 'x', LOWER, m.batches_share)

    for kind, name, must, goal in (
            ('ort', 'batch-1 latency, f32, 1 thread, against ONNX Runtime: its call less what a '
             'call costs by itself, or its profiled run if that is less', 1.0, 1.15),
            ('call', 'batch-1 latency, f32, 1 thread, against a whole call of ONNX Runtime',
             None, None),
            ('model-run', 'batch-1 latency, f32, 1 thread, against a run of ONNX Runtime by its '
             'profiler, which slows it', None, None),
            ('eager', 'batch-1 latency, f32, 1 thread, against PyTorch eager', 10.0, 20.0)):
        figures = family(f'latency.{kind}', name, 'x', HIGHER,
                         functools.partial(lambda k, n, s: m.latency_ratio(n, s, k), kind))
        add(f'latency.{kind}.mean', f'{name}, geometric mean', 'x', HIGHER,
            _over(figures, geometric_mean, 'over'), must=must, goal=goal)
    name = ('batch-1 latency in the best precision within 0.3 points of accuracy against ONNX '
            'Runtime f32')
    figures = family('latency.best', name, 'x', HIGHER, m.best_precision)
    add('latency.best.mean', f'{name}, geometric mean', 'x', HIGHER,
        _over(figures, geometric_mean, 'over'), must=1.3, goal=2.5)
    add('latency.int8', f'batch-1 latency, int8 against f32, {INT8_NETWORK} {INT8_INPUT}', 'x',
        HIGHER, m.int8_ratio, must=1.5, goal=3.0)

    name = 'peak resident memory of a training process by that of PyTorch'
    figures = family('memory.train', name, 'x', LOWER, m.memory_ratio)
    add('memory.train.worst', f'{name}, the most', 'x', LOWER, _over(figures, max, 'of'),
        must=0.5, goal=0.25)

    for prefix, name, until, must, goal in (
            ('start', 'time from architecture until the first step can begin (plan built, weights '
             'in), picks at hand', 'ready_ms', 300.0, 100.0),
            ('start-step', 'the same until the first step of 128 images has ended, 1 thread',
             'first_step_ms', None, None)):
        figures = family(prefix, name, 'ms', LOWER,
                         functools.partial(lambda u, n, s: m.start_ms(n, s, u), until))
        add(f'{prefix}.worst', f'{name}, the longest', 'ms', LOWER, _over(figures, max, 'of'),
            must=must, goal=goal)
    return out
