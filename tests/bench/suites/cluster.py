"""A coordinator and workers on this machine, for searches that a benchmark measures."""
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

from . import rows

_RUNNING = []
_STARTUP_SECONDS = 30


def _start(command, log):
    with open(log, 'wb') as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    _RUNNING.append(process)
    return process


def _wait_for(done, process, log):
    deadline = time.monotonic() + _STARTUP_SECONDS
    while not done():
        if process.poll() is not None or time.monotonic() > deadline:
            with open(log, encoding='utf-8', errors='replace') as file:
                lines = file.read().strip().splitlines()
            raise rows.NotMeasured(f'{os.path.basename(log)}: {lines[-1] if lines else "no answer"}')
        time.sleep(0.1)


def _client(binaries, address, *arguments, text=None):
    command = [os.path.join(binaries, 'frontier'), '--coordinator', address, *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ['no message']
        raise rows.NotMeasured(f'frontier {arguments[0]}: {lines[0]}')
    return done.stdout


def stop_all():
    for process in reversed(_RUNNING):
        process.terminate()
    for process in reversed(_RUNNING):
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    _RUNNING.clear()


def start_coordinator(binaries, run, listen='127.0.0.1:0', wait=True):
    """A coordinator on the data folder of `run`: its process, and its address if it is waited for."""
    address_file = os.path.join(run, 'address')
    log = os.path.join(run, 'coordinator.log')
    if os.path.exists(address_file):
        os.remove(address_file)
    process = _start(
        [os.path.join(binaries, 'frontier-coordinator'), '--listen', listen,
         '--data_dir', data_folder(run), '--port_file', address_file], log)
    if not wait:
        return process, listen
    _wait_for(lambda: os.path.exists(address_file) and os.path.getsize(address_file) > 0,
              process, log)
    with open(address_file, encoding='utf-8') as file:
        return process, file.read().strip()


def data_folder(run):
    return os.path.join(run, 'coordinator')


def kill(process):
    process.kill()
    process.wait()
    _RUNNING.remove(process)


@contextlib.contextmanager
def run_folder(folder):
    """A folder for the files of a cluster; ends what was started in it."""
    run = tempfile.mkdtemp(prefix='cluster-', dir=folder)
    try:
        yield run
    finally:
        stop_all()
        shutil.rmtree(run, ignore_errors=True)


@contextlib.contextmanager
def coordinator(binaries, folder):
    """A fresh coordinator; its folder, for what else is made, and its address. Ends all after."""
    with run_folder(folder) as run:
        yield run, start_coordinator(binaries, run)[1]


def submit(binaries, address, job):
    _client(binaries, address, 'submit', '-', text=job)


def _search_with(binaries, run, address, flags, job):
    log = os.path.join(run, 'worker.log')
    worker = _start([os.path.join(binaries, 'frontier-worker'), '--coordinator', address,
                     '--worker_id', 'bench', '--state_dir', os.path.join(run, 'worker'), *flags],
                    log)
    _wait_for(lambda: json.loads(_client(binaries, address, 'workers', '--json'))['workers'],
              worker, log)
    _client(binaries, address, 'submit', '-', '--watch', text=job)
    return json.loads(_client(binaries, address, 'trials', '1', '--all', '--json'))['trials']


def unchecked_search(binaries, folder, data_sets, job):
    """As `search` on one core, of a job that is submitted before there is a worker to check it by.
    It may fail."""
    flags = [f'--dataset={name}={path}' for name, path in data_sets.items()]
    with coordinator(binaries, folder) as (run, address):
        submit(binaries, address, job)
        log = os.path.join(run, 'worker.log')
        worker = _start([os.path.join(binaries, 'frontier-worker'), '--coordinator', address,
                         '--worker_id', 'bench', '--state_dir', os.path.join(run, 'worker'),
                         '--slots', '1', '--threads_per_trial', '1', *flags], log)

        def ended():
            state = json.loads(_client(binaries, address, 'status', '1', '--json'))['job']['state']
            return state in ('JOB_STATE_COMPLETED', 'JOB_STATE_FAILED')
        _wait_for(ended, worker, log)
        return json.loads(_client(binaries, address, 'trials', '1', '--all', '--json'))['trials']


def search(binaries, folder, data_sets, cores, job):
    """All trials of one job, as `frontier trials --json` has them, once it has ended."""
    flags = [f'--dataset={name}={path}' for name, path in data_sets.items()]
    with coordinator(binaries, folder) as (run, address):
        return _search_with(binaries, run, address,
                            ['--slots', str(len(cores)), '--threads_per_trial', '1', *flags], job)


def table_search(binaries, folder, table, dataset, job):
    """The same, by one worker that looks all results up in a table; `dataset` as its flag says."""
    flags = [f'--evaluator=table:{table}', f'--dataset={dataset}']
    with coordinator(binaries, folder) as (run, address):
        return _search_with(binaries, run, address, flags, job)
