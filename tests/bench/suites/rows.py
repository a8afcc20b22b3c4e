"""Rows of a benchmark's result: what is measured, what must be reached, how both are written."""
import dataclasses
import json
import math
import re
from typing import Callable, List, Optional, Tuple

HIGHER, LOWER = 'higher', 'lower'
_ID = re.compile(r'[a-z0-9][a-z0-9.x-]*')


class NotMeasured(Exception):
    """Why a row has no value; its text is for people."""


@dataclasses.dataclass
class Figure:
    """What a measurement gives: `value` in the row's unit, from `runs` rounds."""
    value: float
    runs: int = 1
    peer: Optional[str] = None          # the other side and its configuration
    peer_value: Optional[float] = None  # in its own unit, which `detail` says
    detail: str = ''


@dataclasses.dataclass
class Definition:
    """A row before it is measured. `measure` returns a Figure or raises NotMeasured."""
    id: str
    check: str
    unit: str
    better: str
    measure: Callable[[], Figure]
    must: Optional[float] = None
    goal: Optional[float] = None
    builds: Tuple[str, ...] = ()  # test programs that it runs; scripts/bench.sh builds them


@dataclasses.dataclass
class Row:
    id: str
    check: str
    value: Optional[float]
    unit: str
    better: str
    must: Optional[float]
    goal: Optional[float]
    runs: int
    peer: Optional[str]
    peer_value: Optional[float]
    why: Optional[str] = None  # if there is no value

    def as_json(self):
        fields = dataclasses.asdict(self)
        if self.value is not None:
            del fields['why']
        return fields

    def verdict(self):
        """'goal', 'must', 'MISSED', 'not measured', or '' for a row that only informs."""
        if self.value is None:
            return 'not measured'
        if reaches(self.value, self.goal, self.better):
            return 'goal'
        if self.must is None:
            return ''
        return 'must' if reaches(self.value, self.must, self.better) else 'MISSED'


def reaches(value, bound, better):
    if bound is None:
        return False
    return value >= bound if better == HIGHER else value <= bound


def check_definitions(definitions: List[Definition]):
    """Raises ValueError for ids that repeat or are not stable words, or bounds that contradict."""
    seen = set()
    for d in definitions:
        if not _ID.fullmatch(d.id):
            raise ValueError(f'row id {d.id!r} is not of lower-case letters, digits, dots, dashes')
        if d.id in seen:
            raise ValueError(f'row id {d.id!r} comes twice')
        seen.add(d.id)
        if d.better not in (HIGHER, LOWER):
            raise ValueError(f'row {d.id}: better is {d.better!r}')
        if d.must is not None and d.goal is not None and not reaches(d.goal, d.must, d.better):
            raise ValueError(f'row {d.id}: the goal {d.goal} does not reach the must {d.must}')


def measure(definition: Definition) -> Row:
    d = definition
    try:
        figure = d.measure()
    except NotMeasured as reason:
        return Row(d.id, d.check, None, d.unit, d.better, d.must, d.goal, 0, None, None,
                   str(reason))
    if not math.isfinite(figure.value):
        return Row(d.id, d.check, None, d.unit, d.better, d.must, d.goal, figure.runs, figure.peer,
                   None, f'the value is {figure.value}')
    check = f'{d.check}; {figure.detail}' if figure.detail else d.check
    return Row(d.id, check, figure.value, d.unit, d.better, d.must, d.goal, figure.runs,
               figure.peer, figure.peer_value)


def number(value):
    """For people: four significant digits, no exponent for everyday sizes."""
    if value is None:
        return ''
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
        text = f'{value:.{min(digits, 6)}f}'
        return text.rstrip('0').rstrip('.') if '.' in text else text
    return f'{value:.3e}'


def table(rows: List[Row]) -> str:
    head = ['row', 'value', 'must', 'goal', 'verdict', 'what']
    lines = [head]
    for row in rows:
        sign = '>=' if row.better == HIGHER else '<='
        bounds = [f'{sign} {number(b)}' if b is not None else '' for b in (row.must, row.goal)]
        what = row.why if row.value is None else row.check
        if row.value is not None and row.peer is not None:
            what += f' [peer: {row.peer}'
            what += f', {number(row.peer_value)}]' if row.peer_value is not None else ']'
        value = '-' if row.value is None else f'{number(row.value)} {row.unit}'
        lines.append([row.id, value, *bounds, row.verdict(), what])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head) - 1)]
    out = []
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths)]
        out.append('  '.join([*cells, line[-1]]).rstrip())
    return '\n'.join(out)


def document(machine: dict, rows: List[Row]) -> str:
    return json.dumps({'machine': machine, 'rows': [row.as_json() for row in rows]}, indent=1,
                      allow_nan=False) + '\n'
