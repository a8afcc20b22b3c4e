#!/usr/bin/env python3
"""Puts single-line faults into the core, one at a time, and sees whether the tests find each.

    tests/simulation/mutation_check.py [--folder build/mutations] [--only NAME]

Works on a copy of the tree as it is now, with a build of its own: however it ends, the sources and
their build are left alone. Copy and build are kept, and the next call compiles what has changed; the
first compiles all that the tests need, some five minutes on two cores. Exits 1 if a fault is not
found.
"""
import argparse
import contextlib
import fcntl
import filecmp
import os
import shutil
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), *2 * [os.pardir]))

# Name, file, a line that is there once, what stands in its place.
FAULTS = [
    ('token-not-compared', 'coordinator/core/dispatcher_workers.cc',
     'return lease != nullptr && lease->token == token && lease->worker_id == worker_id;',
     'return (void)token, lease != nullptr && lease->worker_id == worker_id;'),
    ('worker-not-compared', 'coordinator/core/dispatcher_workers.cc',
     'return lease != nullptr && lease->token == token && lease->worker_id == worker_id;',
     'return (void)worker_id, lease != nullptr && lease->token == token;'),
    ('expiry-off-by-one', 'coordinator/core/lease_table.cc',
     'if (expires > now) break;', 'if (expires >= now) break;'),
    ('result-not-keyed', 'coordinator/core/dispatcher_workers.cc',
     'if (attempt.report_id() != key.id) return NotHeld(id);', ''),
    ('answer-before-durable', 'coordinator/storage/group_journal.cc',
     '} else if (!pending_.empty()) {', '} else if (false) {'),
    ('loss-not-noticed', 'coordinator/core/dispatcher_impl.cc',
     'if (losses_ != journal_->losses()) {', 'if (false) {'),
    ('budget-off-by-one', 'coordinator/core/budget.cc',
     'if (!budget.has_trials() || job.trials_created() - job.trials_reused() < budget.trials()) {',
     'if (!budget.has_trials() || job.trials_created() - job.trials_reused() <= budget.trials()) {'),
    ('attempts-off-by-one', 'coordinator/core/job_draft_ends.cc',
     'if (retried && CountedAttempts(*trial) < state_->spec().limits().max_attempts()) {',
     'if (retried && CountedAttempts(*trial) <= state_->spec().limits().max_attempts()) {'),
    ('lease-not-ended', 'coordinator/core/job_draft.cc',
     '*change_.add_ended_leases() = id.ToKey();', ''),
    ('token-given-twice', 'coordinator/core/job_draft.cc',
     'change_.set_next_lease_token(token + 1);', 'change_.set_next_lease_token(token);'),
    ('repeated-lease-is-another', 'coordinator/core/dispatcher_workers.cc',
     'if (const Lease* granted = leases_.OfRequest(request.worker_id(), request.request_id())) {',
     'if (const Lease* granted = leases_.OfRequest(request.worker_id(), "")) {'),
    ('last-write-not-kept', 'coordinator/storage/change_group.cc',
     'kept->Swap(row);', 'if (is_new) kept->Swap(row);'),
    ('outline-before-its-trials', 'coordinator/core/outlines.cc',
     'if (change <= durable && is_closed(range)) return Due{range, change};',
     'if ((void)durable, is_closed(range)) return Due{range, change};'),
    ('outline-without-curve', 'coordinator/core/outlines.cc', 'if (with_curve) {',
     'if (with_curve && trial.number() == 0) {'),
    ('outline-without-rungs', 'coordinator/core/outlines.cc',
     'kept->set_end_order(rung.end_order());', ''),
    ('outline-of-an-open-trial', 'coordinator/core/dispatcher_outlines.cc',
     'return next == open.end() || next->first > TrialNumber(range.last);',
     'return next == open.end() || next->first > TrialNumber(range.first);'),
]
TESTS = ['core_state_test', 'dispatcher_test', 'idempotency_test', 'core_restart_test',
         'core_outlines_test', 'early_stopping_test', 'lost_changes_test', 'group_journal_test',
         'job_lifecycle_test', 'cluster_simulation_test']


def mirror(root, copy):
    """Makes `copy` the same as the files of `root` that git knows or would add. What is the same
    already keeps its time, so that it is not compiled again; its build stays."""
    git = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                         cwd=root, capture_output=True, text=True, check=False)
    if git.returncode != 0:
        sys.exit(f'mutation_check: {root}: {git.stderr.strip()}')
    wanted = {path for path in git.stdout.split('\0')
              if os.path.isfile(os.path.join(root, path)) and
              not os.path.join(root, path).startswith(copy + os.sep)}
    for path in sorted(wanted):
        source, target = os.path.join(root, path), os.path.join(copy, path)
        if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)
        shutil.copymode(source, target)
    for folder, folders, files in os.walk(copy):
        if folder == copy and 'build' in folders:
            folders.remove('build')
        for name in files:
            path = os.path.join(folder, name)
            if os.path.relpath(path, copy) not in wanted:
                os.remove(path)


class Copy:
    """A copy of the tree with its own build; one check at a time works on it."""

    def __init__(self, root, folder, tests):
        self.tree, self.tests = os.path.join(folder, 'tree'), tests
        self.build_log = os.path.join(folder, 'build.log')
        os.makedirs(self.tree, exist_ok=True)
        self.lock = open(os.path.join(folder, 'lock'), 'w', encoding='utf-8')
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.lock.close()
            sys.exit(f'mutation_check: another one works in {folder}')
        mirror(root, self.tree)

    def run(self, command, output=subprocess.DEVNULL, **more):
        """The exit code; 1 if it takes too long."""
        try:
            # What outlives this process keeps the lock.
            return subprocess.run(command, cwd=self.tree, stdout=output, stderr=subprocess.STDOUT,
                                  check=False, pass_fds=[self.lock.fileno()], **more).returncode
        except subprocess.TimeoutExpired:
            return 1

    def programs(self):
        found = {}
        for folder, _, files in os.walk(os.path.join(self.tree, 'build', 'release', 'tests')):
            found.update({name: os.path.join(folder, name) for name in files})
        return [found[name] for name in self.tests]

    def finders(self):
        """Names of the tests that fail."""
        with open(self.build_log, 'w', encoding='utf-8') as log:
            if self.run(['scripts/build.sh', 'release', *self.tests], log) != 0:
                sys.exit(f'mutation_check: it does not compile; see {self.build_log}')
        environment = {**os.environ, 'FRONTIER_SIMULATED_SCHEDULES': '100'}
        return [os.path.basename(test) for test in self.programs()
                if self.run([test], env=environment, timeout=900) != 0]

    @contextlib.contextmanager
    def fault(self, name, path, line, instead):
        """The copy with a fault. What is killed here leaves it there; mirror() takes it away."""
        place = os.path.join(self.tree, path)
        with open(place, encoding='utf-8') as file:
            source = file.read()
        if source.count(line) != 1:
            sys.exit(f'mutation_check: {name}: the line is in {path} {source.count(line)} times')
        with open(place, 'w', encoding='utf-8') as file:
            file.write(source.replace(line, instead))
        yield
        with open(place, 'w', encoding='utf-8') as file:
            file.write(source)


def check(root, folder, faults, tests):
    """Names of the faults that no test finds; prints what finds each."""
    copy = Copy(root, os.path.abspath(folder), tests)
    with copy.lock:
        if found := copy.finders():
            sys.exit(f'mutation_check: without a fault these fail already: {", ".join(found)}')
        missed = []
        for fault in faults:
            name = fault[0]
            with copy.fault(*fault):
                found = copy.finders()
            print(f'{name}: {"found by " + ", ".join(found) if found else "NOT FOUND"}', flush=True)
            if not found:
                missed.append(name)
    print(f'{len(faults) - len(missed)} of {len(faults)} found')
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--folder', default=os.path.join(ROOT, 'build', 'mutations'),
                        help='of the copy and its build')
    parser.add_argument('--only', metavar='NAME', default='', help='faults whose name begins so')
    args = parser.parse_args()
    faults = [fault for fault in FAULTS if fault[0].startswith(args.only)]
    if not faults:
        parser.error(f'no fault begins with {args.only!r}')
    sys.exit(1 if check(ROOT, args.folder, faults, TESTS) else 0)


if __name__ == '__main__':
    main()
