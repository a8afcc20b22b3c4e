"""The space suite: what a proposal costs - sampling, lowering, validation, canonical hash."""
import dataclasses
import functools
import statistics

from .rows import LOWER, Definition, Figure

# Row, the space in protobuf's text format, shape of the samples, most microseconds.
SPACES = (
    ('nasbench201', 'nasbench201 {}', '3x32x32', 50.0),
    ('nasbench101', 'nasbench101 {}', '3x32x32', None),
    ('mobile', 'mobile {}', '3x224x224', 1000.0),
)


@dataclasses.dataclass
class Settings:
    rounds: int = 5
    seconds: float = 1.0

    @staticmethod
    def quick():
        return Settings(rounds=2, seconds=0.1)


class Measurements:
    def __init__(self, source, settings, say=lambda text: None):
        self.source, self.settings, self.say = source, settings, say

    def proposal(self, name, space, shape):
        """Median over the rounds of the median proposal; the detail has the mean and the worst."""
        with self.source.proposals(space, shape) as side:
            side.round(self.settings.seconds)
            answers = [side.round(self.settings.seconds)[0] for _ in range(self.settings.rounds)]
        middle = {key: statistics.median(answer[key] for answer in answers) for key in answers[0]}
        self.say(f'{name}: {middle["median_us"]:.1f} us')
        return Figure(middle['median_us'], len(answers),
                      detail=f'{middle["nodes"]:.0f} nodes, mean {middle["mean_us"]:.1f} us, '
                             f'one in a hundred over {middle["p99_us"]:.0f} us')


def definitions(m: Measurements):
    return [Definition(f'space.{name}.proposal',
                       f'processor time to sample, lower, validate and hash a proposal, {name} for '
                       f'samples of {shape}, median',
                       'us', LOWER, functools.partial(m.proposal, name, space, shape), must=must)
            for name, space, shape, must in SPACES]
