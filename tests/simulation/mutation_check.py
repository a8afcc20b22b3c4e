#!/usr/bin/env python3
"""Puts single-line faults into the core, one at a time, and sees whether the tests find each.

    tests/simulation/mutation_check.py [--build build/release] [--only NAME]

Changes the sources in place and puts them back; the tree must have no changes of its own. Exits 1 if
a fault is not found.
"""
import argparse
import os
import subprocess
import sys

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


def run(command, **more):
    """The exit code; 1 if it hangs."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False, timeout=900, **more).returncode
    except subprocess.TimeoutExpired:
        return 1


def binaries(build):
    found = {}
    for folder, _, files in os.walk(os.path.join(build, 'tests')):
        found.update({name: os.path.join(folder, name) for name in files if name in TESTS})
    return [found[name] for name in TESTS]


def finders(build):
    """Names of the tests that fail."""
    if run(['ninja', '-C', build, *TESTS]) != 0:
        raise RuntimeError('it does not compile')
    environment = {**os.environ, 'FRONTIER_SIMULATED_SCHEDULES': '100'}
    return [os.path.basename(test) for test in binaries(build)
            if run([test], env=environment) != 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', default='build/release')
    parser.add_argument('--only', default='')
    args = parser.parse_args()
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir)
    os.chdir(root)
    if run(['git', 'diff', '--quiet', '--', 'coordinator']) != 0:
        sys.exit('mutation_check: coordinator/ has changes; commit or put them away first')
    if found := finders(args.build):
        sys.exit(f'mutation_check: without a fault these fail already: {", ".join(found)}')
    missed = []
    faults = [fault for fault in FAULTS if fault[0].startswith(args.only)]
    for name, path, line, instead in faults:
        with open(path, encoding='utf-8') as file:
            source = file.read()
        if source.count(line) != 1:
            sys.exit(f'mutation_check: {name}: the line is in {path} {source.count(line)} times')
        try:
            with open(path, 'w', encoding='utf-8') as file:
                file.write(source.replace(line, instead))
            found = finders(args.build)
        except RuntimeError as error:
            sys.exit(f'mutation_check: {name}: {error}')
        finally:
            with open(path, 'w', encoding='utf-8') as file:
                file.write(source)
        print(f'{name}: {"found by " + ", ".join(found) if found else "NOT FOUND"}', flush=True)
        if not found:
            missed.append(name)
    print(f'{len(faults) - len(missed)} of {len(faults)} found')
    sys.exit(1 if missed else 0)


if __name__ == '__main__':
    main()
