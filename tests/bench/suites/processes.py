"""Both sides of a comparison as child processes that work in rounds.

A side is one or more processes, each pinned to cores of its own. For each line "SECONDS" on
standard input a process works that long and answers with a line of JSON; at the end of input it may
answer with lines of what is known only then.
"""
import json
import os
import statistics
import subprocess
import tempfile
import time

from . import rows

_STARTED = []


class Worker:
    """One process. `cores` are those it may run on."""

    def __init__(self, command, cores, environment=None):
        self.name = ' '.join(os.path.basename(part) for part in command[:3])
        self.errors = tempfile.TemporaryFile(mode='w+')
        cores = sorted(cores)
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                text=True, bufsize=1, env={**os.environ, **(environment or {})},
                preexec_fn=lambda: os.sched_setaffinity(0, cores))
        except OSError as error:
            self.errors.close()
            raise rows.NotMeasured(f'{self.name} does not start: {error}') from error
        _STARTED.append(self)

    def failure(self):
        self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().strip().splitlines()
        return rows.NotMeasured(f'{self.name} ended: ' + (lines[-1][:300] if lines else
                                f'exit code {self.process.returncode}'))

    def begin(self, seconds):
        try:
            self.process.stdin.write(f'{seconds}\n')
            self.process.stdin.flush()
        except OSError as error:
            raise self.failure() from error

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise self.failure()
        return json.loads(line)

    def end(self):
        """Closes the input; all that is answered then, in one dict."""
        last = {}
        if self.process.poll() is None and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:
                pass
        for line in self.process.stdout:
            last.update(json.loads(line))
        if self.process.wait() != 0:
            raise self.failure()
        return last

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            try:
                stream.close()
            except OSError:
                pass


class Side:
    """The same program once for each set of cores."""

    def __init__(self, command, core_sets, environment=None):
        self.workers = []
        try:
            for cores in core_sets:
                self.workers.append(Worker(command, cores, environment))
        except rows.NotMeasured:
            self.stop()
            raise

    def round(self, seconds):
        """One answer a process; all work at the same time."""
        for worker in self.workers:
            worker.begin(seconds)
        return [worker.answer() for worker in self.workers]

    def end(self):
        return [worker.end() for worker in self.workers]

    def stop(self):
        for worker in self.workers:
            worker.stop()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()


def stop_all():
    """Ends what is still running, when the benchmark is interrupted."""
    for worker in _STARTED:
        worker.stop()


def once(command, cores, environment=None):
    """Runs a command that takes no rounds; its last answer."""
    with Side(command, [cores], environment) as side:
        return side.end()[0]


def alternate(sides, rounds, seconds, warmup=0.3):
    """Rounds of each side in turn, the order turned around each time; answers by side, by round."""
    for side in sides:
        side.round(warmup)
    answers = [[] for _ in sides]
    for number in range(rounds):
        order = range(len(sides)) if number % 2 == 0 else reversed(range(len(sides)))
        for i in order:
            answers[i].append(sides[i].round(seconds))
    return answers


def rates(answers, key='images_per_second'):
    """The sum over the processes of each round."""
    return [sum(answer[key] for answer in answer_set) for answer_set in answers]


def values(answers, key):
    return [answer_set[0][key] for answer_set in answers]


median = statistics.median


def now():
    return time.monotonic()
