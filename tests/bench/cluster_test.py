#!/usr/bin/env python3
"""Tests of what starts and ends coordinators and workers, with shell scripts in place of them."""
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suites import cluster, rows  # noqa: E402

# Serves once it has started for a moment.
COORDINATOR = '''
while [ $# -gt 0 ]; do
  if [ "$1" = --port_file ]; then port=$2; fi
  shift
done
sleep 0.2
echo 127.0.0.1:99 >"$port"
exec sleep 60
'''
WORKER = '''
echo "$*" >"$0.called"
exec sleep 60
'''
# There is a worker, and the job is over, once one was started.
CLIENT = '''
echo "$*" >>"$0.called"
started=false
if [ -s "$0-worker.called" ]; then started=true; fi
case "$3 $started" in
  'workers true') echo '{"workers": [{"id": "bench"}]}' ;;
  workers*) echo '{"workers": []}' ;;
  submit*) cat >"$0.job" ;;
  'status true') echo '{"job": {"state": "JOB_STATE_FAILED"}}' ;;
  status*) echo '{"job": {"state": "JOB_STATE_RUNNING"}}' ;;
  trials*) echo '{"trials": [{"number": 1}, {"number": 2}]}' ;;
esac
'''


class ClusterTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.addCleanup(cluster.stop_all)
        self.folder = scratch.name
        self.binaries = os.path.join(scratch.name, 'bin')
        os.mkdir(self.binaries)
        self.program('frontier-coordinator', COORDINATOR)
        self.program('frontier-worker', WORKER)
        self.program('frontier', CLIENT)

    def program(self, name, text):
        path = os.path.join(self.binaries, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write('#!/bin/sh' + text)
        os.chmod(path, 0o755)

    def read(self, name):
        with open(os.path.join(self.binaries, name), encoding='utf-8') as file:
            return file.read()

    def test_a_coordinator_is_waited_for_and_an_old_address_is_not_taken(self):
        with cluster.run_folder(self.folder) as run:
            with open(os.path.join(run, 'address'), 'w', encoding='utf-8') as file:
                file.write('of the one before')
            process, address = cluster.start_coordinator(self.binaries, run)
            self.assertEqual(address, '127.0.0.1:99')
            self.assertIsNone(process.poll())

    def test_what_does_not_start_says_why(self):
        with cluster.run_folder(self.folder) as run:
            self.program('frontier-coordinator', '\necho first\necho it is locked\nexit 3\n')
            with self.assertRaisesRegex(rows.NotMeasured, 'coordinator.log: it is locked'):
                cluster.start_coordinator(self.binaries, run)
            self.program('frontier-coordinator', '\nexec sleep 60\n')
            with mock.patch.object(cluster, '_STARTUP_SECONDS', 0.1):
                with self.assertRaisesRegex(rows.NotMeasured, 'coordinator.log: no answer'):
                    cluster.start_coordinator(self.binaries, run)

    def test_the_end_of_its_folder_is_the_end_of_a_cluster(self):
        with self.assertRaisesRegex(ValueError, 'of the measurement'):
            with cluster.run_folder(self.folder) as run:
                process, _ = cluster.start_coordinator(self.binaries, run)
                killed, _ = cluster.start_coordinator(self.binaries, run)
                cluster.kill(killed)
                self.assertIsNone(process.poll())
                raise ValueError('of the measurement')
        self.assertIsNotNone(process.poll())
        self.assertIsNotNone(killed.poll())
        self.assertFalse(os.path.exists(run))

    def test_a_search_is_one_worker_with_the_data_sets_and_cores_and_gives_all_trials(self):
        trials = cluster.search(self.binaries, self.folder, {'digits': '/data/digits'}, [0, 1],
                                'name: a job')
        self.assertEqual([trial['number'] for trial in trials], [1, 2])
        worker = self.read('frontier-worker.called')
        for flag in ('--coordinator 127.0.0.1:99', '--slots 2', '--threads_per_trial 1',
                     '--dataset=digits=/data/digits'):
            self.assertIn(flag, worker)
        self.assertEqual(self.read('frontier.job'), 'name: a job')
        calls = self.read('frontier.called').splitlines()
        self.assertIn('--coordinator 127.0.0.1:99 submit - --watch', calls)
        self.assertEqual(calls[-1], '--coordinator 127.0.0.1:99 trials 1 --all --json')

    def test_a_search_that_may_fail_is_submitted_before_there_is_a_worker(self):
        trials = cluster.unchecked_search(self.binaries, self.folder, {'tiny': '/data/tiny'}, 'job')
        self.assertEqual(len(trials), 2)
        calls = [call.split()[2] for call in self.read('frontier.called').splitlines()]
        self.assertEqual(list(dict.fromkeys(calls)), ['submit', 'status', 'trials'])
        self.assertIn('--slots 1', self.read('frontier-worker.called'))

    def test_a_refused_job_is_not_measured_and_says_why(self):
        self.program('frontier', '\necho "job.yaml:3: no such space" >&2\necho more >&2\nexit 3\n')
        with self.assertRaises(rows.NotMeasured) as refusal:
            cluster.submit(self.binaries, '127.0.0.1:99', 'job')
        self.assertEqual(str(refusal.exception), 'frontier submit: job.yaml:3: no such space')


if __name__ == '__main__':
    unittest.main()
